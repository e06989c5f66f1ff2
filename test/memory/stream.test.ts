import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { encodeEvent } from '../../app/events.ts';
import { createKeys } from '../../app/memory/keys.ts';
import { createRedis, type RedisClient } from '../../app/memory/redis.ts';
import { createEventStream, type EventStream } from '../../app/memory/stream.ts';
import { createLogger } from '../../app/ops/logger.ts';
import { startTestRedis, type TestRedis } from '../support/redis.ts';

const KEYS = createKeys(2);
const [ONE, OTHER] = KEYS.shards.map((shard) => shard.events) as [string, string]; // there are two shards

describe('the event stream', () => {
  let server: TestRedis;
  let redis: RedisClient;
  let stream: EventStream;
  let logs: string[];

  before(async () => {
    server = await startTestRedis();
  });
  beforeEach(async () => {
    logs = [];
    const log = createLogger({ level: 'debug', format: 'json', write: (line) => logs.push(line) });
    redis = createRedis({ kind: 'socket', path: server.path }, log);
    await redis.connect();
    await redis.flushall();
    stream = createEventStream({ redis, keys: KEYS, log, keepMs: 0 });
  });
  afterEach(() => {
    stream.close();
    redis.disconnect();
  });
  after(() => server.stop());

  async function happen(key: string, count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      const event = { type: 'desk.took', conversation: '1:2', at: i, until: 0 } as const;
      await redis.xadd(key, '*', 'event', encodeEvent(event));
    }
  }

  test('gives what happened before anybody read, from all shards, in order', async () => {
    await happen(ONE, 5);
    await happen(OTHER, 3);
    const entries = await stream.take(100);
    const times = (key: string) =>
      entries.filter((entry) => entry.stream === key).map(({ event }) => JSON.parse(event).at);
    assert.deepEqual(times(ONE), [0, 1, 2, 3, 4]);
    assert.deepEqual(times(OTHER), [0, 1, 2]);
  });

  test('gives again what was not acknowledged, also to another process, before anything new', async () => {
    await happen(ONE, 2);
    const first = await stream.take(10);
    await happen(ONE, 1);
    const log = createLogger({ level: 'error', format: 'json', write: () => {} });
    const another = createEventStream({ redis, keys: KEYS, log });
    assert.deepEqual(await another.take(10), first);
    assert.equal(await another.waiting(), 3);
    await another.acknowledge(first);
    assert.equal((await another.take(10)).length, 1);
    another.close();
  });

  test('goes on after Redis lost everything', async () => {
    await happen(ONE, 1);
    await stream.acknowledge(await stream.take(10));
    await redis.flushall();
    await happen(ONE, 2);
    assert.equal((await stream.take(10)).length, 2);
  });

  test('is told when Redis dropped events before anybody could write them', async () => {
    await happen(ONE, 10);
    await stream.take(12);
    await redis.xtrim(ONE, 'MAXLEN', 2);
    assert.equal((await stream.trim()).lost, 2);
    assert.equal((await stream.take(12)).length, 2);
    assert.ok(logs.some((line) => line.includes('pushed out')));
  });

  test('keeps the streams of all shards within so many bytes, and says how full they are', async () => {
    const log = createLogger({ level: 'error', format: 'json', write: () => {} });
    const small = createEventStream({ redis, keys: KEYS, log, mostBytes: 400_000 });
    const long = async (key: string, count: number) => {
      for (let i = 0; i < count; i++) await redis.xadd(key, '*', 'event', 'x'.repeat(2_000));
    };
    await long(ONE, 40);
    await long(OTHER, 40);
    await small.take(1);
    const { fullness } = await small.trim();
    assert.ok(fullness > 0.4 && fullness < 0.9, `${fullness}`);
    assert.equal((await redis.xlen(ONE)) + (await redis.xlen(OTHER)), 80, 'nothing is dropped before it is full');
    await long(ONE, 200);
    assert.equal((await small.trim()).fullness, 1);
    const bytes = async (key: string) => Number(await redis.memory('USAGE', key));
    assert.ok((await bytes(ONE)) + (await bytes(OTHER)) < 450_000);
    assert.ok((await small.trim()).lost > 50, 'it is known that they are lost');
    for (let taken = await small.take(1_000); taken.length > 0; taken = await small.take(1_000))
      await small.acknowledge(taken);
    assert.ok((await small.trim()).fullness < 0.05, 'what is written is not waiting');
    small.close();
  });

  test('waits for news no longer than it is told to', async () => {
    await stream.take(1);
    const rung = stream.wait(60_000, new AbortController().signal);
    await happen(OTHER, 1);
    await rung;
    assert.equal((await stream.take(2)).length, 1);
    const stop = new AbortController();
    const waiting = stream.wait(60_000, stop.signal);
    stop.abort();
    await waiting;
  });

  test('rejects in words while Redis is away, and waiting does not', async () => {
    redis.disconnect();
    await assert.rejects(stream.take(1), { code: 'store.unavailable' });
    await assert.rejects(stream.trim(), { code: 'store.unavailable' });
    const stop = new AbortController();
    await stream.wait(50, stop.signal);
    assert.deepEqual(getEventListeners(stop.signal, 'abort'), [], 'nothing is left behind');
  });
});
