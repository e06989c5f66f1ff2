/** The queue of turns whose messages wait for an analysis. It only says whose turn it is: what was written stays in the archive. */
import { type ConnectionOptions, type JobsOptions, Queue } from 'bullmq';
import type { Log } from '../ops/logger.ts';
import type { AnalysisStore } from './store.ts';

/** One tag for all keys, so that BullMQ's scripts run on one node of a cluster. */
export const QUEUE_PREFIX = 'recado:{q}';
export const QUEUE_NAME = 'recado-analysis';

/** Everything there is to know about a job; Redis keeps it in clear text. */
export interface AnalysisJob {
  turn: string;
}

export interface AnalysisQueue {
  /**
   * Messages of these turns are in the archive, and answered. Never rejects: what could not be queued is found by the next
   * `catchUp`.
   */
  onArchived(turns: readonly string[]): Promise<void>;
  /** Queues what waits in the archive: at the start, and from time to time, so that a lost queue loses nothing. @returns how many turns. */
  catchUp(): Promise<number>;
  /** Catches up now and then every few minutes. */
  start(): void;
  stop(): Promise<void>;
}

export interface AnalysisQueueOptions {
  /** A client of its own for BullMQ: `maxRetriesPerRequest: null`, no command timeout, no key prefix. */
  connection: ConnectionOptions;
  store: Pick<AnalysisStore, 'waiting'>;
  log: Log;
  /** How often it is tried, and the first wait, doubled each time. Default: 8 times from 15 s on, half an hour together. */
  retries?: { attempts: number; firstWaitMs: number };
}

const RETRIES = { attempts: 8, firstWaitMs: 15_000 };
const CATCH_UP_EVERY_MS = 5 * 60_000;
/** Turns that are looked up at a time; the rest comes with the next look. */
const CATCH_UP_LIMIT = 1_000;
/** Finished jobs that are kept to look at. */
const KEPT_DONE = 100;
const KEPT_FAILED = 1_000;

export function createAnalysisQueue({
  connection,
  store,
  log,
  retries = RETRIES,
}: AnalysisQueueOptions): AnalysisQueue {
  let queue: Queue<AnalysisJob> | undefined;
  let timer: NodeJS.Timeout | undefined;

  /** Made at the first use, and made anew after trouble: BullMQ never recovers from a first connection that failed. */
  async function add(turns: readonly string[]): Promise<void> {
    queue ??= open();
    const mine = queue;
    try {
      await mine.addBulk(turns.map((turn) => ({ name: 'analyze', data: { turn }, opts: jobOptions(turn) })));
    } catch (error) {
      if (queue === mine) queue = undefined;
      await mine.close().catch(() => {});
      throw error;
    }
  }

  function open(): Queue<AnalysisJob> {
    const opened = new Queue<AnalysisJob>(QUEUE_NAME, { connection, prefix: QUEUE_PREFIX });
    opened.on('error', (error) => log.debug('Trouble with the analysis queue', { reason: error.message }));
    return opened;
  }

  /** While a job of the same turn waits, runs or is about to be tried again, another one is not added. */
  function jobOptions(turn: string): JobsOptions {
    return {
      deduplication: { id: turn },
      attempts: retries.attempts,
      backoff: { type: 'exponential', delay: retries.firstWaitMs, jitter: 0.2 },
      removeOnComplete: KEPT_DONE,
      removeOnFail: KEPT_FAILED,
    };
  }

  async function catchUp(): Promise<number> {
    const turns = await store.waiting(CATCH_UP_LIMIT);
    if (turns.length > 0) await add(turns);
    return turns.length;
  }

  async function look(): Promise<void> {
    try {
      const turns = await catchUp();
      if (turns > 0) log.info('Messages that still wait for an analysis were queued', { turns });
    } catch (error) {
      log.warn('The analysis could not look for messages that wait; trying again later', { error });
    }
  }

  return {
    async onArchived(turns) {
      if (turns.length === 0) return;
      await add(turns).catch((error) => log.warn('The analysis will come later: its queue is not there', { error }));
    },
    catchUp,
    start() {
      timer ??= setInterval(look, CATCH_UP_EVERY_MS).unref();
      void look();
    },
    async stop() {
      clearInterval(timer);
      timer = undefined;
      await queue?.close().catch(() => {});
      queue = undefined;
    },
  };
}
