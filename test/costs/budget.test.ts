import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { type Budget, createBudget } from '../../app/costs/budget.ts';
import { createMonthOf } from '../../app/costs/month.ts';
import { createKeys } from '../../app/memory/keys.ts';
import { createRedis, createScripts, type RedisClient } from '../../app/memory/redis.ts';
import { createSpending, type Spending } from '../../app/memory/spending.ts';
import { createLogger } from '../../app/ops/logger.ts';
import { eventually } from '../support/bot.ts';
import { startTestRedis, type TestRedis } from '../support/redis.ts';

const UNIT = 1_000_000_000;
const USD = (units: number) => ({ billionths: units * UNIT, currency: 'USD' });
/** A minute before the month ends in Madrid. */
const EVENING = Date.parse('2026-11-30T22:59:00Z');
const MONTH = '2026-11';

let server: TestRedis;
let redis: RedisClient;
let spending: Spending;
let now: number;
const budgets: Budget[] = [];
const log = createLogger({ level: 'error', format: 'json', write: () => {} });

before(async () => {
  server = await startTestRedis();
  redis = createRedis({ kind: 'url', url: server.url }, log);
  await redis.connect();
  spending = createSpending({ redis, run: createScripts(redis), keys: createKeys(1) });
});
beforeEach(async () => {
  await server.client().flushall();
  now = EVENING;
});
afterEach(async () => {
  for (const budget of budgets.splice(0)) await budget.stop();
});
after(async () => {
  redis.disconnect();
  await server.stop();
});

/** A process of its own. */
function budgetOf(units: number | null, archived: ((month: string) => Promise<bigint>) | null = null): Budget {
  const budget = createBudget({
    limit: units === null ? null : USD(units),
    spending,
    archived,
    monthOf: createMonthOf('Europe/Madrid'),
    now: () => now,
    log,
  });
  budgets.push(budget);
  return budget;
}

test('is used up by what a process spends itself, at once', () => {
  const budget = budgetOf(1);
  budget.spend(now, USD(0.75));
  assert.equal(budget.isUsedUp(), false);
  budget.spend(now, USD(0.25));
  assert.equal(budget.isUsedUp(), true);
});

test('is never used up when there is none, and asks nobody then', async () => {
  const budget = budgetOf(null);
  budget.start();
  budget.spend(now, USD(1_000_000));
  await budget.stop();
  assert.equal(budget.isUsedUp(), false);
  assert.deepEqual(await server.client().keys('*'), []);
});

test('does not count another currency', async () => {
  const budget = budgetOf(1);
  budget.spend(now, { billionths: 5 * UNIT, currency: 'EUR' });
  await budget.stop();
  assert.deepEqual([budget.isUsedUp(), await spending.of(MONTH)], [false, 0]);
});

test('two processes use it up together, and each knows within a few messages', async () => {
  const [one, other] = [budgetOf(10), budgetOf(10)];
  one.start();
  other.start();
  for (let message = 0; message < 100; message++) {
    one.spend(now, USD(0.05));
    other.spend(now, USD(0.05));
  }
  assert.deepEqual([one.isUsedUp(), other.isUsedUp()], [false, false], 'each has spent half of it');
  await eventually('both know', () => one.isUsedUp() && other.isUsedUp());
  assert.equal(await spending.of(MONTH), 10 * UNIT, 'all of it is counted once');
});

test('a process that spends nothing knows that others have used it up', async () => {
  const [spender, listener] = [budgetOf(1), budgetOf(1)];
  listener.start();
  spender.spend(now, USD(1));
  await eventually('it knows', () => listener.isUsedUp());
});

test('is there again in the next month, also for what is told late', async () => {
  const budget = budgetOf(1);
  budget.start();
  budget.spend(now, USD(1));
  await eventually('it is counted', async () => (await spending.of(MONTH)) === UNIT);
  assert.equal(budget.isUsedUp(), true);
  now += 60_000;
  assert.equal(budget.isUsedUp(), false, 'it is December in Madrid');
  budget.spend(now - 60_000, USD(5));
  budget.spend(now, USD(0.25));
  await budget.stop();
  assert.deepEqual([await spending.of(MONTH), await spending.of('2026-12')], [6 * UNIT, UNIT / 4]);
  assert.equal(budget.isUsedUp(), false);
  assert.equal(budget.spent, UNIT / 4);
});

test('is there again when it is higher', async () => {
  const before = budgetOf(1);
  before.spend(now, USD(1));
  await before.stop();
  const later = budgetOf(2);
  later.start();
  await eventually('it knows what was spent', () => later.spent === UNIT);
  assert.equal(later.isUsedUp(), false);
});

describe('the counter', () => {
  test('is raised to what the archive has, as after a Redis that was emptied', async () => {
    const budget = budgetOf(50, async (month) => (month === MONTH ? BigInt(60 * UNIT) : 0n));
    budget.start();
    await eventually('it knows', () => budget.isUsedUp());
    assert.equal(await spending.of(MONTH), 60 * UNIT);
  });

  test('never falls: what is on its way to the archive stays counted', async () => {
    await spending.add(MONTH, 60 * UNIT);
    const budget = budgetOf(50, async () => BigInt(10 * UNIT));
    budget.start();
    await eventually('it knows', () => budget.isUsedUp());
    assert.equal(await spending.of(MONTH), 60 * UNIT);
  });

  test('is read while the archive is away', async () => {
    await spending.add(MONTH, 60 * UNIT);
    const budget = budgetOf(50, () => Promise.reject(new Error('away')));
    budget.start();
    await eventually('it knows', () => budget.isUsedUp());
  });

  test('adds exactly what no number of Lua holds', async () => {
    const most = Number.MAX_SAFE_INTEGER;
    await spending.add(MONTH, most);
    await spending.add(MONTH, most);
    const sum = BigInt(most) * 2n;
    assert.equal(await server.client().hget('recado:spent', MONTH), String(sum));
    assert.equal(await spending.raise(MONTH, 5n), Number(sum));
  });
});

test('a process without Redis goes on with what it knows', async () => {
  const gone = createRedis({ kind: 'socket', path: '/nowhere' }, log);
  const away = createSpending({ redis: gone, run: createScripts(gone), keys: createKeys(1) });
  const monthOf = createMonthOf('UTC');
  const budget = createBudget({ limit: USD(1), spending: away, archived: null, monthOf, now: () => now, log });
  budget.start();
  budget.spend(now, USD(1));
  await budget.stop();
  assert.equal(budget.isUsedUp(), true);
  gone.disconnect();
});
