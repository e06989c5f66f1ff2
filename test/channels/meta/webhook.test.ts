/** A number on Meta's Cloud API gets what a Twilio number gets: the whole bot over doubles, a real Redis and a real archive. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import fc from 'fast-check';
import { sql } from 'kysely';
import sharp from 'sharp';
import { createDatabase, type Database } from '../../../app/archive/engine/database.ts';
import { createConversations } from '../../../app/archive/read/conversations.ts';
import { createMessages } from '../../../app/archive/read/messages.ts';
import { type MetaDouble, newWamid, startMetaDouble } from '../../doubles/meta.ts';
import { lastUserText } from '../../doubles/model.ts';
import { allRecorded, type Bot, type Doubles, eventually, startBot, startDoubles } from '../../support/bot.ts';
import {
  ACCESS_TOKEN,
  asMetaWrites,
  batchOf,
  metaMessage,
  metaSettings,
  metaStatus,
  NUMBER,
  NUMBERS,
  PHONE_NUMBER_ID,
  postBatch,
  VERIFY_TOKEN,
} from '../../support/meta.ts';
import { createTestDatabase } from '../../support/postgres.ts';

const KEY_OF_PROGRAMS = 'a-key-of-a-test-0123456789abcdef';

let doubles: Doubles;
let meta: MetaDouble;
let database: Database;
let bot: Bot;
let phone: string;
let people = 0;

before(async () => {
  [doubles, meta] = await Promise.all([
    startDoubles(),
    startMetaDouble({ accessToken: ACCESS_TOKEN, numbers: { ...NUMBERS, '123456': '+1 555-171-3917' } }),
  ]);
  const url = await createTestDatabase();
  database = createDatabase({ url, log: { debug() {}, info() {}, warn() {}, error() {}, child: () => assert.fail() } });
  await database.migrate();
  bot = await startBot(doubles, {
    ...metaSettings(meta.url),
    DATABASE_URL: url,
    ANALYSIS: 'off',
    API_KEYS: KEY_OF_PROGRAMS,
  });
});

after(async () => {
  await bot.stop();
  await database.close();
  await Promise.all([doubles.stop(), meta.close()]);
});

beforeEach(() => {
  phone = `155501${String(40_000 + people++).slice(-5)}`;
  doubles.model.answer = (request) => `You said: ${lastUserText(request)}`;
});

/** What the person got, in order. */
function sentTo(to = phone): string[] {
  return meta.sent.filter((message) => message.to === to).map(({ text }) => text);
}

async function say(body: string, overrides: Record<string, unknown> = {}): Promise<void> {
  const response = await postBatch(
    bot.url,
    batchOf({ messages: [metaMessage(phone, { text: { body }, ...overrides })] }),
  );
  assert.equal(response.status, 200);
}

async function got(count: number): Promise<string[]> {
  await eventually(`${count} messages have arrived`, () => sentTo().length >= count);
  await allRecorded(doubles.redis.client());
  assert.equal(sentTo().length, count);
  return sentTo();
}

describe('the address that Meta is given', () => {
  const ask = (query: Record<string, string>) => fetch(`${bot.url}/webhook?${new URLSearchParams(query)}`);
  const QUESTION = { 'hub.mode': 'subscribe', 'hub.verify_token': VERIFY_TOKEN, 'hub.challenge': '1158201444' };

  test('answers the challenge as plain text', async () => {
    const response = await ask(QUESTION);
    assert.deepEqual([response.status, await response.text()], [200, '1158201444']);
    assert.match(response.headers.get('content-type') ?? '', /^text\/plain/);
  });

  test('refuses another token, none, and another mode', async () => {
    const { 'hub.verify_token': _, ...without } = QUESTION;
    for (const query of [
      { ...QUESTION, 'hub.verify_token': 'wrong' },
      without,
      { ...QUESTION, 'hub.mode': 'unsubscribe' },
    ])
      assert.equal((await ask(query)).status, 403);
  });

  test('takes nothing that is not signed by the app', async () => {
    const batch = asMetaWrites(batchOf({ messages: [metaMessage(phone)] }));
    for (const signature of ['', 'sha256=', `sha256=${'0'.repeat(64)}`, `sha1=${'0'.repeat(40)}`])
      assert.equal((await postBatch(bot.url, batch, { 'X-Hub-Signature-256': signature })).status, 403, signature);
    assert.deepEqual(sentTo(), []);
  });

  test('takes a batch of 3 MB, and no larger one', async () => {
    const filler = 'x'.repeat(2_900_000);
    const batch = batchOf({ messages: [metaMessage(phone, { filler })] });
    assert.equal((await postBatch(bot.url, batch)).status, 200);
    await got(1);
    const tooLarge = batchOf({ messages: [metaMessage(phone, { filler: 'x'.repeat(3_200_000) })] });
    const status = await postBatch(bot.url, tooLarge).then(
      (response) => response.status,
      () => 413, // the connection may be cut before the answer is read
    );
    assert.equal(status, 413);
  });

  test('answers 200 to what is signed and cannot be read', async () => {
    for (const body of ['not JSON', '[]', '{"entry":5}', 'null'])
      assert.equal((await postBatch(bot.url, body)).status, 200, body);
  });
});

describe('a person who writes to a number of Meta', () => {
  test('is answered by a call, sees that it is being answered, and is remembered', async () => {
    const id = newWamid();
    await say('my name is Žofia 🥐', { id });
    assert.deepEqual(await got(1), ['You said: my name is Žofia 🥐']);
    await say('what is my name?');
    await got(2);
    assert.match(JSON.stringify(doubles.model.requests.at(-1)?.chat.messages), /Žofia/);
    assert.ok(meta.typing.includes(id));
    const { items } = await createMessages(database).thread(
      { phone, business: NUMBER },
      { limit: 10, order: 'oldest' },
    );
    assert.deepEqual(
      items.map(({ direction, channel }) => [direction, channel]),
      [
        ['inbound', 'meta'],
        ['outbound', 'meta'],
        ['inbound', 'meta'],
        ['outbound', 'meta'],
      ],
    );
  });

  test('gets one answer to a message that comes twice, and to several in a row', async () => {
    const message = metaMessage(phone, { text: { body: 'only once' } });
    for (let i = 0; i < 3; i++) await postBatch(bot.url, batchOf({ messages: [message] }));
    assert.deepEqual(await got(1), ['You said: only once']);
    const burst = ['one', 'two', 'three'].map((body) => metaMessage(phone, { text: { body } }));
    await postBatch(bot.url, batchOf({ messages: burst }));
    await eventually('all are answered', () => sentTo().join().includes('three'));
  });

  test('is the same one on Twilio, and on both by number and id', async () => {
    await bot.say(phone, 'I am Zoe', { ExternalUserId: `whatsapp:US.zoe${phone}` });
    await say('and here', { from: undefined, from_user_id: `US.zoe${phone}` });
    const [answer] = await (async () => {
      await eventually('it has arrived', () => sentTo(`US.zoe${phone}`).length === 1);
      return sentTo(`US.zoe${phone}`);
    })();
    assert.equal(answer, 'You said: and here');
    assert.match(JSON.stringify(doubles.model.requests.at(-1)?.chat.messages), /I am Zoe/);
  });

  test('sends a picture, which is fetched with the token', async () => {
    const jpeg = await sharp({ create: { width: 64, height: 48, channels: 3, background: '#c08040' } })
      .jpeg()
      .toBuffer();
    const id = meta.addMedia(jpeg);
    await say('', { type: 'image', text: undefined, image: { id, mime_type: 'image/jpeg', caption: 'my cake' } });
    await got(1);
    const shown = JSON.stringify(doubles.model.requests.at(-1)?.chat.messages);
    assert.match(shown, /my cake/);
    assert.match(shown, /data:image\/jpeg;base64/);
  });

  test('quotes what we said, and the model is told what that was', async () => {
    await say('what do you bake?');
    await got(1);
    const ours = meta.sent.findLast(({ to }) => to === phone) ?? assert.fail('it was sent');
    await say('how much is that?', { context: { from: NUMBER, id: ours.id } });
    await got(2);
    assert.match(
      JSON.stringify(doubles.model.requests.at(-1)?.chat.messages),
      /in answer to: You said: what do you bake\?/,
    );
  });

  test('writes STOP and START as everywhere', async () => {
    await say('STOP');
    assert.match((await got(1))[0] ?? '', /You will get no more messages/);
    await say('hello?');
    await allRecorded(doubles.redis.client());
    await say('START');
    assert.match((await got(2))[1] ?? '', /^Welcome back/);
  });

  test('in a thread that another responder owns is kept and shown, and not answered', async () => {
    const standby = { messages: [metaMessage(phone, { text: { body: 'to the other one' } })] };
    await postBatch(bot.url, batchOf({ field: 'standby', standby }));
    await allRecorded(doubles.redis.client());
    const { items } = await createMessages(database).thread({ phone, business: NUMBER }, { limit: 10 });
    assert.deepEqual(
      items.map(({ body }) => body),
      ['to the other one'],
    );
    assert.deepEqual(sentTo(), []);
  });

  test('who is answered from the team’s own phone gets no answer of the bot, and the inbox shows what was written', async () => {
    await say('hello');
    await got(1);
    const echo = {
      from: NUMBER,
      to: phone,
      id: newWamid(),
      type: 'text',
      text: { body: 'This is Kim, how can I help?' },
    };
    const batch = batchOf({ field: 'smb_message_echoes', message_echoes: [echo] });
    for (let i = 0; i < 2; i++) assert.equal((await postBatch(bot.url, batch)).status, 200);
    await say('a table for two');
    await allRecorded(doubles.redis.client());
    assert.equal(sentTo().length, 1, 'the bot is silent');
    await postBatch(bot.url, batch);
    await allRecorded(doubles.redis.client());
    const { items } = await createMessages(database).thread(
      { phone, business: NUMBER },
      { limit: 10, order: 'oldest' },
    );
    assert.deepEqual(
      items.map(({ author, body }) => [author, body]),
      [
        ['contact', 'hello'],
        ['bot', 'You said: hello'],
        ['desk', 'This is Kim, how can I help?'],
        ['contact', 'a table for two'],
      ],
    );
    assert.equal(items[2]?.sid, echo.id);
  });

  test('who waits for a person waits no more when the team answers from its own phone', async () => {
    await say('human');
    await got(1);
    const waiting = () => createConversations(database).find({ phone, business: NUMBER });
    assert.ok((await waiting())?.waiting);
    const timestamp = String(Math.floor(Date.now() / 1_000));
    const echo = { from: NUMBER, to: phone, id: newWamid(), timestamp, type: 'text', text: { body: 'Kim here' } };
    await postBatch(bot.url, batchOf({ field: 'smb_message_echoes', message_echoes: [echo] }));
    await allRecorded(doubles.redis.client());
    assert.equal((await waiting())?.waiting, null);
  });

  test('who was answered from the team’s phone long ago is answered by the bot', async () => {
    const timestamp = String(Math.floor(Date.now() / 1_000) - 7_200);
    const echo = { from: NUMBER, to: phone, id: newWamid(), timestamp, type: 'text', text: { body: 'See you soon' } };
    await postBatch(bot.url, batchOf({ field: 'smb_message_echoes', message_echoes: [echo] }));
    await say('and now?');
    await got(1);
  });

  test('who gets another user id is the same one', async () => {
    const [before, now] = [`US.before${phone}`, `US.now${phone}`];
    await say('I am Yara', { from: undefined, from_user_id: before });
    await eventually('it is answered', () => sentTo(before).length === 1);
    const system = { type: 'user_changed_user_id', body: 'The id changed', user_id: now, previous_user_id: before };
    await say('', { from: undefined, from_user_id: now, type: 'system', text: undefined, system });
    await allRecorded(doubles.redis.client());
    await say('and now?', { from: undefined, from_user_id: now });
    await eventually('it is answered under the new id', () => sentTo(now).length === 1);
    assert.match(JSON.stringify(doubles.model.requests.at(-1)?.chat.messages), /I am Yara/);
    assert.equal(sentTo(before).length, 1, 'what only tells of the change is not answered');
  });

  test('is told what cannot be read', async () => {
    await say('', { type: 'unsupported', text: undefined, errors: [{ code: 131051 }] });
    await got(1);
    assert.match(JSON.stringify(doubles.model.requests.at(-1)?.chat.messages), /cannot be shown here/);
  });

  test('whose message comes hours late cannot be written to as if it had just been sent', async () => {
    const hours = (ago: number) => String(Math.floor(Date.now() / 1_000) - ago * 3_600);
    await say('sent long ago', { timestamp: hours(30) });
    await allRecorded(doubles.redis.client());
    assert.deepEqual(sentTo(), [], 'the 24 hours are over');
    const conversation = await createConversations(database).find({ phone, business: NUMBER });
    assert.ok(Date.now() - (conversation?.lastInboundAt ?? 0) > 29 * 3_600_000);
    await say('sent an hour ago', { timestamp: hours(1) });
    await got(1);
    await say('sent before that', { timestamp: hours(2) });
    await got(2);
    const now = await createConversations(database).find({ phone, business: NUMBER });
    const ago = Date.now() - (now?.lastInboundAt ?? 0);
    assert.ok(ago > 3_500_000 && ago < 3_800_000, 'the newest counts');
  });

  test('is opted out by STOP also in the thread of another responder, and by a late START not opted in', async () => {
    await say('hello');
    await got(1);
    const standby = { messages: [metaMessage(phone, { text: { body: 'STOP' } })] };
    await postBatch(bot.url, batchOf({ field: 'standby', standby }));
    const late = String(Math.floor(Date.now() / 1_000) - 3_600);
    await say('START', { timestamp: late });
    await say('hello?');
    await allRecorded(doubles.redis.client());
    assert.equal(sentTo().length, 1, 'nothing is sent after STOP');
    const conversation = await createConversations(database).find({ phone, business: NUMBER });
    assert.ok(conversation?.optedOutAt);
  });
});

describe('what became of a message', () => {
  test('is shown in the inbox, and its price is in the ledger', async () => {
    await say('hello');
    await got(1);
    const sent = meta.sent.findLast(({ to }) => to === phone) ?? assert.fail('it was sent');
    const pricing = { billable: false, pricing_model: 'PMP', type: 'free_customer_service', category: 'service' };
    await postBatch(
      bot.url,
      batchOf({ statuses: [metaStatus(sent, 'sent', { pricing }), metaStatus(sent, 'delivered')] }),
    );
    await postBatch(bot.url, batchOf({ statuses: [metaStatus(sent, 'read')] }));
    await allRecorded(doubles.redis.client());
    const { items } = await createMessages(database).thread({ phone, business: NUMBER }, { limit: 10 });
    assert.equal(items.find(({ direction }) => direction === 'outbound')?.delivery?.state, 'read');
    const { rows } = await database.run((db) =>
      sql<{ category: string; amount: string }>`
        select c.category, c.amount::text from whatsapp_costs c join whatsapp_conversations v on v.id = c.conversation_id
        where v.phone_number = ${`+${phone}`} and c.purpose = 'message'`.execute(db),
    );
    assert.deepEqual(rows, [{ category: 'service', amount: '0' }]);
  });

  test('whose answer was lost is learnt from Meta’s report: it is not sent again', async () => {
    meta.onSent = (message) => {
      meta.onSent = () => {};
      void postBatch(bot.url, batchOf({ statuses: [metaStatus(message, 'sent')] }));
    };
    // The call that shows "typing…" comes first.
    const isTyping = () => meta.typing.length;
    const before = isTyping();
    doubles.model.answer = async () => {
      await eventually('it is shown that somebody types', () => isTyping() > before);
      meta.faults.push({ kind: 'reset', done: true });
      return 'the answer';
    };
    await say('hello');
    await got(1);
    assert.deepEqual(sentTo(), ['the answer']);
    await eventually('the turn is over', async () => (await doubles.redis.client().zcard('recado:{0}:due')) === 0);
    assert.deepEqual(sentTo(), ['the answer']);
  });
});

describe('a batch', () => {
  test('loses nothing by one event that is poisoned, in whatever order', async () => {
    const poisons = [null, {}, { id: 'wamid.x' }, 'text', { id: 5, from: [] }, metaMessage('', { from: '\u0000' })];
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray(poisons, { minLength: 1 }), fc.nat(6), async (some, at) => {
        phone = `155501${String(40_000 + people++).slice(-5)}`;
        const messages: unknown[] = [...some];
        messages.splice(at, 0, metaMessage(phone, { text: { body: 'still here' } }));
        assert.equal((await postBatch(bot.url, batchOf({ messages }))).status, 200);
        assert.deepEqual(await got(1), ['You said: still here']);
      }),
      { numRuns: 10 },
    );
  });

  test('of many people answers each of them', async () => {
    const all = Array.from({ length: 20 }, (_, i) => `1555014${String(1_000 + i)}`);
    const messages = all.map((from) => metaMessage(from, { text: { body: `from ${from}` } }));
    assert.equal((await postBatch(bot.url, batchOf({ messages }))).status, 200);
    await eventually('all have their answer', () => all.every((from) => sentTo(from).length === 1));
    for (const from of all) assert.deepEqual(sentTo(from), [`You said: from ${from}`]);
  });

  test('for a number that is not ours leaves nothing behind', async () => {
    const batch = batchOf({ phoneNumberId: '999', messages: [metaMessage(phone)] });
    assert.equal((await postBatch(bot.url, batch)).status, 200);
    await allRecorded(doubles.redis.client());
    assert.deepEqual(await doubles.redis.client().keys(`*${phone}*`), []);
  });

  test('is asked for again while Redis is away, and only then', async () => {
    const away = await startBot(doubles, { ...metaSettings(meta.url), REDIS_URL: 'redis://127.0.0.1:9' });
    try {
      const response = await postBatch(away.url, batchOf({ messages: [metaMessage(phone)] }));
      assert.equal(response.status, 503);
    } finally {
      await away.stop();
    }
  });
});

describe('programs that were written for Meta’s format', () => {
  const ask = async (path: string, body: object, key = KEY_OF_PROGRAMS) => {
    const headers = { 'Content-Type': 'application/json', 'x-api-key': key };
    const response = await fetch(`${bot.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };

  test('get the messages of a number as Meta sent them, newest first', async () => {
    const message = metaMessage(phone, { text: { body: 'Do you have rye bread?' } });
    await postBatch(bot.url, batchOf({ messages: [message] }));
    await got(1);
    for (const number of [phone, `+${phone}`, `whatsapp:+${phone}`]) {
      const { status, body } = await ask('/get', { number });
      assert.equal(status, 200);
      assert.equal(body.count, 2);
      const [answer, question] = body.messages as Record<string, unknown>[];
      assert.deepEqual(question, {
        id: message.id,
        from: phone,
        to: NUMBER,
        timestamp: message.timestamp,
        type: 'text',
        body: 'Do you have rye bread?',
        raw: message,
      });
      assert.deepEqual([answer?.from, answer?.to, answer?.type, answer?.raw], [NUMBER, phone, 'text', null]);
      assert.match(String(answer?.id), /^wamid\./);
    }
  });

  test('get at most the newest 20 unless they ask for more, or for all', async () => {
    const messages = Array.from({ length: 205 }, (_, i) => metaMessage(phone, { text: { body: `number ${i}` } }));
    await say('the first one');
    await got(1);
    await ask('/api/whatsapp/conversation-status', { phone_number: phone, status: 'blocked' });
    await postBatch(bot.url, batchOf({ messages }));
    await allRecorded(doubles.redis.client());
    const bodies = async (limit?: number) => {
      const { body } = await ask('/get', { number: phone, ...(limit === undefined ? {} : { limit }) });
      const all = body.messages as { body: string }[];
      assert.equal(body.count, all.length);
      return all.map(({ body }) => body);
    };
    assert.equal((await bodies()).length, 20);
    assert.deepEqual(await bodies(2), ['number 204', 'number 203']);
    const all = await bodies(0);
    assert.deepEqual([all.length, all[0], all.at(-1)], [207, 'number 204', 'the first one']);
    assert.equal((await bodies(201)).length, 201);
  });

  test('get those of several numbers, and which of them have none', async () => {
    await say('hello');
    await got(1);
    const { body } = await ask('/get-bulk', { numbers: [`+${phone}`, '+15550199999'], limit: 10 });
    const { results, ...sums } = body as { results: { messages: unknown[] }[] };
    assert.deepEqual(sums, { total_numbers: 2, successful: 1, failed: 1, total_messages: 2 });
    const [found, none] = results.map(({ messages, ...result }) => ({ ...result, messages: messages.length }));
    assert.deepEqual(found, { number: phone, success: true, count: 2, messages: 2 });
    const error = 'No messages found';
    assert.deepEqual(none, { number: '15550199999', success: false, error, count: 0, messages: 0 });
    assert.deepEqual((await ask('/get', { number: '+15550199999' })).body, { count: 0, messages: [] });
  });

  test('get those that came through Twilio in the same words', async () => {
    await bot.say(phone, 'over Twilio');
    await allRecorded(doubles.redis.client());
    const { body } = await ask('/get', { number: phone });
    const question = (body.messages as Record<string, unknown>[]).find(({ from }) => from === phone);
    assert.deepEqual([question?.type, question?.body, question?.raw], ['text', 'over Twilio', null]);
    assert.match(String(question?.timestamp), /^\d{10}$/);
  });

  test('get 503 while the archive is away, and no half document', async () => {
    const away = await startBot(doubles, { API_KEYS: KEY_OF_PROGRAMS });
    try {
      const headers = { 'Content-Type': 'application/json', 'x-api-key': KEY_OF_PROGRAMS };
      const body = JSON.stringify({ number: phone });
      assert.equal((await fetch(`${away.url}/get`, { method: 'POST', headers, body })).status, 503);
    } finally {
      await away.stop();
    }
  });

  test('get nothing without a key, and a clear word for what is no number', async () => {
    assert.equal((await ask('/get', { number: phone }, 'another key')).status, 401);
    assert.equal((await ask('/get-bulk', { numbers: [] })).status, 400);
    assert.match(String((await ask('/get', {})).body.error), /number/);
  });
});

test('an experiment without the secret takes what is not signed, and says so', async () => {
  const settings = { ...metaSettings(meta.url), META_APP_SECRET: '', META_VALIDATE_SIGNATURE: 'false' };
  const open = await startBot(doubles, { ...settings, PHONE_NUMBER_ID: `${PHONE_NUMBER_ID}, 123456` });
  try {
    // As documents of others show it: without object, field, product and profile.
    const metadata = { display_phone_number: '15551713917', phone_number_id: '123456' };
    const message = { from: phone, id: 'wamid.XXX', timestamp: '1757936743', type: 'text', text: { body: 'Good' } };
    const value = { metadata, contacts: [{ wa_id: phone }], messages: [message] };
    const body = JSON.stringify({ entry: [{ changes: [{ value }] }] });
    const headers = { 'Content-Type': 'application/json' };
    assert.equal((await fetch(`${open.url}/webhook`, { method: 'POST', headers, body })).status, 200);
    assert.deepEqual(await got(1), ['You said: Good']);
    const ready = await (await fetch(`${open.url}/readyz`)).text();
    assert.match(ready, /"status":"degraded"/);
    assert.match(ready, /"meta":"ok".*"meta_signatures":"not checked"/);
    assert.equal((await fetch(`${open.url}/webhook`, { method: 'POST', headers, body: 'not JSON' })).status, 400);
  } finally {
    await open.stop();
  }
});
