import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Bot, type Doubles, eventually, startBot, startDoubles } from '../support/bot.ts';

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
  const refused = await bot.say(ANA, 'meanwhile');
  assert.equal(refused.status, 503);
  assert.match(refused.contentType, /^text\/xml/);
  const ready = await fetch(`${bot.url}/readyz`);
  assert.equal(ready.status, 503);
  assert.deepEqual(await ready.json(), {
    status: 'not ready',
    parts: { redis: 'unreachable', model: 'ok', archive: 'unreachable', twilio: 'ok' },
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
