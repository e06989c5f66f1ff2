import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { createRedis, createScripts, type RedisClient, type RunScript } from '../../app/memory/redis.ts';
import { createLogger } from '../../app/ops/logger.ts';
import { startTestRedis, type TestRedis } from '../support/redis.ts';

const log = createLogger({ level: 'error', format: 'json' });

let server: TestRedis;
let redis: RedisClient;
let run: RunScript;

before(async () => {
  server = await startTestRedis();
  redis = createRedis({ kind: 'url', url: server.url }, log);
  run = createScripts(redis);
  await redis.connect();
});

after(async () => {
  redis.disconnect();
  await server.stop();
});

describe('the scripts', () => {
  test('are known to Redis as soon as it is connected', async () => {
    const scripts = readdirSync(new URL('../../app/memory/scripts/', import.meta.url));
    assert.equal(await figure('memory', 'number_of_cached_scripts'), scripts.length);
  });

  test('are brought again when Redis has forgotten them', async () => {
    await redis.call('SCRIPT', 'FLUSH');
    assert.equal(await extend('turn-a'), 0);
    assert.equal(await figure('memory', 'number_of_cached_scripts'), 1);
  });

  test('of one tick travel together', async () => {
    await extend('turn-a');
    const before = await figure('stats', 'total_reads_processed');
    await Promise.all(['turn-a', 'turn-b', 'turn-c'].map(extend));
    // One for the three of them, one for the question.
    assert.equal(await figure('stats', 'total_reads_processed'), before + 2);
  });
});

function extend(turn: string): Promise<unknown> {
  return run('extend', ['{0}lease', '{0}due'], [0, turn, 1_000, 'conversation']);
}

async function figure(section: string, name: string): Promise<number> {
  return Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(await redis.info(section))?.[1]);
}
