/** What a process leaves behind that is gone, and who sees it when. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClock } from '../../app/memory/clock.ts';
import { createKeys } from '../../app/memory/keys.ts';
import { createMailbox, type Mailbox } from '../../app/memory/mailbox.ts';
import { createProcesses, type Processes } from '../../app/memory/processes.ts';
import { createRedis, createScripts, type RedisClient, type RunScript } from '../../app/memory/redis.ts';
import { createLogger } from '../../app/ops/logger.ts';
import { type Place, placeHere } from '../../app/ops/place.ts';
import { eventually } from '../support/bot.ts';
import { ANA, inboundMessage } from '../support/message.ts';
import { startTestRedis, type TestRedis } from '../support/redis.ts';

const log = createLogger({ level: 'error', format: 'json', write: () => {} });
const keys = createKeys(1);
const { due, processes: register, places } = keys.shardOf(ANA);

let server: TestRedis;
let redis: RedisClient;
let run: RunScript;
const started: Processes[] = [];

before(async () => {
  server = await startTestRedis();
  redis = createRedis({ kind: 'url', url: server.url }, log);
  run = createScripts(redis);
  await redis.connect();
});
beforeEach(async () => {
  await Promise.all(started.splice(0).map((processes) => processes.stop()));
  await redis.flushall();
});
after(async () => {
  await Promise.all(started.splice(0).map((processes) => processes.stop()));
  redis.disconnect();
  await server.stop();
});

/** A process and its mailbox; it beats when it is told to. */
function join(place: Place | null = null): { processes: Processes; mailbox: Mailbox; freed: () => number } {
  const everyMs = 3_600_000;
  const processes = createProcesses({ redis, run, keys, clock: createClock(), log, place, everyMs });
  const processId = processes.id;
  const bounds = { leaseMs: 30_000, historyTtlMs: 60_000, historyTokens: 1_000 };
  let freed = 0;
  const start = processes.start;
  started.push(processes);
  return {
    processes: {
      ...processes,
      start: () =>
        start(() => {
          freed++;
        }),
    },
    mailbox: createMailbox({ redis, run, keys, processId, ...bounds }),
    freed: () => freed,
  };
}

/** It fell silent so long ago, ms. */
async function silence({ processes }: ReturnType<typeof join>, ms: number): Promise<void> {
  await redis.zadd(register, Date.now() - ms, processes.id);
}

const begin = (mailbox: Mailbox, turn: string) => mailbox.accept(inboundMessage({ id: 'SM1' }), turn, '{}');

test('a process that fell silent is gone for one that beat all the time, and its work is due: one crash', async () => {
  const [one, other] = [join(), join()];
  await one.processes.start(() => {});
  await other.processes.start(() => {});
  await begin(one.mailbox, 'turn-a');
  await silence(one, 7_000);
  await other.processes.beat();
  assert.deepEqual(
    await other.mailbox.claim(ANA, 'turn-b'),
    { kind: 'busy' },
    'it has not beaten for long enough itself',
  );
  const givenUpAt = performance.now() + 30_000;
  while (other.freed() === 0 && performance.now() < givenUpAt) {
    await sleep(500);
    await silence(one, 7_000);
    await other.processes.beat();
  }
  assert.equal(other.freed(), 1);
  assert.deepEqual(await other.mailbox.due(10), [ANA]);
  const claimed = await other.mailbox.claim(ANA, 'turn-b');
  assert.ok(claimed.kind === 'turn');
  assert.equal(claimed.held.crashes, 1);
  assert.deepEqual(await redis.hkeys(places), [other.processes.id], 'and it is forgotten');
  assert.equal(await one.mailbox.extend(ANA, 'turn-a'), false);
});

test('a process that could not reach Redis itself counts nobody gone when it can again', async () => {
  const [one, other] = [join(), join()];
  await one.processes.start(() => {});
  await other.processes.start(() => {});
  await begin(one.mailbox, 'turn-a');
  await silence(one, 20_000);
  await silence(other, 20_000);
  await other.processes.beat();
  await other.processes.beat();
  assert.equal(other.freed(), 0);
  assert.equal(await one.mailbox.extend(ANA, 'turn-a'), true, 'its lease is its own, and it was heard');
  await other.processes.beat();
  assert.equal(other.freed(), 0);
});

test('a renewal of a lease is a sign of life', async () => {
  const one = join();
  await one.processes.start(() => {});
  await begin(one.mailbox, 'turn-a');
  await silence(one, 7_000);
  await one.mailbox.extend(ANA, 'turn-a');
  const beaten = Number(await redis.zscore(register, one.processes.id));
  assert.ok(Date.now() - beaten < 5_000, `${Date.now() - beaten} ms ago`);
});

test('a process that was counted gone renews no lease: its work is due', async () => {
  const one = join();
  await one.processes.start(() => {});
  await begin(one.mailbox, 'turn-a');
  await redis.zadd(register, 0, one.processes.id);
  assert.equal(await one.mailbox.extend(ANA, 'turn-a'), false);
  assert.deepEqual(await one.mailbox.due(10), [ANA]);
});

test('what a process left that stopped in order is due at once', async () => {
  const [one, other] = [join(), join()];
  await one.processes.start(() => {});
  await other.processes.start(() => {});
  await begin(one.mailbox, 'turn-a');
  await one.processes.stop();
  await other.processes.beat();
  assert.equal(other.freed(), 1);
  assert.deepEqual(await other.mailbox.due(10), [ANA]);
});

test('a process that was counted gone is alive again with its next beat, and is not certain of what it held', async () => {
  const one = join();
  assert.equal(one.processes.aliveSince(), Number.POSITIVE_INFINITY);
  await one.processes.start(() => {});
  const since = one.processes.aliveSince();
  assert.ok(since < Number.POSITIVE_INFINITY);
  await one.processes.beat();
  assert.equal(one.processes.aliveSince(), since);
  await redis.zadd(register, 0, one.processes.id);
  await one.processes.beat();
  assert.ok(one.processes.aliveSince() > since);
  await redis.zrem(register, one.processes.id);
  const again = one.processes.aliveSince();
  await one.processes.beat();
  assert.ok(one.processes.aliveSince() > again, 'nor when it was forgotten');
});

test('a lease of version 0.2.0, and of a process that never beat, lasts until it expires', async () => {
  const [unknown, other] = [join(), join()];
  await other.processes.start(() => {});
  await begin(unknown.mailbox, 'turn-a');
  await redis.set(keys.of('15550100177').lease, 'aTurnAlone', 'PX', 30_000);
  await redis.zadd(due, Date.now() + 30_000, '15550100177');
  const gone = join();
  await gone.processes.start(() => {});
  await gone.processes.stop();
  await other.processes.beat();
  assert.deepEqual(await other.mailbox.due(10), []);
  assert.deepEqual(await other.mailbox.claim(ANA, 'turn-b'), { kind: 'busy' });
  assert.deepEqual(await other.mailbox.claim('15550100177', 'turn-b'), { kind: 'busy' });
});

test('work of hundreds of contacts is freed together', async () => {
  const [one, other] = [join(), join()];
  await one.processes.start(() => {});
  await other.processes.start(() => {});
  const phones = Array.from({ length: 1_100 }, (_, i) => `1555010${1_000 + i}`);
  // Not all at once: on a busy machine the last would run out of time.
  for (let from = 0; from < phones.length; from += 50) {
    const some = phones.slice(from, from + 50).map((phone) => inboundMessage({ id: `SM${phone}`, from: phone }));
    await Promise.all(some.map((message) => one.mailbox.accept(message, `turn${message.id}`, '{}')));
  }
  await one.processes.stop();
  await other.processes.beat();
  assert.equal((await other.mailbox.due(2_000)).length, phones.length);
});

test('on the same machine a process that ended is gone at once, at the latest with the start of the next', async () => {
  const child: ChildProcess = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  await once(child, 'spawn');
  const here = placeHere();
  assert.ok(here && child.pid);
  const one = join({ ...here, pid: child.pid, startedAt: '' });
  await one.processes.start(() => {});
  await begin(one.mailbox, 'turn-a');
  const next = join(here);
  await next.processes.start(() => {});
  assert.equal(next.freed(), 0, 'it runs');
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
  const afterThat = join(here);
  await afterThat.processes.start(() => {});
  assert.equal(afterThat.freed(), 1);
  assert.deepEqual(await afterThat.mailbox.due(10), [ANA]);
});

test('beats go on, one after the other, also through a Redis that is away for a while', async () => {
  const clock = createClock();
  const processes = createProcesses({ redis, run, keys, clock, log, place: null, everyMs: 20 });
  started.push(processes);
  await processes.start(() => {});
  const first = Number(await redis.zscore(register, processes.id));
  await eventually('the next beat', async () => Number(await redis.zscore(register, processes.id)) > first);
  await redis.flushall();
  await eventually(
    'the process is registered again',
    async () => (await redis.zscore(register, processes.id)) !== null,
  );
  assert.ok(Math.abs(clock.now() - Date.now()) < 5_000);
});
