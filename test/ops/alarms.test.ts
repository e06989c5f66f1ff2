import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { beforeEach, describe, mock, test } from 'node:test';
import { type Alarm, type Board, createWatch, type Told, type WatchOptions } from '../../app/ops/alarms.ts';
import {
  alarmsOf,
  BOT_LIMITS,
  DESK_LIMITS,
  type Limit,
  modelAlarm,
  SPAN_MS,
  slowRedisAlarm,
  WINDOW_MS,
} from '../../app/ops/limits.ts';
import { createLogger } from '../../app/ops/logger.ts';
import { createMetrics } from '../../app/ops/metrics.ts';

const quiet = createLogger({ level: 'error', format: 'json', write: () => {} });
const MINUTE_MS = 60_000;
const NOON = Date.UTC(2026, 10, 28, 12);

describe('a watch', () => {
  let told: { type: string; data: Told }[];
  beforeEach(() => {
    told = [];
  });

  /** What a board hears, and what it answers. */
  function boardOf(answer: Awaited<ReturnType<Board['report']>> = []) {
    const heard: Record<string, boolean>[] = [];
    const report: Board['report'] = async (states) => {
      heard.push(Object.fromEntries(states));
      return answer;
    };
    return { heard, report };
  }

  function watchOf(alarms: readonly Alarm[], board: Board, overrides: Partial<WatchOptions> = {}) {
    const send = (type: string, data: Told) => void told.push({ type, data });
    return createWatch({ alarms, board, send, sender: 'Recado (Aurora)', now: () => NOON, log: quiet, ...overrides });
  }

  const alarm = (name: string, look: Alarm['look']): Alarm => ({ name, limit: `${name} above 0`, look });

  test('tells what the board says is news, in words and in fields', async () => {
    const board = boardOf([{ name: 'one', state: 'firing', since: NOON }]);
    await watchOf([alarm('one', async () => 'Something is wrong.')], board).look();
    const text = 'Recado (Aurora): Something is wrong. (Alarm: one above 0)';
    const fields = { alarm: 'one', state: 'firing', limit: 'one above 0', since: '2026-11-28T12:00:00.000Z' };
    assert.deepEqual(told, [{ type: 'alarm.firing', data: { text, ...fields } }]);
    assert.deepEqual(board.heard, [{ one: true }]);
  });

  test('tells that it is over', async () => {
    const board = boardOf([{ name: 'one', state: 'resolved', since: NOON }]);
    await watchOf([alarm('one', async () => null)], board).look();
    assert.deepEqual([told[0]?.type, told[0]?.data.text], ['alarm.resolved', 'Recado (Aurora): Over: one above 0']);
  });

  test('keeps the last word of an alarm that cannot be looked at', async () => {
    const words: (string | null | undefined)[] = [undefined, 'wrong', undefined];
    let fails = false;
    const board = boardOf();
    const watch = watchOf(
      [alarm('one', async () => (fails ? Promise.reject(new Error('away')) : words.shift()))],
      board,
    );
    for (let i = 0; i < 3; i++) await watch.look();
    fails = true;
    await watch.look();
    assert.deepEqual(board.heard, [{}, { one: true }, { one: true }, { one: true }]);
  });

  test('one alarm that rejects leaves the others alone', async () => {
    const board = boardOf();
    await watchOf(
      [alarm('one', () => Promise.reject(new Error('x'))), alarm('two', async () => 'wrong')],
      board,
    ).look();
    assert.deepEqual(board.heard, [{ two: true }]);
  });

  test('tells by itself that Redis is away, once, and when it is back', async () => {
    let isAway = true;
    const board: Board = { report: async () => (isAway ? Promise.reject(new Error('away')) : []) };
    const watch = watchOf([], board, { awayMs: 0 });
    for (let i = 0; i < 3; i++) await watch.look();
    assert.deepEqual(
      told.map(({ type, data }) => [type, data.alarm]),
      [['alarm.firing', 'redis_away']],
    );
    isAway = false;
    await watch.look();
    await watch.look();
    isAway = true;
    await watch.look();
    assert.deepEqual(
      told.map(({ type }) => type),
      ['alarm.firing', 'alarm.resolved'],
      'not again so soon',
    );
  });

  test('says nothing of a Redis that is away for a moment', async () => {
    const board: Board = { report: () => Promise.reject(new Error('away')) };
    const watch = watchOf([], board);
    await watch.look();
    await watch.look();
    assert.deepEqual(told, []);
  });

  test('looks again and again until it is stopped', async () => {
    const board = boardOf();
    const watch = watchOf([], board, { everyMs: 5 });
    watch.start();
    while (board.heard.length < 3) await new Promise((resolve) => setTimeout(resolve, 5));
    await watch.stop();
    const { length } = board.heard;
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(board.heard.length, length);
  });
});

describe('a limit', () => {
  const LIMIT: Limit = {
    name: 'queue',
    limit: 'queue above 2',
    figure: 'queue',
    above: 2,
    as: 'level',
    words: (value) => `${value} wait.`,
  };

  function looking(
    limit: Partial<Limit>,
    values: Record<string, number | null>,
  ): () => Promise<string | null | undefined> {
    const figure = async (name: string) => values[name] ?? null;
    const [alarm] = alarmsOf([{ ...LIMIT, ...limit }], figure);
    return () => alarm?.look() ?? assert.fail('there is one');
  }

  test('is crossed by more than it, and not by as much', async () => {
    const values = { queue: 2 };
    const look = looking({}, values);
    assert.equal(await look(), null);
    values.queue = 3;
    assert.equal(await look(), '3 wait.');
    values.queue = 0;
    assert.equal(await look(), null);
  });

  test('says nothing of a figure that this process does not have, or that cannot be read', async () => {
    assert.equal(await looking({}, {})(), undefined);
    assert.equal(await looking({}, { queue: Number.NaN })(), undefined);
  });

  test('of some duration is crossed when it lasts', async () => {
    mock.timers.enable({ apis: ['Date'], now: NOON });
    try {
      const values = { queue: 9 };
      const look = looking({ forMs: 3 * MINUTE_MS }, values);
      assert.equal(await look(), null);
      mock.timers.setTime(NOON + 2 * MINUTE_MS);
      assert.equal(await look(), null);
      mock.timers.setTime(NOON + 3 * MINUTE_MS);
      assert.equal(await look(), '9 wait.');
      values.queue = 0;
      assert.equal(await look(), null);
      values.queue = 9;
      assert.equal(await look(), null, 'it begins anew');
    } finally {
      mock.timers.reset();
    }
  });

  test('of a rise is crossed by what came in the last quarter of an hour', async () => {
    mock.timers.enable({ apis: ['Date'], now: NOON });
    try {
      const values = { queue: 3 };
      const look = looking({ as: 'rise' }, values);
      assert.equal(await look(), '3 wait.', 'a counter begins at 0');
      mock.timers.setTime(NOON + WINDOW_MS - 1_000);
      values.queue = 5;
      assert.equal(await look(), '5 wait.');
      mock.timers.setTime(NOON + WINDOW_MS + 1_000);
      assert.equal(await look(), null, 'only two of them are of these minutes');
      mock.timers.setTime(NOON + 3 * WINDOW_MS);
      assert.equal(await look(), null);
    } finally {
      mock.timers.reset();
    }
  });
});

test('the budget of the month is an alarm from 80 % on, and another one when it is used up', async () => {
  let share: number | null = null;
  const alarms = alarmsOf(BOT_LIMITS, async (name) => (name === 'budget_share' ? share : null));
  const words = async () => {
    const found = await Promise.all(alarms.map(async ({ name, look }) => [name, await look()] as const));
    return Object.fromEntries(found.filter(([name]) => name.startsWith('budget')));
  };
  assert.deepEqual(await words(), { budget_near: undefined, budget_used: undefined }, 'there is no budget');
  share = 0.5;
  assert.deepEqual(await words(), { budget_near: null, budget_used: null });
  share = 0.857;
  const near = "85 % of the month's budget is used. At 100 % the bot is paused.";
  assert.deepEqual(await words(), { budget_near: near, budget_used: null });
  share = 1.02;
  assert.match(String((await words()).budget_used), /used up.*MONTHLY_BUDGET/);
});

describe('the model', () => {
  const called = (metrics: ReturnType<typeof createMetrics>, outcome: string, times: number) => {
    for (let i = 0; i < times; i++) metrics.modelCalled('answer', outcome, 100);
  };

  test('fails when most of its answers did, and not for long', async () => {
    mock.timers.enable({ apis: ['Date'], now: NOON });
    try {
      const metrics = createMetrics();
      const { look } = modelAlarm(metrics.figure);
      called(metrics, 'model.timeout', 2);
      assert.equal(await look(), null, 'two are few');
      called(metrics, 'model.unavailable', 2);
      assert.match((await look()) ?? '', /^The model fails: 4 of 4 answers in 5 minutes\./);
      called(metrics, 'answered', 4);
      assert.equal(await look(), null);
      called(metrics, 'model.quota', 1);
      assert.match((await look()) ?? '', /5 of 9/);
      mock.timers.setTime(NOON + SPAN_MS + 1_000);
      assert.equal(await look(), null);
    } finally {
      mock.timers.reset();
    }
  });

  test('does not fail when single messages are refused, or summaries', async () => {
    const metrics = createMetrics();
    const { look } = modelAlarm(metrics.figure);
    called(metrics, 'model.filtered', 9);
    called(metrics, 'model.too_long', 9);
    for (let i = 0; i < 9; i++) metrics.modelCalled('summary', 'model.timeout', 100);
    assert.equal(await look(), null);
  });
});

test('Redis is slow when its answers take long on average', async () => {
  const metrics = createMetrics();
  const { look } = slowRedisAlarm(metrics.figure);
  for (let i = 0; i < 19; i++) metrics.redisTook('accept', 900);
  assert.equal(await look(), null, 'few calls say nothing');
  metrics.redisTook('accept', 900);
  assert.match((await look()) ?? '', /0\.90 s/);
  for (let i = 0; i < 1_000; i++) metrics.redisTook('accept', 1);
  assert.equal(await look(), null);
});

test('a figure is what GET /metrics shows, summed up over what is not asked for', async () => {
  const metrics = createMetrics();
  metrics.turnEnded('answer', 'response');
  metrics.turnEnded('answer', 'call');
  metrics.turnEnded('apology', 'call');
  metrics.redisTook('accept', 500);
  metrics.gauge('broken', 'a gauge that cannot be read', () => Promise.reject(new Error('away')));
  assert.equal(await metrics.figure('turns_total'), 3);
  assert.equal(await metrics.figure('turns_total', { outcome: 'answer' }), 2);
  assert.equal(await metrics.figure('turns_total', { outcome: 'answer', via: 'call' }), 1);
  assert.equal(await metrics.figure('turns_total', { outcome: 'none' }), 0);
  assert.equal(await metrics.figure('redis_script_seconds_sum'), 0.5);
  assert.equal(await metrics.figure('redis_script_seconds_count', { script: 'accept' }), 1);
  assert.equal(await metrics.figure('no_such_figure'), null);
  assert.ok(Number.isNaN(await metrics.figure('broken')));
});

test('docs/operations.md has a line for every alarm, with its figure', () => {
  const docs = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');
  const { figure } = createMetrics();
  const figures: { name: string; figure: string }[] = [
    ...BOT_LIMITS,
    ...DESK_LIMITS,
    { ...modelAlarm(figure), figure: 'model_call_seconds_count' },
    { ...slowRedisAlarm(figure), figure: 'redis_script_seconds' },
  ];
  for (const one of figures) {
    const row = docs.split('\n').find((line) => line.startsWith(`| \`${one.name}\` |`));
    assert.ok(row, `docs/operations.md has no row for the alarm ${one.name}`);
    assert.ok(row.includes(`\`recado_${one.figure}`), `the row of ${one.name} does not name recado_${one.figure}`);
  }
  const rows = docs.split('\n').filter((line) => /^\| `[a-z_]+` \| `?recado_|^\| `redis_away`/.test(line));
  assert.deepEqual(
    rows.map((row) => /`(\w+)`/.exec(row)?.[1]).sort(),
    [...figures.map(({ name }) => name), 'redis_away'].sort(),
  );
  assert.equal(new Set(figures.map(({ name }) => name)).size, figures.length);
});
