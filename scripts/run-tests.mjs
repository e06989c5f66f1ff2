/**
 * Runs test files in the given order, one process each, and prints what `node --test` prints. That command itself sorts the files,
 * so that the longest may begin last and hold everybody up.
 *
 * node --import tsx scripts/run-tests.mjs FILE...
 */
import * as os from 'node:os';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';

/** A test file that takes longer hangs, ms. */
const FILE_TIMEOUT_MS = 900_000;

// One more at a time than there are cores, because tests mostly wait.
const concurrency = os.availableParallelism() + 1;
const tests = run({ files: process.argv.slice(2), concurrency, timeout: FILE_TIMEOUT_MS });
tests.on('test:fail', ({ todo }) => {
  if (todo === undefined || todo === false) process.exitCode = 1;
});
tests.compose(new spec()).pipe(process.stdout);
