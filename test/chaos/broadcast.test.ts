/**
 * A broadcast while its processes are killed and the provider fails: every row tells the truth, and nobody gets a message twice without a
 * note. Two processes send; a third takes the reports of the provider.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type MetaDouble, type MetaFault, startMetaDouble, type TakenMessage } from '../doubles/meta.ts';
import { startModelDouble } from '../doubles/model.ts';
import { ACCESS_TOKEN, ACCOUNT_ID, batchOf, metaSettings, metaStatus, NUMBERS, postBatch } from '../support/meta.ts';
import { createTestDatabase } from '../support/postgres.ts';
import { startTestRedis } from '../support/redis.ts';
import { META_TEMPLATES } from '../support/templates.ts';
import { createProgram, type Program } from './support/program.ts';
import { isLong, report, say, sized } from './support/size.ts';

const ROWS = sized(120, 5_000);
const PER_SECOND = 80;
const KEY = 'a-key-of-a-test-0123456789abcdef';
const FIRST = 15_550_300_000;

/** One row in twenty; each kind in turn. */
const FAULTS: { fault: MetaFault; times: number; ends: string[] }[] = [
  { fault: { kind: 'status', status: 400, code: 131_026 }, times: Number.POSITIVE_INFINITY, ends: ['failed'] },
  { fault: { kind: 'reset', done: true }, times: 1, ends: ['sent', 'delivered'] },
  { fault: { kind: 'status', status: 400, code: 131_049 }, times: Number.POSITIVE_INFINITY, ends: ['failed'] },
  { fault: { kind: 'status', status: 429, code: 130_429 }, times: 1, ends: ['sent', 'delivered'] },
  { fault: { kind: 'status', status: 500, code: 131_000 }, times: 1, ends: ['sent', 'delivered', 'uncertain'] },
];
/** The last kind is not in the short version: it takes a minute until Meta's silence says that nothing was sent. */
const KINDS = isLong ? FAULTS : FAULTS.slice(0, -1);

let meta: MetaDouble;
let bot: Program;
let desks: Program[];
let stopAll: () => Promise<void>;
const takenAt: number[] = [];

before(async () => {
  const [redis, model] = await Promise.all([startTestRedis({ appendOnly: true }), startModelDouble()]);
  meta = await startMetaDouble({ accessToken: ACCESS_TOKEN, numbers: NUMBERS, accountId: ACCOUNT_ID });
  meta.templates.push(...META_TEMPLATES);
  const environment = {
    ...metaSettings(meta.url),
    ...{ TWILIO_ACCOUNT_SID: '', TWILIO_AUTH_TOKEN: '', OPENAI_BASE_URL: model.url, REDIS_URL: redis.url },
    ...{ DATABASE_URL: await createTestDatabase(), API_KEYS: KEY, ANALYSIS: 'off' },
    ...{ BULK_TEMPLATE: 'welcome:en', BULK_PER_SECOND: String(PER_SECOND) },
  };
  const roles = ['bot', 'desk', 'desk'];
  const [first, ...others] = await Promise.all(roles.map((ROLE) => createProgram({ ...environment, ROLE })));
  assert.ok(first);
  [bot, desks] = [first, others];
  await Promise.all([bot, ...desks].map((program) => program.start()));
  stopAll = async () => {
    await Promise.all([bot, ...desks].map((program) => program.stop()));
    await Promise.all([meta.close(), model.close(), redis.stop()]);
  };
});
after(() => stopAll());

test('a broadcast with faults and two kills: exact results, and nobody is written to twice', {
  timeout: sized(420_000, 1_200_000),
}, async (t) => {
  const numbers = Array.from({ length: ROWS }, (_, i) => String(FIRST + i));
  const kindOf = (to: string) => (Number(to) % 20 === 0 ? KINDS[(Number(to) / 20) % KINDS.length] : undefined);
  const tried = new Map<string, number>();
  meta.faultOf = (to) => {
    const kind = kindOf(to);
    tried.set(to, (tried.get(to) ?? 0) + 1);
    return kind && (tried.get(to) ?? 0) <= kind.times ? kind.fault : undefined;
  };
  meta.onSent = (message) => {
    takenAt.push(performance.now());
    void tellOf(message);
  };
  // Other traffic goes on: without it Meta's silence about a message would say nothing.
  const traffic = setInterval(
    () => void tell([metaStatus({ ...OTHER, id: `wamid.${Date.now()}` }, 'delivered')]),
    2_000,
  );
  try {
    const [one, other] = desks;
    assert.ok(one && other);
    const id = await create(one, numbers);
    for (const [n, desk] of [one, other].entries()) {
      await until(`${n + 1} of 3 parts are sent`, async () => meta.sent.length >= (ROWS * (n + 1)) / 3);
      desk.kill();
      say(`killed after ${meta.sent.length} messages`);
      await sleep(500);
      await desk.start();
    }
    await until(
      'the broadcast is done',
      async () => (await ask(one, `/api/broadcasts/${id}`)).broadcast.state === 'done',
    );
    await until('the reports are recorded', async () => {
      const { counts } = (await ask(one, `/api/broadcasts/${id}`)).broadcast;
      return counts.sent === 0 && counts.sending === 0;
    });
    const rows = await rowsOf(one, id);
    verify(rows, (to) => kindOf(to)?.ends ?? ['delivered', 'sent']);
    const counted = Object.fromEntries(countBy(rows.map(({ state }) => state)));
    report(t, {
      rows: rows.length,
      kills: 2,
      ...counted,
      doubled: doubled(rows),
      mostInASecond: mostInASecond(takenAt),
      mostClaimedInASecond: mostInASecond(triedAt(rows)),
    });
  } finally {
    clearInterval(traffic);
  }
});

interface Row {
  number: string;
  state: string;
  note: string | null;
  tried_at: string | null;
}

const OTHER: TakenMessage = { id: '', phoneNumberId: '', to: '15550100199', text: '', data: 'other-0.0' };

function verify(rows: readonly Row[], ends: (to: string) => string[]): void {
  const sent = countBy(meta.sent.map(({ to }) => to));
  assert.equal(rows.length, ROWS);
  for (const { number, state, note } of rows) {
    const times = sent.get(number) ?? 0;
    const words = `${number}: ${state}, taken ${times} times, ${note}`;
    // A process that ends in the middle leaves a doubt, which the row tells.
    assert.ok([...ends(number), 'uncertain'].includes(state), words);
    if (state === 'uncertain') assert.ok(note, words);
    else assert.equal(times, state === 'failed' ? 0 : 1, words);
  }
}

function doubled(rows: readonly Row[]): number {
  const sent = countBy(meta.sent.map(({ to }) => to));
  return rows.filter(({ number }) => (sent.get(number) ?? 0) > 1).length;
}

/** By the clock of the database: what the program means its pace to be. The double sees what a busy machine makes of it. */
function triedAt(rows: readonly Row[]): number[] {
  return rows.flatMap(({ tried_at }) => (tried_at === null ? [] : Date.parse(tried_at))).sort((a, b) => a - b);
}

/** @param times in order, ms */
function mostInASecond(times: readonly number[]): number {
  let from = 0;
  return times.reduce((most, at, i) => {
    while (at - (times[from] ?? at) >= 1_000) from++;
    return Math.max(most, i - from + 1);
  }, 0);
}

function countBy(items: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(item, (counts.get(item) ?? 0) + 1);
  return counts;
}

async function tellOf(message: TakenMessage): Promise<void> {
  await sleep(50 + Math.random() * 200);
  await tell([metaStatus(message, 'sent')]);
  await sleep(Math.random() * 500);
  await tell([metaStatus(message, 'delivered')]);
}

/** Meta repeats what was not answered with 200. */
async function tell(statuses: object[]): Promise<void> {
  for (let tries = 0; tries < 20; tries++) {
    const answer = await postBatch(bot.url, batchOf({ statuses })).catch(() => null);
    await answer?.text();
    if (answer?.status === 200) return;
    await sleep(500);
  }
}

async function create(desk: Program, numbers: readonly string[]): Promise<string> {
  let id: string | undefined;
  await until('the broadcast is made', async () => {
    const response = await fetch(`${desk.url}/api/broadcasts`, {
      method: 'POST',
      headers: { 'x-api-key': KEY, 'Content-Type': 'text/csv' },
      body: `number\n${numbers.join('\n')}`,
    });
    const body = (await response.json()) as { id?: string }; // an answer or an error, both JSON objects
    id = body.id;
    return response.status === 200;
  });
  return id ?? assert.fail('it has an id');
}

// biome-ignore lint/suspicious/noExplicitAny: the answers of several routes
async function ask(desk: Program, path: string): Promise<any> {
  const response = await fetch(desk.url + path, { headers: { 'x-api-key': KEY } });
  return response.json();
}

async function rowsOf(desk: Program, id: string): Promise<Row[]> {
  const rows: Row[] = [];
  for (let cursor: string | null = '0'; cursor !== null; ) {
    const page: { rows: Row[]; next_cursor: string | null } = await ask(
      desk,
      `/api/broadcasts/${id}/rows?limit=1000&cursor=${cursor}`,
    );
    rows.push(...page.rows);
    cursor = page.next_cursor;
  }
  return rows;
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (const givenUpAt = performance.now() + sized(360_000, 1_000_000); performance.now() < givenUpAt; ) {
    if (await holds().catch(() => false)) return;
    await sleep(100);
  }
  throw new Error(`never happened: ${what}`);
}
