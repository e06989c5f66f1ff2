/** From the stream into the tables, whatever the engine. */
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import type { Database } from '../../app/archive/engine/database.ts';
import { createRecorder } from '../../app/archive/write/recorder.ts';
import { encodeEvent } from '../../app/events.ts';
import type { EventStream } from '../../app/memory/stream.ts';
import { empty, query, quiet } from './engines.ts';
import { made, received, sent } from './events.ts';
import { eventually, type Processes, sidsIn, startProcesses } from './processes.ts';

export function streamingSuite(open: () => Database): void {
  describe('the recorder', () => {
    let processes: Processes;
    before(async () => {
      processes = await startProcesses();
    });
    beforeEach(() => Promise.all([processes.redis().flushall(), empty(open())]));
    afterEach(() => processes.end());
    after(() => processes.stop());

    test('writes what had happened before it came, and what happens then, soon', async () => {
      const [first, second] = [received({ from: '15550100001' }), received({ from: '15550100002' })];
      await processes.happen(first, second);
      const { recorder, told } = await processes.start(open());
      recorder.start();
      await eventually(async () => (await sidsIn(open())).length === 2);
      const reply = made([first], 'yes');
      await processes.happen(reply, sent(reply));
      await eventually(
        async () =>
          (await query(open(), "select 1 from whatsapp_messages where delivery_status = 'sent'")).length === 1,
      );
      await eventually(() => told.flatMap(({ turns }) => turns).join() === reply.turn);
      assert.deepEqual([...new Set(told.flatMap(({ phones }) => phones))].sort(), ['+15550100001', '+15550100002']);
    });

    test('writes nothing twice after a crash between commit and acknowledgement', async () => {
      const messages = Array.from({ length: 30 }, (_, i) => received({ from: `1555010${2000 + i}` }));
      await processes.happen(...messages);
      const crashed = await processes.start(open());
      const forgetful: EventStream = { ...crashed.stream, acknowledge: () => Promise.reject(new Error('killed')) };
      const dying = createRecorder({
        database: open(),
        stream: forgetful,
        log: quiet,
        analysis: true,
      });
      await assert.rejects(dying.catchUp(), /killed/);
      assert.equal((await sidsIn(open())).length, 30);

      const { recorder, stream } = await processes.start(open());
      assert.equal(await recorder.catchUp(), 30, 'they are taken again');
      assert.deepEqual(await sidsIn(open()), messages.map(({ message }) => message.id).sort());
      const counts = await query(open(), 'select distinct total_messages, unread_count from whatsapp_conversations');
      assert.deepEqual(counts, [{ total_messages: 1, unread_count: 1 }]);
      assert.equal(await stream.waiting(), 0);
    });

    test('sets a poisonous event aside and goes on with the others', async () => {
      const good = received();
      const tooLong = received({ id: 'x'.repeat(500) });
      await processes.happen(tooLong, good);
      await processes
        .redis()
        .xadd(processes.keys.shards[0]?.events ?? '', '*', 'event', '{"type":"message.received","connection":');
      await processes.redis().xadd(processes.keys.shards[1]?.events ?? '', '*', 'nonsense', 'x');
      const { recorder, stream, logs } = await processes.start(open());
      await recorder.catchUp();
      assert.deepEqual(await sidsIn(open()), [good.message.id]);
      assert.equal((await query(open(), 'select 1 from whatsapp_events_set_aside')).length, 3);
      assert.equal(logs.filter((line) => line.includes('set aside')).length, 3);
      assert.equal(await stream.waiting(), 0);
    });

    test('tries what was set aside again at the next start', async () => {
      const good = received();
      const poison = JSON.stringify({ ...good, message: { ...good.message, id: 'y'.repeat(500) } });
      for (const [name, event] of Object.entries({ good: encodeEvent(good), poison })) {
        const row = { name, event, reason: 'a bug that is mended', set_aside_at: new Date(0) };
        await open().run((db) => db.insertInto('whatsapp_events_set_aside').values(row).execute());
      }
      const { recorder, logs } = await processes.start(open());
      recorder.start();
      await eventually(async () => (await sidsIn(open())).includes(good.message.id));
      const left = () => query(open(), 'select event from whatsapp_events_set_aside');
      await eventually(async () => (await left()).length === 1);
      assert.match(JSON.stringify(await left()), /y{500}/, 'the other one came back, whole');
      assert.ok(logs.some((line) => line.includes('tried again') && line.includes('"events":2')));
    });

    test('removes from Redis what is written and old, and nothing else', async () => {
      await processes.happen(...Array.from({ length: 400 }, () => received()));
      const { recorder, stream } = await processes.start(open(), { keepMs: 0, batch: 300 });
      const key = processes.keys.shardOf('15550100123').events;
      await stream.take(4);
      assert.equal((await stream.trim()).lost, 0);
      assert.equal(await processes.redis().xlen(key), 400, 'nothing is acknowledged yet');
      await recorder.catchUp();
      assert.equal((await stream.trim()).lost, 0, 'nothing was lost');
      assert.ok((await processes.redis().xlen(key)) < 150, 'Redis removes them by the hundred');
    });
  });
}
