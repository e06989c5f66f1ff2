/** The way to a person: by a word, by the model, after failures; told to the team, and over when nobody comes. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, describe, test } from 'node:test';
import { DEFAULT_HANDOFF_OVER_REPLY, DEFAULT_HANDOFF_REPLY } from '../../app/config.ts';
import { handoffReply } from '../../app/conversation/handoff.ts';
import { type Bot, type Doubles, eventually, startBot, startDoubles } from '../support/bot.ts';
import { createTestDatabase } from '../support/postgres.ts';

const KEY = 'a-key-of-a-test-0123456789abcdef';
const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

interface Posted {
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

let doubles: Doubles;
let bot: Bot;
let pager: Server;
let settings: Record<string, string>;
const posted: Posted[] = [];
let people = 0;
let phone: string;

before(async () => {
  doubles = await startDoubles();
  pager = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      posted.push({ headers: request.headers, body });
      response.end('ok');
    });
  });
  await new Promise<void>((resolve) => pager.listen(0, '127.0.0.1', resolve));
  settings = {
    DATABASE_URL: await createTestDatabase(),
    API_KEYS: KEY,
    ANALYSIS: 'off',
    HANDOFF_WEBHOOK_URL: `http://127.0.0.1:${(pager.address() as AddressInfo).port}/page`,
    WEBHOOK_SECRET: SECRET,
  };
  bot = await startBot(doubles, settings);
  await eventually('the archive is there', async () => (await ask('GET', 'conversations')).success);
});

after(async () => {
  await bot.stop();
  await doubles.stop();
  pager.closeAllConnections();
  await new Promise((resolve) => pager.close(resolve));
});

beforeEach(() => {
  phone = `155501${String(30_000 + people++).slice(-5)}`;
  posted.length = 0;
  doubles.twilio.sent.length = 0;
});

test('what the person is told has the hours and another way, where the words place them or behind them', () => {
  const given = { hours: 'Monday to Friday, 9 to 17', contact: '+1 555 0100' };
  assert.equal(
    handoffReply({ reply: 'A person comes.', ...given }),
    'A person comes.\nOur hours: Monday to Friday, 9 to 17.\nYou also reach us here: +1 555 0100',
  );
  assert.equal(
    handoffReply({ reply: 'Wait ({hours}) or call {contact}', ...given }),
    'Wait (Monday to Friday, 9 to 17) or call +1 555 0100',
  );
  assert.equal(handoffReply({ reply: 'A person comes.', hours: null, contact: null }), 'A person comes.');
});

describe('somebody who asks for a person', () => {
  test('is told so at once, without the model, and the bot is silent from then on', async () => {
    await bot.say(phone, 'Do you have bread?');
    const asked = doubles.model.requests.length;
    assert.deepEqual((await bot.say(phone, 'human')).texts, [DEFAULT_HANDOFF_REPLY]);
    assert.deepEqual((await bot.say(phone, 'hello?')).texts, []);
    const answers = doubles.model.requests.slice(asked).filter(({ chat }) => chat.tools !== undefined);
    assert.deepEqual(answers, [], 'the model was not asked for an answer');
    await eventually('the inbox shows it first', async () => (await waiting()).some(isMine));
    const [first] = (await waiting()).filter(isMine);
    assert.equal(first?.waiting?.reason, 'asked');
    assert.ok(Date.now() - Date.parse(first?.waiting?.since ?? '') < 60_000);
  });

  test('gets a summary written for whoever picks it up', async () => {
    await bot.say(phone, 'My order 4711 has not come');
    await bot.say(phone, 'human');
    await eventually('the summary is there', async () => Boolean((await mine())?.waiting?.summary));
  });

  test('is told so by a call that Twilio takes at the second try, and is not silenced without a word', async () => {
    const caller = await startBot(doubles, { ...settings, TWIML_DEADLINE_MS: '0' });
    doubles.twilio.faults.push({ kind: 'rate-limited', on: 'create' });
    await caller.say(phone, 'human');
    await eventually('it arrives', () => doubles.twilio.sent.some(({ body }) => body === DEFAULT_HANDOFF_REPLY));
    await caller.stop();
  });

  test('is told so after a crash between making the answer final and sending it', async () => {
    await bot.say(phone, 'human');
    doubles.twilio.sent.length = 0;
    const redis = doubles.redis.client();
    const reply = { id: 'left', conversation: `${THREAD}:${phone}`, to: phone, via: 'call', at: Date.now() };
    const parts = JSON.stringify(['A person comes.']);
    await redis.hset(`recado:{0}:c:${phone}:reply`, { ...reply, parts, purpose: 'handoff' });
    await redis.zadd('recado:{0}:due', 0, phone);
    await eventually('it arrives', () => doubles.twilio.sent.some(({ body }) => body === 'A person comes.'));
  });

  test('is heard in a burst and in a voice note', async () => {
    doubles.model.delayMs = 300;
    const said = [bot.say(phone, 'my order is late'), bot.say(phone, 'I want to talk to a person please')];
    const texts = (await Promise.all(said)).flatMap((one) => one.texts);
    doubles.model.delayMs = 0;
    await eventually('it waits', async () => Boolean((await mine())?.waiting));
    const all = [...texts, ...doubles.twilio.sent.map(({ body }) => body)];
    assert.ok(all.includes(DEFAULT_HANDOFF_REPLY), all.join());
    phone = `155501${String(30_000 + people++).slice(-5)}`;
    doubles.model.transcript = 'I would like to talk to a person.';
    const url = doubles.twilio.addMedia(readFileSync('test/fixtures/media/voice.ogg'), 'audio/ogg');
    const voice = { NumMedia: '1', MediaUrl0: url, MediaContentType0: 'audio/ogg' };
    assert.deepEqual((await bot.say(phone, '', voice)).texts, [DEFAULT_HANDOFF_REPLY]);
  });

  test('goes on waiting when what the team wrote could not be sent', async () => {
    await bot.say(phone, 'human');
    await eventually('it waits', async () => Boolean((await mine())?.waiting));
    doubles.twilio.faults.push({ kind: 'status', status: 400, code: 63_016, on: 'create' });
    const refused = await ask('POST', 'send', { to_number: phone, message: 'I am here' });
    assert.equal(refused.success, false);
    assert.deepEqual((await bot.say(phone, 'hello?')).texts, []);
    assert.ok((await mine())?.waiting);
    assert.equal(await doubles.redis.client().hexists(state(), `handoff@${THREAD}`), 1);
  });

  test('is told so while the model is down', async () => {
    doubles.model.refuseWith = () => ({ kind: 'status', status: 401 });
    assert.deepEqual((await bot.say(phone, 'human')).texts, [DEFAULT_HANDOFF_REPLY]);
    doubles.model.refuseWith = undefined;
    assert.equal((await doubles.redis.client().hexists(state(), `takeover@${THREAD}`)) === 1, true);
  });

  test('is brought to the team’s own program, signed', async () => {
    await bot.say(phone, 'human');
    await eventually('it was posted', () => posted.some(({ body }) => body.includes(phone)));
    const { headers, body } = posted.find((one) => one.body.includes(phone)) ?? assert.fail();
    const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
    const key = Buffer.from(SECRET.slice('whsec_'.length), 'base64');
    assert.equal(headers['webhook-signature'], `v1,${createHmac('sha256', key).update(signed).digest('base64')}`);
    const { type, text, data } = JSON.parse(body);
    assert.equal(type, 'handoff.requested');
    assert.match(text, new RegExp(`\\+${phone} asks for a person`));
    assert.deepEqual([data.contact, data.reason, data.url], [phone, 'asked', null]);
    // Looked after once more, it is no news.
    const redis = doubles.redis.client();
    await redis.zadd('recado:{0}:handoffs', 0, `${THREAD}:${phone}`);
    await eventually(
      'it was looked after',
      async () => Number(await redis.zscore('recado:{0}:handoffs', `${THREAD}:${phone}`)) > 0,
    );
    assert.equal(posted.filter((one) => one.body.includes(phone)).length, 1, 'once');
  });

  test('is answered by the bot again once the conversation is handed back', async () => {
    await bot.say(phone, 'human');
    await eventually('it waits', async () => Boolean((await mine())?.waiting));
    await ask('POST', 'takeover', { phone_number: phone, active: false });
    assert.equal((await bot.say(phone, 'And you, bot?')).texts.length, 1);
    await eventually('nobody waits', async () => (await mine())?.waiting === null);
  });

  test('does not wait any more when somebody of the team writes', async () => {
    await bot.say(phone, 'human');
    await eventually('it waits', async () => Boolean((await mine())?.waiting));
    await ask('POST', 'send', { to_number: phone, message: 'I am here' });
    await eventually('nobody waits', async () => (await mine())?.waiting === null);
    assert.deepEqual((await bot.say(phone, 'Thanks')).texts, [], 'the person goes on');
  });
});

describe('the model', () => {
  test('calls a person by a tool, with reason and summary', async () => {
    const given = { reason: 'They are upset', summary: 'Order 4711 is late.' };
    doubles.model.faults.push({ kind: 'call', name: 'hand_to_person', arguments: given });
    assert.deepEqual((await bot.say(phone, 'This is a disgrace')).texts, [DEFAULT_HANDOFF_REPLY]);
    await eventually('the inbox shows it', async () => (await mine())?.waiting?.reason === 'model');
    const shown = (await mine())?.waiting;
    assert.deepEqual([shown?.note, shown?.summary], ['They are upset', 'Order 4711 is late.']);
  });

  test('of a server that takes no tools is asked without them', async () => {
    doubles.model.refuses.add('tools');
    assert.deepEqual((await bot.say(phone, 'Hello')).texts, ['You said: Hello']);
    doubles.model.refuses.clear();
  });

  test('that fails again and again brings a person', async () => {
    const failing = await startBot(doubles, { ...settings, HANDOFF_AFTER_FAILURES: '2', FAILURE_REPLY: 'Sorry' });
    doubles.model.refuseWith = () => ({ kind: 'status', status: 401 });
    assert.deepEqual((await failing.say(phone, 'One')).texts, ['Sorry']);
    assert.deepEqual((await failing.say(phone, 'Two')).texts, [DEFAULT_HANDOFF_REPLY]);
    doubles.model.refuseWith = undefined;
    await failing.stop();
    await eventually('the inbox shows it', async () => (await mine())?.waiting?.reason === 'failed');
  });
});

test('when nobody comes in time, the bot says so and answers again', async () => {
  await bot.say(phone, 'human');
  await eventually('it waits', async () => Boolean((await mine())?.waiting));
  // The hours are over.
  const past = String(Date.now() - 1_000);
  await doubles.redis.client().hset(state(), { [`takeover@${THREAD}`]: past, [`handoff@${THREAD}`]: past });
  await doubles.redis.client().zadd('recado:{0}:handoffs', 0, `${THREAD}:${phone}`);
  await eventually('it says so', () => doubles.twilio.sent.some(({ body }) => body === DEFAULT_HANDOFF_OVER_REPLY));
  await eventually('nobody waits', async () => (await mine())?.waiting === null);
  assert.equal((await bot.say(phone, 'Then you')).texts.length, 1);
  assert.equal(doubles.twilio.sent.filter(({ body }) => body === DEFAULT_HANDOFF_OVER_REPLY).length, 1, 'once');
});

test('one that waits is known from the archive when Redis has lost everything', async () => {
  await bot.say(phone, 'human');
  await eventually('it waits', async () => Boolean((await mine())?.waiting));
  await doubles.redis.client().flushall();
  assert.deepEqual((await bot.say(phone, 'hello?')).texts, []);
  const known = await doubles.redis.client().hget(state(), `handoff@${THREAD}`);
  assert.ok(Number(known) > Date.now());
});

const THREAD = 'twilio:14155238886';
const state = () => `recado:{0}:c:${phone}:state`;
const isMine = ({ phone_number }: Shown) => phone_number === `+${phone}`;

interface Shown {
  phone_number: string;
  waiting: { since: string; reason: string; note: string | null; summary: string | null } | null;
}

async function waiting(): Promise<Shown[]> {
  return (await ask('GET', 'conversations?filter=waiting&limit=200')).conversations;
}

async function mine(): Promise<Shown | undefined> {
  return (await ask('GET', `conversation/${phone}`)).conversation;
}

// biome-ignore lint/suspicious/noExplicitAny: the bodies are checked by what the tests compare.
async function ask(method: string, path: string, body?: object): Promise<any> {
  const response = await fetch(`${bot.url}/api/whatsapp/${path}`, {
    method,
    headers: { 'Content-Type': 'application/json', 'x-api-key': KEY },
    ...(body && { body: JSON.stringify(body) }),
  });
  return response.json();
}
