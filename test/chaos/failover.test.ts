/** The stores change places: Redis fails over to its replica behind an address that moves; connections to Postgres fall silent. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { lastUserText, startModelDouble } from '../doubles/model.ts';
import { startTwilioDouble } from '../doubles/twilio.ts';
import { ACCOUNT_SID, AUTH_TOKEN, type Bot, type Doubles, eventually, startBot } from '../support/bot.ts';
import { startTestPostgres } from '../support/postgres.ts';
import { startTestRedis, type TestRedis } from '../support/redis.ts';
import { createPeople, type Person } from './support/people.ts';
import { overTwilio } from './support/provider.ts';
import { report, sized } from './support/size.ts';
import { startTcpProxy } from './support/tcp-proxy.ts';
import { figuresOf, judge, settled } from './support/verdict.ts';

const ENVIRONMENT = {
  LEASE_MS: '1000',
  TWIML_DEADLINE_MS: '400',
  RATE_LIMIT_PER_MINUTE: '100000',
  HISTORY_TOKENS: '200000',
  LOG_LEVEL: 'error',
};

const API_KEY = 'key-of-a-program-0123456789';

let doubles: Doubles;
let replica: TestRedis;

before(async () => {
  const [redis, second, model, twilio] = await Promise.all([
    startTestRedis(),
    startTestRedis(),
    startModelDouble(),
    startTwilioDouble({ accountSid: ACCOUNT_SID, authToken: AUTH_TOKEN }),
  ]);
  replica = second;
  doubles = { redis, model, twilio, stop: () => Promise.all([model.close(), twilio.close(), redis.stop()]).then() };
  model.answer = async (request) => {
    await sleep(Math.random() * 300);
    return `Answer to ${lastUserText(request)}`;
  };
});

after(async () => {
  await doubles.stop();
  await replica.stop();
});

const keepWriting = async (person: Person, goOn: () => boolean) => {
  while (goOn()) {
    await sleep(Math.random() * 500);
    await person.write();
  }
};
/** How long after `since` somebody's message was taken for the first time, ms; undefined while none was. */
const takenAfter = (people: readonly Person[], since: number): number | undefined => {
  const taken = people
    .flatMap(({ sent }) => sent)
    .filter(({ acknowledged, tries }) => acknowledged && tries.length > 0);
  const times = taken.flatMap(({ tries }) => tries.filter(({ at }) => at > since).map(({ at, tookMs }) => at + tookMs));
  return times.length > 0 ? Math.min(...times) - since : undefined;
};

test('Redis fails over, twice, behind an address that moves: nothing is lost or doubled, and messages are taken again soon', {
  timeout: sized(280_000, 600_000),
}, async (t) => {
  const servers = [doubles.redis, replica] as const;
  const proxy = await startTcpProxy(doubles.redis.port);
  const bots = await Promise.all(
    [1, 2].map(() => startBot(doubles, { ...ENVIRONMENT, REDIS_URL: `redis://127.0.0.1:${proxy.port}` })),
  );
  let turn = 0;
  const people = createPeople(sized(10, 40), {
    provider: overTwilio(doubles.twilio),
    route: () => bots[turn++ % bots.length]?.url ?? null,
  });
  let writing = true;
  const wrote = people.map((person) => keepWriting(person, () => writing));
  const recovered: number[] = [];
  try {
    for (const [old, next] of [servers, [servers[1], servers[0]] as const]) {
      await next.client().replicaof('127.0.0.1', old.port);
      await eventually('the replica has everything', async () =>
        /master_link_status:up/.test(await next.client().info('replication')),
      );
      await sleep(1_000);
      await old.client().call('FAILOVER', 'TO', '127.0.0.1', String(next.port));
      await eventually('the other one is the master', async () =>
        /role:slave/.test(await old.client().info('replication')),
      );
      const movedAt = Date.now();
      proxy.moveTo(next.port);
      await eventually('messages are taken', () => takenAfter(people, movedAt) !== undefined);
      recovered.push(takenAfter(people, movedAt) ?? Number.NaN);
      await sleep(1_000);
    }
  } finally {
    writing = false;
    await Promise.all(wrote);
  }
  await settled(doubles.redis.client());
  const verdict = await judge(people, doubles.redis.client(), overTwilio(doubles.twilio));
  report(t, { 'taken again after (ms)': recovered.join(' and '), ...figuresOf(verdict) });
  await Promise.all(bots.map((bot) => bot.stop()));
  await proxy.close();
  assert.deepEqual(verdict.complaints, []);
});

test('all connections to Postgres fall silent: the archive goes on over new ones, complete, and the pages say so meanwhile', {
  timeout: 280_000,
}, async (t) => {
  await doubles.redis.client().flushall();
  const postgres = await startTestPostgres();
  const url = await postgres.createDatabase();
  const proxy = await startTcpProxy(Number(new URL(url).port));
  const through = url.replace(`:${new URL(url).port}/`, `:${proxy.port}/`);
  const bot: Bot = await startBot(doubles, {
    ...ENVIRONMENT,
    DATABASE_URL: through,
    ANALYSIS: 'off',
    API_KEYS: API_KEY,
  });
  const client = new pg.Client(url);
  await client.connect();
  // On a busy machine one answer may be for two of them.
  const received = async () => {
    const { rows } = await client.query("select count(*) from whatsapp_messages where direction = 'inbound'");
    return Number(rows[0]?.count);
  };
  const askPages = () =>
    fetch(`${bot.url}/api/whatsapp/conversations`, { headers: { 'x-api-key': API_KEY } }).then(({ status }) => status);
  try {
    await bot.say('15550109001', 'before');
    await eventually('it is recorded', async () => (await received().catch(() => 0)) === 1);
    assert.deepEqual(await Promise.all([askPages(), askPages(), askPages()]), [200, 200, 200]);
    const silent = proxy.playDead();
    const diedAt = Date.now();
    assert.ok(silent > 0);
    for (let i = 0; i < 5; i++) assert.equal((await bot.say('15550109001', `meanwhile ${i}`)).status, 200);
    const askedAt = Date.now();
    assert.equal(await askPages(), 503);
    const pageMs = Date.now() - askedAt;
    await eventually('it is recorded again', async () => (await received()) === 6);
    const recordedMs = Date.now() - diedAt;
    await eventually('pages are shown again', async () => (await askPages()) === 200);
    const shownMs = Date.now() - diedAt;
    proxy.playDead();
    const stoppedAt = Date.now();
    await bot.stop();
    report(t, {
      'silent connections': silent,
      'recorded again after (ms)': recordedMs,
      'a page waited (ms)': pageMs,
      'pages again after (ms)': shownMs,
      'stopped within (ms)': Date.now() - stoppedAt,
    });
    assert.equal(await received(), 6, 'nothing twice');
  } finally {
    await bot.stop();
    await client.end();
    await proxy.close();
    await postgres.stop();
  }
});
