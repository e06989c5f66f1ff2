import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { createFormat } from '../../app/memory/format.ts';
import { createKeys } from '../../app/memory/keys.ts';
import { createRedis, createScripts, type RedisClient, type RunScript } from '../../app/memory/redis.ts';
import { createLogger } from '../../app/ops/logger.ts';
import { eventually } from '../support/bot.ts';
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

describe('a failover', () => {
  test('is noticed by the refused write, and the new primary is found behind the same address', async () => {
    const second = await startTestRedis();
    let target = server;
    const sockets = new Set<Socket>();
    const address = createServer((near) => {
      const far = connect(Number(new URL(target.url).port), '127.0.0.1');
      for (const socket of [near, far]) sockets.add(socket.on('error', () => {}));
      near.pipe(far).pipe(near);
    });
    await new Promise<void>((resolve) => address.listen(0, '127.0.0.1', resolve));
    // A TCP server has an address of this shape.
    const { port } = address.address() as AddressInfo;
    const client = createRedis({ kind: 'url', url: `redis://127.0.0.1:${port}` }, log);
    const format = createFormat({ redis: client, keys: createKeys(1) });
    try {
      await client.connect();
      await format.canWrite();
      target = second;
      await redis.call('REPLICAOF', '127.0.0.1', '1');
      assert.equal(await client.ping(), 'PONG', 'a replica answers to everything that is no write');
      await assert.rejects(format.canWrite(), { code: 'store.unavailable', message: /READONLY/ });
      await eventually('the new primary takes writes', () => client.set('recado:test', '1').then(Boolean, () => false));
      assert.equal(await second.client().get('recado:test'), '1');
    } finally {
      await redis.call('REPLICAOF', 'NO', 'ONE');
      client.disconnect();
      for (const socket of sockets) socket.destroy();
      address.close();
      await second.stop();
    }
  });
});

function extend(turn: string): Promise<unknown> {
  return run('extend', ['{0}lease', '{0}due'], [0, turn, 1_000, 'conversation']);
}

async function figure(section: string, name: string): Promise<number> {
  return Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(await redis.info(section))?.[1]);
}
