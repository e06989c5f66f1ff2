/** One long run over stores of its own: is every message answered in time, and is each in the archive afterwards? */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Children } from '../children.ts';
import type { LoadFigures } from '../load.ts';
import { AT_ONCE, messagesOf, prepare, problemOf, SHORT, write } from '../measure.ts';
import { API_KEY, isError, type Program, readLog, spawnProgram } from '../program.ts';
import { setStage } from '../stage.ts';
import { createInstallations, SETUPS } from './setups.ts';
import { untilAllWork } from './starts.ts';

export interface LongOptions {
  /** Rounded up, so that each of 64 connections has as many. */
  messages: number;
  children: Children;
  /** See `ProgramOptions`. */
  built: boolean;
  say: (line: string) => void;
}

export interface LongResults {
  messages: number;
  load: LoadFigures;
  /** Messages and answers in the archive, and how long after the last answer they were there at the latest, s: the API counts every 10 s. */
  archived: number;
  archivedAfter: number;
  /** What must not have happened. */
  failures: string[];
}

const CONNECTIONS = 64;
/** Messages of one person. */
const TURNS = 10;

export async function runLong({ messages, children, built, say }: LongOptions): Promise<LongResults> {
  const stage = await setStage(children);
  try {
    const setup = SETUPS.find(({ stores, analysis }) => stores === 'embedded' && analysis);
    if (!setup) throw new RangeError('there is a set-up with stores of its own and analysis');
    const installation = await createInstallations(stage, say).fresh(setup);
    const program = await spawnProgram({ children, built, name: setup.name, ...installation });
    await untilAllWork(program);
    const order = orderOf(messages);
    const total = messagesOf(order);
    say(`${setup.name}: ${total.toLocaleString('en-US')} messages, ${order.concurrent} conversations at a time`);
    await prepare(stage, program, order, AT_ONCE);
    const load = await write(stage);
    say('Waiting for the archive');
    const archive = await untilArchived(program, 2 * total);
    await children.end(program.child, 30_000);
    await stage.stop();
    const { troubles } = await readLog(program.logFile, isError);
    const failures = [
      ...(load.right === total ? [] : [problemOf(load)]),
      ...(archive.archived === 2 * total ? [] : [`the archive has ${archive.archived} of ${2 * total} messages`]),
      ...troubles.map((line) => `it logged ${line}`),
    ];
    return { messages: total, load, ...archive, failures };
  } finally {
    children.killAll();
    stage.clear();
  }
}

function orderOf(messages: number) {
  const concurrent = Math.min(CONNECTIONS, messages);
  const turns = Math.min(TURNS, Math.ceil(messages / concurrent));
  const peoplePerConnection = Math.ceil(messages / concurrent / turns);
  return { ...SHORT, concurrent, turns, peoplePerConnection, firstPerson: 1, firstTurn: 1, staggerMs: 0 };
}

const LOOK_EVERY_MS = 500;
/** When nothing has come for so long, nothing will, ms. */
const PATIENCE_MS = 30_000;

/** Until the archive has so many messages, or nothing more comes. */
async function untilArchived({ port }: Program, expected: number) {
  const startedAt = performance.now();
  let archived = 0;
  let changedAt = startedAt;
  for (;;) {
    const count = await archivedMessages(port).catch(() => archived);
    if (count !== archived) changedAt = performance.now();
    archived = count;
    const isOver = archived >= expected || performance.now() - changedAt > PATIENCE_MS;
    if (isOver) return { archived, archivedAfter: (changedAt - startedAt) / 1_000 };
    await sleep(LOOK_EVERY_MS);
  }
}

async function archivedMessages(port: number): Promise<number> {
  const headers = { 'x-api-key': API_KEY };
  const answer = await fetch(`http://127.0.0.1:${port}/api/whatsapp/analytics?days=1`, { headers });
  const { analytics } = (await answer.json()) as { analytics: { total_messages: number } }; // see app/inbox/contract.ts
  return analytics.total_messages;
}
