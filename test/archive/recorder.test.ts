import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { createDatabase, type Database } from '../../app/archive/engine/database.ts';
import { createRecorder } from '../../app/archive/write/recorder.ts';
import { Failure } from '../../app/errors.ts';
import type { EventStream } from '../../app/memory/stream.ts';
import { createLogger } from '../../app/ops/logger.ts';
import { startTestPostgres, type TestPostgres } from '../support/postgres.ts';
import { query, quiet } from './engines.ts';
import { made, received } from './events.ts';
import { eventually, type Processes, sidsIn, startProcesses } from './processes.ts';

describe('the recorder', () => {
  let processes: Processes;
  const databases: Database[] = [];

  before(async () => {
    processes = await startProcesses();
  });
  beforeEach(() => processes.redis().flushall());
  afterEach(async () => {
    await processes.end();
    for (const database of databases.splice(0)) await database.close();
  });
  after(() => processes.stop());

  test('is alarmed long before Redis is full, once for each step', async () => {
    const lines: string[] = [];
    const log = createLogger({ level: 'info', format: 'json', write: (line) => lines.push(line) });
    const shares = [0.1, 0.3, 0.4, 0.8, 0.8, 0.1, 0.3];
    let [clock, at] = [0, 0];
    const away = () => Promise.reject(new Failure('archive.unavailable', 'away'));
    const stream = { trim: async () => ({ lost: 0, fullness: shares[at++] ?? 0 }), close() {} };
    const recorder = createRecorder({
      // Only what a recorder asks of them while the database is away.
      database: { migrate: away } as unknown as Database,
      stream: stream as unknown as EventStream,
      log,
      analysis: false,
      now: () => (clock += 20_000),
    });
    recorder.start();
    await eventually(async () => at >= shares.length);
    await recorder.stop();
    const alarms = lines
      .map((line) => JSON.parse(line))
      .filter(({ message }) => message.startsWith('Events fill Redis'));
    assert.deepEqual(
      alarms.map(({ percent }) => percent),
      [30, 80, 30],
    );
    assert.ok(alarms.every(({ level }) => level === 'error'));
  });

  describe('with PostgreSQL', () => {
    let postgres: TestPostgres;
    before(async () => {
      postgres = await startTestPostgres();
    });
    after(() => postgres.stop());

    async function openDatabase(url: string) {
      const database = createDatabase({ url, log: quiet });
      databases.push(database);
      return database;
    }

    test('catches up after Postgres was away, without gaps and doubles', async () => {
      const database = await openDatabase(await postgres.createDatabase());
      const { recorder, logs, stream } = await processes.start(database, { batch: 20 });
      recorder.start();
      const messages: ReturnType<typeof received>[] = [];
      const write = async (count: number) => {
        for (let i = 0; i < count; i++) {
          const message = received({ from: `1555010${3000 + (i % 7)}` });
          messages.push(message);
          await processes.happen(message, made([message], 'yes'));
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
      const { recorder } = await processes.start(database);
      await processes.happen(received());
      recorder.start();
      await eventually(() => recorder.failingSince !== null);
      await postgres.resume();
      await eventually(async () => (await sidsIn(database).catch(() => [])).length === 1);
      await eventually(() => recorder.failingSince === null);
    });

    test('two processes share the work in order; one goes on when the other is gone', async () => {
      const url = await postgres.createDatabase();
      const [one, other] = [await openDatabase(url), await openDatabase(url)];
      const first = await processes.start(one, { batch: 10 });
      const second = await processes.start(other, { batch: 10 });
      first.recorder.start();
      second.recorder.start();
      const messages: ReturnType<typeof received>[] = [];
      for (let i = 0; i < 150; i++) {
        const message = received({ from: `1555010${4000 + (i % 11)}`, receivedAt: Date.now() });
        messages.push(message);
        await processes.happen(message, made([message], 'yes', { at: Date.now() }));
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
});
