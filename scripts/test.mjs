#!/usr/bin/env node
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import * as os from 'node:os';
import { join } from 'node:path';
import { command, ensureRedis, installDependencies, run, say, Trouble } from './setup.mjs';

const HELP = `Usage: npm test [-- PART...]
Without arguments: types, format and lint, then every test. With arguments: the tests whose path contains one of them,
and nothing else, e.g.  npm test -- test/privacy
`;

/** A test file that takes longer hangs. */
const FILE_TIMEOUT_MS = 900_000;

await command(HELP, async (parts) => {
  await installDependencies();
  await ensureRedis({ always: true });
  if (parts.length === 0) {
    await check('Types (tsc)', 'typescript/bin/tsc', ['--noEmit']);
    if (existsSync('tsconfig.web.json'))
      await check('Types of the pages (tsc)', 'typescript/bin/tsc', ['--noEmit', '-p', 'tsconfig.web.json']);
    await check(
      'Format and lint (biome)',
      '@biomejs/biome/bin/biome',
      ['ci', '.'],
      ' `npm run format` mends most of it.',
    );
  }
  process.exit(await runTests(testFiles(parts)));
});

async function check(what, bin, args, remedy = '') {
  say(`${what} …`);
  if ((await run(process.execPath, [join('node_modules', bin), ...args])) === 0) return;
  throw new Trouble(`${what} found what is above. No test was run.${remedy}`);
}

/** Node 20 does not expand patterns by itself. */
function testFiles(parts) {
  const files = readdirSync('test', { recursive: true }).map((file) => join('test', file));
  const tests = files.filter((file) => file.endsWith('.test.ts')).sort();
  const chosen = tests.filter((file) => parts.length === 0 || parts.some((part) => file.includes(part)));
  if (chosen.length === 0) throw new Trouble(`No test file has ${parts.join(' or ')} in its path.`);
  return chosen;
}

/** One process per file, and one more at a time than there are cores, because tests mostly wait. The last lines are the counts. */
async function runTests(files) {
  const database = files.length > 1 ? await startDatabase() : null;

  const options = [
    `--test-concurrency=${os.availableParallelism() + 1}`,
    `--test-timeout=${FILE_TIMEOUT_MS}`,
    '--test-reporter=spec',
  ];
  const status = await run(process.execPath, ['--import', 'tsx', '--test', ...options, ...files], { stdout: 1 });
  await database?.stop();
  return status;
}

/** One PostgreSQL for all files, each with a database of its own in it. */
async function startDatabase() {
  const child = spawn(process.execPath, ['--import', 'tsx', join('test', 'support', 'postgres-server.ts')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  const [address] = await Promise.race([once(child.stdout, 'data'), ended.then(() => [])]);
  if (address === undefined) throw new Trouble('The PostgreSQL of the tests did not start: its words are above.');
  process.env.TEST_POSTGRES_URL = String(address).trim();
  return {
    async stop() {
      child.stdin.end();
      await ended;
    },
  };
}
