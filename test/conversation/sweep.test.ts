import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { keepLease } from '../../app/conversation/lease.ts';
import { createKeys } from '../../app/memory/keys.ts';
import { createMailbox, type Mailbox } from '../../app/memory/mailbox.ts';
import { createRedis, createScripts, type RedisClient } from '../../app/memory/redis.ts';
import type { InboundMessage } from '../../app/message.ts';
import { createLogger } from '../../app/ops/logger.ts';
import { scrub } from '../../app/privacy/scrub.ts';
import { startRedisProxy } from '../chaos/support/redis-proxy.ts';
import { type Doubles, eventually, startBot, startDoubles } from '../support/bot.ts';
import { inboundMessage } from '../support/message.ts';

const log = createLogger({ level: 'error', format: 'json', write: () => {} });
const phone = (number: number) => `1555010030${number}`;
const keyOf = (number: number) => `recado:{0}:c:${phone(number)}`;

let doubles: Doubles;
let redis: RedisClient;

before(async () => {
  doubles = await startDoubles();
  redis = doubles.redis.client();
});

beforeEach(async () => {
  await redis.flushall();
  doubles.model.delayMs = 0;
  doubles.model.requests.length = 0;
  doubles.twilio.sent.length = 0;
});

after(() => doubles.stop());

function mailboxOf(leaseMs: number, client = redis): Mailbox {
  const tools = { redis: client, run: createScripts(client), keys: createKeys(1), processId: 'another' };
  return createMailbox({ ...tools, leaseMs, historyTtlMs: 60_000, historyTokens: 3_000 });
}

function messageOf(number: number): InboundMessage {
  return inboundMessage({ from: phone(number), text: scrub(`message ${number}`) });
}

/** People whose turn died. */
async function leaveBehind(count: number): Promise<void> {
  const dying = mailboxOf(1);
  for (let i = 0; i < count; i++) await dying.accept(messageOf(i), `turn${i}`, '{"type":"made up"}');
  await sleep(5);
}

describe('the sweep', () => {
  test('gives back what it has claimed without hearing so, and counts no crash', async () => {
    await leaveBehind(1);
    const proxy = await startRedisProxy(doubles.redis.port);
    proxy.onCommand = (name) => {
      if (name === 'claim') {
        proxy.onCommand = () => 'pass';
        proxy.playDead(); // Redis gets this one, and nobody hears its answer
      }
      return 'pass';
    };
    doubles.model.delayMs = 1_000;
    const bot = await startBot(doubles, { REDIS_URL: proxy.url });
    try {
      await eventually('the model is asked', () => doubles.model.requests.length === 1);
      const holders = (await redis.hget(`${keyOf(0)}:state`, 'holders')) ?? '';
      assert.match(holders, /^ \S+$/, 'the process that gave it back, and holds it again');
      assert.doesNotMatch(holders, /another/);
      await eventually('it is answered', () => doubles.twilio.sent.length === 1);
    } finally {
      await bot.stop();
      await proxy.close();
    }
  });

  test('begins nothing new once the process is told to stop', async () => {
    await leaveBehind(4);
    doubles.model.delayMs = 500;
    const bot = await startBot(doubles, { MAX_CONCURRENT_TURNS: '1' });
    await eventually('the model is asked', () => doubles.model.requests.length === 1);
    await bot.stop();
    assert.equal(doubles.model.requests.length, 1);
    assert.equal(doubles.twilio.sent.length, 1, 'what had begun is answered');
    assert.equal(await redis.zcard('recado:{0}:due'), 3, 'the rest waits for the next start');
    assert.equal((await redis.keys('recado:*:lease')).length, 0, 'and for nothing else');
  });
});

describe('a lease', () => {
  test('is asked about before a send when its process may have been counted gone, and is believed for a moment then', async () => {
    let alive = Number.POSITIVE_INFINITY;
    let asked = 0;
    const mailbox = {
      extend: async () => {
        asked++;
        return true;
      },
    };
    const lease = keepLease({ mailbox, contact: 'ana', turn: 'turn', leaseMs: 600_000, aliveSince: () => alive, log });
    await lease.check();
    await lease.check();
    assert.equal(asked, 1, 'it has not beaten for a while');
    alive = 0;
    await lease.check();
    assert.equal(asked, 1, 'it has been alive all the time');
    lease.stop();
    alive = performance.now();
    const older = keepLease({ mailbox, contact: 'ana', turn: 'turn', leaseMs: 600_000, aliveSince: () => alive, log });
    await older.check();
    assert.equal(asked, 1);
    alive = performance.now() + 1;
    await older.check();
    assert.equal(asked, 2, 'it had to join anew since it took the lease');
    older.stop();
  });

  test('that nobody can be asked about any more ends the turn before it says anything', async () => {
    const proxy = await startRedisProxy(doubles.redis.port);
    const client = createRedis({ kind: 'url', url: proxy.url }, log);
    await client.connect();
    const mailbox = mailboxOf(400, client);
    const message = messageOf(0);
    await mailbox.accept(message, 'turn', '{"type":"made up"}');
    const lease = keepLease({
      mailbox,
      contact: message.contact,
      turn: 'turn',
      leaseMs: 400,
      aliveSince: () => 0,
      log,
    });
    try {
      await lease.check();
      proxy.onCommand = () => 'stop';
      proxy.playDead();
      await sleep(250);
      await assert.rejects(lease.check(), /Redis could not be asked/);
      assert.equal(lease.signal.aborted, true);
    } finally {
      lease.stop();
      client.disconnect();
      await proxy.close();
    }
  });
});
