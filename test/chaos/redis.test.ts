/** Redis is killed under load and comes back with its append-only file; and a connection to it dies without a word. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { lastUserText, startModelDouble } from '../doubles/model.ts';
import { startTwilioDouble } from '../doubles/twilio.ts';
import { ACCOUNT_SID, AUTH_TOKEN, type Bot, type Doubles, eventually, startBot } from '../support/bot.ts';
import { startTestRedis } from '../support/redis.ts';
import { createPeople, type Person, type Try } from './support/people.ts';
import { IS_META, over, type Provider, startProvider } from './support/provider.ts';
import { startRedisProxy } from './support/redis-proxy.ts';
import { report, say, sized } from './support/size.ts';
import { figuresOf, judge, settled } from './support/verdict.ts';

const ENVIRONMENT = {
  LEASE_MS: '1000',
  TWIML_DEADLINE_MS: '400',
  RATE_LIMIT_PER_MINUTE: '100000',
  HISTORY_TOKENS: '200000',
  LOG_LEVEL: 'error',
};

let doubles: Doubles;
let provider: Provider;
let bots: Bot[];

before(async () => {
  const [redis, model, twilio] = await Promise.all([
    startTestRedis({ appendOnly: true }),
    startModelDouble(),
    startTwilioDouble({ accountSid: ACCOUNT_SID, authToken: AUTH_TOKEN }),
  ]);
  doubles = { redis, model, twilio, stop: () => Promise.all([model.close(), twilio.close(), redis.stop()]).then() };
  doubles.model.answer = async (request) => {
    await sleep(Math.random() * 600);
    return `Answer to ${lastUserText(request)}`;
  };
  provider = await startProvider();
  const settings = { ...ENVIRONMENT, ...provider.settings(provider.origin) };
  bots = await Promise.all([startBot(doubles, settings), startBot(doubles, settings)]);
  provider.reportTo(route);
});

after(async () => {
  await Promise.all(bots.map((bot) => bot.stop()));
  await provider.close();
  await doubles.stop();
});

let turn = 0;
function route(): string | null {
  return bots[turn++ % bots.length]?.url ?? null;
}

test(over(
  'Redis is killed under load: webhooks get 503 within 2 s, nothing acknowledged is lost, and all goes on by itself',
), {
  timeout: sized(280_000, 600_000),
}, async (t) => {
  const people = createPeople(sized(20, 40), { provider, route });
  const triesIn = (gaps: { from: number; to: number }[]) =>
    people.flatMap(({ sent }) => sent.flatMap(({ tries }) => tries)).filter((one) => isIn(gaps, one));
  let writing = true;
  const wrote = people.map((person) => keepWriting(person, () => writing));
  const gaps: { from: number; to: number }[] = [];
  try {
    // On a machine that stands still nobody may have written while Redis was away: then it is killed once more.
    for (let round = 1; round <= sized(2, 12) || (round <= 20 && triesIn(gaps).length === 0); round++) {
      await sleep(1_500 + Math.random() * 1_000);
      const gap = await killRedis();
      gaps.push(gap);
      say(`Redis was away for ${gap.to - gap.from} ms`);
      await eventually('webhooks are taken again', () => wasTakenSince(people, gap.to));
    }
  } finally {
    writing = false;
    await Promise.all(wrote);
  }
  const client = doubles.redis.client();
  // Meta's silence says after a minute that something was not sent, and it is asked about that a minute later at most.
  await settled(client, IS_META ? 300_000 : 30_000);
  const verdict = await judge(people, client, provider);
  const inGap = triesIn(gaps);
  const slowest = Math.max(...inGap.map(({ tookMs }) => tookMs));
  report(t, { outages: gaps.length, refused: inGap.length, 'slowest 503 (ms)': slowest, ...figuresOf(verdict) });
  assert.deepEqual(verdict.complaints, []);
  assert.ok(inGap.length > 0, 'somebody wrote meanwhile');
  assert.deepEqual([...new Set(inGap.map(({ status }) => status))], [503]);
  assert.ok(slowest < 2_000, `the slowest 503 took ${slowest} ms`);
});

/** @returns when it was surely away, unix ms */
async function killRedis(): Promise<{ from: number; to: number }> {
  await doubles.redis.kill();
  const from = Date.now();
  await sleep(1_000);
  const to = Date.now();
  await doubles.redis.restart();
  return { from, to };
}

/** Began and ended while Redis was away. */
function isIn(gaps: readonly { from: number; to: number }[], { at, tookMs }: Try): boolean {
  return gaps.some(({ from, to }) => at > from && at + tookMs < to);
}

function wasTakenSince(people: readonly Person[], since: number): boolean {
  return people.some(({ sent }) => sent.some(({ acknowledged, tries }) => acknowledged && (tries[0]?.at ?? 0) > since));
}

async function keepWriting(person: Person, goOn: () => boolean): Promise<void> {
  while (goOn()) {
    await sleep(Math.random() * 800);
    await person.write();
  }
}

// It is the same whoever brings the messages.
test('a connection to Redis that dies without a word is given up for a new one', { skip: IS_META }, async (t) => {
  const proxy = await startRedisProxy(doubles.redis.port);
  const bot = await startBot(doubles, { ...ENVIRONMENT, REDIS_URL: proxy.url });
  try {
    assert.equal((await bot.say('15550109000', 'before')).status, 200);
    proxy.playDead();
    const diedAt = Date.now();
    const refused = await bot.sayOnce('15550109000', 'meanwhile');
    const refusedMs = Date.now() - diedAt;
    assert.equal(refused.status, 503);
    assert.ok(refusedMs < 2_000, `503 took ${refusedMs} ms`);
    await eventually('it is taken again', async () => (await bot.say('15550109000', 'after')).status === 200);
    report(t, { '503 after (ms)': refusedMs, 'taken again after (ms)': Date.now() - diedAt });
  } finally {
    await bot.stop();
    await proxy.close();
  }
});
