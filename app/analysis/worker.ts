/** Analyzes what the queue names. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ConnectionOptions, Job, Worker } from 'bullmq';
import type { AnalysisStore, Burst } from '../archive/write/analysis.ts';
import { type FailureCode, isFailure } from '../errors.ts';
import type { Log } from '../ops/logger.ts';
import type { Metrics } from '../ops/metrics.ts';
import type { Analyze, Analyzed } from './analyze.ts';
import { type AnalysisJob, MOST_ATTEMPTS, QUEUE_NAME, QUEUE_PREFIX } from './queue.ts';

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
  store: Omit<AnalysisStore, 'waiting' | 'retry'>;
  metrics: Pick<Metrics, 'modelCalled' | 'tokensUsed' | 'retried'>;
  log: Log;
  /** Longer than an analysis may take, ms: after that, another process may take the same messages. */
  leaseMs: number;
  /** While it says so, no model is asked: the messages wait. Default: never. */
  isPaused?: () => boolean;
  /** Called with the contact whose messages were analysed. */
  onAnalyzed?: (phone: string) => void;
  /** Analyses at a time in this process. Default: 2, because no person waits for them. */
  concurrency?: number;
  /** How long an analysis may take to end when the process stops, ms. Default: 5 s. */
  graceMs?: number;
}

/** Loaded when the first worker starts: a process that answers people does not wait for it. */
type BullMq = typeof import('bullmq');

/** Between two tries to reach Redis, ms. */
const RECONNECT_MS = 2_000;

export function createAnalysisWorker(options: AnalysisWorkerOptions): AnalysisWorker {
  const { connection, store, log, leaseMs, isPaused = () => false, concurrency = 2, graceMs = 5_000 } = options;
  const stopping = new AbortController();
  let worker: Worker<AnalysisJob> | undefined;
  let running: Promise<void> | undefined;

  async function work(bullmq: BullMq, job: Job<AnalysisJob>, token?: string, signal?: AbortSignal): Promise<void> {
    const { turn } = job.data;
    // Catching up finds what waits, every few minutes.
    if (isPaused()) return;
    try {
      await (turn === null ? sweep(signal) : analyzeTurn(turn, bullmq, signal));
    } catch (error) {
      if (signal?.aborted || stopping.signal.aborted) {
        await job.moveToWait(token);
        throw new bullmq.WaitingError();
      }
      if (error instanceof bullmq.UnrecoverableError) throw error;
      throw new Error(codeOf(error));
    }
  }

  async function analyzeTurn(turn: string, bullmq: BullMq, signal?: AbortSignal): Promise<void> {
    for (const burst of await store.take({ most: 1, leaseMs, turn })) {
      const outcome = await analyzeBurst(burst, options, signal);
      if (!outcome.ok) throw outcome.again ? outcome.error : new bullmq.UnrecoverableError(codeOf(outcome.error));
    }
  }

  /** Whatever waits, one after the other. Trouble that may pass ends it: the queue tries again later. */
  async function sweep(signal?: AbortSignal): Promise<void> {
    while (!stopping.signal.aborted) {
      if (isPaused()) return;
      const [burst] = await store.take({ most: 1, leaseMs });
      if (!burst) return;
      const outcome = await analyzeBurst(burst, options, signal);
      if (!outcome.ok && outcome.again) throw outcome.error;
    }
    throw stopping.signal.reason;
  }

  /** BullMQ does not recover from a first connection that failed, so the worker is created again until it has connected. */
  async function stand(): Promise<void> {
    const bullmq: BullMq = await import('bullmq');
    while (!stopping.signal.aborted) {
      const made = new bullmq.Worker<AnalysisJob>(QUEUE_NAME, (...given) => work(bullmq, ...given), {
        connection,
        prefix: QUEUE_PREFIX,
        concurrency,
        autorun: false,
      });
      made.on('error', (error) => log.debug('Trouble with the worker of the analysis', { reason: error.message }));
      worker = made;
      try {
        await made.waitUntilReady();
        await made.run();
      } catch (error) {
        if (stopping.signal.aborted) return;
        log.warn('The analysis cannot reach its queue; trying on', { error });
        await made.close(true).catch(() => {});
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
      const late = setTimeout(() => worker?.cancelAllJobs('stopping'), graceMs);
      await worker?.close().catch(() => {});
      clearTimeout(late);
      await running;
    },
  };
}

/** `again`: the messages wait again, and the same may work later. */
type Outcome = { ok: true } | { ok: false; again: boolean; error: unknown };

/** Never rejects: when the result cannot be recorded, the messages wait again after their lease. */
async function analyzeBurst(burst: Burst, options: AnalysisWorkerOptions, signal?: AbortSignal): Promise<Outcome> {
  const { store, log, onAnalyzed } = options;
  try {
    const found = await measured(burst, options, signal);
    if (found.kind === 'trivial') {
      await store.skip(burst);
    } else {
      const { about, analysis, task } = found;
      await store.complete(burst, { about, task, analysis: { ...analysis, full: analysis } });
      log.debug('Messages were analyzed', { turn: burst.turn, messages: burst.messages.length, task: task !== null });
    }
    onAnalyzed?.(burst.phone);
    return { ok: true };
  } catch (error) {
    if (signal?.aborted) {
      await store.putBack(burst, 'the program stopped meanwhile').catch(() => {});
      return { ok: false, again: true, error };
    }
    const waits = isAboutTheModel(error);
    const again = waits || (isWorthAnotherTry(error) && burst.attempt < mostAttempts(error));
    const { turn, attempt } = burst;
    log.warn(again ? 'An analysis failed and is tried again' : 'An analysis failed', { turn, attempt, error });
    await (waits ? store.putBack(burst, reasonOf(error)) : store.fail(burst, reasonOf(error), again)).catch(() => {});
    return { ok: false, again, error };
  }
}

async function measured(
  burst: Burst,
  { analyze, metrics }: AnalysisWorkerOptions,
  signal?: AbortSignal,
): Promise<Analyzed> {
  const startedAt = performance.now();
  const ended = (outcome: string) => metrics.modelCalled('analysis', outcome, performance.now() - startedAt);
  try {
    const found = await analyze(burst, signal);
    if (found.kind === 'trivial') return found;
    ended('answered');
    metrics.tokensUsed('analysis', found.usage);
    for (let i = 1; i < found.attempts; i++) metrics.retried('model');
    return found;
  } catch (error) {
    ended(isFailure(error) ? error.code : 'aborted');
    throw error;
  }
}

/** A model that cannot say it properly hardly learns it by being asked again, and every try costs. */
function mostAttempts(error: unknown): number {
  return isFailure(error) && error.code === 'model.empty' ? 2 : MOST_ATTEMPTS;
}

const ABOUT_THE_MODEL: readonly FailureCode[] = [
  'model.unavailable',
  'model.rate_limited',
  'model.credentials',
  'model.quota',
];

/** No message can be analysed just now. They wait, however long it takes until somebody has mended the key or the account. */
function isAboutTheModel(error: unknown): boolean {
  return isFailure(error) && ABOUT_THE_MODEL.includes(error.code);
}

/** What is no known failure gets another try: it may be a bug that only some moments have. */
function isWorthAnotherTry(error: unknown): boolean {
  return !isFailure(error) || error.retryable;
}

/** All that the queue gets to know of an error: it keeps the words in Redis. */
function codeOf(error: unknown): string {
  return isFailure(error) ? error.code : 'unexpected';
}

/** For the team: never the message of an unexpected error, which could contain anything. */
function reasonOf(error: unknown): string {
  return isFailure(error) ? error.message : 'something unexpected went wrong; the log has the details';
}
