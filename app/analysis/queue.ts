/** The queue of turns whose messages wait for an analysis. It only names them: what was written stays in the archive. */
import type { ConnectionOptions, JobsOptions, Queue } from 'bullmq';
import type { AnalysisStore } from '../archive/write/analysis.ts';
import type { Log } from '../ops/logger.ts';

/** One tag for all keys, so that BullMQ's scripts run on one node of a cluster. */
export const QUEUE_PREFIX = 'recado:{q}';
export const QUEUE_NAME = 'recado-analysis';

/** Everything there is to know about a job; Redis keeps it in clear text. */
export interface AnalysisJob {
  /** Null = everything that waits in the archive. */
  turn: string | null;
}

export interface AnalysisQueue {
  /** The messages of these turns are in the archive, and answered. Never rejects: what could not be queued, catching up finds. */
  onArchived(turns: readonly string[]): Promise<void>;
  /** Has the workers look for what waits in the archive, if something does. A lost queue loses nothing. */
  catchUp(): Promise<void>;
  /** The same at once, also while an earlier look waits for its next try. */
  lookNow(): Promise<void>;
  /** Catches up now, and then every few minutes. */
  start(): void;
  stop(): Promise<void>;
}

export interface AnalysisQueueOptions {
  /** A client of its own for BullMQ: `maxRetriesPerRequest: null`, no command timeout, no key prefix. The caller closes it. */
  connection: ConnectionOptions;
  store: Pick<AnalysisStore, 'waiting'>;
  log: Log;
  /** The wait before the second try, ms; doubled for each further one. Default: 15 s, which makes half an hour of eight tries. */
  firstWaitMs?: number;
}

/** How often an analysis is tried. */
export const MOST_ATTEMPTS = 8;
/** Also how long the work of a crashed process waits at most. */
const CATCH_UP_EVERY_MS = 10 * 60_000;
/** Finished jobs that are kept to look at. */
const KEPT_DONE = 100;
const KEPT_FAILED = 1_000;

export function createAnalysisQueue(options: AnalysisQueueOptions): AnalysisQueue {
  const { connection, store, log, firstWaitMs = 15_000 } = options;
  let queue: Promise<Queue<AnalysisJob>> | undefined;
  let timer: NodeJS.Timeout | undefined;

  /** Made at the first use, and again after an error: BullMQ does not recover from a first connection that failed. */
  async function add(jobs: readonly AnalysisJob[], optionsOf = jobOptions): Promise<void> {
    queue ??= open();
    const mine = queue;
    try {
      await (await mine).addBulk(jobs.map((data) => ({ name: 'analyze', data, opts: optionsOf(data) })));
    } catch (error) {
      if (queue === mine) queue = undefined;
      await mine.then((opened) => opened.close()).catch(() => {});
      throw error;
    }
  }

  async function open(): Promise<Queue<AnalysisJob>> {
    const { Queue } = await import('bullmq');
    const opened = new Queue<AnalysisJob>(QUEUE_NAME, { connection, prefix: QUEUE_PREFIX });
    opened.on('error', (error) => log.debug('Trouble with the queue of the analysis', { reason: error.message }));
    return opened;
  }

  /** While a job for the same turn waits, runs or is about to be tried again, no other is added. */
  function jobOptions({ turn }: AnalysisJob): JobsOptions {
    return {
      deduplication: { id: turn ?? 'catch-up' },
      attempts: MOST_ATTEMPTS,
      backoff: { type: 'exponential', delay: firstWaitMs, jitter: 0.2 },
      removeOnComplete: KEPT_DONE,
      removeOnFail: KEPT_FAILED,
    };
  }

  function lookNow(): Promise<void> {
    return add([{ turn: null }], () => ({ removeOnComplete: KEPT_DONE, removeOnFail: KEPT_FAILED }));
  }

  async function catchUp(): Promise<void> {
    if ((await store.waiting()) > 0) await add([{ turn: null }]);
  }

  function look(): void {
    catchUp().catch((error) => log.warn('Nobody could look for messages that wait for an analysis', { error }));
  }

  return {
    async onArchived(turns) {
      if (turns.length === 0) return;
      await add(turns.map((turn) => ({ turn }))).catch((error) =>
        log.warn('An analysis comes later: its queue cannot be reached', { error }),
      );
    },
    catchUp,
    lookNow,
    start() {
      timer ??= setInterval(look, CATCH_UP_EVERY_MS).unref();
      look();
    },
    async stop() {
      clearInterval(timer);
      timer = undefined;
      await queue?.then((opened) => opened.close()).catch(() => {});
      queue = undefined;
    },
  };
}
