/** Somebody new is greeted with a template, where the operator wants that. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createDatabase, type Database } from '../../app/archive/engine/database.ts';
import { type MetaDouble, startMetaDouble } from '../doubles/meta.ts';
import { lastUserText } from '../doubles/model.ts';
import { allRecorded, type Bot, type Doubles, eventually, startBot, startDoubles } from '../support/bot.ts';
import { ACCESS_TOKEN, ACCOUNT_ID, batchOf, metaMessage, metaSettings, NUMBERS, postBatch } from '../support/meta.ts';
import { createTestDatabase } from '../support/postgres.ts';
import { META_TEMPLATES } from '../support/templates.ts';

let doubles: Doubles;
let meta: MetaDouble;
let database: Database;
let bot: Bot;
let people = 0;
const somebody = () => `15550105${String(100 + people++)}`;

before(async () => {
  [doubles, meta] = await Promise.all([
    startDoubles(),
    startMetaDouble({ accessToken: ACCESS_TOKEN, numbers: NUMBERS, accountId: ACCOUNT_ID }),
  ]);
  meta.templates.push(...META_TEMPLATES.map((template) => ({ ...template })));
  const url = await createTestDatabase();
  database = createDatabase({ url, log: { debug() {}, info() {}, warn() {}, error() {}, child: () => assert.fail() } });
  await database.migrate();
  doubles.model.answer = (request) => `You said: ${lastUserText(request)}`;
  bot = await startBot(doubles, {
    ...metaSettings(meta.url),
    DATABASE_URL: url,
    ANALYSIS: 'off',
    FIRST_CONTACT_TEMPLATE: 'welcome:en',
    AI_DISCLOSURE: 'I am software.',
  });
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
  const welcome = meta.templates.find(({ name, language }) => name === 'welcome' && language === 'en');
  assert.ok(welcome);
  const phone = somebody();
  welcome.status = 'PAUSED';
  const other = await startBot(doubles, { ...metaSettings(meta.url), FIRST_CONTACT_TEMPLATE: 'welcome:en' });
  try {
    // The archive is away there: everybody counts as known.
    await say(phone, 'hello', other);
  } finally {
    welcome.status = 'APPROVED';
    await other.stop();
  }
  assert.deepEqual(
    sentTo(phone).map(({ text }) => text),
    ['You said: hello'],
  );
});

test('a crash before it was sent sends it once', async () => {
  const phone = somebody();
  meta.faults.push({ kind: 'reset', done: true });
  await say(phone, 'hello');
  assert.equal(sentTo(phone).length, 1);
  assert.equal(sentTo(phone)[0]?.template?.name, 'welcome');
});

test('somebody who asks for a person gets one', async () => {
  const phone = somebody();
  await say(phone, 'PERSON');
  assert.equal(sentTo(phone)[0]?.template, undefined);
});

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
