/** Fills an archive and asks it, first when it has few messages, then when it has all of them. Leaves nothing behind. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '../../app/ops/logger.ts';
import { type Api, startApi } from './api.ts';
import { load } from './load.ts';
import { type Measure, measure } from './measure.ts';
import { openStore, type Store } from './store.ts';
import { type Compared, compare } from './table.ts';

export interface RunOptions {
  /** Half of them answers; rounded up to whole exchanges. */
  messages: number;
  contacts: number;
  /** How often each question is asked. */
  requests: number;
  /** How many messages there are at the first measurement; there is none when that is not fewer than `messages`. */
  few: number;
  signal: AbortSignal;
  /** Told how it goes. */
  say: (line: string) => void;
}

export interface Results {
  /** As the archive counts them. */
  messages: number;
  contacts: number;
  loadedInSeconds: number;
  measures: Compared[];
  /** The measurement with few messages; null when there was none. */
  few: { messages: number; measures: Measure[] } | null;
}

/** Rejects with the signal's reason soon after it; all is cleaned up by then. */
export async function run(options: RunOptions): Promise<Results> {
  const folder = mkdtempSync(join(tmpdir(), `recado-bench-inbox-${process.pid}-`));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  process.once('exit', remove); // also at a second signal
  const log = createLogger({ level: 'error', format: 'text', write: options.say });
  const stops: (() => Promise<void>)[] = [];
  try {
    const store = await openStore(folder, log);
    stops.unshift(store.stop);
    options.say('Making the tables');
    await store.database.migrate();
    const api = await startApi({ database: store.database, folder, log });
    stops.unshift(api.stop);
    return await perform(options, store, api);
  } finally {
    for (const stop of stops) await stop().catch((error) => options.say(`While stopping: ${error}`));
    process.off('exit', remove);
    remove();
  }
}

async function perform(options: RunOptions, store: Store, api: Api): Promise<Results> {
  const { contacts, requests, signal, say } = options;
  const turns = Math.ceil(options.messages / 2);
  const early = Math.ceil(options.few / 2);
  const traffic = { ...options, database: store.database, turns, until: Date.now() };

  async function fillAndAsk(first: number, end: number) {
    say(`Loading ${(2 * (end - first)).toLocaleString('en-US')} messages`);
    const seconds = await load(traffic, first, end);
    await store.tidy();
    say(`Asking, each question ${requests} times`);
    return { seconds, measures: await measure({ api, contacts: Math.min(contacts, end), requests, signal }) };
  }

  const few = early < turns ? await fillAndAsk(0, early) : null;
  const all = await fillAndAsk(few ? early : 0, turns);
  return {
    ...(await countsOf(api, 2 * turns, signal)),
    loadedInSeconds: all.seconds + (few?.seconds ?? 0),
    measures: compare(few?.measures ?? [], all.measures),
    few: few && { messages: 2 * early, measures: few.measures },
  };
}

/** Figures of an archive that is not what we think it is would say nothing. */
async function countsOf(api: Api, expected: number, signal: AbortSignal) {
  const { body } = await api.ask('analytics?days=1', signal);
  const { total_messages: messages, unique_contacts: contacts } = body.analytics as Record<string, number>; // see the contract
  if (messages !== expected || contacts === undefined)
    throw new Error(`The archive has ${messages} messages instead of ${expected}`);
  return { messages, contacts };
}
