/** Analyzes what the queue names, one turn after the other. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type ConnectionOptions, type Job, UnrecoverableError, WaitingError, Worker } from 'bullmq';
import { isFailure } from '../errors.ts';
import type { Log } from '../ops/logger.ts';
import { type Scrubbed, scrub } from '../privacy/scrub.ts';
import type { Analyze } from './analyze.ts';
import { type AnalysisJob, QUEUE_NAME, QUEUE_PREFIX } from './queue.ts';
import type { AnalysisStore } from './store.ts';

export interface AnalysisWorker {
  /** Begins to work, as soon as Redis is there. */
  start(): void;
  /** Takes no more work and resolves when what runs has ended; what takes longer than a few seconds goes back to the queue. */
  stop(): Promise<void>;
}

export interface AnalysisWorkerOptions {
  /** As for the queue. */
  connection: ConnectionOptions;
  analyze: Analyze;
  store: Omit<AnalysisStore, 'waiting'>;
  log: Log;
  /** Told the contact whose messages look different now. */
  onAnalyzed?: (contact: string) => void;
  /** Turns at a time in this process. Default: 2, because nobody waits for it. */
  concurrency?: number;
}

/** How long a turn that is being analyzed may take to end when the process stops, ms. */
const GRACE_MS = 5_000;
/** Between two tries to reach Redis, ms. */
const RECONNECT_MS = 2_000;

export function createAnalysisWorker(options: AnalysisWorkerOptions): AnalysisWorker {
  const { connection, store, log, concurrency = 2 } = options;
  const stopping = new AbortController();
  let worker: Worker<AnalysisJob> | undefined;
  let running: Promise<void> | undefined;

  async function work(job: Job<AnalysisJob>, token?: string, signal?: AbortSignal): Promise<void> {
    const { turn } = job.data;
    try {
      await analyzeTurn(turn, options, signal);
    } catch (error) {
      if (signal?.aborted) {
        await store.release(turn, scrub('The program stopped meanwhile.')).catch(() => {});
        await job.moveToWait(token);
        throw new WaitingError();
      }
      await giveBackOrUp(job, error);
    }
  }

  /** Throws for BullMQ, which keeps the words in Redis: so only the code. */
  async function giveBackOrUp(job: Job<AnalysisJob>, error: unknown): Promise<never> {
    const { turn } = job.data;
    const failure = isFailure(error) ? error : undefined;
    const left = (job.opts.attempts ?? 1) - job.attemptsMade - 1;
    const again = failure?.retryable !== false && left > 0;
    const reason = failure ? scrub(failure.message) : UNEXPECTED;
    log.warn(again ? 'An analysis failed and is tried again' : 'An analysis failed for good', { turn, left, error });
    // When the archive cannot take it, the messages stay as they are, and the next catching up finds them.
    const note = again ? store.release(turn, reason) : store.fail(turn, reason);
    await note.catch(() => {});
    const code = failure?.code ?? 'unexpected';
    throw again ? new Error(code) : new UnrecoverableError(code);
  }

  /** BullMQ never recovers from a first connection that failed, so the worker is made anew until it stands. */
  async function stand(): Promise<void> {
    while (!stopping.signal.aborted) {
      const candidate = new Worker<AnalysisJob>(QUEUE_NAME, work, {
        connection,
        prefix: QUEUE_PREFIX,
        concurrency,
        autorun: false,
      });
      candidate.on('error', (error) => log.debug('Trouble with the analysis worker', { reason: error.message }));
      try {
        await candidate.waitUntilReady();
        worker = candidate;
        await candidate.run();
        return;
      } catch (error) {
        log.warn('The analysis cannot reach its queue; trying on', { error });
        await candidate.close(true).catch(() => {});
        await sleep(RECONNECT_MS, undefined, { signal: stopping.signal }).catch(() => {});
      }
    }
  }

  return {
    start() {
      running ??= stand();
    },
    async stop() {
      stopping.abort();
      const late = setTimeout(() => worker?.cancelAllJobs('stopping'), GRACE_MS);
      await worker?.close().catch(() => {});
      clearTimeout(late);
      await running;
    },
  };
}

const UNEXPECTED: Scrubbed = scrub('Something unexpected went wrong; the log has the details.');

async function analyzeTurn(
  turn: string,
  { store, analyze, log, onAnalyzed }: AnalysisWorkerOptions,
  signal?: AbortSignal,
): Promise<void> {
  const burst = await store.begin(turn);
  if (!burst) return;
  const found = await analyze(burst, signal);
  if (found.kind === 'trivial') {
    await store.skip(burst);
    return;
  }
  await store.complete(burst, found.analysis, found.task);
  log.debug('Messages were analyzed', { turn, messages: burst.messages.length, task: found.task !== null });
  onAnalyzed?.(burst.conversation);
}
