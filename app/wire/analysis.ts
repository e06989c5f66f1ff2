/** Joins the analysis of what messages are about: a queue, a worker, a model. */
import { setTimeout as sleep } from 'node:timers/promises';
import { createAnalyze, spentOn } from '../analysis/analyze.ts';
import { readInstructions } from '../analysis/instructions.ts';
import { createAnalysisQueue } from '../analysis/queue.ts';
import { createAnalysisWorker } from '../analysis/worker.ts';
import type { Database } from '../archive/engine/database.ts';
import { createAnalysisStore } from '../archive/write/analysis.ts';
import type { Config } from '../config.ts';
import { createStructuredModel } from '../llm/openai/structured.ts';
import { createQueueRedis } from '../memory/redis.ts';
import type { Log } from '../ops/logger.ts';
import type { Metrics } from '../ops/metrics.ts';
import type { CostParts } from './costs.ts';
import type { StandIns } from './stand-ins.ts';

export interface AnalysisTools {
  database: Database;
  standIns: StandIns;
  costs: Pick<CostParts, 'budget' | 'ledger'>;
  /** Told which contact's messages were analysed, by the address that people read. */
  onAnalyzed: (phone: string) => void;
  metrics: Metrics;
  log: Log;
}

export interface AnalysisParts {
  /** Begins as soon as the archive has its tables. */
  start(): void;
  /** These turns are in the archive: their messages can be analysed. */
  onArchived(turns: readonly string[]): void;
  /** What has failed is tried again, of one message or of all; null when there is no analysis. @returns how many messages. */
  retry: ((message?: string) => Promise<number>) | null;
  /** Takes no more work; resolves when what runs has ended. */
  drain(): Promise<void>;
  close(): Promise<void>;
}

export function buildAnalysis(config: Config, tools: AnalysisTools): AnalysisParts {
  const { database, standIns, onAnalyzed, metrics, log } = tools;
  const { ledger, budget } = tools.costs;
  const connection = createQueueRedis(standIns.redis, log);
  const store = createAnalysisStore(database);
  const model = createStructuredModel({
    apiKey: standIns.model.apiKey,
    baseUrl: standIns.model.baseUrl,
    model: standIns.model.analysis,
    reasoningEffort: config.reasoningEffort,
    temperature: config.temperature,
    timeoutMs: config.modelTimeoutMs,
    log,
    onLeaks: (count) => metrics.scrubbed('prompt', count),
    onUsage(on, tokens) {
      if (on) ledger.used({ on, purpose: 'analysis', model: standIns.model.analysis, tokens });
    },
  });
  const instructions = readInstructions(config.analysisPrompt);
  const analyze = createAnalyze({ model, instructions, timeZone: config.timeZone });
  const queue = createAnalysisQueue({ connection, store, log });
  const worker = createAnalysisWorker({
    connection,
    store,
    metrics,
    log,
    async analyze(burst, signal) {
      try {
        return await analyze(burst, signal);
      } finally {
        await ledger.end(spentOn(burst));
      }
    },
    isPaused: budget.isUsedUp,
    // An analysis may need a second try and a repair.
    leaseMs: config.modelTimeoutMs * 2,
    onAnalyzed,
  });
  let stopping = false;
  return { start, onArchived, retry: config.analysis ? retry : null, drain, close };

  function start(): void {
    if (config.analysis) void startWithTables();
  }

  async function startWithTables(): Promise<void> {
    while (!stopping && !(await answers(database))) await sleep(1_000);
    if (stopping) return;
    queue.start();
    worker.start();
  }

  function onArchived(turns: readonly string[]): void {
    if (config.analysis) void queue.onArchived(turns);
  }

  async function retry(message?: string): Promise<number> {
    const count = await store.retry(message);
    if (count > 0)
      await queue
        .lookNow()
        .catch((error) => log.warn('An analysis comes later: its queue cannot be reached', { error }));
    return count;
  }

  async function drain(): Promise<void> {
    stopping = true;
    await Promise.all([worker.stop(), queue.stop()]);
  }

  async function close(): Promise<void> {
    connection.disconnect();
    await model.close();
  }
}

function answers(database: Database): Promise<boolean> {
  return database.ping().then(
    () => true,
    () => false,
  );
}
