import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { type AlarmBoard, createAlarmBoard } from '../../app/memory/alarms.ts';
import { createKeys } from '../../app/memory/keys.ts';
import { createRedis, createScripts, type RedisClient } from '../../app/memory/redis.ts';
import { createLogger } from '../../app/ops/logger.ts';
import { startTestRedis } from '../support/redis.ts';

const log = createLogger({ level: 'error', format: 'json', write: () => {} });
const keys = createKeys(1);
const QUARTER_MS = 15 * 60_000;

let server: Awaited<ReturnType<typeof startTestRedis>>;
let redis: RedisClient;
let one: AlarmBoard;
let two: AlarmBoard;

before(async () => {
  server = await startTestRedis();
  redis = createRedis({ kind: 'url', url: server.url }, log);
  await redis.connect();
  const run = createScripts(redis);
  one = createAlarmBoard({ run, keys, processId: 'one' });
  two = createAlarmBoard({ run, keys, processId: 'two' });
});
after(async () => {
  redis.disconnect();
  await server.stop();
});
beforeEach(() => redis.flushall());

/** @returns what is told, as `name state` */
async function report(board: AlarmBoard, states: Record<string, boolean>): Promise<string[]> {
  return (await board.report(new Map(Object.entries(states)))).map(({ name, state }) => `${name} ${state}`);
}

/** The last time it was told lies so much longer back, and so do the words of the processes. */
async function pass(ms: number): Promise<void> {
  for (const [field, at] of Object.entries(await redis.hgetall(keys.alarms))) {
    await redis.hset(keys.alarms, field, Number(at) - ms);
  }
}

test('an alarm is told once when it begins, and once when it is over', async () => {
  assert.deepEqual(await report(one, { dead: false, slow: false }), []);
  assert.deepEqual(await report(one, { dead: true, slow: false }), ['dead firing']);
  assert.deepEqual(await report(one, { dead: true, slow: false }), []);
  assert.deepEqual(await report(one, { dead: false, slow: false }), ['dead resolved']);
  assert.deepEqual(await report(one, { dead: false, slow: false }), []);
});

test('since when it fires is known when it is over', async () => {
  const [begun] = await one.report(new Map([['dead', true]]));
  assert.ok(begun && Math.abs(begun.since - Date.now()) < 60_000);
  const [over] = await one.report(new Map([['dead', false]]));
  assert.equal(over?.since, begun.since);
});

test('of several processes one tells it, and it is over when it is over in all of them', async () => {
  const told = await Promise.all([one, two].map((board) => report(board, { dead: true })));
  assert.deepEqual(told.flat(), ['dead firing']);
  assert.deepEqual(await report(one, { dead: false }), []);
  assert.deepEqual(await report(two, { dead: true }), []);
  assert.deepEqual(await report(two, { dead: false }), ['dead resolved']);
});

test('a process that sees no harm does not say that another one, which has not that alarm, is well', async () => {
  await report(one, { event_loop: true });
  assert.deepEqual(await report(two, { archive: false }), []);
  assert.deepEqual(await report(one, { event_loop: true }), []);
});

test('one that comes and goes is told to fire once in 15 minutes, and every time that it is over', async () => {
  assert.deepEqual(await report(one, { dead: true }), ['dead firing']);
  assert.deepEqual(await report(one, { dead: false }), ['dead resolved']);
  for (let i = 0; i < 3; i++) {
    assert.deepEqual(await report(one, { dead: true }), []);
    assert.deepEqual(await report(one, { dead: false }), []);
  }
  await pass(QUARTER_MS - 5_000);
  assert.deepEqual(await report(one, { dead: true }), []);
  await pass(6_000);
  assert.deepEqual(await report(one, { dead: true }), ['dead firing'], 'it still fires when the quarter is over');
});

test('a process that is gone keeps no alarm firing', async () => {
  assert.deepEqual(await report(one, { dead: true }), ['dead firing']);
  assert.deepEqual(await report(two, { dead: false }), []);
  await pass(61_000);
  assert.deepEqual(await report(two, { dead: false }), ['dead resolved']);
  assert.deepEqual(await redis.hkeys(keys.alarms), ['dead@'], 'nothing is left of it');
});

test('a process that was started again tells nothing twice', async () => {
  assert.deepEqual(await report(one, { dead: true }), ['dead firing']);
  assert.deepEqual(await report(two, { dead: true }), []);
});

test('all of it expires', async () => {
  await report(one, { dead: true });
  assert.ok((await redis.pttl(keys.alarms)) > 0);
});
