import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createDatabase, type Database } from '../../app/archive/database.ts';
import type { Recorded } from '../../app/archive/record.ts';
import { createRecorder } from '../../app/archive/recorder.ts';
import { type Event, encodeEvent } from '../../app/events.ts';
import { createKeys } from '../../app/memory/keys.ts';
import { createRedis, type RedisClient } from '../../app/memory/redis.ts';
import { createEventStream, type EventStream } from '../../app/memory/stream.ts';
import { createLogger } from '../../app/ops/logger.ts';
import { NO_POSTGRES, startTestPostgres, type TestPostgres } from '../support/postgres.ts';
import { startTestRedis, type TestRedis } from '../support/redis.ts';
import { ENGINES, query } from './engines.ts';
import { made, received, sent } from './events.ts';

const KEYS = createKeys(2);

describe('the recorder', () => {
  let server: TestRedis;
  const cleanUps: (() => Promise<void> | void)[] = [];

  before(async () => {
    server = await startTestRedis();
  });
  beforeEach(() => server.client().flushall());
  afterEach(async () => {
    for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
  });
  after(() => server.stop());

  /** A process with an archive. */
  async function startProcess(database: Database, { keepMs = 600_000, batch = 500 } = {}) {
    const logs: string[] = [];
    const log = createLogger({ level: 'debug', format: 'json', write: (line) => logs.push(line) });
    const redis: RedisClient = createRedis({ kind: 'socket', path: server.path }, log);
    await redis.connect();
    const stream = createEventStream({ redis, keys: KEYS, log, keepMs });
    const told: Recorded[] = [];
    const onRecorded = (recorded: Recorded) => void told.push(recorded);
    const recorder = createRecorder({ database, stream, log, analysis: true, onRecorded, batch });
    cleanUps.push(async () => {
      await recorder.stop();
      redis.disconnect();
    });
    return { recorder, stream, logs, told };
  }

  async function happen(...events: Event[]): Promise<void> {
    const client = server.client();
    for (const event of events) {
      const conversation =
        event.type === 'message.received' ? `${event.message.business}:${event.message.contact}` : event.conversation;
      await client.xadd(KEYS.shardOf(conversation).events, '*', 'event', encodeEvent(event));
    }
  }

  for (const { name, skip, open } of ENGINES) {
    describe(`with ${name}`, { skip }, () => {
      let opened: { database: Database; stop(): Promise<void> };
      before(async () => {
        opened = await open();
      });
      after(() => opened.stop());
      beforeEach(() => query(opened.database, 'truncate whatsapp_conversations, whatsapp_events_set_aside cascade'));

      test('writes what had happened before it came, and what happens then, soon', async () => {
        const [first, second] = [received({ contact: '15550100001' }), received({ contact: '15550100002' })];
        await happen(first, second);
        const { recorder, told } = await startProcess(opened.database);
        recorder.start();
        await eventually(async () => (await sidsIn(opened.database)).length === 2);
        const reply = made([first], 'yes');
        await happen(reply, sent(reply));
        await eventually(
          async () =>
            (await query(opened.database, "select 1 from whatsapp_messages where delivery_status = 'sent'")).length ===
            1,
        );
        assert.deepEqual(
          told.flatMap(({ turns }) => turns),
          [reply.turn],
        );
        assert.deepEqual([...new Set(told.flatMap(({ phones }) => phones))].sort(), ['+15550100001', '+15550100002']);
      });

      test('writes nothing twice after a crash between commit and acknowledgement', async () => {
        const messages = Array.from({ length: 30 }, (_, i) => received({ contact: `1555010${2000 + i}` }));
        await happen(...messages);
        const crashed = await startProcess(opened.database);
        const forgetful: EventStream = { ...crashed.stream, acknowledge: () => Promise.reject(new Error('killed')) };
        const dying = createRecorder({
          database: opened.database,
          stream: forgetful,
          log: createLogger({ level: 'error', format: 'json', write: () => {} }),
          analysis: true,
        });
        await assert.rejects(dying.catchUp(), /killed/);
        assert.equal((await sidsIn(opened.database)).length, 30);

        const { recorder, stream } = await startProcess(opened.database);
        assert.equal(await recorder.catchUp(), 30, 'they are taken again');
        assert.deepEqual(await sidsIn(opened.database), messages.map(({ message }) => message.id).sort());
        const counts = await query(
          opened.database,
          'select distinct total_messages, unread_count from whatsapp_conversations',
        );
        assert.deepEqual(counts, [{ total_messages: 1, unread_count: 1 }]);
        assert.equal(await stream.waiting(), 0);
      });

      test('sets a poisonous event aside and goes on with the others', async () => {
        const good = received();
        const tooLong = received({ id: 'x'.repeat(500) });
        await happen(tooLong, good);
        await server
          .client()
          .xadd(KEYS.shards[0]?.events ?? '', '*', 'event', '{"type":"message.received","connection":');
        await server.client().xadd(KEYS.shards[1]?.events ?? '', '*', 'nonsense', 'x');
        const { recorder, stream, logs } = await startProcess(opened.database);
        await recorder.catchUp();
        assert.deepEqual(await sidsIn(opened.database), [good.message.id]);
        assert.equal((await query(opened.database, 'select 1 from whatsapp_events_set_aside')).length, 3);
        assert.equal(logs.filter((line) => line.includes('set aside')).length, 3);
        assert.equal(await stream.waiting(), 0);
      });

      test('removes from Redis what is written and old, and nothing else', async () => {
        await happen(...Array.from({ length: 400 }, () => received()));
        const { recorder, stream } = await startProcess(opened.database, { keepMs: 0, batch: 300 });
        const key = KEYS.shardOf('14155238886:15550100123').events;
        await stream.take(4);
        assert.equal(await stream.trim(), 0);
        assert.equal(await server.client().xlen(key), 400, 'nothing is acknowledged yet');
        await recorder.catchUp();
        assert.equal(await stream.trim(), 0, 'nothing was lost');
        assert.ok((await server.client().xlen(key)) < 150, 'Redis removes them by the hundred');
      });
    });
  }

  describe('with PostgreSQL', { skip: NO_POSTGRES }, () => {
    let postgres: TestPostgres;
    before(async () => {
      postgres = await startTestPostgres();
    });
    after(() => postgres.stop());

    async function openDatabase(url: string) {
      const database = createDatabase({ url, log: createLogger({ level: 'error', format: 'json', write: () => {} }) });
      cleanUps.push(() => database.close());
      return database;
    }

    test('catches up after Postgres was away, without gaps and doubles', async () => {
      const database = await openDatabase(await postgres.createDatabase());
      const { recorder, logs, stream } = await startProcess(database, { batch: 20 });
      recorder.start();
      const messages: ReturnType<typeof received>[] = [];
      const write = async (count: number) => {
        for (let i = 0; i < count; i++) {
          const message = received({ contact: `1555010${3000 + (i % 7)}` });
          messages.push(message);
          await happen(message, made([message], 'yes'));
        }
      };
      const load = write(200);
      await eventually(async () => (await sidsIn(database)).length > 0);
      await postgres.halt();
      await load;
      await write(50);
      await eventually(() => recorder.failingSince !== null);
      await postgres.resume();
      await eventually(async () => (await stream.waiting()) === 0);
      assert.deepEqual(await sidsIn(database), messages.map(({ message }) => message.id).sort());
      const [sum] = await query(
        database,
        "select sum(total_messages) as total, (select count(*) from whatsapp_messages where status = 'replied' and direction = 'inbound') as replied from whatsapp_conversations",
      );
      assert.deepEqual(sum, { total: 500, replied: 250 });
      assert.equal(logs.filter((line) => line.includes('Nothing can be written')).length, 1, 'it is told once');
    });

    test('starts before Postgres does, and makes the tables when it is there', async () => {
      const url = await postgres.createDatabase();
      await postgres.halt();
      const database = await openDatabase(url);
      const { recorder } = await startProcess(database);
      await happen(received());
      recorder.start();
      await eventually(() => recorder.failingSince !== null);
      await postgres.resume();
      await eventually(async () => (await sidsIn(database).catch(() => [])).length === 1);
      assert.equal(recorder.failingSince, null);
    });

    test('two processes share the work in order; one goes on when the other is gone', async () => {
      const url = await postgres.createDatabase();
      const [one, other] = [await openDatabase(url), await openDatabase(url)];
      const first = await startProcess(one, { batch: 10 });
      const second = await startProcess(other, { batch: 10 });
      first.recorder.start();
      second.recorder.start();
      const messages: ReturnType<typeof received>[] = [];
      for (let i = 0; i < 150; i++) {
        const message = received({ contact: `1555010${4000 + (i % 11)}`, receivedAt: Date.now() });
        messages.push(message);
        await happen(message, made([message], 'yes', { at: Date.now() }));
        if (i === 75) await first.recorder.stop();
      }
      await eventually(async () => (await second.stream.waiting()) === 0);
      assert.deepEqual(await sidsIn(one), messages.map(({ message }) => message.id).sort());
      const wrong = await query(
        one,
        "select 1 from whatsapp_messages where direction = 'inbound' and (status <> 'replied' or turn_id is null)",
      );
      assert.deepEqual(wrong, [], 'every answer found its message');
      assert.deepEqual(await query(one, 'select sum(total_messages) as total from whatsapp_conversations'), [
        { total: 300 },
      ]);
    });
  });

  test('is told when Redis dropped events before anybody could write them', async () => {
    const { stream, logs } = await startProcess(neverUsed);
    await happen(...Array.from({ length: 10 }, () => received()));
    const key = KEYS.shardOf('14155238886:15550100123').events;
    await stream.take(12);
    await server.client().xtrim(key, 'MAXLEN', 2);
    assert.equal(await stream.trim(), 2);
    assert.equal((await stream.take(12)).length, 2);
    assert.ok(logs.some((line) => line.includes('pushed out')));
  });

  test('waits for news no longer than it is told to', async () => {
    const { stream } = await startProcess(neverUsed);
    await stream.take(1);
    const rung = stream.wait(60_000, new AbortController().signal);
    await happen(received());
    await rung;
    assert.equal((await stream.take(1)).length, 1);
    const stop = new AbortController();
    const waiting = stream.wait(60_000, stop.signal);
    stop.abort();
    await waiting;
  });
});

async function sidsIn(database: Database): Promise<unknown[]> {
  const rows = await query(database, "select message_sid from whatsapp_messages where direction = 'inbound'");
  return rows.map(({ message_sid }) => message_sid).sort();
}

async function eventually(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 2_000; tries++) {
    if (await Promise.resolve(holds()).catch(() => false)) return;
    await sleep(10);
  }
  assert.fail('it never happened');
}

/** For what is about the stream alone. */
const neverUsed = createDatabase({
  log: createLogger({ level: 'error', format: 'json', write: () => {} }),
  claim: () => Promise.reject(new Error('nobody asked for it')),
});
