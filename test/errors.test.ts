import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { FAILURES, Failure } from '../app/errors.ts';

test('docs/troubleshooting.md names every failure', () => {
  const docs = readFileSync(new URL('../docs/troubleshooting.md', import.meta.url), 'utf8');
  for (const code of Object.keys(FAILURES)) assert.ok(docs.includes(`\`${code}\``), `${code} is not explained`);
});

test('a failure knows whether it may be tried again, and its status', () => {
  const failure = new Failure('channel.ambiguous', 'It is not known.', { cause: new Error('timeout') });
  assert.deepEqual([failure.retryable, failure.status, failure.message], [true, 502, 'It is not known.']);
});
