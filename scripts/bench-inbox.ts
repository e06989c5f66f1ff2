/** How fast the inbox is when it is full: loads an archive with made-up conversations and asks the API what the page asks. */
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { type Results, run } from './bench-inbox/run.ts';
import { tableOf } from './bench-inbox/table.ts';

const HELP = `npm run bench:inbox [-- options]: how long does the page of a full inbox wait for its answers?

Fills an archive of its own with made-up conversations, through the writers the bot uses, and asks the inbox's API over
HTTP, with a key, what the page asks. Everything is measured twice: with 1,000 messages and with all of them. The table
shows milliseconds, the rows of an answer, and how many times the median at 1,000 that at the end is (where both have as
many rows). Everything runs on this machine, and is gone afterwards. It needs redis-server (or valkey-server) and PostgreSQL,
as the bot does when no stores are configured.

  --messages N     Default: 200000, half of them answers
  --contacts N     Default: 5000; a few of them write very much, most little
  --requests N     how often each question is asked. Default: 50
  --json FILE      writes all figures there, too
  --help`;

const options = {
  messages: { type: 'string', default: '200000' },
  contacts: { type: 'string', default: '5000' },
  requests: { type: 'string', default: '50' },
  json: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** The size that the full archive is compared with. */
const FEW = 1_000;

async function main(): Promise<void> {
  const { values } = parseArgs({ options });
  if (values.help) return console.log(HELP);
  const sizes = {
    messages: number('messages', values.messages, 2_000_000),
    contacts: number('contacts', values.contacts, 100_000),
    requests: number('requests', values.requests, 10_000),
  };
  const signal = untilToldToLeave();
  const results = await run({ ...sizes, few: FEW, signal, say: console.log }).catch((error) => {
    throw signal.aborted ? signal.reason : error; // a Ctrl-C reaches the stores as well, and they are gone first
  });
  report(results);
  if (values.json) writeFileSync(values.json, `${JSON.stringify(forMachines(results), null, 2)}\n`);
}

function number(name: string, given: string, most: number): number {
  const value = Number(given);
  if (Number.isInteger(value) && value >= 1 && value <= most) return value;
  throw new RangeError(`--${name} is a whole number from 1 to ${most.toLocaleString('en-US')}, not ${given}.`);
}

/** Under npm one Ctrl-C arrives twice, from the terminal and from npm: what follows this soon is the same one, ms. */
const SAME_MS = 500;

/** The first Ctrl-C ends it in order, the second at once. */
function untilToldToLeave(): AbortSignal {
  const leaving = new AbortController();
  let first = 0;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (leaving.signal.aborted && performance.now() - first > SAME_MS) process.exit(130);
      if (leaving.signal.aborted) return;
      first = performance.now();
      process.exitCode = 130;
      leaving.abort(new Error('Stopped before the end; nothing is left behind.'));
    });
  }
  return leaving.signal;
}

function report({ messages, contacts, loadedInSeconds, measures, few }: Results): void {
  const count = (n: number) => n.toLocaleString('en-US');
  const speed = count(Math.round(messages / loadedInSeconds));
  console.log(`\n${count(messages)} messages from ${count(contacts)} contacts, loaded in`);
  console.log(`${loadedInSeconds.toFixed(0)} s (${speed} a second, with analyses and tasks). Times in ms.\n`);
  console.log(tableOf(measures, few?.messages ?? null));
}

function forMachines(results: Results) {
  return { node: process.version, processors: cpus().map(({ model }) => model), ...results };
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode ||= 1;
});
