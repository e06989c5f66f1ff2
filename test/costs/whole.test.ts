/** What the team sees of the costs: the whole bot with an archive, over doubles of the providers. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { createDatabase, type Database } from '../../app/archive/engine/database.ts';
import type { Environment } from '../../app/config.ts';
import { NOTICES } from '../../app/conversation/prompts.ts';
import { query, quiet } from '../archive/engines.ts';
import type { MessageState, SentMessage } from '../doubles/twilio.ts';
import { analysisOf } from '../support/analysis.ts';
import { AUTH_TOKEN, type Bot, type Doubles, eventually, startBot, startDoubles } from '../support/bot.ts';
import { createTestDatabase } from '../support/postgres.ts';
import { postWebhook } from '../support/webhook.ts';

const ANA = '15550100101';
const BEN = '15550100102';
const BUSINESS = '14155238886';
const API_KEY = 'a-key-of-a-test-0123456789abcdef';

const folder = mkdtempSync(join(tmpdir(), 'recado-costs-'));
let doubles: Doubles;
let database: Database;
let settings: Environment;
const bots: Bot[] = [];

before(async () => {
  doubles = await startDoubles();
  doubles.model.answer = (request) => ('response_format' in request ? analysisOf({}) : 'Hello!');
  const url = await createTestDatabase();
  database = createDatabase({ url, log: quiet });
  settings = { DATABASE_URL: url, API_KEYS: API_KEY };
});
afterEach(stopBots);
after(async () => {
  await database.close();
  await doubles.stop();
  rmSync(folder, { recursive: true });
});

async function start(environment: Environment = {}): Promise<Bot> {
  const bot = await startBot(doubles, { ...settings, ...environment });
  bots.push(bot);
  return bot;
}

async function stopBots(): Promise<void> {
  for (const bot of bots.splice(0)) await bot.stop();
}

// biome-ignore lint/suspicious/noExplicitAny: the answers of the API are JSON of any shape
async function ask({ url }: Bot, path: string): Promise<any> {
  return (await fetch(`${url}/api/whatsapp/${path}`, { headers: { 'x-api-key': API_KEY } })).json();
}

interface Expenses {
  purpose: string;
  sums: { currency: string; amount: string }[];
  entries: number;
  unpriced: number;
}

async function spentOn(bot: Bot, purpose: string, filter = ''): Promise<Expenses | undefined> {
  const { purposes = [] } = await ask(bot, `costs${filter}`);
  return purposes.find((one: Expenses) => one.purpose === purpose);
}

/** Twilio reports of the answer to the only message of somebody, which left as the webhook's response. */
async function report({ url }: Bot, sent: SentMessage, status: MessageState): Promise<void> {
  const [reply] = await query(
    database,
    `select m.turn_id from whatsapp_messages m join whatsapp_conversations c on c.id = m.conversation_id
      where m.direction = 'outbound' and c.phone_number = '+${ANA}'`,
  );
  const fields = { MessageSid: sent.sid, MessageStatus: status, From: sent.from, To: sent.to };
  const answer = await postWebhook(`${url}/twilio/status?reply=${reply?.turn_id}&part=0`, AUTH_TOKEN, fields);
  assert.equal(answer.status, 204);
}

test('every call of a model is in the ledger, and a message as soon as Twilio says what it costs', async () => {
  const bot = await start({ DAILY_TOKENS_PER_CONTACT: '1000000' });
  await bot.tell(ANA, 'Please call me tomorrow about the lamp');
  await eventually('it is analysed', async () => (await spentOn(bot, 'analysis'))?.entries === 1);
  const answer = await spentOn(bot, 'answer');
  assert.deepEqual([answer?.entries, answer?.unpriced, answer?.sums.length], [1, 0, 1]);
  assert.deepEqual(await spentOn(bot, 'message'), { purpose: 'message', sums: [], entries: 1, unpriced: 1 });
  const [tokens] = await query(
    database,
    'select sum(prompt_tokens + completion_tokens)::int as sum from whatsapp_costs',
  );
  await eventually('all of it counts for the contact', async () => {
    return Number(await doubles.redis.client().get(`recado:{0}:c:${ANA}:tokens`)) === tokens?.sum;
  });

  const sent = doubles.twilio.addReply({ to: `whatsapp:+${ANA}`, from: `whatsapp:+${BUSINESS}`, body: 'Hello!' });
  await report(bot, sent, 'delivered');
  await eventually(
    'its id is known',
    async () => (await query(database, 'select from whatsapp_deliveries')).length === 1,
  );
  await stopBots();
  sent.price = '-0.00500';
  await query(database, "update whatsapp_deliveries set price_due_at = now() - interval '1 second'");
  const next = await start();
  await eventually('Twilio was asked', async () => (await spentOn(next, 'message'))?.unpriced === 0);
  const message = { purpose: 'message', sums: [{ currency: 'USD', amount: '0.005' }], entries: 1, unpriced: 0 };
  assert.deepEqual(await spentOn(next, 'message', `?phone_number=${ANA}`), message);
  assert.equal(await spentOn(next, 'message', `?phone_number=${BEN}`), undefined);
  const { conversations, month, budget } = await ask(next, 'costs');
  assert.deepEqual(
    conversations.map((one: { phone_number: string }) => one.phone_number),
    [`+${ANA}`],
  );
  assert.deepEqual([month.entries, month.unpriced, budget], [3, 0, null]);
});

test('the desk is told when the budget is nearly used up, and when it is', async () => {
  const before = await ask(await start(), 'costs');
  await stopBots();
  const spent = Number(before.month.sums[0].amount);
  // An answer costs a unit: 1,000,000 for a million tokens, and the double writes ten.
  const MODEL_PRICES = join(folder, 'prices.json');
  writeFileSync(
    MODEL_PRICES,
    JSON.stringify({ currency: 'USD', models: { 'gpt-5.4-mini': { input: '0', output: '100000' } } }),
  );
  const MONTHLY_BUDGET = `${Math.ceil(spent) + 4} USD`;
  const bot = await start({ MODEL_PRICES, MONTHLY_BUDGET, ANALYSIS: 'off' });
  const codes = async () => (await ask(bot, 'notices')).items.map(({ code }: { code: string }) => code);
  assert.deepEqual(await codes(), []);
  const answered: string[] = [];
  const tell = async () => answered.push(...(await bot.tell(BEN, 'hello')).texts);
  for (let n = 0; n < 4; n++) await tell();
  await eventually('the desk is told', async () => (await codes()).includes('budget.near'));
  const near = await ask(bot, 'costs');
  assert.deepEqual([near.budget.state, near.budget.percent >= 80, near.budget.percent < 100], ['near', true, true]);
  await tell();
  await eventually('the desk is told', async () => (await codes()).includes('budget.used_up'));
  await tell();
  assert.deepEqual(answered, [...Array(5).fill('Hello!'), NOTICES.paused]);
  await eventually('what was said meanwhile is there', async () => {
    return (await ask(bot, `conversation/${BEN}`)).count === 12;
  });
  await stopBots();

  const again = await start({ MODEL_PRICES, MONTHLY_BUDGET: '1000 USD', ANALYSIS: 'off' });
  assert.deepEqual((await again.tell(BEN, 'hello?')).texts, ['Hello!']);
});

test('a model without a price is named at the desk', async () => {
  const bot = await start({ OPENAI_MODEL: 'our-own-model', ANALYSIS: 'off' });
  await bot.tell(ANA, 'hello');
  await eventually('it is named', async () => {
    const { items } = await ask(bot, 'notices');
    return items.some(
      ({ code, text }: Record<string, string>) => code === 'prices.unknown' && /our-own-model/.test(text ?? ''),
    );
  });
  assert.deepEqual((await ask(bot, 'costs')).unknown_models, ['our-own-model']);
  assert.equal(bot.logs.filter((line) => line.includes('A model has no price')).length, 1);
});
