/** The whole bot and people who behave like programs, and people who do not. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { NOTICES } from '../../app/conversation/prompts.ts';
import { EXCUSED_MS } from '../../app/conversation/spam.ts';
import { createAliases } from '../../app/memory/aliases.ts';
import { createDesk, type Desk } from '../../app/memory/desk.ts';
import { createKeys } from '../../app/memory/keys.ts';
import { createRedis, createScripts, type RedisClient } from '../../app/memory/redis.ts';
import { createLogger } from '../../app/ops/logger.ts';
import { type Bot, type Doubles, eventually, startBot, startDoubles } from '../support/bot.ts';
import { ANA } from '../support/message.ts';

const OFFER = 'Earn a lot of money from home, write to us today';
const keys = createKeys(1);

let doubles: Doubles;
let bot: Bot;
let redis: RedisClient;
let desk: Desk;

before(async () => {
  doubles = await startDoubles();
  bot = await startBot(doubles);
  redis = createRedis(
    { kind: 'url', url: doubles.redis.url },
    createLogger({ level: 'error', format: 'json', write: () => {} }),
  );
  await redis.connect();
  const tools = { redis, run: createScripts(redis), keys, historyTtlMs: 86_400_000 };
  desk = createDesk({ ...tools, aliases: createAliases(tools) });
});
after(async () => {
  redis.disconnect();
  await bot.stop();
  await doubles.stop();
});
beforeEach(async () => {
  await redis.flushall();
  doubles.model.requests.length = 0;
  bot.logs.length = 0;
});

const person = (n: number) => `1555010${String(n).padStart(4, '0')}`;

async function recorded(type: string): Promise<{ [field: string]: unknown }[]> {
  const entries = await redis.xrange(keys.of(ANA).events, '-', '+');
  return entries.map(([, fields]) => JSON.parse(fields[1] ?? '{}')).filter((event) => event.type === type);
}

/** The limit of a minute is not what this is about, nor what is written before a turn is over. */
async function say(from: string, text: string): Promise<string[]> {
  const { rate, due } = keys.of(from);
  await redis.del(rate);
  const { texts } = await bot.tell(from, text);
  await eventually('the turn is over', async () => (await redis.zscore(due, from)) === null);
  return texts;
}

async function repeat(from: string, times: number): Promise<string[]> {
  const heard: string[] = [];
  for (let i = 0; i < times; i++) heard.push(...(await say(from, OFFER)));
  return heard;
}

describe('who says the same again and again', () => {
  test('is told once that nobody answers for a while, and then gets nothing', async () => {
    const heard = await repeat(ANA, 25);
    assert.deepEqual(heard, [...Array(19).fill(`You said: ${OFFER}`), NOTICES.suspect]);
    assert.equal(doubles.model.requests.length, 19);
    assert.deepEqual(await say(ANA, 'And what is this?'), [], 'other words neither');
    assert.deepEqual((await bot.tell(person(9), 'hello')).texts, ['You said: hello'], 'others are answered');
  });

  test('is kept and shown: no message is lost, and each says why it was not answered', async () => {
    await repeat(ANA, 23);
    assert.equal((await recorded('message.received')).length, 23);
    const quiet = (await recorded('reply.made')).filter(({ reply }) => reply === null);
    assert.equal(quiet.length, 3);
    assert.ok(quiet.every(({ failure }) => failure === 'turn.throttled'));
    const suspected = await recorded('contact.suspected');
    assert.deepEqual(
      suspected.map(({ score, reasons }) => [score, reasons]),
      [
        [60, ['repeats']],
        [100, ['repeats']],
      ],
    );
    assert.equal(bot.logs.filter((line) => line.includes('it looks like spam')).length, 1);
  });

  test('is answered again after half an hour', async () => {
    await repeat(ANA, 21);
    await redis.hset(keys.of(ANA).state, 'throttled', Date.now() - 1);
    const [answer = ''] = await say(ANA, 'Is somebody there?');
    assert.equal(answer, `You said: ${OFFER}\nIs somebody there?`, 'with what the notice left open');
  });

  test('is answered at once when the team says that it is no spam, and is not throttled again', async () => {
    await repeat(ANA, 21);
    await desk.excuse(ANA, Date.now() + EXCUSED_MS);
    const heard = await repeat(ANA, 30);
    assert.equal(heard.length, 30);
    assert.ok(heard.every((text) => text.startsWith(`You said: ${OFFER}`)));
  });

  test('also while a turn is running', async () => {
    await repeat(ANA, 18);
    doubles.model.delayMs = 200;
    const asked = doubles.model.requests.length;
    const answer = bot.tell(ANA, OFFER);
    await eventually('the model is asked', () => doubles.model.requests.length > asked);
    doubles.model.delayMs = 0;
    for (let i = 0; i < 3; i++) await bot.tell(ANA, OFFER);
    await answer;
    await eventually('the turn is over', async () => (await redis.zscore(keys.of(ANA).due, ANA)) === null);
    assert.deepEqual(await say(ANA, 'And now?'), [NOTICES.suspect]);
  });
});

test('numbers in a row that send the same link are throttled, and nobody else is', async () => {
  const text = `${OFFER} https://example.com/win`;
  const heard: string[][] = [];
  for (let n = 0; n < 30; n++) heard.push((await bot.tell(person(n), text)).texts);
  assert.deepEqual(heard[5], [`You said: ${text}`]);
  assert.deepEqual(heard[25], [NOTICES.suspect]);
  assert.deepEqual((await bot.tell('447700900001', 'Do you open today?')).texts, ['You said: Do you open today?']);
  assert.deepEqual(
    (await bot.tell(person(500), 'Do you open today?')).texts,
    ['You said: Do you open today?'],
    'a new customer whose number is among them',
  );
});

describe('a customer is answered', () => {
  test('who writes ten messages in a row', async () => {
    const sent = doubles.twilio.sent.length;
    const answers = await Promise.all(Array.from({ length: 10 }, (_, i) => bot.tell(ANA, `message number ${i}`)));
    await eventually('the turn is over', async () => (await redis.zscore(keys.of(ANA).due, ANA)) === null);
    const heard = [
      ...answers.flatMap(({ texts }) => texts),
      ...doubles.twilio.sent.slice(sent).map(({ body }) => body),
    ];
    assert.ok(heard.length > 0 && heard.every((text) => text.startsWith('You said: message number')), heard.join('|'));
    assert.deepEqual(await recorded('contact.suspected'), []);
  });

  test('who says "ok" all the time', async () => {
    for (let i = 0; i < 40; i++) assert.equal((await say(ANA, 'ok')).length, 1);
  });

  test('who shares a few links, and the same one twice', async () => {
    for (const path of ['a', 'b', 'c', 'c'])
      assert.equal((await say(ANA, `Is this one in stock? https://shop.example/${path}`)).length, 1);
  });

  test('who comes with 200 others of the same country because of a sale, many with the same words', async () => {
    const throttled: number[] = [];
    for (let n = 0; n < 200; n++) {
      const text = n % 2 === 0 ? 'Hello! I would like to know more about the winter sale' : `Is size ${n} still there?`;
      const { texts } = await bot.tell(person(n * 49), text);
      if (texts[0] !== `You said: ${text}`) throttled.push(n);
    }
    assert.deepEqual(throttled, []);
    assert.deepEqual(
      (await recorded('contact.suspected')).filter(({ until }) => until !== 0),
      [],
    );
  });
});
