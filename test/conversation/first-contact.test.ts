/** Somebody new is greeted with a template, where the operator wants that. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createDatabase, type Database } from '../../app/archive/engine/database.ts';
import { createAliases } from '../../app/memory/aliases.ts';
import { createDeadLetters } from '../../app/memory/dead-letters.ts';
import { createKeys } from '../../app/memory/keys.ts';
import { createScripts } from '../../app/memory/redis.ts';
import { type MetaDouble, startMetaDouble } from '../doubles/meta.ts';
import { lastUserText } from '../doubles/model.ts';
import { allRecorded, type Bot, type Doubles, eventually, NO_ARCHIVE, startBot, startDoubles } from '../support/bot.ts';
import {
  ACCESS_TOKEN,
  ACCOUNT_ID,
  batchOf,
  metaMessage,
  metaSettings,
  metaStatus,
  NUMBERS,
  postBatch,
} from '../support/meta.ts';
import { createTestDatabase } from '../support/postgres.ts';
import { META_TEMPLATES } from '../support/templates.ts';

let doubles: Doubles;
let meta: MetaDouble;
let database: Database;
let bot: Bot;
let archiveUrl: string;
let people = 0;
const settings = () => ({
  ...metaSettings(meta.url),
  DATABASE_URL: archiveUrl,
  ANALYSIS: 'off',
  FIRST_CONTACT_TEMPLATE: 'welcome:en',
});
const somebody = () => `15550105${String(100 + people++)}`;

before(async () => {
  [doubles, meta] = await Promise.all([
    startDoubles(),
    startMetaDouble({ accessToken: ACCESS_TOKEN, numbers: NUMBERS, accountId: ACCOUNT_ID }),
  ]);
  meta.templates.push(...META_TEMPLATES.map((template) => ({ ...template })));
  archiveUrl = await createTestDatabase();
  database = createDatabase({
    url: archiveUrl,
    log: { debug() {}, info() {}, warn() {}, error() {}, child: () => assert.fail() },
  });
  await database.migrate();
  doubles.model.answer = (request) => `You said: ${lastUserText(request)}`;
  bot = await startBot(doubles, { ...settings(), AI_DISCLOSURE: 'I am software.' });
});
after(async () => {
  await bot.stop();
  await database.close();
  await Promise.all([doubles.stop(), meta.close()]);
});

const sentTo = (phone: string) => meta.sent.filter(({ to }) => to === phone);

async function say(phone: string, body: string, to = bot): Promise<void> {
  const before = sentTo(phone).length;
  assert.equal((await postBatch(to.url, batchOf({ messages: [metaMessage(phone, { text: { body } })] }))).status, 200);
  await eventually('it was answered', () => sentTo(phone).length > before);
  await allRecorded(doubles.redis.client());
}

test('the first message gets the template, the second an answer from all that was said', async () => {
  const phone = somebody();
  await say(phone, 'Good');
  await say(phone, 'a table for two');
  const [first, second] = sentTo(phone);
  assert.deepEqual([first?.template?.name, first?.template?.language.code], ['welcome', 'en']);
  assert.equal(second?.text, 'I am software.\n\nYou said: a table for two', 'no template discloses anything');
  const messages = doubles.model.requests.at(-1)?.chat.messages ?? [];
  assert.match(String(messages.at(-2)?.content), /^Casa Lola\n\nWelcome! How can we help you\?/);
  const { rows } = await query(
    `select author, template, delivery_status from whatsapp_messages where direction = 'outbound' order by received_at`,
    phone,
  );
  assert.deepEqual(
    rows.map(({ author, template }) => [author, template]),
    [
      ['template', 'welcome:en'],
      ['bot', null],
    ],
  );
});

test('whoever the archive knows is answered, though their memory has expired', async () => {
  const phone = somebody();
  await say(phone, 'hello');
  await forget(phone);
  await say(phone, 'it is me again');
  assert.deepEqual(
    sentTo(phone).map(({ template }) => template?.name),
    ['welcome', undefined],
  );
});

test('a template that cannot be sent is no reason for silence', async () => {
  const phone = somebody();
  const welcome = meta.templates.find(({ name, language }) => name === 'welcome' && language === 'en');
  assert.ok(welcome);
  welcome.status = 'PAUSED';
  // One that has not read the list yet.
  const other = await startBot(doubles, settings());
  try {
    await say(phone, 'hello', other);
  } finally {
    welcome.status = 'APPROVED';
    await other.stop();
  }
  assert.deepEqual(
    sentTo(phone).map(({ text }) => text),
    ['You said: hello'],
  );
  assert.ok(other.logs.some((line) => line.includes('FIRST_CONTACT_TEMPLATE cannot be sent')));
});

test('everybody counts as known while the archive is away', async () => {
  const phone = somebody();
  const other = await startBot(doubles, { ...settings(), DATABASE_URL: NO_ARCHIVE });
  try {
    await say(phone, 'hello', other);
  } finally {
    await other.stop();
  }
  assert.equal(sentTo(phone)[0]?.text, 'You said: hello');
});

test('a template that Meta took without a word is not sent twice', async () => {
  const phone = somebody();
  meta.onSent = (message) => void postBatch(bot.url, batchOf({ statuses: [metaStatus(message, 'sent')] }));
  // The first is for "typing…".
  meta.faults.push({ kind: 'reset' }, { kind: 'reset', done: true });
  try {
    await say(phone, 'hello');
    await allRecorded(doubles.redis.client());
  } finally {
    meta.onSent = () => {};
  }
  assert.deepEqual(
    sentTo(phone).map(({ template }) => template?.name),
    ['welcome'],
  );
});

test('one that was given up is tried again as the template that it is', async () => {
  const phone = somebody();
  const refusal = { kind: 'status' as const, status: 400, code: 131026 };
  // The first is for "typing…".
  meta.faults.push(refusal, refusal);
  assert.equal(
    (await postBatch(bot.url, batchOf({ messages: [metaMessage(phone, { text: { body: 'hello' } })] }))).status,
    200,
  );
  const letters = createDeadLetters(memory());
  await eventually('it was given up', async () => (await letters.list(10)).items.length > 0);
  const [letter] = (await letters.list(10)).items;
  assert.ok(letter);
  // Meta reported later messages long since, and nothing of this one: it was not sent.
  await doubles.redis.client().set('recado:reported:meta', Date.now() + 120_000);
  await eventually('nothing is under way', async () => (await letters.replay(letter.id)) === 'replayed');
  await eventually('it was sent', () => sentTo(phone).length > 0);
  assert.equal(sentTo(phone)[0]?.template?.name, 'welcome');
});

test('somebody who asks for a person gets one', async () => {
  const phone = somebody();
  await say(phone, 'PERSON');
  assert.equal(sentTo(phone)[0]?.template, undefined);
});

function memory() {
  const redis = doubles.redis.client();
  const keys = createKeys(1);
  const tools = { redis, run: createScripts(redis), keys, historyTtlMs: 86_400_000 };
  return { ...tools, aliases: createAliases(tools) };
}

async function forget(phone: string): Promise<void> {
  const redis = doubles.redis.client();
  const keys = await redis.keys(`recado:*c:${phone}:*`);
  if (keys.length > 0) await redis.del(...keys);
}

function query(text: string, phone: string) {
  return database.run(async (db) => {
    const { sql } = await import('kysely');
    return sql<{ author: string; template: string | null }>`${sql.raw(
      text.replace('where ', `where to_number = '+${phone}' and `),
    )}`.execute(db);
  });
}
