import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import type { CostQuery, Costs, Sum } from '../../app/archive/read/costs.ts';
import { createMonthOf } from '../../app/costs/month.ts';
import { createOverview, type OverviewOptions, toCents } from '../../app/costs/overview.ts';
import { Failure } from '../../app/errors.ts';

const UNIT = 1_000_000_000;
const LIMIT = { billionths: 50 * UNIT, currency: 'EUR' };

let sums: Sum[];
let unpriced: string[];
let queries: CostQuery[];
let isAway: boolean;
beforeEach(() => {
  [sums, unpriced, queries, isAway] = [[], [], [], false];
});

const costs: Costs = {
  async report(query) {
    queries.push(query);
    return { days: [], total: { sums: [], entries: 0, unpriced: 0 }, purposes: [], conversations: [] };
  },
  async month(month, timeZone) {
    if (isAway) throw new Failure('archive.unavailable', 'It is away.');
    assert.deepEqual([month, timeZone], ['2026-12', 'Europe/Madrid']);
    return { sums, entries: 3, unpriced: 1 };
  },
  async unpricedModels() {
    if (isAway) throw new Failure('archive.unavailable', 'It is away.');
    return unpriced;
  },
};

function overview(budget: OverviewOptions['budget'] = { limit: LIMIT, spent: 0 }) {
  return createOverview({
    costs,
    prices: { currency: 'USD', knows: (model) => model === 'known' },
    budget,
    monthOf: createMonthOf('Europe/Madrid'),
    timeZone: 'Europe/Madrid',
    now: () => Date.parse('2026-11-30T23:30:00Z'),
  });
}

function spent(units: number, currency = 'EUR'): Sum {
  return { currency, billionths: BigInt(Math.round(units * UNIT)) };
}

const codes = async (...args: Parameters<typeof overview>) =>
  (await overview(...args).notices()).map(({ code }) => code);

test('the month is that of the time zone, and the currency that of the budget', async () => {
  sums = [spent(12.5)];
  const { currency, month, budget } = await overview().of({ days: 7 });
  assert.deepEqual([currency, month], ['EUR', { name: '2026-12', sums, entries: 3, unpriced: 1 }]);
  assert.deepEqual(budget, { limit: LIMIT, spent: 12_500_000_000n, percent: 25, state: 'within' });
  assert.deepEqual(queries, [{ days: 7, timeZone: 'Europe/Madrid', currency: 'EUR' }]);
});

test('without a budget the currency is that of the prices, and nothing is said about it', async () => {
  sums = [spent(1_000_000)];
  const none = { limit: null, spent: 0 };
  const { currency, budget } = await overview(none).of({ days: 7 });
  assert.deepEqual([currency, budget, await codes(none)], ['USD', null, []]);
});

test('the desk is told from 80 percent on, by the archive or the counter, whichever is ahead', async () => {
  const cases: [archived: number, counted: number, state: string, notices: string[]][] = [
    [39.999_999_999, 0, 'within', []],
    [40, 0, 'near', ['budget.near']],
    [0, 40, 'near', ['budget.near']],
    [49.999_999_999, 1, 'near', ['budget.near']],
    [50, 0, 'used-up', ['budget.used_up']],
    [1, 80, 'used-up', ['budget.used_up']],
  ];
  for (const [archived, counted, state, notices] of cases) {
    sums = [spent(archived)];
    const budget = { limit: LIMIT, spent: counted * UNIT };
    const { budget: standing } = await overview(budget).of({ days: 1 });
    assert.deepEqual([standing?.state, await codes(budget)], [state, notices], `${archived} and ${counted}`);
  }
});

test('the notices say how much', async () => {
  sums = [spent(41.255)];
  const [near] = await overview().notices();
  assert.equal(near?.text, "82 % of this month's budget is spent: 41.26 EUR of 50.00 EUR.");
  sums = [spent(70)];
  const [usedUp] = await overview().notices();
  assert.match(usedUp?.text ?? '', /^This month's budget of 50\.00 EUR is used up: the bot is paused\./);
});

test('other currencies than that of the budget are named, unless nothing was paid in them', async () => {
  sums = [spent(1), spent(2, 'GBP'), spent(0, 'JPY'), spent(0.1, 'USD')];
  const [notice] = await overview().notices();
  assert.equal(notice?.code, 'budget.currency');
  assert.match(notice.text, /paid in GBP, USD is not counted against the budget, which is in EUR/);
});

test('models without a price are named, until the table has one', async () => {
  unpriced = ['known', 'our-own', 'theirs'];
  const notices = await overview().notices();
  assert.deepEqual(
    notices.map(({ code }) => code),
    ['prices.unknown'],
  );
  assert.match(notices[0]?.text ?? '', /our-own, theirs\. Add them to the file that MODEL_PRICES names/);
  assert.deepEqual((await overview().of({ days: 1 })).unknownModels, ['our-own', 'theirs']);
});

test('without the archive, what the counter knows is said', async () => {
  isAway = true;
  assert.deepEqual(await codes({ limit: LIMIT, spent: 45 * UNIT }), ['budget.near']);
  await assert.rejects(overview().of({ days: 1 }), { code: 'archive.unavailable' });
});

test('sums are rounded to the cent, halves up', () => {
  assert.deepEqual([0n, 4_999_999n, 5_000_000n, 14_999_999n, 12_345_000_000n].map(toCents), [
    0n,
    0n,
    10_000_000n,
    10_000_000n,
    12_350_000_000n,
  ]);
});
