import { setTimeout as timer } from 'node:timers/promises';
import { Failure, type ModelError } from '../errors.ts';
import type { Log } from '../ops/logger.ts';

/** Time, replaceable in tests. */
export interface Clock {
  /** Ms from any fixed point; never goes back. */
  now(): number;
  /** Rejects with the signal's reason as soon as it is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** What became of a try that failed. */
export interface Trouble {
  failure: ModelError;
  /** Is it worth trying again now, within the same answer? */
  again: boolean;
  /** How long the server asked us to stay away, ms. */
  retryAfterMs?: number | undefined;
}

export interface RetryOptions {
  /** For all tries together and the waits between them, ms. */
  timeoutMs: number;
  /** No other try begins later than this, ms. Default: `timeoutMs`. */
  retryForMs?: number | undefined;
  /** Gives up when it is aborted, at any point. */
  signal?: AbortSignal | undefined;
  /** Says what a rejection of `attempt` means. */
  explain(error: unknown): Trouble;
  log: Log;
  clock?: Clock | undefined;
}

/** Backoff: the first wait and the longest, ms; doubled each time, a random quarter of it taken off. As OpenAI's own SDKs do. */
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 8_000;

/**
 * Tries until it works, is not worth another try, or the deadline passes. A request that is open may use all the time that is left: a
 * slow model says nothing before its answer is whole. A server's Retry-After is honoured when it fits into that time; if not, the call
 * ends at once.
 * @param attempt must end soon after its signal is aborted.
 * @throws a `Failure` with a `model.` code (`model.timeout` at the deadline), or the reason of `signal`.
 */
export async function retry<T>(options: RetryOptions, attempt: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const { timeoutMs, retryForMs = timeoutMs, signal, explain, log, clock = realClock } = options;
  const deadline = clock.now() + timeoutMs;
  const lastTryAt = deadline - timeoutMs + Math.min(timeoutMs, retryForMs);
  for (let failed = 0; ; failed++) {
    signal?.throwIfAborted();
    const left = deadline - clock.now();
    const outcome = await once(attempt, left, options);
    if (outcome.ok) return outcome.value;
    const {
      failure,
      again,
      retryAfterMs = 0,
    } = outcome.timedOut ? timedOut(timeoutMs, outcome.error) : explain(outcome.error);
    const waitMs = retryAfterMs + backoff(failed);
    if (!again || clock.now() + waitMs >= lastTryAt) throw failure;
    log.warn('The model is asked again', { code: failure.code, reason: failure.message, waitMs: Math.round(waitMs) });
    await clock.sleep(waitMs, signal);
  }
}

export const realClock: Clock = {
  now: () => performance.now(),
  async sleep(ms, signal) {
    try {
      await timer(ms, undefined, signal && { signal });
    } catch (error) {
      throw signal?.aborted ? signal.reason : error;
    }
  },
};

type Outcome<T> = { ok: true; value: T } | { ok: false; error: unknown; timedOut: boolean };

/** One try with a signal of its own: aborted with the caller's, or after `ms`. One timer and one listener, both removed afterwards. */
async function once<T>(
  attempt: (signal: AbortSignal) => Promise<T>,
  ms: number,
  { signal }: RetryOptions,
): Promise<Outcome<T>> {
  const ending = new AbortController();
  let timedOut = false;
  const alarm = setTimeout(() => {
    timedOut = true;
    ending.abort(new Error('The time for this request is over'));
  }, ms);
  const giveUp = () => ending.abort(signal?.reason);
  signal?.addEventListener('abort', giveUp, { once: true });
  try {
    return { ok: true, value: await attempt(ending.signal) };
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    return { ok: false, error, timedOut };
  } finally {
    clearTimeout(alarm);
    signal?.removeEventListener('abort', giveUp);
  }
}

function timedOut(timeoutMs: number, cause: unknown): Trouble {
  const message = `The model did not answer within ${timeoutMs} ms (for answers, OPENAI_TIMEOUT_MS sets the limit).`;
  return { failure: new Failure('model.timeout', message, { cause }), again: true };
}

function backoff(failed: number): number {
  const wait = Math.min(FIRST_WAIT_MS * 2 ** failed, LONGEST_WAIT_MS);
  return wait * (1 - Math.random() * 0.25);
}
