/** Joins what fills the archive: the recorder, the analysis, and the live changes of the open pages. */
import { createRecorder } from '../archive/write/recorder.ts';
import type { Config } from '../config.ts';
import type { LiveEvent } from '../inbox/contract.ts';
import { createLive, type Live } from '../inbox/live.ts';
import { createNews } from '../memory/news.ts';
import { createEventStream } from '../memory/stream.ts';
import { alarmsOf, DESK_LIMITS } from '../ops/limits.ts';
import type { Log } from '../ops/logger.ts';
import type { Metrics } from '../ops/metrics.ts';
import { remember } from '../ops/remember.ts';
import { buildAlarms } from './alarms.ts';
import { type AnalysisParts, buildAnalysis } from './analysis.ts';
import type { ArchiveParts } from './archive.ts';
import type { CostParts } from './costs.ts';
import type { MemoryParts } from './memory.ts';
import type { StandIns } from './stand-ins.ts';

export interface RecordingTools {
  memory: MemoryParts;
  archive: ArchiveParts;
  standIns: StandIns;
  costs: CostParts;
  metrics: Metrics;
  log: Log;
}

export interface RecordingParts {
  /** What the team sees of the costs. */
  costs: CostParts['overview'];
  /** The open pages of the inbox. */
  live: Live;
  /** See `AnalysisParts`. */
  retryAnalyses: AnalysisParts['retry'];
  /** @param isOurs see `Join` */
  start(isOurs: () => boolean | null): void;
  /** Takes no more work; resolves when what runs has ended. */
  drain(): Promise<void>;
  close(): Promise<void>;
}

/** How long the figure of events that were set aside is reused, ms. */
const SET_ASIDE_MS = 10_000;

/** Builds it; nothing is connected or opened until it starts. */
export function buildRecording(config: Config, tools: RecordingTools): RecordingParts {
  const { memory, archive, standIns, costs, metrics, log } = tools;
  const { redis, keys } = memory;
  const { database } = archive;
  const live = createLive({ news: createNews({ redis, keys }), log });
  const onAnalyzed = (phone: string) => tell('analysis', [phone]);
  const analysis = buildAnalysis(config, { database, standIns, costs, onAnalyzed, metrics, log });
  const recorder = createRecorder({
    database,
    stream: createEventStream({ redis, keys, log }),
    log,
    analysis: config.analysis,
    prices: costs.prices.messages,
    onRecorded({ phones, turns }) {
      tell('message', phones);
      analysis.onArchived(turns);
    },
  });
  metrics.gauge(
    'archive_events_set_aside',
    'Events that could not be written to the archive',
    remember(countSetAside, SET_ASIDE_MS),
  );
  metrics.gauge('archive_failing', '1 while the archive cannot be written', () => (recorder.failingSince ? 1 : 0));
  metrics.gauge(
    'archive_backlog_share',
    'How full Redis is of events that wait for the archive, 0 to 1; at 1 the oldest are dropped',
    () => recorder.fullness,
  );
  const watched = alarmsOf(DESK_LIMITS, metrics.figure);
  const alarms = buildAlarms(config, { memory, alarms: watched, seesRedis: false, log });
  return {
    live,
    costs: costs.overview,
    retryAnalyses: analysis.retry,
    start,
    drain,
    close: () => analysis.close(),
  };

  function countSetAside(): Promise<number> {
    return database.run(async (db) => {
      const { count } = await db
        .selectFrom('whatsapp_events_set_aside')
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .executeTakeFirstOrThrow();
      return Number(count);
    });
  }

  function tell(kind: LiveEvent['kind'], phones: readonly string[]): void {
    live.tell(phones.map((phone_number) => ({ kind, phone_number })));
  }

  /** Without an archive, too: the recorder keeps the events that wait within their bounds. */
  function start(isOurs: () => boolean | null): void {
    recorder.start();
    analysis.start();
    // The simulator charges nothing.
    if (!standIns.isSimulated) costs.latePrices.start();
    alarms.start(isOurs);
  }

  async function drain(): Promise<void> {
    live.end();
    await Promise.all([analysis.drain(), costs.latePrices.stop()]);
    await Promise.all([recorder.stop(), alarms.stop()]);
  }
}
