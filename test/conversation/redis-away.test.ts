import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { type Bot, type Doubles, eventually, startBot, startDoubles } from '../support/bot.ts';
import { startTestRedis, type TestRedis } from '../support/redis.ts';

const ANA = '15550100101';

let doubles: Doubles;
let bot: Bot;

before(async () => {
  doubles = await startDoubles();
  bot = await startBot(doubles);
});

after(async () => {
  await bot.stop();
  await doubles.stop();
});

test('a webhook gets 503 while Redis is away, and the bot goes on by itself when it is back', async () => {
  assert.equal((await bot.say(ANA, 'before')).status, 200);
  await doubles.redis.kill();
  const refused = await bot.sayOnce(ANA, 'meanwhile');
  assert.equal(refused.status, 503);
  assert.match(refused.contentType, /^text\/xml/);
  const ready = await fetch(`${bot.url}/readyz`);
  assert.equal(ready.status, 503);
  assert.deepEqual(await ready.json(), {
    status: 'not ready',
    parts: { redis: 'unreachable', model: 'ok', archive: 'unreachable', twilio: 'ok', purpose: 'ok' },
  });
  assert.equal((await fetch(`${bot.url}/healthz`)).status, 200);

  await doubles.redis.restart();
  await eventually('the bot answers again', async () => (await bot.say(ANA, 'after')).texts[0] === 'You said: after');
});

test('a bot whose model or provider is away stays in service: it stores what comes in', async () => {
  const others = await startDoubles();
  const lonely = await startBot(others, {
    OPENAI_BASE_URL: 'http://127.0.0.1:9/v1',
    TWILIO_API_BASE_URL: 'http://127.0.0.1:9',
  });
  const ready = await fetch(`${lonely.url}/readyz`);
  assert.equal(ready.status, 200);
  const { status, parts } = (await ready.json()) as { status: string; parts: Record<string, string> }; // our own answer
  assert.equal(status, 'degraded');
  assert.deepEqual([parts.redis, parts.model, parts.twilio], ['ok', 'unreachable', 'unreachable']);
  await lonely.stop();
  await others.stop();
});

describe('a Redis that comes later than the bot', () => {
  let redis: TestRedis;
  let early: Bot;
  beforeEach(async () => {
    redis = await startTestRedis({ appendOnly: true });
  });
  afterEach(async () => {
    await early.stop();
    await redis.stop();
  });

  async function startBefore(): Promise<void> {
    await redis.kill();
    early = await startBot(doubles, { REDIS_URL: redis.url });
    assert.equal((await early.say(ANA, 'too early')).status, 503);
    await redis.restart();
  }

  test('is used, and hears that the bot is alive', async () => {
    await startBefore();
    await eventually('the bot answers', async () => (await early.say(ANA, 'now?')).texts[0] === 'You said: now?');
    await eventually('it beats', async () => (await redis.client().zcard('recado:{0}:processes')) === 1);
  });

  test('is left alone when it holds data of another version: webhooks are refused from then on', async () => {
    await redis.client().hset('recado:format', { format: '99', shards: '1' });
    await startBefore();
    await eventually('it is seen', () => early.logs.some((line) => line.includes('newer Recado')));
    assert.equal((await early.say(ANA, 'now?')).status, 503);
    assert.equal(await redis.client().exists('recado:{0}:processes'), 0);
  });
});
