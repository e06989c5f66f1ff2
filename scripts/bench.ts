/**
 * Loads the bot and a floor (a bare server that does the irreducible work of one message) in turns and compares them.
 * Starts all it needs on this machine, and ends it. Exit code 1 when an answer was wrong or missing; aims are told, not held.
 */
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { createChildren } from './bench/children.ts';
import { type Results, runBench, type Sizes } from './bench/run.ts';
import { figuresOf, tableOf } from './bench/table.ts';

const HELP = `npm run bench [-- options]: what does an answer cost, compared with a minimal server?

The floor is a bare node:http server that checks the signature, makes one round trip to Redis and one model call, and
answers with TwiML. It remembers nothing. Both are loaded in turns with signed webhooks, every answer is checked, and
the table shows medians and the median of the rounds' ratios. Takes about three minutes.

  --quick          smaller sizes, about 40 s; figures are less precise
  --json FILE      writes all figures there, too
  --profile DIR    the bot leaves a CPU profile there (it opens in Chrome's DevTools; profiling costs a little itself)
  --help

Nothing else should run on the machine meanwhile. It needs redis-server (or valkey-server), and no network.`;

const SIZES: Sizes = {
  rounds: 5,
  concurrent: 64,
  turns: 10,
  peoplePerConnection: 20,
  earlier: 30,
  slow: { rounds: 3, people: 500, turns: 7, delayMs: 1_000 },
  conversation: 1_000,
};

const QUICK_SIZES: Sizes = {
  ...SIZES,
  rounds: 2,
  peoplePerConnection: 10,
  slow: { rounds: 1, people: 500, turns: 4, delayMs: 1_000 },
  conversation: 200,
};

const options = {
  quick: { type: 'boolean' },
  json: { type: 'string' },
  profile: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

async function main(): Promise<number> {
  const { values } = parseArgs({ options });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const children = createChildren();
  process.on('exit', () => children.killAll());
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(130));
  await buildBot();
  const results = await runBench({
    sizes: values.quick ? QUICK_SIZES : SIZES,
    children,
    built: true,
    profileDir: values.profile ? resolve(values.profile) : null,
    say: console.log,
  });
  report(results);
  if (values.json) writeFileSync(values.json, `${JSON.stringify(forMachines(results), null, 2)}\n`);
  return results.failures.length > 0 ? 1 : 0;
}

/** As `npm start` does it: only when a source has changed. */
async function buildBot(): Promise<void> {
  // The set-up is plain JavaScript, because it runs before anything is installed.
  const { build } = (await import(new URL('./setup.mjs', import.meta.url).href)) as { build(): Promise<void> };
  await build();
}

function report({ groups, failures, redisCommands, log }: Results): void {
  const commands = Object.entries(redisCommands).map(([name, calls]) => `${name} ${calls.toFixed(2)}`);
  console.log(`\n${tableOf(groups)}\n`);
  console.log(`Redis commands of the bot per message: ${commands.join(', ')}`);
  console.log(`The bot logged ${log.lines} lines, ${log.answered} of them answers.`);
  for (const failure of failures) console.error(`FAILED: ${failure}`);
  console.log(failures.length === 0 ? 'Every answer was right and in time.' : 'Not everything was right: see above.');
}

function forMachines({ groups, ...results }: Results) {
  return {
    node: process.version,
    processors: cpus().map(({ model }) => model),
    groups: groups.map(({ heading, rows }) => ({
      heading,
      rows: rows.map((row) => ({ ...row, ...{ figures: figuresOf(row) } })),
    })),
    ...results,
  };
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  },
);
