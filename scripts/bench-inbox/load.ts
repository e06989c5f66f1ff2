/** Fills the archive through its own writers: events by `record`, analyses and tasks by the analysis' store, what the team has read. */
import { performance } from 'node:perf_hooks';
import type { Database } from '../../app/archive/engine/database.ts';
import { createAnalysisStore } from '../../app/archive/write/analysis.ts';
import { createDeskWriter } from '../../app/archive/write/desk.ts';
import { record } from '../../app/archive/write/record.ts';
import { createTasks } from '../../app/archive/write/tasks.ts';
import { contactOf, type Exchange, exchangeOf, type Found, type TrafficOptions } from './traffic.ts';

/** How many exchanges are written in one transaction. */
const BATCH = 500;
/** How often progress is printed, ms. */
const TELL_EVERY_MS = 5_000;

export interface LoadOptions extends TrafficOptions {
  database: Database;
  signal: AbortSignal;
  say: (line: string) => void;
}

/** Writes the exchanges from number `first` to before `end`. Rejects soon after the signal. @returns how long it took, s. */
export async function load(options: LoadOptions, first: number, end: number): Promise<number> {
  const { database, signal, say } = options;
  const began = performance.now();
  let told = began;
  for (let from = first; from < end; from += BATCH) {
    signal.throwIfAborted();
    const size = Math.min(BATCH, end - from);
    const exchanges = Array.from({ length: size }, (_, i) => exchangeOf(from + i, options));
    await write(database, exchanges);
    await analyse(database, exchanges, signal);
    if (performance.now() - told < TELL_EVERY_MS) continue;
    told = performance.now();
    const [done, all] = [2 * (from + size), 2 * options.turns].map((count) => count.toLocaleString('en-US'));
    say(`  ${done} of ${all} messages`);
  }
  await see(options, end);
  return (performance.now() - began) / 1_000;
}

/** Only what will be analysed waits for it. */
async function write(database: Database, exchanges: readonly Exchange[]): Promise<void> {
  const eventsOf = (some: readonly Exchange[]) => some.flatMap(({ events }) => events);
  await database.transaction(async (db) => {
    await record(db, eventsOf(exchanges.filter(({ found }) => !found)), false);
    await record(db, eventsOf(exchanges.filter(({ found }) => found)), true);
  });
}

/** Every fifth task is done. */
async function analyse(database: Database, exchanges: readonly Exchange[], signal: AbortSignal): Promise<void> {
  const [store, tasks] = [createAnalysisStore(database), createTasks(database)];
  const found = new Map(
    exchanges.flatMap((exchange): [string, Found][] => (exchange.found ? [[exchange.found.turn, exchange.found]] : [])),
  );
  const bursts = await store.take({ most: found.size, leaseMs: 600_000 });
  for (const burst of bursts) {
    signal.throwIfAborted();
    const [result, about] = [found.get(burst.turn ?? ''), burst.messages[0]?.id];
    if (!result || !about) throw new Error('the archive gave a burst to analyse that was not written');
    const task = await store.complete(burst, { about, analysis: result.analysis, task: result.task });
    if (task && result.task?.priority === 3) await tasks.update(task, { status: 'completed' });
  }
}

/** The team has seen nine conversations in ten. */
async function see({ database, contacts, signal }: LoadOptions, turns: number): Promise<void> {
  const { markRead } = createDeskWriter(database);
  for (let index = 0; index < Math.min(contacts, turns); index++) {
    signal.throwIfAborted();
    if (index % 10 !== 3) await markRead({ phone: contactOf(index) });
  }
}
