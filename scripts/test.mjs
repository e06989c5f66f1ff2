#!/usr/bin/env node
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { command, ensureRedis, installDependencies, run, say, Trouble } from './setup.mjs';

const HELP = `Usage: npm test [-- PART...]
Without arguments: types, format and lint, then every test. With arguments: the tests whose path contains one of them,
and nothing else, e.g.  npm test -- test/privacy
`;

/** Where the tests are that take longest: they begin first, so that nobody waits for one of them in the end. */
const LONGEST = ['test/web/', 'test/archive/', 'test/scripts/'];

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
  return chosen.sort((a, b) => placeOf(a) - placeOf(b));
}

function placeOf(file) {
  const place = LONGEST.findIndex((folder) => file.startsWith(folder));
  return place === -1 ? LONGEST.length : place;
}

/** One process per file, see `run-tests.mjs`. The last lines are the counts. */
async function runTests(files) {
  const database = files.length > 1 ? await startDatabase() : null;

  const program = join('scripts', 'run-tests.mjs');
  const status = await run(process.execPath, ['--import', 'tsx', program, ...files], { stdout: 1 });
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
