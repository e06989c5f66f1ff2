import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { FAILURES, Failure } from '../app/errors.ts';

test('the troubleshooting chapter of the README names every failure', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const chapter = readme.slice(readme.indexOf('## Troubleshooting'));
  for (const code of Object.keys(FAILURES))
    assert.ok(chapter.includes(`\`${code}\``), `${code} is not explained in the README`);
});

test('a failure knows whether it may be tried again, and its status', () => {
  const failure = new Failure('channel.ambiguous', 'Nobody knows.', { cause: new Error('timeout') });
  assert.deepEqual([failure.retryable, failure.status, failure.message], [true, 502, 'Nobody knows.']);
});
