/** Almost a third of all calls to the model and to the provider fail, in every way that they do. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { DEFAULT_FAILURE_REPLY } from '../../app/config.ts';
import { createAliases } from '../../app/memory/aliases.ts';
import { createDeadLetters } from '../../app/memory/dead-letters.ts';
import { createKeys } from '../../app/memory/keys.ts';
import { createScripts } from '../../app/memory/redis.ts';
import { conversationOf } from '../../app/message.ts';
import { lastUserText } from '../doubles/model.ts';
import { type Bot, type Doubles, startBot, startDoubles } from '../support/bot.ts';
import { seeded } from '../support/seeded.ts';
import {
  type Answer,
  type Handle,
  type HttpProxy,
  type Outcome,
  type Passing,
  startHttpProxy,
} from './support/http-proxy.ts';
import { createPeople, type Person } from './support/people.ts';
import { IS_META, over, type Provider, startProvider } from './support/provider.ts';
import { report, say, sized } from './support/size.ts';
import { figuresOf, judge, settled } from './support/verdict.ts';

const SEED = Number(process.env.CHAOS_SEED ?? Date.now() % 1_000_000);
const SHARE = 0.3;
const PEOPLE = sized(30, 60);
const MESSAGES = sized(3, 25);

let doubles: Doubles;
let provider: Provider;
let lines: { model: HttpProxy; provider: HttpProxy };
let bot: Bot;

before(async () => {
  [doubles, provider] = await Promise.all([startDoubles(), startProvider()]);
  doubles.model.answer = (request) => `Answer to ${lastUserText(request)}`;
  lines = {
    model: await startHttpProxy(new URL(doubles.model.url).origin),
    provider: await startHttpProxy(provider.origin),
  };
  bot = await startBot(doubles, {
    OPENAI_BASE_URL: `${lines.model.url}/v1`,
    ...provider.settings(lines.provider.url),
    OPENAI_TIMEOUT_MS: sized('5000', '15000'),
    // Nothing leaves as TwiML: it is the sending by request that fails.
    TWIML_DEADLINE_MS: '0',
    RATE_LIMIT_PER_MINUTE: '100000',
    HISTORY_TOKENS: '200000',
    LOG_LEVEL: 'error',
  });
  provider.reportTo(() => bot.url);
});

after(async () => {
  await bot.stop();
  await Promise.all([lines.model.close(), lines.provider.close(), provider.close()]);
  await doubles.stop();
});

type Trouble = (forward: () => Promise<Answer>) => Outcome | Promise<Outcome>;

const json = (status: number, body: object, headers = {}): Answer => ({
  status,
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(body),
});

const modelError = (code: string) => ({ error: { message: 'made up', type: code, code } });

/** Name → what becomes of a call of the model. */
const MODEL_TROUBLES: Record<string, Trouble> = {
  '500': () => json(500, modelError('server_error')),
  '503 without a body': () => ({ status: 503, headers: {}, body: '' }),
  '429': () => json(429, modelError('rate_limit_exceeded'), { 'retry-after': '1' }),
  'quota used up': () => json(429, modelError('insufficient_quota')),
  'connection cut': () => 'cut',
  'connection cut after the work': (forward) => forward().then(() => 'cut'),
  'an error inside a 200': () => json(200, { error: { message: 'made up', code: 502 } }),
  'a page instead of an answer': () => ({
    status: 200,
    headers: { 'content-type': 'text/html' },
    body: '<p>Sorry</p>',
  }),
  'no answer at all': () => 'silence',
};

const refused = (why: Parameters<Provider['refuse']>[0]) => () => provider.refuse(why);

/** The same for sending. Those named `final` are never tried again, and lead to a dead letter. */
const SENDING_TROUBLES: Record<string, Trouble> = {
  '429': refused('busy'),
  '500, not sent': refused('failing'),
  '500, but sent': async (forward) => {
    await forward();
    return json(500, {});
  },
  '503 without a body, but sent': async (forward) => {
    await forward();
    return { status: 503, headers: {}, body: '' };
  },
  'connection cut before': () => 'cut',
  'connection cut after': (forward) => forward().then(() => 'cut'),
  'no answer, but sent': (forward) => forward().then(() => 'silence'),
  'a page instead of an answer, but sent': async (forward) => {
    await forward();
    return { status: 200, headers: { 'content-type': 'text/html' }, body: '<p>Sorry</p>' };
  },
  'final: outside the window': refused('window'),
  'final: opted out': refused('opted out'),
};

/** Spoils a share of the calls that are meant, each kind of trouble as often as the others; `met` counts them. */
function spoiled(
  troubles: Record<string, Trouble>,
  isMeant: (request: Passing) => boolean,
  chance: () => number,
  met: Map<string, number>,
): Handle {
  const names = Object.keys(troubles);
  return (request, forward) => {
    if (!isMeant(request) || chance() >= SHARE) return forward();
    // Apologies all have the same words: if one were given up, nobody could tell which arrived.
    const isApology = troubles === SENDING_TROUBLES && provider.textOf(request) === DEFAULT_FAILURE_REPLY;
    const possible = isApology ? names.filter((name) => !name.startsWith('final')) : names;
    const name = possible[Math.floor(chance() * possible.length)] ?? '';
    met.set(name, (met.get(name) ?? 0) + 1);
    return troubles[name]?.(forward) ?? forward();
  };
}

const isSending = (request: Passing) => provider.callOf(request) === 'send' && provider.textOf(request) !== null;

test(over('with a third of the calls failing everybody gets one answer or one apology, or there is a dead letter'), {
  timeout: sized(280_000, 1_500_000),
}, async (t) => {
  const chance = seeded(SEED);
  const modelMet = new Map<string, number>();
  const sendingMet = new Map<string, number>();
  lines.model.handle = spoiled(MODEL_TROUBLES, ({ path }) => path.endsWith('chat/completions'), chance, modelMet);
  const sending = spoiled(SENDING_TROUBLES, isSending, chance, sendingMet);
  lines.provider.handle = (request, forward) => {
    // The list that tells what was sent fails, too.
    if (request.method === 'GET' && chance() < 0.1) return json(500, {});
    return sending(request, forward);
  };
  const people = createPeople(PEOPLE, { provider, route: () => bot.url });
  await Promise.all(people.map((person) => writeAll(person, chance)));
  say('everything is written; waiting for the last retries');
  const redis = doubles.redis.client();
  // Long enough for two rests after a turn whose every try failed: 15 s and a minute.
  await settled(redis, IS_META ? 1_200_000 : sized(170_000, 300_000));

  const tools = { redis, run: createScripts(redis), keys: createKeys(1), historyTtlMs: 60_000 };
  const { items: letters } = await createDeadLetters({ ...tools, aliases: createAliases(tools) }).list(10_000);
  const excused = new Map<string, string[]>();
  for (const { conversation, reply } of letters) {
    const { contact } = conversationOf(conversation);
    excused.set(contact, [...(excused.get(contact) ?? []), reply]);
  }
  const verdict = await judge(people, redis, provider, excused);
  const final = [...sendingMet].filter(([name]) => name.startsWith('final')).reduce((sum, [, times]) => sum + times, 0);
  const sum = (met: Map<string, number>) => [...met.values()].reduce((total, times) => total + times, 0);
  report(t, {
    seed: SEED,
    'model failures': sum(modelMet),
    'sending failures': sum(sendingMet),
    'dead letters': letters.length,
    ...figuresOf(verdict),
  });
  assert.deepEqual(verdict.complaints, [], `seed ${SEED}`);
  assert.equal(letters.length, final, 'a dead letter for each refusal that is final, and for nothing else');
  assert.deepEqual(
    [...new Set(letters.map(({ code }) => code))].filter(
      (code) => !['channel.window', 'channel.opted_out'].includes(code),
    ),
    [],
  );
});

async function writeAll(person: Person, chance: () => number): Promise<void> {
  for (let i = 0; i < MESSAGES; i++) {
    await person.write();
    await sleep(chance() * sized(2_000, 4_000));
  }
}
