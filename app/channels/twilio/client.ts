/** Twilio's REST API as a `Channel`. https://www.twilio.com/docs/messaging/api/message-resource */
import type Twilio from 'twilio/lib/rest/Twilio.js';
import { isFailure } from '../../errors.ts';
import type { DeliveryStatus, Extra, TemplateMessage } from '../../message.ts';
import type { Log } from '../../ops/logger.ts';
import { type Scrubbed, scrub } from '../../privacy/scrub.ts';
import type { ChannelBasics, Listing, PartOf, Recipient, SentTemplate, Template } from '../channel.ts';
import { fromAddress, toAddress } from './address.ts';
import { explainTwilioCode } from './explain.ts';
import { channelFailure, unreadableAnswer } from './failure.ts';
import type { TwilioHttp } from './http.ts';
import type { TwilioMedia } from './media.ts';
import { scopeOfTwilio } from './scope.ts';
import { pricingOf, stateOf, statusCallbackFor } from './status.ts';
import { contentOf, readContent } from './templates.ts';
import { sendable } from './twiml.ts';

export interface TwilioChannelOptions {
  accountSid: string;
  authToken: string;
  /** A Messaging Service picks the sender itself. Else the sender is the number the person wrote to, or `from` when that is not known. */
  sender: { from?: string | undefined; messagingServiceSid?: string | undefined };
  /** `https://api.twilio.com`, that of a region, or any other origin with or without a path. */
  apiBaseUrl: string;
  /** Our address for status callbacks; Twilio reports nothing without it. */
  statusCallbackUrl?: string | undefined;
  media: TwilioMedia;
  /** How long one call may take, connecting included. */
  timeoutMs?: number;
  /** The time that `findSent` is asked in, unix ms. Default: this machine's. */
  now?: () => number;
  log: Log;
}

type NewMessage = { to: string } & (
  | { body: string; mediaUrl?: string[] }
  | { contentSid: string; contentVariables?: string }
) &
  ({ messagingServiceSid: string } | { from: string });

/** The channel's name in conversations and settings. */
export const TWILIO = 'twilio';

/** https://www.twilio.com/docs/api/errors/21609 */
const CALLBACK_REFUSED = '21609';

/** The longest body that Twilio takes: https://www.twilio.com/docs/api/errors/21617 */
const LONGEST_TEXT = 1_600;
const MOST_TEMPLATES = 2_000;
/** Twilio answers up to 1,000 at once, at several kilobytes each. */
const PAGE_OF_TEMPLATES = 200;
/** How many of the latest messages to a person are looked through. */
const LOOKED_THROUGH = 100;
/** Twilio's times are whole seconds, and what is known of its clock is no better. */
const CLOCK_SKEW_MS = 2_000;
/** How far Twilio's clock may be behind ours where it was not learnt yet. */
const UNKNOWN_SKEW_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** Messages that will never arrive: they do not count as sent. */
const NOT_SENT: ReadonlySet<string> = new Set(['failed', 'undelivered', 'canceled']);

/**
 * Builds the channel; the SDK is loaded by `prepare` or the first call, and connects at the first call. It never repeats a call: the
 * caller decides that.
 */
export function createTwilioChannel(options: TwilioChannelOptions): ChannelBasics & Listing {
  const { sender, timeoutMs = 10_000, now = Date.now, log } = options;
  let connected: Promise<Connected> | undefined;
  let callbackRefused = false;

  return {
    name: TWILIO,
    limits: { textLength: LONGEST_TEXT },
    send,
    extras: ['file'],
    sendWith,
    sendTemplate,
    templatesBy: 'id',
    senders: async () => (sender.from ? [fromAddress(sender.from)] : []),
    templates,
    typing,
    findSent,
    wordsOf,
    statusOf,
    ping,
    async prepare() {
      await sdk();
    },
    explain: explainTwilioCode,
    scopeOf: scopeOfTwilio,
    download: (ref, how) => options.media.download(ref, how),
  };

  async function send(to: Recipient, text: Scrubbed, partOf: PartOf, signal?: AbortSignal): Promise<string> {
    const message = { to: toAddress(to.address), ...origin(to), body: sendable(text) };
    const { sid } = await create(message, statusCallback(partOf), signal);
    if (typeof sid !== 'string') throw unreadableAnswer();
    log.debug('Twilio took a message', { contact: to.address, replyId: partOf.replyId });
    return sid;
  }

  /** Choices would need a Content template of their own. */
  async function sendWith(to: Recipient, text: Scrubbed, extra: Extra, partOf: PartOf, signal?: AbortSignal) {
    const mediaUrl = extra.kind === 'file' ? { mediaUrl: [extra.link] } : {};
    const message = { to: toAddress(to.address), ...origin(to), body: sendable(text), ...mediaUrl };
    const { sid } = await create(message, statusCallback(partOf), signal);
    if (typeof sid !== 'string') throw unreadableAnswer();
    return sid;
  }

  async function sendTemplate(
    to: Recipient,
    template: TemplateMessage,
    partOf: PartOf,
    signal?: AbortSignal,
  ): Promise<SentTemplate> {
    const message = { to: toAddress(to.address), ...origin(to), ...contentOf(template) };
    const { sid, status, errorCode, dateCreated } = await create(message, statusCallback(partOf), signal);
    if (typeof sid !== 'string') throw unreadableAnswer();
    log.debug('Twilio took a template', { contact: to.address, replyId: partOf.replyId });
    const answer = { sid, status, to: message.to, error_code: errorCode, date_created: dateCreated };
    return { sid, answer };
  }

  async function templates(signal?: AbortSignal): Promise<Template[]> {
    const rows = await call(true, signal, ({ twilio }) =>
      twilio.content.v1.contentAndApprovals.list({ limit: MOST_TEMPLATES, pageSize: PAGE_OF_TEMPLATES }),
    );
    return rows.flatMap(readContent);
  }

  /** Without a status callback when Twilio refuses its address: a person's answer is worth more than the ticks beside it. */
  async function create(message: NewMessage, callback: { statusCallback?: string }, signal?: AbortSignal) {
    if (callbackRefused) return call(false, signal, ({ twilio }) => twilio.messages.create(message));
    try {
      return await call(false, signal, ({ twilio }) => twilio.messages.create({ ...message, ...callback }));
    } catch (error) {
      if (!isFailure(error) || error.providerCode !== CALLBACK_REFUSED) throw error;
      callbackRefused = true;
      log.warn('Twilio refuses our address for status callbacks, and is not given it any more. Check PUBLIC_URL.', {
        statusCallbackUrl: options.statusCallbackUrl,
      });
      return call(false, signal, ({ twilio }) => twilio.messages.create(message));
    }
  }

  async function wordsOf(id: string, signal?: AbortSignal): Promise<Scrubbed | null> {
    const { body } = await call(true, signal, ({ twilio }) => twilio.messages(id).fetch());
    return body ? scrub(body) : null;
  }

  async function statusOf(sid: string, signal?: AbortSignal): Promise<DeliveryStatus | null> {
    const message = await call(true, signal, ({ twilio }) => twilio.messages(sid).fetch()).catch((error) => {
      if (isFailure(error) && error.providerCode === '20404') return null;
      throw error;
    });
    if (message === null) return null;
    const pricing = pricingOf(message.price, message.priceUnit);
    return {
      channel: TWILIO,
      sid,
      state: stateOf(message.status),
      ...(message.errorCode ? { errorCode: String(message.errorCode) } : {}),
      business: fromAddress(message.from ?? ''),
      to: fromAddress(message.to),
      ...(pricing ? { pricing } : {}),
    };
  }

  async function ping(signal?: AbortSignal): Promise<void> {
    await call(true, signal, ({ twilio }) => twilio.messages.list({ limit: 1, pageSize: 1 }));
  }

  async function typing(_to: Recipient, messageId: string, signal?: AbortSignal): Promise<void> {
    await call(true, signal, ({ twilio }) =>
      twilio.messaging.v2.typingIndicator.create({ channel: 'whatsapp', messageId }),
    );
  }

  async function findSent(to: Recipient, text: Scrubbed, since: number, signal?: AbortSignal): Promise<string[]> {
    const asked = await Promise.all(
      // Asked by date, Twilio names no message that waits there and has no date yet.
      [sentSince(to, since), latestTo(to)].map((which) =>
        call(true, signal, ({ twilio }) => twilio.messages.list(which)),
      ),
    );
    const messages = new Map(asked.flat().map((message) => [message.sid, message]));
    const wanted = comparable(text);
    // The list has Twilio's time, which its answer has told by now.
    const aheadMs = (await connected)?.http.aheadMs ?? 0;
    const earliest = since + aheadMs - CLOCK_SKEW_MS;
    return [...messages.values()]
      .filter(({ status }) => !NOT_SENT.has(status))
      .filter((message) => comparable(message.body ?? '') === wanted && createdAt(message) >= earliest)
      .sort((a, b) => createdAt(b) - createdAt(a))
      .map(({ sid }) => sid);
  }

  function sdk(): Promise<Connected> {
    connected ??= connect(options, timeoutMs, now).catch((error) => {
      connected = undefined; // the next call loads it again
      throw error;
    });
    return connected;
  }

  async function call<Result>(
    repeatable: boolean,
    signal: AbortSignal | undefined,
    request: (connected: Connected) => Promise<Result>,
  ) {
    const parts = await sdk();
    const deadline = AbortSignal.timeout(timeoutMs);
    try {
      const within = signal ? AbortSignal.any([deadline, signal]) : deadline;
      return await parts.http.within(within, () => request(parts));
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

  function statusCallback(partOf: PartOf): { statusCallback?: string } {
    const url = statusCallbackFor(options.statusCallbackUrl, partOf);
    return url === undefined ? {} : { statusCallback: url };
  }

  /** Twilio filters by whole days of its own clock. */
  function sentSince(to: Recipient, since: number) {
    const day = new Date(Math.floor((since - UNKNOWN_SKEW_MS) / DAY_MS) * DAY_MS);
    return { ...latestTo(to), dateSentAfter: day };
  }

  /** Which sender a Messaging Service picked is not known here. */
  function latestTo(to: Recipient) {
    const from = sender.messagingServiceSid ? {} : { from: senderOf(to) };
    return { to: toAddress(to.address), ...from, limit: LOOKED_THROUGH, pageSize: LOOKED_THROUGH };
  }
}

interface Connected {
  twilio: Twilio;
  http: TwilioHttp;
}

/** The SDK, calling exactly the configured origin. Loading it takes 0.1 s: a process that starts does not wait for it. */
async function connect(
  { accountSid, authToken, apiBaseUrl }: TwilioChannelOptions,
  timeoutMs: number,
  now: () => number,
): Promise<Connected> {
  const [{ default: Sdk }, { createTwilioHttp }] = await Promise.all([
    import('twilio/lib/rest/Twilio.js'),
    import('./http.ts'),
  ]);
  const http = createTwilioHttp(timeoutMs, now);
  const twilio = new Sdk(accountSid, authToken, { httpClient: http.client });
  // It would put TWILIO_EDGE and TWILIO_REGION of the environment into any host name, and drops labels of long ones.
  twilio.getHostname = (host: string) => host;
  twilio.api.baseUrl = apiBaseUrl;
  twilio.messaging.baseUrl = productBaseUrl('messaging', apiBaseUrl);
  twilio.content.baseUrl = productBaseUrl('content', apiBaseUrl);
  return { twilio, http };
}

/**
 * Does the address lead to a region other than US1 (`api.ie1.twilio.com`, `api.dublin.ie1.twilio.com`)? Messages that a webhook's
 * response makes exist in US1 alone: https://www.twilio.com/docs/global-infrastructure
 */
export function isOutsideUs1(apiBaseUrl: string): boolean {
  const region = /^https:\/\/api(?:\.[a-z0-9-]+)?\.([a-z]{2}\d)\.twilio\.com$/i.exec(apiBaseUrl)?.[1];
  return region !== undefined && region.toLowerCase() !== 'us1';
}

/** Twilio's products have hosts of their own with the same region and edge; a stand-in has one host. */
export function productBaseUrl(product: 'messaging' | 'content', apiBaseUrl: string): string {
  return apiBaseUrl.replace(/^(https:\/\/)api((?:\.[a-z0-9-]+)*\.twilio\.com)$/i, `$1${product}$2`);
}

/** Twilio may trim a text, and knows one kind of line break. */
function comparable(text: string): string {
  return sendable(text).replace(/\r\n?/g, '\n').trim();
}

/** Unix ms; 0 when Twilio does not say. */
function createdAt({ dateCreated }: { dateCreated: Date }): number {
  return new Date(dateCreated).getTime() || 0;
}
