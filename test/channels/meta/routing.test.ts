/** Threads that several responders share, and what else Meta tells beside messages: the whole bot over doubles, a real Redis and a real archive. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { createDatabase, type Database } from '../../../app/archive/engine/database.ts';
import { createConsents } from '../../../app/archive/read/consents.ts';
import { createConversations } from '../../../app/archive/read/conversations.ts';
import { createMessages } from '../../../app/archive/read/messages.ts';
import { type MetaDouble, newWamid, startMetaDouble } from '../../doubles/meta.ts';
import { lastUserText } from '../../doubles/model.ts';
import { allRecorded, type Bot, type Doubles, startBot, startDoubles } from '../../support/bot.ts';
import {
  ACCESS_TOKEN,
  batchOf,
  changeOf,
  handoverOf,
  metaMessage,
  metaSettings,
  NUMBER,
  NUMBERS,
  postBatch,
} from '../../support/meta.ts';
import { createTestDatabase } from '../../support/postgres.ts';

const KEY = 'a-key-of-a-test-0123456789abcdef';

let doubles: Doubles;
let meta: MetaDouble;
let database: Database;
let bot: Bot;
let phone: string;
let people = 0;

before(async () => {
  [doubles, meta] = await Promise.all([
    startDoubles(),
    startMetaDouble({ accessToken: ACCESS_TOKEN, numbers: NUMBERS }),
  ]);
  const url = await createTestDatabase();
  database = createDatabase({ url, log: { debug() {}, info() {}, warn() {}, error() {}, child: () => assert.fail() } });
  await database.migrate();
  bot = await startBot(doubles, { ...metaSettings(meta.url), DATABASE_URL: url, ANALYSIS: 'off', API_KEYS: KEY });
});

after(async () => {
  await bot.stop();
  await database.close();
  await Promise.all([doubles.stop(), meta.close()]);
});

beforeEach(() => {
  phone = nextPhone();
  doubles.model.answer = (request) => `You said: ${lastUserText(request)}`;
});

function nextPhone(): string {
  return `155501${String(50_000 + people++).slice(-5)}`;
}

function sentTo(to = phone): string[] {
  return meta.sent.filter((message) => message.to === to).map(({ text }) => text);
}

/** @param ago how long ago it was sent, seconds */
function messageOf(body: string, ago = 0, from = phone): Record<string, unknown> {
  return metaMessage(from, { text: { body }, timestamp: String(Math.floor(Date.now() / 1_000) - ago) });
}

async function post(batch: object): Promise<void> {
  assert.equal((await postBatch(bot.url, batch)).status, 200);
}

async function recorded(): Promise<void> {
  await allRecorded(doubles.redis.client());
}

async function say(body: string, ago = 0): Promise<void> {
  await post(batchOf({ messages: [messageOf(body, ago)] }));
  await recorded();
}

async function sayToOther(body: string, ago = 0): Promise<void> {
  await post(batchOf({ field: 'standby', standby: { messages: [messageOf(body, ago)] } }));
  await recorded();
}

interface Answer {
  error?: string;
  items?: unknown[];
  conversation?: { answered_by: string; window_until: string | null };
}

async function ask(method: string, path: string, body?: object) {
  const headers = { 'Content-Type': 'application/json', 'x-api-key': KEY };
  const response = await fetch(`${bot.url}/api/whatsapp/${path}`, {
    method,
    headers,
    ...(body && { body: JSON.stringify(body) }),
  });
  // The contract's own tests check its shape.
  return { status: response.status, body: (await response.json()) as Answer };
}

async function answeredBy(): Promise<string> {
  const { body } = await ask('GET', `conversation/${phone}`);
  return body.conversation?.answered_by ?? assert.fail('there is no conversation');
}

async function notices(): Promise<string> {
  return JSON.stringify((await ask('GET', 'notices')).body.items);
}

async function thread(of = phone) {
  const { items } = await createMessages(database).thread(
    { phone: of, business: NUMBER },
    { limit: 50, order: 'oldest' },
  );
  return items.map(({ author, body }) => [author, body]);
}

describe('a thread that another responder owns', () => {
  test('is shown with both sides’ words, and not answered', async () => {
    await sayToOther('how much is a cake?');
    const message = { to: phone, recipient_type: 'individual', type: 'text', text: { body: '20 euros' } };
    const timestamp = String(Math.floor(Date.now() / 1_000));
    const echo = { id: newWamid(), timestamp, message };
    for (let i = 0; i < 2; i++) await post(batchOf({ field: 'standby', standby: { message_echoes: [echo] } }));
    await recorded();
    assert.deepEqual(await thread(), [
      ['contact', 'how much is a cake?'],
      ['other', '20 euros'],
    ]);
    assert.deepEqual([await answeredBy(), sentTo()], ['other', []]);
  });

  test('is passed to us with what was said, which the model knows at the next answer, and the team sees', async () => {
    await sayToOther('I want a person', 20);
    const context = { type: 'summary', summary: { text: 'Wants a chocolate cake for eight.' } };
    const passed = handoverOf(phone, 'control_passed', Date.now() - 10_000, { conversation_context: context });
    for (let i = 0; i < 2; i++) await post(passed);
    await recorded();
    assert.deepEqual([await answeredBy(), sentTo()], ['bot', []]);
    await say('are you there?');
    assert.equal(sentTo().length, 1);
    const shown = JSON.stringify(doubles.model.requests.at(-1)?.chat.messages);
    assert.match(
      shown,
      /another responder passed this conversation on to us; it says: Wants a chocolate cake for eight/,
    );
    assert.deepEqual((await thread())[1], [
      'other',
      '[passed the conversation to us]\nWants a chocolate cake for eight.',
    ]);
  });

  test('gets nothing of an answer that was being made when it was taken from us', async () => {
    let isTaken = false;
    doubles.model.answer = async () => {
      if (!isTaken) await post(handoverOf(phone, 'control_taken', Date.now() + 2_000));
      isTaken = true;
      return 'too late';
    };
    await say('hello', 5);
    assert.ok(isTaken);
    assert.deepEqual(sentTo(), []);
    assert.deepEqual(await thread(), [
      ['contact', 'hello'],
      ['other', '[took the conversation over]'],
    ]);
    assert.equal(await answeredBy(), 'other');
  });

  test('stays theirs when an older word comes late, and is ours again with the next message to us', async () => {
    await post(handoverOf(phone, 'control_taken'));
    await sayToOther('to the other one');
    await say('sent before that', 30);
    assert.deepEqual([await answeredBy(), sentTo()], ['other', []]);
    await doubles.redis.client().hdel(`recado:{0}:c:${phone}:state`, `owner@meta:${NUMBER}`);
    await say('the memory was lost');
    assert.equal(sentTo().length, 1);
    assert.match(sentTo()[0] ?? '', /the memory was lost$/);
  });

  test('is taken by a message that the team sends, and given back', async () => {
    await sayToOther('a person, please', 5);
    const message = await ask('POST', 'send', { to_number: phone, message: 'Kim here' });
    assert.equal(message.status, 200, JSON.stringify(message.body));
    assert.deepEqual([await answeredBy(), sentTo()], ['person', ['Kim here']]);
    await ask('POST', 'takeover', { phone_number: phone, active: false });
    assert.equal(await answeredBy(), 'bot');
    const released = await ask('POST', 'thread-control', { phone_number: phone, action: 'release' });
    assert.equal(released.status, 200, JSON.stringify(released.body));
    assert.equal(released.body.conversation?.answered_by, 'other');
    assert.deepEqual(meta.controls.at(-1), { to: phone, action: 'release' });
  });

  test('is taken without a message by the escalation partner alone, and who is none is told what to do', async () => {
    await sayToOther('hello', 5);
    const take = () => ask('POST', 'thread-control', { phone_number: phone, action: 'take' });
    const refused = await take();
    assert.equal(refused.status, 502);
    assert.match(String(refused.body.error), /Only the escalation partner.*Write to them instead/);
    assert.equal(await answeredBy(), 'other');
    meta.isEscalation = true;
    assert.equal((await take()).status, 200);
    assert.equal(await answeredBy(), 'bot');
    await bot.say(phone, 'over Twilio');
    await recorded();
    const twilio = await ask('POST', 'thread-control', {
      phone_number: phone,
      business_number: '14155238886',
      action: 'release',
    });
    assert.match(String(twilio.body.error), /no other responders/);
  });

  test('of a number that fits no contact is shown to the team, and nobody is guessed', async () => {
    await post(handoverOf(phone, 'control_passed'));
    await recorded();
    assert.match(await notices(), new RegExp(`conversation with \\+${phone} to us, but nobody known here`));
    assert.equal(await createConversations(database).find({ phone }), null);
    await post(handoverOf(phone, 'control_taken', Date.now() + 1_000));
    await recorded();
    assert.equal(await createConversations(database).find({ phone }), null, 'not the second time either');
    await say('I wrote before that', 20);
    assert.deepEqual([await answeredBy(), sentTo()], ['other', []], 'they have this number');
  });

  test('gets no message over many random orders of what is told', async () => {
    const order = Array.from({ length: 60 }, (_, seed) => ({ of: nextPhone(), seed }));
    await Promise.all(
      order.map(async ({ of, seed }) => {
        const events = [
          handoverOf(of, 'control_passed', Date.now() - 20_000 - seed * 100),
          batchOf({ messages: [messageOf('one', 15, of)] }),
          batchOf({ messages: [messageOf('two', 30, of), messageOf('three', 12, of)] }),
          batchOf({ field: 'standby', standby: { messages: [messageOf('four', seed % 40, of)] } }),
          handoverOf(of, 'control_taken', Date.now() - 60_000),
        ];
        // Known, and theirs by the newest word, whatever comes after it.
        await post(batchOf({ field: 'standby', standby: { messages: [messageOf('hello', 5, of)] } }));
        for (let rest = seed * 7 + 1; events.length > 0; rest = rest * 31 + 17)
          await post(events.splice(rest % events.length, 1)[0] ?? {});
      }),
    );
    await recorded();
    assert.deepEqual(
      order.flatMap(({ of }) => sentTo(of)),
      [],
    );
  });
});

describe('marketing', () => {
  const preferred = (value: string, ago: number) =>
    batchOf({
      field: 'user_preferences',
      user_preferences: [
        { wa_id: phone, category: 'marketing_messages', value, timestamp: Math.floor(Date.now() / 1_000) - ago },
      ],
    });
  const consents = () => createConsents(database);

  test('that they switch off is in the ledger, in order of time, and does not silence the bot', async () => {
    await say('hello');
    await post(preferred('resume', 50));
    await post(preferred('stop', 20));
    for (let i = 0; i < 2; i++) await post(preferred('resume', 30));
    await say('and now?');
    assert.equal(sentTo().length, 2);
    const entries = (await consents().of(phone)).map(({ consent, cause, about }) => [consent, cause, about]);
    assert.deepEqual(entries, [
      ['opt-out', 'provider', 'marketing'],
      ['opt-in', 'provider', 'marketing'],
      ['opt-in', 'provider', 'marketing'],
    ]);
    const since = (await consents().withoutMarketing([phone, '15550199999'])).get(phone);
    assert.ok(since !== undefined && Math.abs(Date.now() - 20_000 - since) < 5_000);
    assert.equal((await createConversations(database).find({ phone }))?.optedOutAt, null);
    const { body } = await ask('GET', `consent/${phone}`);
    assert.match(
      JSON.stringify(body),
      /"They switched off marketing messages from us in WhatsApp\.","about":"marketing"/,
    );
    await post(preferred('resume', 1));
    await recorded();
    assert.equal((await consents().withoutMarketing([phone])).size, 0);
  });

  test('is switched off also by somebody who never wrote', async () => {
    await post(preferred('stop', 5));
    await recorded();
    assert.equal((await consents().withoutMarketing([phone])).size, 1);
  });
});

describe('a contact', () => {
  test('with a new number is the same one, and whoever gets the old number is somebody else', async () => {
    const before = phone;
    await say('I am Yara');
    await ask('POST', 'consent', { phone_number: phone, consent: 'opt-in', source: 'told us' });
    const now = nextPhone();
    const system = { type: 'user_changed_number', body: `User Yara changed from ${before} to ${now}`, wa_id: now };
    const change = batchOf({ messages: [metaMessage(before, { type: 'system', text: undefined, system })] });
    for (let i = 0; i < 2; i++) await post(change);
    await recorded();
    phone = now;
    await say('who am I?');
    assert.match(JSON.stringify(doubles.model.requests.at(-1)?.chat.messages), /I am Yara/);
    assert.deepEqual([sentTo(before).length, sentTo(now).length], [1, 1]);
    assert.deepEqual(
      (await thread(now)).map(([, body]) => body),
      [
        'I am Yara',
        'You said: I am Yara',
        `[system]\nUser Yara changed from ${before} to ${now}`,
        'who am I?',
        sentTo(now)[0],
      ],
    );
    assert.equal((await createConsents(database).of(now)).length, 1);
    assert.equal(await createConversations(database).find({ phone: before }), null);
    phone = before;
    await say('I am somebody else');
    assert.doesNotMatch(JSON.stringify(doubles.model.requests.at(-1)?.chat.messages), /Yara/);
    assert.deepEqual((await thread(before)).length, 2);
    assert.deepEqual((await thread(now)).length, 5);
  });

  test('with a new number that wrote already is one with it', async () => {
    const before = phone;
    await say('I am Zoe');
    await ask('POST', 'conversation-status', { phone_number: before, status: 'blocked' });
    phone = nextPhone();
    await say('hello from my new number');
    const system = { type: 'user_changed_number', body: 'changed', wa_id: phone };
    await post(batchOf({ messages: [metaMessage(before, { type: 'system', text: undefined, system })] }));
    await recorded();
    await say('a block goes along');
    assert.equal(sentTo().length, 1);
    assert.equal((await thread()).length, 6);
    assert.equal((await createConversations(database).find({ phone }))?.status, 'blocked');
  });

  test('who calls is not answered, and may be written to for 24 hours', async () => {
    const call = { id: `wacid.${phone}`, from: phone, to: NUMBER, direction: 'USER_INITIATED' };
    const timestamp = String(Math.floor(Date.now() / 1_000));
    for (const event of ['connect', 'terminate'])
      await post(batchOf({ field: 'calls', calls: [{ ...call, event, timestamp }] }));
    await recorded();
    assert.deepEqual([await thread(), sentTo()], [[['contact', '[call]\nThey called us on WhatsApp.']], []]);
    const { body } = await ask('GET', `conversation/${phone}`);
    assert.ok(body.conversation?.window_until);
    assert.equal((await ask('POST', 'send', { to_number: phone, message: 'You called?' })).status, 200);
  });

  test('from the time before is kept once, with its own times: nothing is unread, answered or opened by it', async () => {
    const past = (id: string, from: string, ago: number, body: string) => ({
      ...messageOf(body, ago, from),
      id: `wamid.${phone}${id}`,
    });
    const messages = [past('b', NUMBER, 90_000, 'Here it is'), past('a', phone, 100_000, 'Where is my cake?')];
    const file = { ...past('c', phone, 80_000, ''), type: 'media_placeholder', text: undefined };
    const history = batchOf({
      field: 'history',
      history: [
        {
          metadata: { phase: 0, chunk_order: 1, progress: 55 },
          threads: [{ id: phone, messages: [...messages, file] }],
        },
      ],
    });
    for (let i = 0; i < 2; i++) await post(history);
    const picture = { ...file, type: 'image', image: { id: '77', mime_type: 'image/jpeg', caption: 'my cake' } };
    for (let i = 0; i < 2; i++) await post(batchOf({ field: 'history', messages: [picture] }));
    await recorded();
    assert.deepEqual(await thread(), [
      ['contact', 'Where is my cake?'],
      ['desk', 'Here it is'],
      ['contact', 'my cake'],
    ]);
    const { items } = await createMessages(database).thread({ phone, business: NUMBER }, { limit: 1 });
    assert.equal(items[0]?.media[0]?.kind, 'image');
    assert.ok(Date.now() - (items[0]?.receivedAt ?? 0) > 79_000_000);
    const conversation = await createConversations(database).find({ phone, business: NUMBER });
    assert.deepEqual(
      [
        conversation?.unreadCount,
        conversation?.totalMessages,
        conversation?.lastInboundAt,
        conversation?.takeoverUntil,
      ],
      [0, 3, null, null],
    );
    await say('hello again');
    assert.deepEqual(sentTo(), ['You said: hello again'], 'the bot was not paused');
  });
});

test('news of templates, limits and the account are shown to the team', async () => {
  const template = { message_template_name: 'cake_day', message_template_language: 'en_US' };
  await post(changeOf('message_template_status_update', { ...template, event: 'PAUSED', reason: 'NONE' }));
  await post(changeOf('message_template_status_update', { ...template, event: 'APPROVED' }, Date.now() - 60_000));
  await post(changeOf('business_capability_update', { max_daily_conversations_per_business: 2_000 }));
  const shown = await notices();
  assert.match(shown, /The template cake_day \(en_US\) is paused by WhatsApp/);
  assert.match(shown, /new conversations in 24 hours is now 2,000/);
  assert.ok(bot.logs.some((line) => line.includes('News about our account') && line.includes('PAUSED')));
});
