/** Templates that the team sends, over doubles, a real Redis and a real archive. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { sql } from 'kysely';
import { lastUserText } from '../doubles/model.ts';
import { TABLE_BOOKED_SID, TWILIO_TEMPLATES, WELCOME_SID } from '../support/templates.ts';
import { startDesk, type TestDesk } from './desk.ts';

const VARIABLES = { '1': 'Ana', '2': '12 May' };
const BOOKED = 'Hello Ana, your table on 12 May is booked.';

let desk: TestDesk;
let people = 0;
const somebody = () => `15550104${String(100 + people++)}`;

before(async () => {
  desk = await startDesk();
  desk.doubles.twilio.templates.push(...TWILIO_TEMPLATES);
  desk.doubles.model.answer = (request) => `You said: ${lastUserText(request)}`;
});
after(() => desk.stop());

function send(to: string, more: Record<string, unknown> = {}) {
  return desk.ask('POST', '/api/whatsapp/send-template', {
    to_number: to,
    template: TABLE_BOOKED_SID,
    variables: VARIABLES,
    ...more,
  });
}

/** As if it had been sent so long ago, ms, and asked for then. */
async function backdate(phone: string, ms: number): Promise<void> {
  for (const message of sentTo(phone)) message.createdAt -= ms;
  for (const key of await desk.redis.keys('recado:name:*')) {
    const [at, what] = (await desk.redis.get(key))?.split(' ') ?? [];
    await desk.redis.set(key, `${Number(at) - ms} ${what}`);
  }
}

function sentTo(phone: string) {
  return desk.doubles.twilio.sent.filter(({ to }) => to === `whatsapp:+${phone}`);
}

async function threadOf(phone: string) {
  await desk.recorder.catchUp();
  const { body } = await desk.ask('GET', `/api/whatsapp/conversation/${phone}?order=oldest`);
  return body;
}

test('they are listed with state, category and what has to be filled in', async () => {
  const { status, body } = await desk.ask('GET', '/api/whatsapp/templates');
  assert.equal(status, 200);
  const [first] = body.templates;
  assert.deepEqual(
    [first.id, first.channel, first.state, first.category, first.variables],
    [TABLE_BOOKED_SID, 'twilio', 'approved', 'utility', ['1', '2']],
  );
  assert.deepEqual(
    body.templates.map(({ state }: { state: string }) => state),
    ['approved', 'approved', 'paused', 'rejected'],
  );
  assert.deepEqual(body.problems, []);
});

test('somebody who never wrote gets one, and the conversation begins with it', async () => {
  const phone = somebody();
  const { status, body } = await send(phone, { idempotency_key: 'welcome-1' });
  assert.equal(status, 200, JSON.stringify(body));
  const [message] = sentTo(phone);
  assert.deepEqual([message?.sid, message?.content?.variables], [body.message_sid, VARIABLES]);
  const thread = await threadOf(phone);
  assert.deepEqual(
    thread.messages.map((one: Record<string, unknown>) => [one.author, one.template, one.message_body, one.reply_id]),
    [['template', TABLE_BOOKED_SID, BOOKED, 'welcome-1']],
  );
  assert.equal(thread.conversation.last_message_author, 'template');
  assert.equal(thread.conversation.takeover_until, null, 'the bot answers what they say to it');
});

test('the bot knows what the template said when they answer it', async () => {
  const phone = somebody();
  await send(phone);
  await desk.say(phone, 'thank you');
  const messages = desk.doubles.model.requests.at(-1)?.chat.messages ?? [];
  assert.deepEqual(
    messages.slice(-2).map(({ content }) => content),
    [BOOKED, 'thank you'],
  );
  assert.equal(sentTo(phone).length + Number((await threadOf(phone)).messages.length === 3), 2);
});

test('more than 24 hours after their last message a text is refused, and a template is not', async () => {
  const phone = somebody();
  await desk.say(phone, 'hello');
  const state = desk.keys.of(phone).state;
  const dayBefore = Date.now() - 25 * 3_600_000;
  await desk.redis.hset(state, 'lastInbound@twilio:14155238886', dayBefore);
  await sql`update whatsapp_conversations set last_inbound_at = ${new Date(dayBefore)} where phone_number = ${`+${phone}`}`.execute(
    await new Promise((resolve) => desk.database.run(async (db) => resolve(db))),
  );
  const text = await desk.ask('POST', '/api/whatsapp/send', { to_number: phone, message: 'are you there?' });
  assert.deepEqual([text.status, text.body.code], [409, 'channel.window']);
  assert.equal((await send(phone)).status, 200);
  assert.equal(sentTo(phone).length, 1);
});

test('nothing is sent to somebody who is blocked or has opted out', async () => {
  const [blocked, out] = [somebody(), somebody()];
  await desk.say(blocked, 'hello');
  await desk.ask('POST', '/api/whatsapp/conversation-status', { phone_number: blocked, status: 'blocked' });
  const refused = await send(blocked);
  assert.deepEqual([refused.status, refused.body.code], [409, 'channel.blocked']);
  await desk.ask('POST', '/api/whatsapp/consent', { phone_number: out, consent: 'opt-out', source: 'a letter' });
  const optedOut = await send(out);
  assert.deepEqual([optedOut.status, optedOut.body.code], [422, 'channel.opted_out']);
  assert.deepEqual([sentTo(blocked), sentTo(out)], [[], []]);
});

test('whoever wants no marketing messages gets other templates', async () => {
  const phone = somebody();
  await desk.say(phone, 'hello');
  await desk.database.run(async (db) => {
    await sql`update whatsapp_contacts set marketing_opted_out_at = now() where key = ${phone}`.execute(db);
  });
  const refused = await send(phone, { template: WELCOME_SID, variables: {} });
  assert.deepEqual([refused.status, refused.body.code], [422, 'channel.opted_out']);
  assert.match(refused.body.error, /no marketing messages/);
  assert.equal((await send(phone)).status, 200);
});

test('one that cannot be sent is refused with the reason, and leaves nothing behind', async () => {
  const phone = somebody();
  const cases: [Record<string, unknown>, RegExp][] = [
    [{ variables: { '1': 'Ana' } }, /needs the variable 2/],
    [{ variables: { ...VARIABLES, '3': 'x' } }, /has no variable 3/],
    [{ template: 'HX0000000000000000000000000000000c', variables: { '1': 'Ana' } }, /is paused/],
    [{ template: `HX${'9'.repeat(32)}` }, /There is no template/],
  ];
  for (const [more, reason] of cases) {
    const { status, body } = await send(phone, more);
    assert.deepEqual([status, body.code], [422, 'channel.template']);
    assert.match(body.error, reason);
  }
  assert.equal((await send(phone, { template: 'welcome' })).status, 400);
  // Twilio has no template by name, and no number of ours is at Meta.
  assert.equal((await send(phone, { template: 'welcome:en' })).body.code, 'channel.template');
  await desk.recorder.catchUp();
  assert.equal((await desk.ask('GET', `/api/whatsapp/conversation/${phone}`)).status, 404);
});

test('one that the provider refuses stays in the thread as failed, and the bot does not believe that it was said', async () => {
  const phone = somebody();
  desk.doubles.twilio.faults.push({ kind: 'status', status: 400, code: 63024, on: 'create' });
  const { status, body } = await send(phone, { template: WELCOME_SID, variables: {} });
  assert.deepEqual([status, body.code], [422, 'channel.recipient']);
  const [message] = (await threadOf(phone)).messages;
  assert.deepEqual([message.author, message.delivery_status], ['template', 'failed']);
  assert.equal(await desk.redis.llen(desk.keys.of(phone).history), 0);
});

test('a try that nobody knows the outcome of is looked up, and not sent twice', async () => {
  const phone = somebody();
  desk.doubles.twilio.faults.push({ kind: 'reset', done: true, on: 'create' });
  const { status, body } = await send(phone);
  assert.equal(status, 200, JSON.stringify(body));
  assert.deepEqual(
    sentTo(phone).map(({ sid }) => sid),
    [body.message_sid],
  );
});

test('the same message under the same name is sent once, and recorded once', async () => {
  const phone = somebody();
  const first = await send(phone, { idempotency_key: 'once-1' });
  await backdate(phone, 60_000);
  const again = await send(phone, { idempotency_key: 'once-1' });
  assert.deepEqual(again.body, first.body);
  assert.equal(sentTo(phone).length, 1);
  assert.equal((await threadOf(phone)).messages.length, 1);
});

test('one that was refused can be tried again under its name', async () => {
  const phone = somebody();
  desk.doubles.twilio.faults.push({ kind: 'status', status: 400, code: 63024, on: 'create' });
  assert.equal((await send(phone, { idempotency_key: 'again-1' })).status, 422);
  assert.equal((await send(phone, { idempotency_key: 'again-1' })).status, 200);
  const { messages } = await threadOf(phone);
  assert.deepEqual(
    messages.map(({ delivery_status }: { delivery_status: string }) => delivery_status),
    ['sent'],
  );
});

test('another message, or the same one to somebody else, does not get a name that is in use', async () => {
  const [phone, other] = [somebody(), somebody()];
  assert.equal((await send(phone, { idempotency_key: 'used-1' })).status, 200);
  for (const refused of [
    await send(phone, { idempotency_key: 'used-1', variables: { ...VARIABLES, '1': 'Ben' } }),
    await send(other, { idempotency_key: 'used-1' }),
  ]) {
    assert.deepEqual([refused.status, refused.body.code], [400, 'request.invalid']);
    assert.match(refused.body.error, /idempotency_key/);
  }
  assert.deepEqual([sentTo(phone).length, sentTo(other).length], [1, 0]);
});
