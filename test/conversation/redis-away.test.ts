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
    parts: { redis: 'unreachable', model: 'ok', archive: 'unreachable' },
  });
  assert.equal((await fetch(`${bot.url}/healthz`)).status, 200);

  await doubles.redis.restart();
  await eventually('the bot answers again', async () => (await bot.say(ANA, 'after')).texts[0] === 'You said: after');
});
