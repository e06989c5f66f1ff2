/** What people and the model see of the month's budget. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import type { Environment } from '../../app/config.ts';
import { NOTICES } from '../../app/conversation/prompts.ts';
import { Event, type ModelUse } from '../../app/events.ts';
import { type ChatRequest, lastUserText } from '../doubles/model.ts';
import { type Bot, type Doubles, eventually, startBot, startDoubles } from '../support/bot.ts';

const ANA = '15550100101';
const BEN = '15550100102';
const MONTH = new Date().toISOString().slice(0, 7);
const UNIT = 1_000_000_000;

const folder = mkdtempSync(join(tmpdir(), 'recado-budget-'));
after(() => rmSync(folder, { recursive: true }));

let doubles: Doubles;
const bots: Bot[] = [];

before(async () => {
  doubles = await startDoubles();
});
after(() => doubles.stop());
beforeEach(async () => {
  await doubles.redis.client().flushall();
  doubles.model.requests.length = 0;
  doubles.model.faults.length = 0;
  doubles.model.answer = (request: ChatRequest) => `You said: ${lastUserText(request)}`;
  doubles.twilio.sent.length = 0;
});
afterEach(async () => {
  for (const bot of bots.splice(0)) await bot.stop();
});

async function start(environment: Environment = {}): Promise<Bot> {
  const bot = await startBot(doubles, environment);
  bots.push(bot);
  return bot;
}

/** The operator's prices. */
function pricesFile(table: object): string {
  const file = join(folder, 'prices.json');
  writeFileSync(file, JSON.stringify(table));
  return file;
}

/** What all processes have spent this month, as the counter says it. */
async function spent(): Promise<number> {
  return Number(await doubles.redis.client().hget('recado:spent', MONTH));
}

async function setSpent(units: number): Promise<void> {
  await doubles.redis.client().hset('recado:spent', MONTH, units * UNIT);
}

async function events(): Promise<Event[]> {
  const entries = await doubles.redis.client().xrange('recado:{0}:events', '-', '+');
  return entries.map(([, fields]) => Event.parse(JSON.parse(fields[1] ?? '')));
}

/** Everything that events tell of the use of models. */
async function uses(): Promise<ModelUse[]> {
  return (await events()).flatMap((event) => {
    if (event.type === 'models.used') return event.uses;
    return event.type === 'reply.made' ? (event.spent ?? []) : [];
  });
}

async function texts(bot: Bot, from: string, body: string): Promise<string[]> {
  return (await bot.say(from, body)).texts;
}

describe('when the budget is used up', () => {
  test('people are told once that the team will answer, and the model is not asked', async () => {
    await setSpent(50);
    const bot = await start({ MONTHLY_BUDGET: '50 USD' });
    await eventually('it knows', async () => (await texts(bot, BEN, 'hello')).includes(NOTICES.paused));
    doubles.model.requests.length = 0;
    assert.deepEqual(await texts(bot, ANA, 'one'), [NOTICES.paused]);
    assert.deepEqual(await texts(bot, ANA, 'two'), []);
    assert.deepEqual(await texts(bot, ANA, 'three'), []);
    assert.equal(doubles.model.requests.length, 0);
    const told = await doubles.redis.client().ttl(`recado:{0}:c:${ANA}:tokens:paused`);
    assert.ok(told > 86_000 && told <= 86_400, `after a day they would be told again, not after ${told} s`);
  });

  test('what people write is kept for the team, and known to the bot when it answers again', async () => {
    await setSpent(50);
    const paused = await start({ MONTHLY_BUDGET: '50 USD' });
    await eventually('it knows', async () => (await texts(paused, BEN, 'hello')).includes(NOTICES.paused));
    await paused.tell(ANA, 'My name is Ana');
    await paused.tell(ANA, 'and I need a cake');
    const received = (await events()).flatMap((event) => (event.type === 'message.received' ? event.message.text : []));
    assert.deepEqual(received.slice(-2), ['My name is Ana', 'and I need a cake']);
    await bots.pop()?.stop();

    const again = await start({ MONTHLY_BUDGET: '60 USD' });
    const said = 'You said: My name is Ana\nand I need a cake\nwho am I?';
    assert.deepEqual(await texts(again, ANA, 'who am I?'), [said]);
    const prompt = JSON.stringify(doubles.model.requests.at(-1)?.chat.messages);
    assert.ok(!prompt.includes(NOTICES.paused), 'our own words about it are not shown to the model');
  });

  test('nobody listens to voice notes, and the team is told why', async () => {
    await setSpent(50);
    const bot = await start({ MONTHLY_BUDGET: '50 USD' });
    await eventually('it knows', async () => (await texts(bot, BEN, 'hello')).includes(NOTICES.paused));
    const url = doubles.twilio.addMedia(readFileSync('test/fixtures/media/voice.ogg'), 'audio/ogg');
    await bot.tell(ANA, '', { NumMedia: '1', MediaUrl0: url, MediaContentType0: 'audio/ogg' });
    await eventually('the turn is over', async () =>
      (await events()).some((event) => event.type === 'reply.made' && event.heard.length > 0),
    );
    const [heard] = (await events()).flatMap((event) => (event.type === 'reply.made' ? event.heard : []));
    assert.equal(heard?.transcript, null);
    assert.match(heard?.reason ?? '', /budget is used up/);
    assert.equal(doubles.model.requests.length, 0);
  });

  test('two processes stop within a few messages', async () => {
    // Every answer costs a fiftieth of it.
    const models = { 'gpt-5.4-mini': { input: '0', output: '10' } };
    const environment = { MONTHLY_BUDGET: '0.005 USD', MODEL_PRICES: pricesFile({ currency: 'USD', models }) };
    const [one, other] = [await start(environment), await start(environment)];
    let answered = 0;
    for (let n = 0; n < 200; n++) {
      const bot = n % 2 === 0 ? one : other;
      const said = await texts(bot, String(15_550_100_300 + n), 'hello');
      if (said.includes(NOTICES.paused)) break;
      answered++;
    }
    assert.ok(answered >= 50, `${answered} were answered before it was used up`);
    assert.ok(answered < 200, 'it never stopped');
    let next = 15_550_100_150;
    await eventually('both know', async () => {
      const said = await Promise.all([one, other].map((bot) => texts(bot, String(next++), 'hello')));
      return said.every((all) => all.includes(NOTICES.paused));
    });
  });
});

describe('what a turn spends', () => {
  test('is in the event that makes it final, every ask of a burst by itself, and in the counter', async () => {
    const bot = await start({ MONTHLY_BUDGET: '50 USD' });
    let more = true;
    doubles.model.answer = async (request) => {
      if (more) {
        more = false;
        await bot.say(ANA, 'two');
      }
      return `You said: ${lastUserText(request)}`;
    };
    await texts(bot, ANA, 'one');
    assert.equal(doubles.model.requests.length, 2);
    const told = await uses();
    assert.deepEqual(
      told.map(({ purpose, model }) => [purpose, model]),
      Array(2).fill(['answer', 'gpt-5.4-mini']),
    );
    const cost = told.reduce((sum, use) => sum + (use.cost?.billionths ?? 0), 0);
    assert.ok(cost > 0);
    await eventually('it is counted', async () => (await spent()) === cost);
  });

  test('is counted when the turn came to nothing, too', async () => {
    const bot = await start({ MONTHLY_BUDGET: '50 USD', FAILURE_REPLY: '' });
    doubles.model.answer = () => '';
    await bot.sayOnce(ANA, 'hello');
    await eventually('it is told', async () => (await uses()).length === 2);
    const [event] = (await events()).filter(({ type }) => type === 'models.used');
    assert.ok(event?.type === 'models.used');
    assert.match(event.conversation, new RegExp(`:${ANA}$`));
  });

  test('has summaries and voice notes with it', async () => {
    const bot = await start({ HISTORY_TOKENS: '200', DAILY_TOKENS_PER_CONTACT: '1000000' });
    const url = doubles.twilio.addMedia(readFileSync('test/fixtures/media/voice.ogg'), 'audio/ogg');
    await bot.tell(ANA, '', { NumMedia: '1', MediaUrl0: url, MediaContentType0: 'audio/ogg' });
    for (let i = 0; i < 6; i++) await texts(bot, ANA, `${'A long message. '.repeat(12)} ${i}`);
    await eventually('there was a summary', async () => (await uses()).some(({ purpose }) => purpose === 'summary'));
    const all = await uses();
    const voice = all.find(({ purpose }) => purpose === 'transcription');
    assert.ok(voice?.audioMs && voice.audioMs > 0);
    assert.equal(voice.cost?.currency, 'USD');
    const tokens = all.reduce((sum, use) => sum + (use.tokens ? use.tokens.prompt + use.tokens.completion : 0), 0);
    await eventually('all of it counts for the contact', async () => {
      return Number(await doubles.redis.client().get(`recado:{0}:c:${ANA}:tokens`)) === tokens;
    });
  });
});
