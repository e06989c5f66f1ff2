/** Runs the tests that break things on purpose in their long version, and shows in a table what they found. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';

const HELP = `npm run chaos [-- options] [PART...]: is anything lost, doubled or out of order when parts fail?

Processes are killed at every step of a turn, Redis is killed under load, the model and the provider fail, are slow or
never answer, and thousands of hostile requests come in: over Twilio, and the parts named …-meta over Meta. With PART only the tests whose file name has it run (kill, redis,
failures, slow-model, kill-meta …). All of it takes about half an hour, on this machine alone: it needs redis-server (or
valkey-server), and no network.

  --clocks S   the clocks of the processes are S seconds ahead of Redis' and Twilio's, and S behind, in turns
  --seed N     makes the same random choices as a run that printed this seed
  --help

Exit code 0 when everything held.`;

/** What the table has a column for, in this order; other figures stand below it. */
const COLUMNS = ['kills', 'messages', 'acknowledged', 'answers', 'apologies', 'doubled', 'lost', 'outOfOrder'];

interface Finding {
  test: string;
  figures: Map<string, string>;
}

async function main(): Promise<number> {
  const options = {
    clocks: { type: 'string' },
    seed: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  } as const;
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const files = testFiles(positionals);
  if (files.length === 0) {
    console.error(`No test in test/chaos has ${positionals.join(' or ')} in its name.`);
    return 1;
  }
  const findings: Finding[] = [];
  const codes: number[] = [];
  // One after the other: two at a time would measure each other.
  for (const file of files) {
    console.log(`\n${file}`);
    codes.push(await run(file, settingsOf(values), findings));
  }
  for (const line of tableOf(findings)) console.log(line);
  const failed = files.filter((_, i) => codes[i] !== 0);
  console.log(failed.length === 0 ? '\nEverything held.' : `\nNot everything held: ${failed.join(', ')}`);
  return failed.length === 0 ? 0 : 1;
}

function testFiles(parts: readonly string[]): string[] {
  const files = readdirSync('test/chaos').filter((file) => file.endsWith('.test.ts'));
  const chosen = files.filter((file) => parts.length === 0 || parts.some((part) => file.includes(part)));
  return chosen.sort().map((file) => `test/chaos/${file}`);
}

function settingsOf({ seed, clocks }: { seed?: string | undefined; clocks?: string | undefined }): NodeJS.ProcessEnv {
  return {
    CHAOS: 'long',
    ...(seed === undefined ? {} : { CHAOS_SEED: seed }),
    ...(clocks === undefined ? {} : { CHAOS_CLOCKS_S: clocks }),
  };
}

/** Shows what a test file says as it says it, and notes its figures. @returns its exit code */
async function run(file: string, settings: NodeJS.ProcessEnv, findings: Finding[]): Promise<number> {
  const env = { ...process.env, ...settings };
  const args = ['--import', 'tsx', '--test', '--test-reporter=spec', file];
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const end = () => child.kill('SIGTERM');
  process.once('exit', end);
  const exited = once(child, 'exit');
  let test = file;
  for await (const line of createInterface(child.stdout)) {
    const [, name] = /^\s*[✔✖] (.*) \([\d.]+ms\)/.exec(line) ?? [];
    const [, figures] = /figures: (.*)$/.exec(line) ?? [];
    if (name) test = name;
    if (figures) findings.push({ test, figures: readFigures(figures) });
    else if (!/^ℹ (suites|cancelled|skipped|todo) /.test(line)) console.log(`  ${line}`);
  }
  const [code] = await exited;
  process.off('exit', end);
  return typeof code === 'number' ? code : 1;
}

/** `kills 96, messages 1200` */
function readFigures(text: string): Map<string, string> {
  return new Map(
    text.split(', ').map((figure) => {
      const [, name = '', value = ''] = /^(.+?) ([\d.]\S*(?: \S*×\S*)*)$/.exec(figure) ?? [];
      return [name, value];
    }),
  );
}

function tableOf(findings: readonly Finding[]): string[] {
  const used = COLUMNS.filter((column) => findings.some(({ figures }) => figures.has(column)));
  const widths = used.map((column) => Math.max(column.length, 8));
  const row = (cells: string[]) => cells.map((cell, i) => cell.padStart(widths[i] ?? 0)).join('  ');
  const lines = ['', row(used)];
  for (const { test, figures } of findings) {
    const others = [...figures].filter(([name]) => !COLUMNS.includes(name)).map(([name, value]) => `${name} ${value}`);
    lines.push(`${row(used.map((column) => figures.get(column) ?? '–'))}  ${test}`);
    if (others.length > 0) lines.push(`${' '.repeat(row(widths.map(() => '')).length)}  ${others.join(', ')}`);
  }
  return lines;
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  },
);
