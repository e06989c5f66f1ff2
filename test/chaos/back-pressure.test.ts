/** What a bot does when too much comes in: it says so at once, keeps the order, and tells a person only once to slow down. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, afterEach, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Redis } from 'ioredis';
import { NOTICES } from '../../app/conversation/prompts.ts';
import { MOST_CRASHES, SUSPICIOUS_CRASHES } from '../../app/conversation/retries.ts';
import { createAliases } from '../../app/memory/aliases.ts';
import { createDeadLetters } from '../../app/memory/dead-letters.ts';
import { createKeys } from '../../app/memory/keys.ts';
import { createMailbox, type Mailbox, MOST_MESSAGES } from '../../app/memory/mailbox.ts';
import { createScripts } from '../../app/memory/redis.ts';
import type { InboundMessage } from '../../app/message.ts';
import { newId } from '../../app/ops/id.ts';
import { scrub } from '../../app/privacy/scrub.ts';
import { lastUserText } from '../doubles/model.ts';
import { ACCOUNT_SID, AUTH_TOKEN, type Bot, type Doubles, eventually, startBot, startDoubles } from '../support/bot.ts';
import { inboundMessage } from '../support/message.ts';
import type { WebhookResponse } from '../support/webhook.ts';

let doubles: Doubles;
let bot: Bot;

before(async () => {
  doubles = await startDoubles();
});

afterEach(async () => {
  openGate();
  await bot.stop();
  await doubles.redis.client().flushall();
});

after(() => doubles.stop());

/** A message as it waits in Redis. */
function messageOf(contact: string, text: string): InboundMessage {
  return inboundMessage({ from: contact, text: scrub(text) });
}

const person = (number: number) => `155501002${String(number).padStart(2, '0')}`;

/** A process that dies, a new one each time: its turns end with its leases, in a moment. */
function dyingMailbox(redis: Redis): Mailbox {
  const tools = { redis, run: createScripts(redis), keys: createKeys(1), processId: newId() };
  return createMailbox({ ...tools, leaseMs: 1, historyTtlMs: 60_000, historyTokens: 3_000 });
}

/** What `/metrics` says of a figure; 0 when it does not name it. */
async function figure(name: string): Promise<number> {
  const page = await (await fetch(`${bot.url}/metrics`)).text();
  const line = page.split('\n').find((one) => one.startsWith(`recado_${name} `));
  return Number(line?.split(' ').at(-1) ?? 0);
}

let openGate = () => {};

/** Holds all calls of the model until `openGate`. @returns what it was asked, growing */
function closeGate(): string[] {
  const asked: string[] = [];
  const usual = doubles.model.answer;
  const opened = new Promise<void>((resolve) => {
    openGate = () => {
      doubles.model.answer = usual;
      resolve();
    };
  });
  doubles.model.answer = async (request) => {
    asked.push(lastUserText(request));
    await opened;
    return usual(request);
  };
  return asked;
}

describe('more than can be done', () => {
  test('waits in its order, and what would wait too long gets 503 at once and is not stored', async () => {
    bot = await startBot(doubles, { MAX_CONCURRENT_TURNS: '2', MAX_WAITING: '6' });
    const asked = closeGate();
    const answers: Promise<WebhookResponse>[] = [];
    for (let i = 0; i < 8; i++) {
      answers.push(bot.say(person(i), `message ${i}`));
      await eventually('it is taken in', async () => (await figure('turns_running')) === i + 1);
    }
    assert.equal(await figure('turns_waiting'), 6);
    await eventually('the model is asked', () => asked.length === 2);
    assert.deepEqual(asked, ['message 0', 'message 1']);
    const refused = await Promise.all([
      bot.sayOnce(person(8), 'too late'),
      bot.sayOnce(person(0), 'even for those who wait'),
    ]);
    for (const { status, contentType, texts } of refused) {
      assert.equal(status, 503);
      assert.match(contentType, /^text\/xml/);
      assert.deepEqual(texts, []);
    }
    assert.equal(await figure('messages_received_total{kind="text",outcome="busy"}'), 2);
    const client = doubles.redis.client();
    assert.equal(await client.exists(`recado:{0}:c:${person(8)}:mailbox`), 0);
    assert.equal(await client.llen(`recado:{0}:c:${person(0)}:mailbox`), 1);

    openGate();
    const inResponse = (await Promise.all(answers)).map((answer) => answer.texts);
    // A webhook whose time was over meanwhile has its answer by a call.
    const got = () =>
      inResponse.map((texts, i) => {
        const sent = doubles.twilio.sent.filter(
          ({ to, direction }) => to.endsWith(person(i)) && direction === 'outbound-api',
        );
        return [...texts, ...sent.map(({ body }) => body)];
      });
    await eventually('all are answered', () => got().every((texts) => texts.length > 0));
    assert.deepEqual(
      got(),
      Array.from({ length: 8 }, (_, i) => [`You said: message ${i}`]),
    );
    assert.deepEqual((await bot.say(person(8), 'again')).texts, ['You said: again']);
    await eventually('nothing waits', async () => (await figure('turns_waiting')) === 0);
  });

  test('is not taken over from a crashed process either: others may have room', async () => {
    const crashed = dyingMailbox(doubles.redis.client());
    for (let i = 0; i < 7; i++) await crashed.accept(messageOf(person(i), `message ${i}`), `turn${i}`, '{}');
    const asked = closeGate();
    const seen = doubles.twilio.sent.length;
    bot = await startBot(doubles, { MAX_CONCURRENT_TURNS: '2' });
    await eventually('it has taken what it can', () => asked.length === 2);
    await eventually('one waits', async () => (await figure('turns_waiting')) === 1);
    assert.equal(await figure('conversations_due'), 4, 'the others are left to others');
    assert.equal(await figure('conversations_unfinished'), 7);
    openGate();
    await eventually('all are answered', () => doubles.twilio.sent.length === seen + 7);
  });

  test('is answered in the order it came', async () => {
    bot = await startBot(doubles, { MAX_CONCURRENT_TURNS: '1' });
    const asked = closeGate();
    const answers: Promise<WebhookResponse>[] = [];
    const expected = Array.from({ length: 6 }, (_, i) => `message ${i}`);
    for (let i = 0; i < 6; i++) {
      answers.push(bot.say(person(i), `message ${i}`));
      await eventually('it is taken in', async () => (await figure('turns_running')) === i + 1);
    }
    const seen = doubles.model.requests.length;
    openGate();
    await Promise.all(answers);
    const later = doubles.model.requests.slice(seen).map(({ chat }) => lastUserText(chat));
    assert.deepEqual([...asked, ...later], expected);
  });
});

describe('a person who writes too fast', () => {
  test('is answered up to the limit, told once to slow down, and then not answered for a while', async () => {
    bot = await startBot(doubles, { RATE_LIMIT_PER_MINUTE: '3' });
    const heard: string[] = [];
    for (let i = 1; i <= 6; i++) heard.push(...(await bot.say(person(0), `${i}`)).texts);
    assert.deepEqual(heard, ['You said: 1', 'You said: 2', 'You said: 3', NOTICES['slow-down']]);
    assert.deepEqual((await bot.say(person(1), 'others go on')).texts, ['You said: others go on']);
    assert.equal(await figure('turns_total{outcome="notice",via="response"}'), 1);
    assert.equal(await figure('turns_total{outcome="quiet",via="none"}'), 2);
  });

  test('is told also when most of it came while an answer was being made', async () => {
    bot = await startBot(doubles, { RATE_LIMIT_PER_MINUTE: '3' });
    const asked = closeGate();
    const first = bot.say(person(0), '1');
    await eventually('the model is asked', () => asked.length === 1);
    for (let i = 2; i <= 6; i++) assert.deepEqual((await bot.say(person(0), `${i}`)).texts, []);
    openGate();
    assert.deepEqual((await first).texts, ['You said: 1\n2\n3\n4\n5\n6']);
    assert.deepEqual((await bot.say(person(0), '7')).texts, [NOTICES['slow-down']]);
    assert.deepEqual((await bot.say(person(0), '8')).texts, []);
  });

  test('never gets a flood into one prompt: what a turn does not take is held against the limit', async () => {
    bot = await startBot(doubles, { RATE_LIMIT_PER_MINUTE: '3' });
    doubles.twilio.sent.length = 0;
    const asked = closeGate();
    const first = bot.say(person(0), '1');
    await eventually('the model is asked', () => asked.length === 1);
    const flood = Array.from({ length: 3 * MOST_MESSAGES }, (_, i) => `${i + 2}`);
    await Promise.all(flood.map((text) => bot.say(person(0), text)));
    openGate();
    const [answer = ''] = (await first).texts;
    assert.equal(answer.split('\n').length, MOST_MESSAGES);
    await eventually('all is taken', async () => (await figure('conversations_unfinished')) === 0);
    assert.deepEqual(
      doubles.twilio.sent.map(({ body }) => body),
      [NOTICES['slow-down']],
    );
  });
});

describe('messages over which the process dies', () => {
  /** Somebody writes, and one process after the other dies over it. */
  async function crash(number: number, times: number): Promise<void> {
    const client = doubles.redis.client();
    const message = messageOf(person(number), `message ${number}`);
    await dyingMailbox(client).accept(message, 'turn', '{}');
    for (let crashes = 1; crashes < times; crashes++) {
      await sleep(5);
      const claimed = await dyingMailbox(client).claim(message.contact, `turn${crashes}`);
      assert.equal(claimed.kind, 'turn');
    }
    await sleep(5);
  }

  test('are given up after a while, visibly, and everybody else is answered', async () => {
    await crash(0, MOST_CRASHES);
    await crash(1, 1);
    doubles.twilio.sent.length = 0;
    bot = await startBot(doubles);
    await eventually('the other is answered', () => doubles.twilio.sent.length === 1);
    assert.equal(doubles.twilio.sent[0]?.body, 'You said: message 1');
    await eventually('it is given up', async () => (await figure('dead_letters')) === 1);
    const [line = ''] = (await deadLetters('list')).split('\n');
    assert.match(line, /…0200 {2}turn\.crashed/);
    assert.equal(await figure('conversations_unfinished'), 0);

    assert.match(await deadLetters('replay', line.split(' ')[0] ?? ''), /replayed/);
    await eventually('it is answered after all', () => doubles.twilio.sent.length === 2);
    assert.equal(doubles.twilio.sent[1]?.body, 'You said: message 0');
  });

  test('are taken over one at a time, so that nobody else is counted in', async () => {
    for (const number of [0, 1, 2]) await crash(number, SUSPICIOUS_CRASHES);
    doubles.twilio.sent.length = 0;
    const asked = closeGate();
    bot = await startBot(doubles);
    await eventually('one is taken over', () => asked.length === 1);
    assert.equal(await figure('conversations_due'), 2);
    assert.equal(await figure('turns_running'), 1);
    openGate();
    await eventually('all are answered', () => doubles.twilio.sent.length === 3);
  });
});

test('who has used up the tokens of the day is told once, and then not answered', async () => {
  bot = await startBot(doubles, { DAILY_TOKENS_PER_CONTACT: '50' });
  const sent = doubles.twilio.sent.length;
  const heard: string[][] = [];
  for (let i = 1; i <= 4; i++) {
    heard.push((await bot.say(person(0), `${i}`)).texts);
    // What an answer costs is counted after it is out.
    await eventually('it is counted', async () => (await figure('turns_running')) === 0);
  }
  assert.deepEqual(heard, [['You said: 1'], [NOTICES['used-up']], [], []]);
  assert.equal(doubles.twilio.sent.length, sent, 'nothing by another way');
});

test('a blocked contact is neither answered nor remembered, until it is not blocked any more', async () => {
  bot = await startBot(doubles);
  const client = doubles.redis.client();
  const key = `recado:{0}:c:${person(0)}`;
  await client.hset(`${key}:state`, 'blocked', '1');
  const before = doubles.model.requests.length;
  assert.deepEqual((await bot.say(person(0), 'buy this')).texts, []);
  assert.equal(await client.exists(`${key}:history`), 0);
  assert.equal(await client.exists(`${key}:mailbox`), 0);
  assert.equal(doubles.model.requests.length, before);
  await client.hdel(`${key}:state`, 'blocked');
  assert.deepEqual((await bot.say(person(0), 'sorry')).texts, ['You said: sorry']);
});

describe('what cannot be delivered', () => {
  test('becomes a dead letter, which an operator can list, read, put back to work and throw away', async () => {
    bot = await startBot(doubles, { TWIML_DEADLINE_MS: '0' });
    doubles.twilio.sent.length = 0;
    for (const who of [person(0), person(1)]) {
      doubles.twilio.faults.push({ on: 'create', kind: 'status', status: 400, code: 63016 });
      await bot.say(who, 'hello?');
      await eventually('it is given up', async () => (await figure('turns_total{outcome="dead",via="none"}')) > 0);
    }
    await eventually('both are', async () => (await figure('turns_total{outcome="dead",via="none"}')) === 2);
    const listed = (await deadLetters('list')).split('\n');
    assert.match(listed[0] ?? '', /…0201 {2}channel\.window {2}an answer that was not delivered$/);
    assert.match(listed[1] ?? '', /…0200 {2}channel\.window/);
    assert.equal(listed[2], '2 dead letters.');
    const [newer = '', older = ''] = listed.map((line) => line.split(' ')[0] ?? '');
    assert.match(await deadLetters('show', older), /24 hours[\s\S]*we answered: You said: hello\?/);

    assert.equal(await deadLetters('replay', older), `${older}: replayed\n`);
    await eventually('it arrives after all', () => doubles.twilio.sent.length === 1);
    assert.equal(doubles.twilio.sent[0]?.to, `whatsapp:+${person(0)}`);
    assert.equal(await deadLetters('drop', newer), `${newer}: dropped\n`);
    assert.equal(await deadLetters('list'), 'No dead letters.\n');
    assert.equal(doubles.twilio.sent.length, 1);
  });

  test('is not put back between the messages of a turn that is at work', async () => {
    bot = await startBot(doubles);
    doubles.twilio.sent.length = 0;
    const redis = doubles.redis.client();
    const asked = closeGate();
    const first = bot.say(person(0), 'now');
    await eventually('the model is asked', () => asked.length === 1);
    const [waiting = ''] = await redis.lrange(`recado:{0}:c:${person(0)}:mailbox`, 0, -1);
    const old = JSON.stringify({ ...JSON.parse(waiting), id: 'SM1', text: 'long ago' });
    const why = ['code', 'model.timeout', 'reason', 'No answer.', 'parts', ''];
    const about = ['conversation', `twilio:14155238886:${person(0)}`, 'at', '1', ...why, 'messages', `[${old}]`];
    const id = `0-${await redis.xadd('recado:{0}:dead', '*', ...about)}`;
    const tools = { redis, run: createScripts(redis), keys: createKeys(1), historyTtlMs: 60_000 };
    const letters = createDeadLetters({ ...tools, aliases: createAliases(tools) });
    assert.equal(await letters.replay(id), 'busy');

    openGate();
    assert.deepEqual((await first).texts, ['You said: now']);
    await eventually('it is put back', async () => (await letters.replay(id)) === 'replayed');
    await eventually('it is answered', () => doubles.twilio.sent.length === 1);
    assert.equal(doubles.twilio.sent[0]?.body, 'You said: long ago');
  });
});

async function deadLetters(...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--import', 'tsx', 'scripts/dead-letters.ts', ...args],
    {
      env: {
        PATH: process.env.PATH,
        REDIS_URL: doubles.redis.url,
        TWILIO_ACCOUNT_SID: ACCOUNT_SID,
        TWILIO_AUTH_TOKEN: AUTH_TOKEN,
        OPENAI_API_KEY: 'test-key',
      },
    },
  );
  return stdout;
}
