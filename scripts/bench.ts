/**
 * Loads the bot and a floor (a bare server that does the irreducible work of one message) in turns and compares them: the bot alone in
 * detail, then each way in which it is set up. Starts all it needs on this machine, and ends it. Exit code 1 when an answer was wrong,
 * missing or doubled; aims are told, not held.
 */
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { createChildren } from './bench/children.ts';
import { type Results, runBench } from './bench/run.ts';
import { mediansOf, setupTableOf } from './bench/setups/figures.ts';
import { type LongResults, runLong } from './bench/setups/long.ts';
import { runSetups, type SetupResults } from './bench/setups/run.ts';
import { SETUPS, type Setup } from './bench/setups/setups.ts';
import { QUICK_SETUP_SIZES, QUICK_SIZES, SETUP_SIZES, SIZES } from './bench/sizes.ts';
import { figuresOf, tableOf } from './bench/table.ts';

const HELP = `npm run bench [-- options]: what does an answer cost, compared with a minimal server?

The floor is a bare node:http server that checks the signature, makes one round trip to Redis and one model call, and
answers with TwiML. It remembers nothing. Both are loaded in turns with signed webhooks, every answer is checked, and
the tables show medians. First the process that answers is measured alone and in detail (about three minutes), then
each set-up with what it starts, needs and does after a crash (about five minutes):

${SETUPS.map(({ name, meaning }) => `  ${name.padEnd(18)} ${meaning}`).join('\n')}

  --quick          smaller sizes, about two minutes; figures are less precise
  --setups NAMES   only these set-ups, separated by commas; none: only the details
  --only-setups    without the details
  --messages N     instead of all that: so many messages, at least, in one run over embedded-analysis; it fails when
                   one is answered wrongly or not within 15 s, or is not in the archive afterwards
  --json FILE      writes all figures there, too
  --profile DIR    in the details the bot leaves a CPU profile there (it opens in Chrome's DevTools; profiling costs a
                   little itself)
  --help

Nothing else should run on the machine meanwhile. It needs redis-server (or valkey-server) and PostgreSQL, as the bot
does when no stores are configured, and no network.`;

const options = {
  quick: { type: 'boolean', default: false },
  setups: { type: 'string', default: SETUPS.map(({ name }) => name).join() },
  'only-setups': { type: 'boolean', default: false },
  messages: { type: 'string' },
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
  const setups = setupsNamed(values.setups);
  if (setups.length === 0 && values['only-setups'])
    throw new RangeError('--only-setups without a set-up: nothing is left.');
  const messages = values.messages === undefined ? null : messagesIn(values.messages);
  const children = createChildren();
  process.on('exit', () => children.killAll());
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(130));
  await buildBot();
  const given = { children, built: true, say: console.log };
  const details = { ...given, profileDir: values.profile ? resolve(values.profile) : null };
  const sizes = values.quick ? QUICK_SIZES : SIZES;
  const setupSizes = values.quick ? QUICK_SETUP_SIZES : SETUP_SIZES;
  const isLong = messages !== null;
  const long = isLong ? await runLong({ ...given, messages }) : null;
  const core = isLong || values['only-setups'] ? null : await runBench({ ...details, sizes });
  const compared = isLong || setups.length === 0 ? null : await runSetups({ ...given, sizes: setupSizes, setups });
  if (core) report(core);
  if (compared) console.log(`\n${setupTableOf(compared.setups)}\n`);
  if (long) reportLong(long);
  const failures = [core, compared, long].flatMap((results) => results?.failures ?? []);
  for (const failure of failures) console.error(`FAILED: ${failure}`);
  console.log(failures.length === 0 ? 'Every answer was right and in time.' : 'Not everything was right: see above.');
  if (values.json) writeFileSync(values.json, `${JSON.stringify(forMachines(core, compared, long), null, 2)}\n`);
  return failures.length > 0 ? 1 : 0;
}

function setupsNamed(names: string): readonly Setup[] {
  if (names === 'none') return [];
  return names.split(',').map((name) => {
    const setup = SETUPS.find((one) => one.name === name.trim());
    if (setup) return setup;
    throw new RangeError(`There is no set-up ${name}. There are: ${SETUPS.map((one) => one.name).join(', ')}.`);
  });
}

/** More than so many people have no number in the bench. */
const MOST_MESSAGES = 500_000;

function messagesIn(given: string): number {
  const messages = Number(given);
  if (Number.isInteger(messages) && messages >= 1 && messages <= MOST_MESSAGES) return messages;
  throw new RangeError(
    `--messages is a whole number from 1 to ${MOST_MESSAGES.toLocaleString('en-US')}, not ${given}.`,
  );
}

/** As `npm start` does it: only when a source has changed. */
async function buildBot(): Promise<void> {
  // The set-up is plain JavaScript, because it runs before anything is installed.
  const { build } = (await import(new URL('./setup.mjs', import.meta.url).href)) as { build(): Promise<void> };
  await build();
}

function report({ groups, redisCommands, log }: Results): void {
  const commands = Object.entries(redisCommands).map(([name, calls]) => `${name} ${calls.toFixed(2)}`);
  console.log(`\n${tableOf(groups)}\n`);
  console.log(`Redis commands of the bot per message: ${commands.join(', ')}`);
  console.log(`The bot logged ${log.lines} lines, ${log.answered} of them answers.`);
}

function reportLong({ messages, load, archived, archivedAfter }: LongResults): void {
  const count = (n: number) => n.toLocaleString('en-US');
  console.log(
    `\n${count(messages)} messages in ${load.seconds.toFixed(0)} s (${count(Math.round(messages / load.seconds))} a second),`,
  );
  console.log(
    `p50 ${load.p50.toFixed(0)} ms, p99 ${load.p99.toFixed(0)} ms; ${load.wrong} wrong, ${load.missing} missing or late.`,
  );
  console.log(
    `The archive had ${count(archived)} messages and answers at most ${archivedAfter.toFixed(1)} s after the last one.\n`,
  );
}

function forMachines(core: Results | null, compared: SetupResults | null, long: LongResults | null) {
  const { groups = [], ...details } = core ?? {};
  return {
    node: process.version,
    processors: cpus().map(({ model }) => model),
    groups: groups.map(({ heading, rows }) => ({
      heading,
      rows: rows.map((row) => ({ ...row, ...{ figures: figuresOf(row) } })),
    })),
    ...details,
    setups: compared?.setups.map((setup) => ({ ...setup, medians: mediansOf(setup) })) ?? [],
    long,
    failures: [core, compared, long].flatMap((results) => results?.failures ?? []),
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
