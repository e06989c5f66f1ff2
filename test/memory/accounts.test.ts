import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { noticesOf } from '../../app/inbox/account-notices.ts';
import { type Accounts, createAccounts, limitIn } from '../../app/memory/accounts.ts';
import { createKeys } from '../../app/memory/keys.ts';
import { createRedis, createScripts, type RedisClient } from '../../app/memory/redis.ts';
import type { AccountNews } from '../../app/message.ts';
import { createLogger } from '../../app/ops/logger.ts';
import { scrub } from '../../app/privacy/scrub.ts';
import { startTestRedis } from '../support/redis.ts';

const NOON = Date.UTC(2026, 10, 24, 12);
const HOUR_MS = 3_600_000;
const TEMPLATE = 'template:cake_day:en_US';

let server: Awaited<ReturnType<typeof startTestRedis>>;
let redis: RedisClient;
let accounts: Accounts;
let now = NOON;

before(async () => {
  server = await startTestRedis();
  redis = createRedis({ kind: 'url', url: server.url }, createLogger({ level: 'error', format: 'json' }));
  await redis.connect();
  accounts = createAccounts({ redis, run: createScripts(redis), keys: createKeys(1), now: () => now });
});

after(async () => {
  redis.disconnect();
  await server.stop();
});

beforeEach(async () => {
  now = NOON;
  await redis.flushall();
});

function news(subject: string, state: string, at = NOON, more: Partial<AccountNews> = {}): AccountNews {
  return { channel: 'meta', subject, state, detail: scrub(''), at, ...more };
}

test('the latest state counts, however late an older one comes, and is news once', async () => {
  assert.equal(await accounts.note(news(TEMPLATE, 'PAUSED', NOON)), true);
  assert.equal(await accounts.note(news(TEMPLATE, 'PAUSED', NOON)), false);
  assert.equal(await accounts.note(news(TEMPLATE, 'APPROVED', NOON - 1_000)), false);
  assert.equal(await accounts.template('meta', 'cake_day', 'en_US'), 'PAUSED');
  assert.equal(await accounts.note(news(TEMPLATE, 'APPROVED', NOON + 1_000)), true);
  assert.equal(await accounts.template('meta', 'cake_day', 'en_US'), 'APPROVED');
  assert.equal(await accounts.template('meta', 'cake_day', 'de'), null);
  assert.equal(await accounts.template('another', 'cake_day', 'en_US'), null);
});

test('the limit of a day is a number in all of the ways that Meta writes it', async () => {
  assert.equal(await accounts.dailyLimit('meta'), null);
  await accounts.note(news('limit', 'TIER_2K'));
  assert.equal(await accounts.dailyLimit('meta'), 2_000);
  const written = ['TIER_50', 'TIER_250', 'TIER_100K', '10000', '-1', 'TIER_UNLIMITED', 'TIER_NOT_SET', 'x'];
  const INF = Number.POSITIVE_INFINITY;
  assert.deepEqual(written.map(limitIn), [50, 250, 100_000, 10_000, INF, INF, null, null]);
});

test('an account is restricted until it is reinstated, or the restriction is over', async () => {
  assert.equal(await accounts.restriction('meta'), null);
  await accounts.note(news('account', 'DISABLE'));
  assert.equal(await accounts.restriction('meta'), 'DISABLE');
  await accounts.note(news('account', 'REINSTATE', NOON + 1));
  assert.equal(await accounts.restriction('meta'), null);
  const until = NOON + HOUR_MS;
  await accounts.note(news('restriction:RESTRICTED_ADD_PHONE_NUMBER_ACTION', 'ACCOUNT_RESTRICTION'));
  assert.equal(await accounts.restriction('meta'), null, 'it is not about messages');
  await accounts.note(news('restriction:RESTRICTED_BIZ_INITIATED_MESSAGING', 'ACCOUNT_RESTRICTION', NOON, { until }));
  assert.equal(await accounts.restriction('meta'), 'RESTRICTED_BIZ_INITIATED_MESSAGING');
  now = until;
  assert.equal(await accounts.restriction('meta'), null);
});

test('what was damaged in Redis is left out', async () => {
  await redis.hset('recado:account:meta', {
    limit: 'not JSON',
    account: '{}',
    [TEMPLATE]: '{"state":"PAUSED","at":5}',
  });
  assert.deepEqual(await accounts.all('meta'), [news(TEMPLATE, 'PAUSED', 5)]);
});

test('the team is told what is wrong for as long as it is, and what changed for two days', () => {
  const textOf = (one: AccountNews, at = NOON) => noticesOf([one], at)[0]?.text ?? null;
  const lateAt = NOON + 49 * HOUR_MS;
  const paused = news(TEMPLATE, 'PAUSED', NOON, { detail: scrub('for 3 hours') });
  assert.equal(textOf(paused), 'The template cake_day (en_US) is paused by WhatsApp: for 3 hours');
  assert.equal(textOf(paused, lateAt), textOf(paused));
  assert.equal(textOf(news(TEMPLATE, 'APPROVED')), 'The template cake_day (en_US) is approved.');
  assert.equal(textOf(news(TEMPLATE, 'APPROVED'), lateAt), null);
  assert.match(textOf(news('quality:cake_day:en_US', 'RED')) ?? '', /low quality/);
  assert.equal(textOf(news('quality:cake_day:en_US', 'GREEN')), null);
  const category = news('category:cake_day:en_US', 'UTILITY', NOON, {
    detail: scrub('becomes MARKETING within 24 hours'),
  });
  assert.equal(
    textOf(category),
    'The template cake_day (en_US) has the category UTILITY, and becomes MARKETING within 24 hours.',
  );
  assert.match(textOf(news('account', 'DISABLE'), lateAt) ?? '', /^Meta has locked our WhatsApp account/);
  const violation = news('violation', 'ACCOUNT_VIOLATION', NOON, { detail: scrub('SCAM') });
  assert.match(textOf(violation) ?? '', /breaks its policy \(SCAM\)/);
  assert.equal(textOf(violation, NOON + 8 * 24 * HOUR_MS), null);
  assert.equal(textOf(news('limit', 'TIER_2K')), "Meta's limit of new conversations in 24 hours is now 2,000.");
  assert.match(textOf(news('number:15550783881', 'FLAGGED')) ?? '', /^The quality of our number \+15550783881 is low/);
  const unknown = news('handover', 'UNKNOWN_CONTACT', NOON, { detail: scrub('15550100101') });
  assert.match(textOf(unknown) ?? '', /with \+15550100101 to us, but nobody known here has this number/);
  assert.equal(textOf(unknown, NOON + 25 * HOUR_MS), null);
  const restricted = news('restriction:RESTRICTED_BIZ_INITIATED_MESSAGING', 'ACCOUNT_RESTRICTION', NOON, {
    until: NOON + HOUR_MS,
  });
  assert.equal(
    textOf(restricted),
    'We may not begin conversations until 2026-11-24 13:00 UTC: see the WhatsApp Manager.',
  );
  assert.equal(textOf(restricted, NOON + HOUR_MS), null);
});
