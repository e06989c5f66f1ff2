/** Joins broadcasts: what plans them, what sends them, what the inbox sees of them. */
import { createBroadcasts } from '../archive/read/broadcasts.ts';
import { createBroadcastStore, type Sender } from '../archive/write/broadcasts.ts';
import { createAccountState, type KeptNews } from '../broadcast/account.ts';
import { createBroadcastDesk } from '../broadcast/broadcasts.ts';
import { quietFor, writeQuietHours } from '../broadcast/hours.ts';
import { createInitiate } from '../broadcast/initiate.ts';
import { createBroadcastWorker } from '../broadcast/worker.ts';
import type { Config } from '../config.ts';
import type { Prices } from '../costs/prices.ts';
import type { BroadcastTools } from '../inbox/broadcasts.ts';
import { newId } from '../ops/id.ts';
import type { Log } from '../ops/logger.ts';
import type { Metrics } from '../ops/metrics.ts';
import { remember } from '../ops/remember.ts';
import { createSenders } from '../outbound/senders.ts';
import type { SendTemplate } from '../outbound/template.ts';
import type { ArchiveParts } from './archive.ts';
import type { OutboundParts } from './outbound.ts';

export interface BroadcastOptions {
  archive: Pick<ArchiveParts, 'database'>;
  outbound: OutboundParts;
  /** What providers told of our accounts. */
  accounts: KeptNews;
  sendTemplate: SendTemplate;
  prices: Prices;
  /** Our numbers that people have written to. */
  known: () => Promise<readonly Sender[]>;
  now: () => number;
  metrics: Pick<Metrics, 'gauge'>;
  log: Log;
}

export interface BroadcastParts {
  /** For the inbox's API. */
  tools: BroadcastTools;
  /** What the operator should know: broadcasts that stopped by themselves. */
  notices(): Promise<{ code: string; text: string }[]>;
  /** Begins to send, as soon as the archive has its tables. @param isOurs see `Join` */
  start(isOurs: () => boolean | null): void;
  /** Takes no more; resolves when what is being sent has ended. */
  drain(): Promise<void>;
}

/** How long the figure of broadcasts that stopped is reused, ms. */
const STOPPED_MS = 10_000;

/** Builds it; nothing is sent until it starts. */
export function buildBroadcasts(config: Config, options: BroadcastOptions): BroadcastParts {
  const { outbound, sendTemplate, prices, known, now, metrics, log } = options;
  const { database } = options.archive;
  const { channels, templates } = outbound;
  const { timeZone } = config;
  const { template, quietHours, requiresOptIn, perSecond, perDay } = config.bulk;
  const store = createBroadcastStore(database);
  const broadcasts = createBroadcasts(database);
  const senders = createSenders({ channels, known });
  const explain = (channel: string, code: string) => channels.of(channel).explain(code);
  const scopeOf = (channel: string, code: string) => channels.of(channel).scopeOf?.(code) ?? null;
  const news = createAccountState(options.accounts);
  let isOurs: () => boolean | null = () => null;
  let answered = false;
  const worker = createBroadcastWorker({
    ...{ store, sendTemplate, templates, explain, news, now, log },
    scopeOf,
    isReady: async () => isOurs() === true && (await hasTables()),
    quietFor: () => quietFor(quietHours, now(), timeZone),
    limits: { perSecond, perDay },
    process: newId(),
  });
  const desk = createBroadcastDesk({
    ...{ store, broadcasts, templates, senders, template, requiresOptIn, quietHours, timeZone, news, now },
    prices: prices.messages,
    scopeOf,
    wake: worker.wake,
  });
  const { permissionsOf } = broadcasts;
  const initiate = createInitiate({
    sendTemplate,
    senders,
    template,
    requiresOptIn,
    permissionsOf,
    explain,
    log,
  });
  const countStopped = async () => (await broadcasts.stopped()).length;
  metrics.gauge(
    'broadcasts_stopped',
    'Broadcasts of the last week that stopped by themselves',
    remember(countStopped, STOPPED_MS),
  );
  return {
    tools: {
      ...{ desk, initiate, senders, template, timeZone, requiresOptIn, explain },
      read: broadcasts,
      quietHours: quietHours && writeQuietHours(quietHours),
    },
    notices,
    start(ours) {
      isOurs = ours;
      worker.start();
    },
    drain: worker.stop,
  };

  async function hasTables(): Promise<boolean> {
    answered ||= await database.ping().then(...ANSWERS);
    return answered;
  }

  async function notices(): Promise<{ code: string; text: string }[]> {
    const [stopped, ...others] = await broadcasts.stopped();
    if (!stopped) return [];
    const first = `The broadcast “${stopped.name}” stopped: ${stopped.reason}`;
    const more = others.length === 0 ? '' : ` ${others.length} more have stopped: see Broadcasts.`;
    return [{ code: 'broadcast.stopped', text: first + more }];
  }
}

const ANSWERS = [() => true, () => false] as const;
