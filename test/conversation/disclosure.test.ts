/** Whoever writes for the first time is told that software answers: once, however many processes there are and whatever crashes. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { DEFAULT_DISCLOSURE } from '../../app/config.ts';
import { type Bot, type Doubles, eventually, startBot, startDoubles } from '../support/bot.ts';

const DISCLOSURE = DEFAULT_DISCLOSURE.replace('{business_name}', 'Bakery Aurora');

let doubles: Doubles;
let bots: [Bot, Bot];
let people = 0;
let phone: string;

before(async () => {
  doubles = await startDoubles();
  const settings = { AI_DISCLOSURE: 'default' };
  bots = [await startBot(doubles, settings), await startBot(doubles, settings)];
});

after(async () => {
  for (const bot of bots) await bot.stop();
  await doubles.stop();
});

beforeEach(() => {
  phone = `155501${String(40_000 + people++).slice(-5)}`;
  doubles.twilio.sent.length = 0;
});

const key = (part: string) => `recado:{0}:c:${phone}:${part}`;
const isTold = (text: string) => text.startsWith(DISCLOSURE);

test('opens the first answer alone, and the model is not shown it', async () => {
  assert.deepEqual((await bots[0].say(phone, 'Hello')).texts, [`${DISCLOSURE}\n\nYou said: Hello`]);
  assert.deepEqual((await bots[1].say(phone, 'And now?')).texts, ['You said: And now?']);
  const shown = JSON.stringify(doubles.model.requests.at(-1)?.chat.messages);
  assert.ok(shown.includes('You said: Hello'));
  assert.ok(!shown.includes(DISCLOSURE));
});

test('opens an answer again after the memory has expired', async () => {
  await bots[0].say(phone, 'Hello');
  const redis = doubles.redis.client();
  await redis.del(key('state'), key('history'));
  assert.deepEqual((await bots[0].say(phone, 'Hello again')).texts.map(isTold), [true]);
});

test('comes once when two processes get the first messages of one contact at the same time', async () => {
  for (let round = 0; round < 20; round++) {
    phone = `155501${String(41_000 + round).slice(-5)}`;
    doubles.twilio.sent.length = 0;
    const said = await Promise.all([
      ...[0, 1, 2].map((n) => bots[0].say(phone, `first ${n}`)),
      ...[3, 4, 5].map((n) => bots[1].say(phone, `second ${n}`)),
    ]);
    await eventually(
      'all is answered',
      async () => (await doubles.redis.client().zscore('recado:{0}:due', phone)) === null,
    );
    const texts = [...said.flatMap((one) => one.texts), ...doubles.twilio.sent.map(({ body }) => body)];
    assert.equal(texts.filter(isTold).length, 1, texts.join(' | '));
  }
});

test('is sent once when the process ends between making the answer final and sending it', async () => {
  await bots[0].say(phone, 'Hello');
  // As such a process leaves it.
  const redis = doubles.redis.client();
  const text = `${DISCLOSURE}\n\nleft`;
  const conversation = `twilio:14155238886:${phone}`;
  const reply = { id: 'left', conversation, to: phone, parts: JSON.stringify([text]), via: 'call', at: Date.now() };
  await redis
    .multi()
    .hset(key('reply'), reply)
    .hset(key('state'), 'disclosed', 'left')
    .zadd('recado:{0}:due', 0, phone)
    .exec();
  await eventually('it is sent', () => doubles.twilio.sent.some(({ body }) => body === text));
  await eventually('its turn is over', async () => (await redis.zscore('recado:{0}:due', phone)) === null);
  assert.deepEqual((await bots[1].say(phone, 'And now?')).texts, ['You said: And now?']);
});

test('comes with the next answer when the one that had it could not be delivered', async () => {
  const caller = await startBot(doubles, { AI_DISCLOSURE: 'default', TWIML_DEADLINE_MS: '0' });
  doubles.twilio.faults.push({ kind: 'status', status: 400, code: 63_024, on: 'create' });
  await caller.say(phone, 'Hello');
  await eventually('it is given up', async () => (await doubles.redis.client().xlen('recado:{0}:dead')) > 0);
  await caller.stop();
  assert.deepEqual((await bots[0].say(phone, 'Hello?')).texts.map(isTold), [true]);
});

test('does not open what confirms STOP, and is there when it is not switched off', async () => {
  const [confirmation] = (await bots[0].say(phone, 'STOP')).texts;
  assert.ok(confirmation && !isTold(confirmation));
  const silent = await startBot(doubles, { AI_DISCLOSURE: '' });
  phone = '15550149999';
  assert.deepEqual((await silent.say(phone, 'Hello')).texts, ['You said: Hello']);
  await silent.stop();
});
