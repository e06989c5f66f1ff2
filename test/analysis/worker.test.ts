import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { Redis } from 'ioredis';
import { sql } from 'kysely';
import { createAnalyze } from '../../app/analysis/analyze.ts';
import { readInstructions } from '../../app/analysis/instructions.ts';
import { type AnalysisQueue, createAnalysisQueue } from '../../app/analysis/queue.ts';
import { type AnalysisWorker, type AnalysisWorkerOptions, createAnalysisWorker } from '../../app/analysis/worker.ts';
import { createDatabase, type Database } from '../../app/archive/engine/database.ts';
import { createAnalysisStore } from '../../app/archive/write/analysis.ts';
import { record } from '../../app/archive/write/record.ts';
import type { Event } from '../../app/events.ts';
import { createStructuredModel } from '../../app/llm/openai/structured.ts';
import { newId } from '../../app/ops/id.ts';
import type { Log } from '../../app/ops/logger.ts';
import { createMetrics } from '../../app/ops/metrics.ts';
import { scrub } from '../../app/privacy/scrub.ts';
import { type ModelDouble, startModelDouble } from '../doubles/model.ts';
import { analysisOf, JOHN_SMITH, JOHN_SMITH_ANALYSIS, taskOf } from '../support/analysis.ts';
import { createTestDatabase } from '../support/postgres.ts';
import { startTestRedis, type TestRedis } from '../support/redis.ts';

/** A Saturday. */
const AT = Date.parse('2026-11-21T10:05:00Z');

describe('Analysis, from the archive and back', () => {
  let redis: TestRedis;
  let double: ModelDouble;
  let database: Database;
  let model: ReturnType<typeof createStructuredModel>;
  const connections: Redis[] = [];
  const running: (AnalysisQueue | AnalysisWorker)[] = [];

  before(async () => {
    [redis, double] = await Promise.all([startTestRedis(), startModelDouble()]);
    database = createDatabase({ url: await createTestDatabase(), log: SILENT });
    await database.migrate();
    const options = { apiKey: 'key', baseUrl: double.url, model: 'gpt-analysis', timeoutMs: 30_000, log: SILENT };
    model = createStructuredModel(options);
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((part) => part.stop()));
    for (const connection of connections.splice(0)) connection.disconnect();
    await redis.client().flushall();
    await database.run((db) => sql`truncate whatsapp_conversations, sales_tasks cascade`.execute(db));
    double.requests.length = double.queue.length = double.faults.length = 0;
    double.answer = () => analysisOf({});
  });
  after(async () => {
    await model.close();
    await double.close();
    await database.close();
    await redis.stop();
  });

  function connect(): Redis {
    const connection = new Redis(redis.path, {
      maxRetriesPerRequest: null,
      lazyConnect: true,
      retryStrategy: () => 20,
    });
    connection.on('error', () => {});
    connections.push(connection);
    return connection;
  }

  function startQueue(): AnalysisQueue {
    const store = createAnalysisStore(database);
    const queue = createAnalysisQueue({ connection: connect(), store, log: SILENT, firstWaitMs: 20 });
    running.push(queue);
    return queue;
  }

  function startWorker(overrides: Partial<AnalysisWorkerOptions> = {}): AnalysisWorker {
    const worker = createAnalysisWorker({
      connection: connect(),
      analyze: createAnalyze({ model, instructions: readInstructions(undefined), timeZone: 'Europe/Madrid' }),
      store: createAnalysisStore(database),
      metrics: createMetrics(),
      log: SILENT,
      leaseMs: 60_000,
      ...overrides,
    });
    running.push(worker);
    worker.start();
    return worker;
  }

  /** Archives messages that one turn answered. @returns the turn. */
  async function archive(...texts: string[]): Promise<string> {
    const turn = newId();
    const received = texts.map((text, i): Event => ({ type: 'message.received', message: inbound(text, AT + i) }));
    const answers = received.flatMap((event) => (event.type === 'message.received' ? event.message.id : []));
    const reply = { to: '15550100123', parts: [scrub('Gladly.')], via: 'response' as const };
    const conversation = 'twilio:14155238886:15550100123';
    const made: Event = { type: 'reply.made', conversation, turn, at: AT + 900, answers, reply, heard: [] };
    const { turns } = await database.transaction((db) => record(db, [...received, made], true));
    assert.deepEqual(turns, [turn]);
    return turn;
  }

  async function rows<Row>(query: string): Promise<Row[]> {
    return database.run(async (db) => (await sql.raw<Row>(query).execute(db)).rows);
  }

  const statuses = async () =>
    (
      await rows<{ analysis_status: string }>(
        "select analysis_status from whatsapp_messages where direction = 'inbound' order by received_at",
      )
    ).map(({ analysis_status }) => analysis_status);

  async function untilStatuses(...expected: string[]): Promise<void> {
    await until(async () => String(await statuses()) === String(expected));
    assert.deepEqual(await statuses(), expected);
  }

  test('a request for a meeting becomes a task that the desk finds with SQL', async () => {
    double.queue.push(JSON.stringify(JOHN_SMITH_ANALYSIS));
    const analyzed: string[] = [];
    startWorker({ onAnalyzed: (phone) => analyzed.push(phone) });
    await startQueue().onArchived([await archive(JOHN_SMITH)]);
    await untilStatuses('completed');
    const tasks = await rows(`SELECT t.id, t.title, t.task_type, t.priority, t.due_date, m.message_body
      FROM sales_tasks t
      JOIN whatsapp_messages m ON m.created_task_id = t.id
      ORDER BY t.created_at DESC
      LIMIT 5`);
    assert.equal(tasks.length, 1);
    const [task] = await rows<Record<string, unknown>>(
      'select title, description, task_type, priority, due_date, tags, created_by from sales_tasks',
    );
    assert.deepEqual(
      { ...task, description: '' },
      {
        title: 'Schedule a meeting with John Smith',
        description: '',
        task_type: 'meeting',
        priority: 2,
        due_date: '2026-11-24',
        tags: ['whatsapp', 'auto-generated'],
        created_by: 'analysis',
      },
    );
    assert.ok(String(task?.description).includes(JOHN_SMITH));
    const [message] = await rows<Record<string, unknown>>(
      'select ai_summary, ai_sentiment, ai_intent, language, extracted_entities, ai_analysis, task_created, processing_error from whatsapp_messages where task_created',
    );
    const { summary, sentiment, intent, language, entities } = JOHN_SMITH_ANALYSIS;
    assert.deepEqual(message, {
      ai_summary: summary,
      ai_sentiment: sentiment,
      ai_intent: intent,
      language,
      extracted_entities: entities,
      ai_analysis: JOHN_SMITH_ANALYSIS,
      task_created: true,
      processing_error: null,
    });
    assert.deepEqual(analyzed, ['+15550100123']);
  });

  test('a burst costs one call and is told beside the message that it is about', async () => {
    double.queue.push(analysisOf({ task: { ...taskOf(), message: 2 } }));
    startWorker();
    await startQueue().onArchived([await archive('Hi', 'please call me', 'it is about lamps', 'thanks')]);
    await untilStatuses('skipped', 'completed', 'skipped', 'skipped');
    assert.equal(double.requests.length, 1);
    const [message] = await rows<{ message_body: string }>(
      'select message_body from whatsapp_messages where task_created',
    );
    assert.equal(message?.message_body, 'please call me');
  });

  test('small talk costs nothing', async () => {
    startWorker();
    await startQueue().onArchived([await archive('ok', '👍')]);
    await untilStatuses('skipped', 'skipped');
    assert.equal(double.requests.length, 0);
  });

  test('nothing that people wrote, and no number, is in the queue', async () => {
    const turn = await archive(JOHN_SMITH);
    await startQueue().onArchived([turn]);
    const client = redis.client();
    const jobs = await client.keys('recado:{q}:recado-analysis:[0-9]*');
    assert.equal(jobs.length, 1);
    const job = JSON.stringify(await client.hgetall(jobs[0] ?? ''));
    assert.ok(job.includes(turn));
    assert.doesNotMatch(job, /John|meeting|15550100123/);
  });

  test('the same turn queued many times is analyzed once', async () => {
    double.delayMs = 50;
    const queue = startQueue();
    const turn = await archive('Please call me');
    await Promise.all([queue.onArchived([turn]), queue.onArchived([turn, turn])]);
    startWorker();
    startWorker();
    await untilStatuses('completed');
    await queue.onArchived([turn]);
    await queue.catchUp();
    double.delayMs = 0;
    await queue.onArchived([await archive('And write to me')]);
    await untilStatuses('completed', 'completed');
    assert.equal(double.requests.length, 2);
  });

  test('trouble that passes is waited for', async () => {
    double.queue.push('nonsense', 'nonsense', 'nonsense');
    startWorker();
    await startQueue().onArchived([await archive('Please call me')]);
    await untilStatuses('completed');
    assert.equal(double.requests.length, 4);
  });

  test('a model that never says it properly is given up, and the desk reads why', async () => {
    double.answer = () => 'nonsense';
    startWorker();
    await startQueue().onArchived([await archive('Please call me')]);
    await untilStatuses('failed');
    const [row] = await rows<{ processing_error: string }>(
      'select processing_error from whatsapp_messages where processing_error is not null',
    );
    assert.match(row?.processing_error ?? '', /^Analysis: The answer does not match the schema/);
  });

  for (const [status, code] of [
    [401, 'invalid_api_key'],
    [403, 'forbidden'],
    [429, 'insufficient_quota'],
  ] as const) {
    test(`a model that answers ${status} ${code} is waited for, however often it has to be tried`, async () => {
      const wrong = { kind: 'status', status, code, message: 'not now' } as const;
      double.faults.push(...Array.from({ length: 30 }, () => wrong));
      startWorker();
      const queue = startQueue();
      await queue.onArchived([await archive('Please call me'), await archive('Please write to me')]);
      await until(async () => {
        await queue.lookNow();
        return double.faults.length === 0;
      });
      await queue.lookNow();
      await untilStatuses('completed', 'completed');
    });
  }

  test('what has failed is analysed again when somebody says so', async () => {
    const turns = [await archive('Please call me', 'today'), await archive('Please write to me')];
    double.answer = () => 'nonsense';
    startWorker();
    const queue = startQueue();
    await queue.onArchived(turns);
    await untilStatuses('failed', 'failed', 'failed');
    double.answer = () => analysisOf({});
    const store = createAnalysisStore(database);
    const [first] = await rows<{ id: string }>("select id from whatsapp_messages where message_body = 'today'");
    assert.equal(await store.retry(first?.id), 2, 'the message, and what was answered with it');
    assert.equal(await store.retry('not-an-id'), 0);
    await queue.lookNow();
    await untilStatuses('skipped', 'completed', 'failed');
    assert.equal(await store.retry(), 1);
    await queue.lookNow();
    await untilStatuses('skipped', 'completed', 'completed');
  });

  test('messages wait while the budget is used up', async () => {
    let isPaused = true;
    startWorker({ isPaused: () => isPaused });
    const queue = startQueue();
    await queue.onArchived([await archive('Please call me')]);
    await queue.lookNow();
    await until(async () => (await redis.client().zcard('recado:{q}:recado-analysis:completed')) === 2);
    assert.deepEqual([await statuses(), double.requests.length], [['pending'], 0]);
    isPaused = false;
    await queue.lookNow();
    await untilStatuses('completed');
  });

  test('a lost queue loses nothing', async () => {
    const queue = startQueue();
    await queue.onArchived([await archive('Please call me'), await archive('Please write to me')]);
    await redis.client().flushall();
    startWorker();
    await queue.catchUp();
    await untilStatuses('completed', 'completed');
  });

  test('catching up goes on after messages that can never be analyzed', async () => {
    await archive('Please call me');
    await archive('Please write to me');
    double.faults.push({ kind: 'filtered' });
    startWorker();
    await startQueue().catchUp();
    await untilStatuses('failed', 'completed');
  });

  test('what is being analyzed when the process stops is done by the next one', async () => {
    double.faults.push({ kind: 'hang' });
    const worker = startWorker({ graceMs: 20 });
    await startQueue().onArchived([await archive('Please call me')]);
    await untilStatuses('processing');
    await until(() => double.open() > 0);
    await worker.stop();
    assert.deepEqual(await statuses(), ['pending']);
    startWorker();
    await untilStatuses('completed');
  });

  test('what a process left behind that died is free after a while', async () => {
    const store = createAnalysisStore(database);
    const turn = await archive('Please call me');
    await store.take({ most: 1, leaseMs: 60_000, turn });
    startWorker({ leaseMs: 0 });
    await startQueue().catchUp();
    await untilStatuses('completed');
  });

  test('begins when Redis comes, goes on when it comes back, and ends also when it is not there', async () => {
    await redis.kill();
    const waiting = startWorker();
    const never = startWorker();
    await never.stop();
    await redis.restart();
    const queue = startQueue();
    await queue.onArchived([await archive('Please call me')]);
    await untilStatuses('completed');
    await redis.restart();
    await queue.onArchived([await archive('Please write to me')]);
    await untilStatuses('completed', 'completed');
    await waiting.stop();
  });
});

/** Waits until something holds, or about a minute: then whatever is asserted next tells what is wrong. */
async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const givenUpAt = performance.now() + 60_000;
  while (!(await holds()) && performance.now() < givenUpAt) await new Promise((resolve) => setTimeout(resolve, 10));
}

let messages = 0;

function inbound(text: string, receivedAt: number) {
  messages++;
  return {
    id: `message-${messages}`,
    channel: 'twilio' as const,
    business: '14155238886',
    from: '15550100123',
    contact: '15550100123',
    profileName: scrub('Ana'),
    receivedAt: receivedAt + messages * 10,
    text: scrub(text),
    attachments: [],
    requestId: 'request',
  };
}

const SILENT: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => SILENT };
