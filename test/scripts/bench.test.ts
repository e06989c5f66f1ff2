import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { createChildren } from '../../scripts/bench/children.ts';
import { startFloor } from '../../scripts/bench/floor.ts';
import { type LoadOrder, prepareLoad } from '../../scripts/bench/load.ts';
import { runBench, type Sizes } from '../../scripts/bench/run.ts';
import { figuresOf, median, percentile, tableOf } from '../../scripts/bench/table.ts';
import { connectHttp } from '../../scripts/bench/thin-clients.ts';
import { usageOf } from '../../scripts/bench/usage.ts';
import { AUTH_TOKEN, echo, newRun, PUBLIC_URL, signedRequest, textOf } from '../../scripts/bench/webhooks.ts';
import { startModelDouble } from '../doubles/model.ts';
import { startTestRedis } from '../support/redis.ts';

const ORDER: Omit<LoadOrder, 'port'> = {
  concurrent: 3,
  firstPerson: 1,
  peoplePerConnection: 2,
  firstTurn: 1,
  turns: 2,
  words: 5,
  answerWords: 5,
  staggerMs: 0,
};

test('the floor answers a signed webhook with what the model said, and refuses a signature that does not fit', async (t) => {
  const redis = await startTestRedis();
  t.after(() => redis.stop());
  const model = await startModelDouble();
  t.after(() => model.close());
  const floor = await startFloor({
    authToken: AUTH_TOKEN,
    publicUrl: PUBLIC_URL,
    redisSocket: redis.path,
    modelPort: Number(new URL(model.url).port),
  });
  t.after(() => floor.close());
  const connection = await connectHttp({ port: floor.port, host: '127.0.0.1' });
  t.after(() => connection.close());

  const request = signedRequest({ person: 7, turn: 1, text: 'Fish & chips <today>' }, newRun());
  assert.deepEqual(await connection.exchange(request), {
    status: 200,
    body: '<Response><Message>You said: Fish &amp; chips &lt;today&gt;</Message></Response>',
  });
  const forged = request.toString().replace('Fish', 'Dish');
  assert.equal((await connection.exchange(forged)).status, 403);
});

test('the load counts answers that are right, wrong and missing', async (t) => {
  const server = createServer(async (req, res) => {
    const written = new URLSearchParams(await text(req)).get('Body') ?? '';
    if (written.startsWith('Number 2 from p3:')) return res.destroy();
    const answered = written.startsWith('Number 1 from p2:') ? 'Sorry?' : echo(written, ORDER.answerWords);
    const body = `<Response><Message>${answered}</Message></Response>`;
    res.setHeader('content-length', Buffer.byteLength(body)).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  // A TCP server's address is an object once it listens.
  const { port } = server.address() as AddressInfo;

  const go = await prepareLoad({ ...ORDER, port });
  const { right, wrong, missing, unasked, problem } = await go();
  // Three connections with two people of two messages each; the one that broke is not used any more.
  assert.deepEqual({ right, wrong, missing, unasked }, { right: 9, wrong: 1, missing: 1, unasked: 1 });
  assert.match(problem ?? '', /Sorry|closed/);
});

test('no two messages of a run share their words or their id', () => {
  const texts = [textOf(1, 1, 5), textOf(1, 2, 5), textOf(2, 1, 5), textOf(11, 1, 5), textOf(1, 11, 5)];
  assert.equal(new Set(texts).size, texts.length);
  const run = newRun();
  const ids = [11, 1].flatMap((person) =>
    [1, 11].map((turn) => signedRequest({ person, turn, text: '' }, run).toString()),
  );
  assert.equal(new Set(ids.map((request) => /MessageSid=(SM[0-9a-f]{32})&/.exec(request)?.[1])).size, 4);
});

test('medians and percentiles are those of the numbers themselves', () => {
  assert.equal(median([9, 1, 5]), 5);
  assert.equal(median([4, 1, 2, 3]), 2.5);
  assert.ok(Number.isNaN(median([])));
  const hundred = Array.from({ length: 100 }, (_, i) => i + 1);
  assert.deepEqual([percentile(hundred, 50), percentile(hundred, 99), percentile([7], 99)], [50, 99, 7]);
});

test('a row compares round by round, so that a slow round for both changes nothing', () => {
  const row = { name: 'CPU', floor: [1, 10, 1], bot: [2, 20, 3], digits: 1 };
  assert.deepEqual(figuresOf({ ...row, aim: { most: 2.5, of: 'ratio' } }), {
    floor: 1,
    bot: 3,
    ratio: 2,
    difference: 2,
    reached: true,
  });
  assert.equal(figuresOf({ ...row, aim: { most: 2.5, of: 'bot' } }).reached, false);
});

test('the table names its groups, aligns its figures and says what was reached', () => {
  const rows = [
    { name: 'CPU', floor: [1], bot: [2.25], digits: 3, aim: { most: 2.5, of: 'ratio' as const } },
    { name: 'rolls', floor: [], bot: [12_345], digits: 0, ratio: false, aim: { most: 10, of: 'bot' as const } },
  ];
  assert.equal(
    tableOf([{ heading: 'Busy', rows }]),
    [
      '         floor     bot  ratio  aim',
      '-'.repeat(67),
      'Busy',
      '  CPU    1.000   2.250   2.25  at most 2.5 times the floor: reached',
      '  rolls      -  12,345         at most 10: NOT REACHED',
    ].join('\n'),
  );
});

test('a process that works has used CPU time and memory', () => {
  const before = usageOf(process.pid);
  for (let i = 0; i < 200_000; i++) textOf(i, i, 5);
  const after = usageOf(process.pid);
  assert.ok(after.cpuSeconds > before.cpuSeconds);
  assert.ok(after.residentMb > 10 && after.peakMb >= after.residentMb);
});

test('a small run measures both, finds every answer right and leaves nothing behind', async () => {
  const sizes: Sizes = {
    rounds: 1,
    concurrent: 4,
    turns: 2,
    peoplePerConnection: 2,
    earlier: 3,
    slow: { rounds: 1, people: 5, turns: 2, delayMs: 50 },
    conversation: 12,
  };
  const children = createChildren();
  try {
    const results = await runBench({ sizes, children, built: false, profileDir: null, say: () => {} });
    assert.deepEqual(results.failures, []);
    assert.equal(results.groups.length, 5);
    assert.equal(results.log.answered, 2 * 16 + 16 * 3 + 16 * 2 + 2 * 10 + 12 + 20);
    const rows = results.groups.flatMap((group) => group.rows);
    const botOf = (name: string) => figuresOf(rows.find((row) => row.name === name) ?? assert.fail(name)).bot;
    assert.equal(botOf('model calls per answer'), 1);
    assert.ok(botOf('prompt tokens at turn 10') > botOf('prompt tokens at turn 1'));
    assert.ok(botOf('Redis round trips per message') >= 2);
  } finally {
    children.killAll();
  }
  const leftovers = readdirSync(tmpdir()).filter((name) => name.startsWith(`recado-bench-${process.pid}-`));
  assert.deepEqual(leftovers, []);
});
