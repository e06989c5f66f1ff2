/** Twilio's REST API as a `Channel`. https://www.twilio.com/docs/messaging/api/message-resource */
import Twilio from 'twilio/lib/rest/Twilio.js';
import type { Log } from '../../ops/logger.ts';
import type { Channel, Recipient } from '../channel.ts';
import { fromAddress, toAddress } from './address.ts';
import { channelFailure, unreadableAnswer } from './failure.ts';
import { createTwilioHttp } from './http.ts';
import { statusCallbackFor } from './status.ts';
import { sendable } from './twiml.ts';

export interface TwilioChannelOptions {
  accountSid: string;
  authToken: string;
  /** With a Messaging Service it picks the sender; else we answer as whom the person wrote to, and `from` stands in. */
  sender: { from?: string | undefined; messagingServiceSid?: string | undefined };
  /** `https://api.twilio.com`, that of a region, or any other origin with or without a path. */
  apiBaseUrl: string;
  /** Our address for status callbacks; Twilio reports nothing without it. */
  statusCallbackUrl?: string | undefined;
  /** How long one call may take, connecting included. */
  timeoutMs?: number;
  log: Log;
}

/** The longest body that Twilio takes: https://www.twilio.com/docs/api/errors/21617 */
const LONGEST_TEXT = 1_600;
/** How many of the latest messages to a person are looked through. */
const LOOKED_THROUGH = 100;
/** Twilio's times are whole seconds, and what is known of its clock is no better. */
const CLOCK_SKEW_MS = 2_000;
const DAY_MS = 86_400_000;

/** Messages that will never arrive: whoever looks for one that was sent does not mean them. */
const NOT_SENT: ReadonlySet<string> = new Set(['failed', 'undelivered', 'canceled']);

/** Builds the channel; nothing is connected before the first call. Nothing is tried twice: that is the caller's to decide. */
export function createTwilioChannel(options: TwilioChannelOptions): Channel {
  const { sender, timeoutMs = 10_000, log } = options;
  const http = createTwilioHttp(timeoutMs);
  const twilio = connect(options, http.client);

  return {
    limits: { textLength: LONGEST_TEXT },

    async send(to, text, replyId, signal) {
      const { sid } = await call(false, signal, () =>
        twilio.messages.create({
          to: toAddress(to.contact),
          ...origin(to),
          body: sendable(text),
          ...statusCallback(replyId),
        }),
      );
      if (typeof sid !== 'string') throw unreadableAnswer();
      log.debug('Twilio took a message', { contact: to.contact, replyId });
      return sid;
    },

    async typing(messageId, signal) {
      await call(true, signal, () => twilio.messaging.v2.typingIndicator.create({ channel: 'whatsapp', messageId }));
    },

    async findSent(to, text, since, signal) {
      const messages = await call(true, signal, () => twilio.messages.list(latestTo(to, since)));
      const wanted = comparable(text);
      // Their list has their time: where our clock is ahead, a message seems older than the reply it is.
      const earliest = since + Math.min(0, http.aheadMs) - CLOCK_SKEW_MS;
      return messages
        .filter(({ status }) => !NOT_SENT.has(status))
        .filter((message) => comparable(message.body ?? '') === wanted && createdAt(message) >= earliest)
        .sort((a, b) => createdAt(b) - createdAt(a))
        .map(({ sid }) => sid);
    },
  };

  async function call<Result>(repeatable: boolean, signal: AbortSignal | undefined, request: () => Promise<Result>) {
    const deadline = AbortSignal.timeout(timeoutMs);
    try {
      return await http.within(signal ? AbortSignal.any([deadline, signal]) : deadline, request);
    } catch (error) {
      throw channelFailure(error, repeatable);
    }
  }

  function origin(to: Recipient): { messagingServiceSid: string } | { from: string } {
    const { messagingServiceSid } = sender;
    return messagingServiceSid ? { messagingServiceSid } : { from: senderOf(to) };
  }

  function senderOf(to: Recipient): string {
    return toAddress(to.business || fromAddress(sender.from ?? ''));
  }

  function statusCallback(replyId: string): { statusCallback?: string } {
    const url = statusCallbackFor(options.statusCallbackUrl, replyId);
    return url === undefined ? {} : { statusCallback: url };
  }

  /** Twilio filters by whole days, and which sender a Messaging Service picked is not known here. */
  function latestTo(to: Recipient, since: number) {
    const day = new Date(Math.floor((since - CLOCK_SKEW_MS) / DAY_MS) * DAY_MS);
    const from = sender.messagingServiceSid ? {} : { from: senderOf(to) };
    return { to: toAddress(to.contact), ...from, dateSentAfter: day, limit: LOOKED_THROUGH, pageSize: LOOKED_THROUGH };
  }
}

/** The SDK, calling exactly the configured origin. */
function connect(
  { accountSid, authToken, apiBaseUrl }: TwilioChannelOptions,
  httpClient: ReturnType<typeof createTwilioHttp>['client'],
) {
  const twilio = new Twilio(accountSid, authToken, { httpClient });
  // It would put TWILIO_EDGE and TWILIO_REGION of the environment into any host name, and drops labels of long ones.
  twilio.getHostname = (host: string) => host;
  twilio.api.baseUrl = apiBaseUrl;
  twilio.messaging.baseUrl = messagingBaseUrl(apiBaseUrl);
  return twilio;
}

/** Twilio keeps its products on hosts of their own, which share region and edge; whoever stands in for it has one. */
export function messagingBaseUrl(apiBaseUrl: string): string {
  return apiBaseUrl.replace(/^(https:\/\/)api((?:\.[a-z0-9-]+)*\.twilio\.com)$/i, '$1messaging$2');
}

/** Twilio may trim a text, and knows one kind of line break. */
function comparable(text: string): string {
  return sendable(text).replace(/\r\n?/g, '\n').trim();
}

/** Unix ms; 0 when Twilio does not say. */
function createdAt({ dateCreated }: { dateCreated: Date }): number {
  return new Date(dateCreated).getTime() || 0;
}
