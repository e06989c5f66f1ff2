import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Measure, percentile } from '../../scripts/bench-inbox/measure.ts';
import { run } from '../../scripts/bench-inbox/run.ts';
import { compare, tableOf } from '../../scripts/bench-inbox/table.ts';
import { exchangeOf } from '../../scripts/bench-inbox/traffic.ts';

const SCRIPT = fileURLToPath(new URL('../../scripts/bench-inbox.ts', import.meta.url));
const FIRST: Measure = { group: 'list', name: 'first page', requests: 2, min: 1, p50: 2, p95: 3, max: 10, rows: 30 };

test('a small run asks every question of an archive that counts right, before and after', async () => {
  const sizes = { messages: 240, contacts: 40, requests: 2, few: 100 };
  const results = await run({ ...sizes, signal: new AbortController().signal, say: () => {} });
  assert.deepEqual([results.messages, results.contacts], [240, 40]);
  assert.equal(results.few?.measures.length, results.measures.length);
  const rowsOf = (group: string, name: string) =>
    results.measures.find((measure) => measure.group.startsWith(group) && measure.name === name)?.rows;
  assert.equal(rowsOf('conversation list', 'first page'), 30);
  assert.equal(rowsOf('conversation list', 'unread'), 4);
  assert.equal(rowsOf('conversation list', 'search: part of a number'), 1);
  assert.equal(rowsOf('messages', 'first page'), 50);
  assert.equal(rowsOf('messages', 'search: rare word'), 1);
  assert.equal(rowsOf('analytics', '90 days'), 90);
  for (const { name, rows, min, p50, p95, max } of results.measures) {
    assert.ok(rows > 0, `${name} found nothing`);
    assert.ok(min <= p50 && p50 <= p95 && p95 <= max, name);
  }
});

test('the script prints its table and writes its figures', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'recado-test-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'figures.json');
  const sizes = ['--messages', '60', '--contacts', '10', '--requests', '1'];
  const { code, said } = await runScript([...sizes, '--json', file]);
  assert.equal(code, 0, said);
  assert.match(said, /60 messages from 10 contacts, loaded in/);
  assert.match(said, /min +p50 +p95 +max +rows\n/);
  assert.match(said, /analytics.*\n +30 days( +\d+\.\d){4} +30\n/);
  const figures = JSON.parse(readFileSync(file, 'utf8'));
  assert.equal(figures.messages, 60);
  assert.ok(figures.measures.length > 20);
});

test('the script says what is wrong with an option', async () => {
  const { code, said } = await runScript(['--messages', 'many']);
  assert.deepEqual([code, said.trim()], [1, '--messages is a whole number from 1 to 2,000,000, not many.']);
});

test('the script leaves nothing behind when it is told to stop', async () => {
  const child = start(['--messages', '100000']);
  const said = text(child.stderr);
  const folder = `recado-bench-inbox-${child.pid}-`;
  for await (const line of child.stdout) if (String(line).includes('Loading')) child.kill('SIGINT');
  const [code] = child.exitCode === null ? await once(child, 'exit') : [child.exitCode];
  assert.equal(code, 130);
  assert.match(await said, /^Stopped before the end/);
  assert.deepEqual(
    readdirSync(tmpdir()).filter((name) => name.startsWith(folder)),
    [],
  );
});

test('an exchange is the same at every run, and a message of a voice note is heard, not read', () => {
  const options = { turns: 200, contacts: 20, until: Date.UTC(2026, 0, 31) };
  assert.deepEqual(exchangeOf(7, options), exchangeOf(7, options));
  const received = Array.from({ length: 200 }, (_, n) => exchangeOf(n, options).events).flatMap(([event]) =>
    event?.type === 'message.received' ? event.message : [],
  );
  assert.equal(new Set(received.map(({ id }) => id)).size, 200);
  assert.equal(new Set(received.map(({ contact }) => contact)).size, 20);
  assert.equal(received.at(-1)?.receivedAt, options.until);
  const voice = received.filter(({ attachments }) => attachments[0]?.kind === 'audio');
  assert.ok(voice.length > 0 && voice.every((message) => message.text === ''));
});

test('a percentile is one of the numbers', () => {
  const hundred = Array.from({ length: 100 }, (_, i) => i + 1);
  assert.deepEqual([percentile(hundred, 50), percentile(hundred, 95), percentile([7], 95)], [50, 95, 7]);
});

test('only answers with as many rows are compared', () => {
  const [same, other] = compare(
    [FIRST, { ...FIRST, name: 'search', rows: 1 }],
    [
      { ...FIRST, p50: 3 },
      { ...FIRST, name: 'search' },
    ],
  );
  assert.deepEqual([same?.ratio, other?.ratio], [1.5, null]);
});

test('the table names its groups once and aligns its figures', () => {
  const measures = [
    { ...FIRST, ratio: 1.5 },
    { ...FIRST, name: 'search', rows: 1, ratio: null },
  ];
  assert.equal(
    tableOf(measures, 1_000),
    [
      '              min  p50  p95   max  rows  p50 to 1,000',
      'list',
      '  first page  1.0  2.0  3.0  10.0    30    1.50 times',
      '  search      1.0  2.0  3.0  10.0     1             -',
    ].join('\n'),
  );
});

function start(args: string[]) {
  return spawn(process.execPath, ['--import', 'tsx', SCRIPT, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
}

async function runScript(args: string[]): Promise<{ code: number | null; said: string }> {
  const child = start(args);
  const exited = once(child, 'exit');
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [code] = await exited;
  return { code, said: out + err };
}
