import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure } from '../../app/errors.ts';
import { type RetryOptions, retry } from '../../app/llm/retry.ts';
import { createLogger } from '../../app/ops/logger.ts';

const log = createLogger({ level: 'error', format: 'json', write: () => {} });
const down = () => ({ failure: new Failure('model.unavailable', 'It is down.'), again: true });

/** Time that passes when the test says so. */
function fakeTime() {
  let now = 0;
  const slept: number[] = [];
  const clock: NonNullable<RetryOptions['clock']> = {
    now: () => now,
    async sleep(ms) {
      slept.push(ms);
      now += ms;
    },
  };
  return { clock, slept, pass: (ms: number) => (now += ms) };
}

test('a request that is open keeps the whole time: nobody cuts a slow model off to ask it again', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { clock } = fakeTime();
  const signals: AbortSignal[] = [];
  const asked = retry({ timeoutMs: 60_000, explain: down, log, clock }, (signal) => {
    signals.push(signal);
    return new Promise<string>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  });
  t.mock.timers.tick(59_999);
  assert.deepEqual(
    signals.map(({ aborted }) => aborted),
    [false],
  );
  const ended = assert.rejects(asked, { code: 'model.timeout' });
  t.mock.timers.tick(1);
  assert.equal(signals[0]?.aborted, true);
  t.mock.timers.reset();
  // The clock of the test stands still, so there seems to be time for more: the next try is cut off by the caller.
  clock.now = () => 60_001;
  await ended;
});

test('after a failure no try begins later than the caller allows, so that there is time left to say so', async () => {
  const { clock, slept } = fakeTime();
  let tries = 0;
  const failing = async () => {
    tries++;
    throw new Error('refused');
  };
  await assert.rejects(retry({ timeoutMs: 60_000, retryForMs: 10_000, explain: down, log, clock }, failing), {
    code: 'model.unavailable',
  });
  assert.ok(slept.reduce((sum, ms) => sum + ms, 0) < 10_000, `${slept}`);
  assert.ok(tries >= 4, `${tries} tries`);
});
