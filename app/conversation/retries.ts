/**
 * What failed → what we do → what the person sees → what the operator sees.
 *
 * | what failed | what we do | the person sees | the operator sees |
 * | --- | --- | --- | --- |
 * | model: busy, 5xx, timeout, reset | tried again within OPENAI_TIMEOUT_MS, then the apology | FAILURE_REPLY | error line, `failure` in the turn's line |
 * | model: key, quota, bad request, filter | the apology at once | FAILURE_REPLY | error line that names the setting |
 * | model down and FAILURE_REPLY empty | webhook gets 502; the messages wait and are tried again, see `retryWaitMs` | nothing, or a late answer | error line; a dead letter after `MOST_ATTEMPTS` |
 * | sending: 429, connection refused | tried again within the turn, then later, see `retryWaitMs` | a late answer | warning; a dead letter after `MOST_ATTEMPTS` |
 * | sending: timeout, 5xx, reset, closed webhook | the provider is asked, or its reports are waited for; what was not sent is sent again | one answer | warning |
 * | sending: outside the window, opted out, no such recipient, sender not allowed, refused | nothing again | nothing | error line, dead letter |
 * | sending: the account's messages of the day are used up | tried again every five hours | a late answer | error line; a dead letter after `MOST_ATTEMPTS` |
 * | sending: credentials | as busy: the setting may be corrected meanwhile | a late answer | error line; a dead letter after `MOST_ATTEMPTS` |
 * | Redis is down | 503; stored messages wait for the sweep | a late answer | error line, /readyz |
 * | the process crashes | it is gone after 6 s of silence, at once on the same machine; another process or the next start continues | a late answer | `attempts` in the turn's line |
 * | one process after the other crashes at the same messages | taken over alone, so that unrelated contacts are not counted; given up after `MOST_CRASHES` | nothing | error line, dead letter `turn.crashed` |
 * | the process is suspended for seconds | the same; it checks the lease before every send, and sends nothing without it | one answer | error line |
 * | the process is told to stop | what does not finish in 24 s is given back, no crash; what comes in is stored | a late answer | `Given back` in the log |
 * | a reply waits, and meanwhile a person takes over or blocks, another responder gets the thread, or they opt out | the reply is not sent | what the person writes | error line, dead letter `turn.overtaken` |
 * | more than MAX_WAITING wait | 503, nothing is stored; the provider repeats | nothing, or a late answer | `server.busy`, /metrics |
 */
import type { FailureCode } from '../errors.ts';
import { FAILURES } from '../errors.ts';

/** How often what waits is taken over before it is given up. */
export const MOST_ATTEMPTS = 5;

/**
 * How many processes in a row may crash at the same messages before these are given up. Many, because a crash counts for all that the
 * process worked at, and most of it did not cause it: with 5, on a machine that kills its processes every other second,
 * unrelated messages are given up.
 */
export const MOST_CRASHES = 15;

/** From so many crashes on, a contact is taken over alone, so that fewer unrelated contacts are counted. */
export const SUSPICIOUS_CRASHES = 5;

/** So that the attempts at a daily limit cover more than a day. */
const DAILY_LIMIT_WAIT_MS = 5 * 3_600_000;

/**
 * How long a conversation rests after its n-th attempt (0 = the first try): 15 s, 1 min, 4 min, 16 min, an hour; five hours each time at a
 * daily limit.
 */
export function retryWaitMs(attempts: number, code: FailureCode): number {
  if (code === 'channel.daily_limit') return DAILY_LIMIT_WAIT_MS;
  return Math.min(15_000 * 4 ** attempts, 3_600_000);
}

/** Not retryable at once, but a setting may be corrected, or a day end. */
const MENDED_BY_OTHERS: ReadonlySet<FailureCode> = new Set(['channel.credentials', 'channel.daily_limit']);

/** May a delivery that failed this way be tried again later? */
export function worthAnotherTry(code: FailureCode, attempts: number): boolean {
  const mendable = FAILURES[code].retryable || MENDED_BY_OTHERS.has(code);
  return mendable && attempts < MOST_ATTEMPTS;
}
