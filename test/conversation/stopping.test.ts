/** A process that is told to stop stores what comes in, finishes what it can, and gives back the rest for the next one. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { type Bot, type Doubles, eventually, startBot, startDoubles } from '../support/bot.ts';

const ANA = '15550100101';
const BEN = '15550100102';

let doubles: Doubles;
let bot: Bot;
let released: () => void;

before(async () => {
  doubles = await startDoubles();
});
after(() => doubles.stop());
beforeEach(async () => {
  await doubles.redis.client().flushall();
  doubles.twilio.sent.length = 0;
  doubles.model.requests.length = 0;
  const hanging = new Promise<void>((resolve) => {
    released = resolve;
  });
  doubles.model.answer = async () => {
    await hanging;
    return 'There you are.';
  };
  bot = await startBot(doubles, { TWIML_DEADLINE_MS: '0', LEASE_MS: '600000' });
});

const stateOf = (contact: string) => doubles.redis.client().hgetall(`recado:{0}:c:${contact}:state`);
const leases = () => doubles.redis.client().keys('recado:*:lease');
const bodies = () => doubles.twilio.sent.map(({ body }) => body);

test('a turn whose model hangs is given back: due at once, and no crash', async () => {
  await bot.say(ANA, 'hello');
  await eventually('the model is asked', () => doubles.model.requests.length === 1);
  await bot.app.drain(300);
  assert.deepEqual(await leases(), []);
  assert.equal((await stateOf(ANA)).holders, undefined);
  await bot.stop();
  released();
  const next = await startBot(doubles, { TWIML_DEADLINE_MS: '0' });
  await eventually('the next one answers', () => bodies().length === 1);
  await next.stop();
  assert.deepEqual(bodies(), ['There you are.']);
  assert.deepEqual(await doubles.redis.client().zrange('recado:{0}:due', 0, '-1'), []);
});

test('what comes in meanwhile is stored and acknowledged, and left to the next one', async () => {
  await bot.say(ANA, 'hello');
  await eventually('the model is asked', () => doubles.model.requests.length === 1);
  const drained = bot.app.drain(5_000);
  const answers = await Promise.all([bot.say(BEN, 'and me?'), bot.say(ANA, 'are you there?')]);
  assert.deepEqual(
    answers.map(({ status, texts }) => [status, texts]),
    [
      [200, []],
      [200, []],
    ],
  );
  const refused = await fetch(`${bot.url}/api/whatsapp/auth/login`, { method: 'POST' });
  assert.equal(refused.status, 503, 'all else is refused');
  assert.equal((await fetch(`${bot.url}/readyz`)).status, 503, 'and load balancers know');
  released();
  await drained;
  await bot.stop();
  assert.equal(doubles.model.requests.filter(({ chat }) => JSON.stringify(chat).includes('and me?')).length, 0);
  const next = await startBot(doubles, { TWIML_DEADLINE_MS: '0' });
  await eventually('all are answered', async () => (await doubles.redis.client().zcard('recado:{0}:due')) === 0);
  await next.stop();
  assert.ok(doubles.twilio.sent.some(({ to }) => to === `whatsapp:+${BEN}`));
  const lines = await doubles.redis.client().lrange(`recado:{0}:c:${ANA}:history`, 0, -1);
  assert.equal(lines.filter((line) => JSON.parse(line).role === 'user').length, 2);
});
