/** Joins the channels: how messages come in and go out. A new channel is one more entry in `CHANNELS`. */
import type Router from '@koa/router';
import type { Channel } from '../channels/channel.ts';
import { createTwilioChannel, isOutsideUs1 } from '../channels/twilio/client.ts';
import { createTwilioMedia } from '../channels/twilio/media.ts';
import { createTwilioWebhook, REFUSALS, STATUS_PATH } from '../channels/twilio/webhook.ts';
import type { Config } from '../config.ts';
import type { Accept } from '../conversation/accept.ts';
import { createDownloader, type Downloader } from '../media/download.ts';
import type { DeliveryStatus } from '../message.ts';
import type { Log } from '../ops/logger.ts';
import { remember } from '../ops/remember.ts';
import type { StandIns } from './stand-ins.ts';

export interface ChannelParts {
  channel: Channel;
  /** The routes of its webhooks. */
  webhook: (to: Receivers) => Router;
  /** What a refused request to a path of its webhooks is answered with. Default: JSON. */
  refusals?: ReadonlyMap<string, { type: string; body: string }>;
}

/** Where the webhooks hand over what they parsed. */
export interface Receivers {
  onMessage: Accept;
  onStatus: (status: DeliveryStatus) => Promise<void>;
}

export interface ChannelTools {
  config: Config;
  standIns: StandIns;
  downloader: Downloader;
  /** Redis' time, unix ms: for what is compared with other times. */
  now: () => number;
  log: Log;
}

export type BuildChannel = (tools: ChannelTools) => ChannelParts;

const CHANNELS: readonly BuildChannel[] = [buildTwilio];

export interface AllChannels {
  parts: ChannelParts[];
  close(): Promise<void>;
}

/** Builds every channel; nothing is connected. @param more channels beside those of `CHANNELS` */
export function buildChannels(
  config: Config,
  standIns: StandIns,
  more: readonly BuildChannel[],
  { now, log }: Pick<ChannelTools, 'now' | 'log'>,
): AllChannels {
  const downloader = createDownloader({
    trustedOrigins: [new URL(standIns.twilio.apiBaseUrl).origin, ...standIns.trustedOrigins],
    maxBytes: config.maxMediaBytes,
    log,
  });
  const tools = { config, standIns, downloader, now, log };
  const parts = [...CHANNELS, ...more].map((build) => build(tools));
  return { parts, close: () => downloader.close() };
}

/** How long what a provider said is good for, ms. */
const PROVIDER_MS = 60_000;

/** Of the channels whose provider can be asked whether it is there. */
export function pingsOf(parts: readonly ChannelParts[]): Record<string, () => Promise<void>> {
  const pings = parts.flatMap(({ channel }) => {
    const ping = channel.ping?.bind(channel);
    return ping ? [[channel.name, remember(() => ping(), PROVIDER_MS)] as const] : [];
  });
  return Object.fromEntries(pings);
}

function buildTwilio({ config, standIns, downloader, now, log }: ChannelTools): ChannelParts {
  const { accountSid, authToken, secondaryToken, apiBaseUrl, number, messagingServiceSid } = standIns.twilio;
  // The simulator is on this machine, and calls us without a public address.
  const calledAt = config.publicUrl ?? (standIns.isSimulated ? `http://127.0.0.1:${config.port}` : undefined);
  const statusCallbackUrl = calledAt && `${calledAt}${STATUS_PATH}`;
  const channel = createTwilioChannel({
    accountSid,
    authToken,
    sender: { from: number, messagingServiceSid },
    apiBaseUrl,
    statusCallbackUrl,
    media: createTwilioMedia({ accountSid, authToken, apiBaseUrl, downloader }),
    now,
    log,
  });
  return {
    channel,
    refusals: REFUSALS,
    webhook: (receivers) =>
      createTwilioWebhook({
        accountSid,
        ownNumber: number,
        tokens: [authToken, ...(secondaryToken ? [secondaryToken] : [])],
        validateSignature: config.validateSignature,
        publicUrl: config.publicUrl,
        trustProxy: config.trustProxy,
        deadlineMs: isOutsideUs1(apiBaseUrl) ? 0 : config.twimlDeadlineMs,
        statusCallbackUrl,
        now,
        ...receivers,
      }),
  };
}
