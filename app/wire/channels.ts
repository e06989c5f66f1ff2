/** Joins the channels: how messages come in and go out. A new channel is one more entry in `CHANNELS`. */
import type Router from '@koa/router';
import type { Channel } from '../channels/channel.ts';
import { createMetaChannel } from '../channels/meta/client.ts';
import { createGraph } from '../channels/meta/graph.ts';
import { createNumbers } from '../channels/meta/numbers.ts';
import { META } from '../channels/meta/status.ts';
import { createMetaWebhook, LARGEST_BATCH, META_PATH } from '../channels/meta/webhook.ts';
import { createTwilioChannel, isOutsideUs1 } from '../channels/twilio/client.ts';
import { createTwilioMedia } from '../channels/twilio/media.ts';
import { createTwilioWebhook, REFUSALS, STATUS_PATH } from '../channels/twilio/webhook.ts';
import type { Config } from '../config.ts';
import type { Accept } from '../conversation/accept.ts';
import { createDownloader, type Downloader } from '../media/download.ts';
import type { Reports } from '../memory/reports.ts';
import type { ChannelName, DeliveryStatus, Echo, Report } from '../message.ts';
import type { Log } from '../ops/logger.ts';
import { remember } from '../ops/remember.ts';
import type { StandIns } from './stand-ins.ts';

export interface ChannelParts {
  channel: Channel;
  /** The routes of its webhooks. */
  webhook: (to: Receivers) => Router;
  /** What a refused request to a path of its webhooks is answered with. Default: JSON. */
  refusals?: ReadonlyMap<string, { type: string; body: string }>;
  /** What `/readyz` says of it beside whether its provider answers; what is not 'ok' makes it `degraded`. */
  states?: Record<string, string>;
  /** Paths of its webhooks whose bodies are wanted as bytes → the largest, bytes. */
  rawBodies?: ReadonlyMap<string, number>;
}

/** Where the webhooks hand over what they parsed. */
export interface Receivers {
  onMessage: Accept;
  onStatus: (status: DeliveryStatus) => Promise<void>;
  /** What the team sent from the Business app. */
  onEcho: (echo: Echo) => Promise<void>;
  /** What a provider tells beside messages. */
  onReport: (report: Report) => Promise<void>;
}

export interface ChannelTools {
  config: Config;
  standIns: StandIns;
  downloader: Downloader;
  /** Redis' time, unix ms: for what is compared with other times. */
  now: () => number;
  /** What a provider reports of messages by the name that we gave them. */
  reportsOf: (channel: ChannelName) => Reports;
  log: Log;
}

/** @returns null for a channel that is not configured */
export type BuildChannel = (tools: ChannelTools) => ChannelParts | null;

const CHANNELS: readonly BuildChannel[] = [buildTwilio, buildMeta];

export interface AllChannels {
  parts: ChannelParts[];
  close(): Promise<void>;
}

/** Builds every channel; nothing is connected. @param more channels beside those of `CHANNELS` */
export function buildChannels(
  config: Config,
  standIns: StandIns,
  more: readonly BuildChannel[],
  shared: Pick<ChannelTools, 'now' | 'reportsOf' | 'log'>,
): AllChannels {
  const { log } = shared;
  const providers = [standIns.twilio?.apiBaseUrl, standIns.meta?.apiBase].filter((address) => address !== undefined);
  const downloader = createDownloader({
    trustedOrigins: [...providers.map((address) => new URL(address).origin), ...standIns.trustedOrigins],
    maxBytes: config.maxMediaBytes,
    log,
  });
  const tools = { config, standIns, downloader, ...shared };
  const parts = [...CHANNELS, ...more].map((build) => build(tools)).filter((built) => built !== null);
  return { parts, close: () => downloader.close() };
}

/** How long one call of Meta's API may take, ms. */
const CALL_MS = 10_000;

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

/** What the channels say of themselves, for `/readyz`. */
export function statesOf(parts: readonly ChannelParts[]): Record<string, string> {
  return Object.assign({}, ...parts.map(({ states }) => states ?? {}));
}

function buildTwilio({ config, standIns, downloader, now, log }: ChannelTools): ChannelParts | null {
  if (!standIns.twilio) return null;
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

function buildMeta({ standIns, downloader, now, reportsOf, log }: ChannelTools): ChannelParts | null {
  if (!standIns.meta) return null;
  const { accessToken, apiBase, phoneNumberIds, accountId, verifyToken, appSecret } = standIns.meta;
  const graph = createGraph({ accessToken, apiBase, timeoutMs: CALL_MS });
  const numbers = createNumbers(phoneNumberIds, graph);
  const reports = reportsOf(META);
  return {
    channel: createMetaChannel({ accessToken, apiBase, graph, numbers, accountId, reports, downloader, now, log }),
    states: { meta_signatures: appSecret === null ? 'not checked' : 'ok' },
    rawBodies: new Map([[META_PATH, LARGEST_BATCH]]),
    webhook: ({ onStatus, ...receivers }) => {
      const noted = async (status: DeliveryStatus): Promise<void> => {
        await onStatus(status);
        const { replyId, part = 0, sid } = status;
        if (replyId !== undefined) await reports.note({ replyId, part }, sid);
      };
      return createMetaWebhook({ verifyToken, appSecret, numbers, accountId, now, ...receivers, onStatus: noted, log });
    },
  };
}
