/** Joins what the people at the desk see: the archive, the analysis, the inbox. Nothing here is needed to answer people. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type Router from '@koa/router';
import { createAnalyze } from '../analysis/analyze.ts';
import { readInstructions } from '../analysis/instructions.ts';
import { createAnalysisQueue } from '../analysis/queue.ts';
import { createAnalysisWorker } from '../analysis/worker.ts';
import { createDatabase } from '../archive/engine/database.ts';
import { createAnalytics } from '../archive/read/analytics.ts';
import { createConversations } from '../archive/read/conversations.ts';
import { createMessages } from '../archive/read/messages.ts';
import { createTasks } from '../archive/read/tasks.ts';
import { createAnalysisStore } from '../archive/write/analysis.ts';
import { createRecorder } from '../archive/write/recorder.ts';
import type { Config } from '../config.ts';
import { createTakeover } from '../conversation/takeover.ts';
import { claimArchive } from '../embedded/archive.ts';
import type { Events } from '../events.ts';
import { createAuth } from '../inbox/auth.ts';
import type { LiveEvent } from '../inbox/contract.ts';
import { createLive } from '../inbox/live.ts';
import { createInbox } from '../inbox/routes.ts';
import { createStructuredModel } from '../llm/openai/structured.ts';
import { createDeadLetters } from '../memory/dead-letters.ts';
import { createDesk } from '../memory/desk.ts';
import type { Keys } from '../memory/keys.ts';
import { createNews } from '../memory/news.ts';
import { createQueueRedis, type RedisAddress, type RedisClient, type RunScript } from '../memory/redis.ts';
import { createEventStream } from '../memory/stream.ts';
import type { Attachment } from '../message.ts';
import type { Log } from '../ops/logger.ts';
import type { Metrics } from '../ops/metrics.ts';
import type { Deliver } from '../outbound/deliver.ts';

/** The numbers are counted over everything there is, for every open page after every message: they may be this old. */
const NUMBERS_MS = 10_000;

export interface DeskParts {
  routers: Router[];
  /** Resolves when the archive can be asked. */
  ping(): Promise<void>;
  start(): void;
  /** Takes no more work; resolves when what runs has ended. */
  drain(): Promise<void>;
  close(): Promise<void>;
}

export interface DeskTools {
  redis: RedisClient;
  address: RedisAddress;
  run: RunScript;
  keys: Keys;
  model: NonNullable<Config['model']>;
  deliver: Deliver;
  events: Events;
  download: (attachment: Attachment) => Promise<Buffer>;
  metrics: Metrics;
  log: Log;
}

export function buildDesk(config: Config, tools: DeskTools): DeskParts {
  const { redis, address, run, keys, model, deliver, events, metrics, log } = tools;
  const { historyTtlMs, timeZone } = config;
  const now = Date.now;
  const database = createDatabase(
    config.databaseUrl ? { url: config.databaseUrl, log } : { claim: () => claimArchive(config.dataDir), log },
  );
  const desk = createDesk({ redis, run, keys, historyTtlMs, now });
  const live = createLive({ news: createNews({ redis, keys }), log });
  const tell = (kind: LiveEvent['kind'], phones: readonly (string | null)[]) =>
    live.tell(phones.map((phone_number) => ({ kind, phone_number })));

  const structured = createStructuredModel({
    apiKey: model.apiKey,
    baseUrl: model.baseUrl,
    model: model.analysis,
    reasoningEffort: config.reasoningEffort,
    temperature: config.temperature,
    timeoutMs: config.modelTimeoutMs,
    log,
    onLeaks: (count) => metrics.scrubbed('prompt', count),
  });
  const queueRedis = createQueueRedis(address, log);
  const store = createAnalysisStore(database);
  const queue = createAnalysisQueue({ connection: queueRedis, store, log });
  const worker = createAnalysisWorker({
    connection: queueRedis,
    store,
    metrics,
    log,
    analyze: createAnalyze({ model: structured, instructions: readInstructions(config.analysisPrompt), timeZone }),
    // An analysis may need a second try and a repair.
    leaseMs: config.modelTimeoutMs * 2,
    onAnalyzed: (phone) => tell('analysis', [phone]),
  });
  const recorder = createRecorder({
    database,
    stream: createEventStream({ redis, keys, log }),
    log,
    analysis: config.analysis,
    onRecorded({ phones, turns }) {
      tell('message', phones);
      if (config.analysis) void queue.onArchived(turns);
    },
  });
  metrics.gauge('archive_failing', '1 while the archive cannot be written', () => (recorder.failingSince ? 1 : 0));

  const auth = createAuth({
    password: config.adminPassword ?? madeUp(log),
    apiKeys: config.apiKeys,
    publicUrl: config.publicUrl,
    trustProxy: config.trustProxy,
    now,
  });
  const inbox = createInbox({
    guard: auth.guard,
    archive: {
      messages: createMessages(database),
      conversations: createConversations(database),
      tasks: createTasks(database),
      analytics: createAnalytics(database, { keepMs: NUMBERS_MS }),
    },
    takeover: createTakeover({ desk, deliver, events, log, now }),
    remembered: (conversation) => desk.state(conversation),
    deadLetters: createDeadLetters({ redis, run, keys, historyTtlMs, now }),
    download: ({ attachment }) => tools.download(attachment),
    live,
    timeZone,
    publicUrl: config.publicUrl,
    now,
  });

  /** The recorder makes the tables at its start; the analysis has nothing to look into before. */
  async function whenThere(): Promise<void> {
    while (
      !stopping &&
      !(await database.ping().then(
        () => true,
        () => false,
      ))
    )
      await sleep(1_000);
  }
  function startAnalysis(): void {
    if (stopping) return;
    queue.start();
    worker.start();
  }
  let stopping = false;

  return {
    routers: [auth.router, inbox],
    ping: () => database.ping(),
    start() {
      recorder.start();
      if (config.analysis) void whenThere().then(startAnalysis);
    },
    async drain() {
      stopping = true;
      live.end();
      await Promise.all([worker.stop(), queue.stop()]);
      await recorder.stop();
    },
    async close() {
      queueRedis.disconnect();
      await Promise.all([structured.close(), database.close()]);
    },
  };
}

/** A password for whoever gave none. It stands on standard error, not in the log, where what looks like a secret is taken out. */
function madeUp(log: Log): string {
  const password = randomBytes(9).toString('base64url');
  log.warn('ADMIN_PASSWORD is not given: one was made up for this start, see the next line');
  process.stderr.write(`The inbox at /whatsapp-inbox opens with the password: ${password}\n`);
  return password;
}
