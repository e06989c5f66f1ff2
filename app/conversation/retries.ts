/**
 * What failed → what we do → what the person sees → what the operator sees.
 *
 * | what failed | what we do | the person sees | the operator sees |
 * | --- | --- | --- | --- |
 * | model: busy, 5xx, timeout, reset | tried again within OPENAI_TIMEOUT_MS, then the apology | FAILURE_REPLY | error line, `failure` in the turn's line |
 * | model: key, quota, bad request, filter | the apology at once | FAILURE_REPLY | error line that names the setting |
 * | model down and FAILURE_REPLY empty | webhook gets 502; the messages wait and are tried again, see `retryWaitMs` | nothing, or a late answer | error line; a dead letter after `MOST_ATTEMPTS` |
 * | sending: 429, connection refused | tried again within the turn, then later, see `retryWaitMs` | a late answer | warning; a dead letter after `MOST_ATTEMPTS` |
 * | sending: timeout, 5xx, reset, closed webhook | the provider's list is asked; what is not on it is sent again | one answer | warning |
 * | sending: outside the window, opted out, no such recipient, sender not allowed, refused | nothing again | nothing | error line, dead letter |
 * | sending: credentials | as busy: somebody may mend the setting meanwhile | a late answer | error line; a dead letter after `MOST_ATTEMPTS` |
 * | Redis away | 503; what was stored waits for the sweep | a late answer | error line, /readyz |
 * | the process dies | the lease runs out, another process or the next start finishes | a late answer | `attempts` in the turn's line |
 * | it dies over the same messages again and again | taken over alone, so that nobody else is counted in; given up after `MOST_CRASHES` | nothing | error line, dead letter `turn.crashed` |
 * | the process sleeps through its lease | the same; it asks before every send, and keeps silent when it lost the conversation | one answer | error line |
 * | a reply waits, and meanwhile the desk takes over or blocks | nothing is sent any more | what the desk writes | error line, dead letter `turn.overtaken` |
 * | more than MAX_WAITING wait | 503, nothing is stored; the provider repeats | nothing, or a late answer | `server.busy`, /metrics |
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { FailureCode } from '../errors.ts';
import { FAILURES } from '../errors.ts';

/** How often what waits is taken over before it is given up. */
export const MOST_ATTEMPTS = 5;

/**
 * How many turns in a row may die over the same messages before these are given up. Many, because whoever was at work when a
 * process died is counted, and most of them have nothing to do with it: with 5, a machine that kills its processes every
 * other second gets the innocent given up as well.
 */
export const MOST_CRASHES = 15;

/** From so many crashes on, a conversation is taken over with no other beside it: fewer of the innocent are counted then. */
export const SUSPICIOUS_CRASHES = 5;

/** How long a conversation rests after its n-th attempt (0 = the first try): 15 s, 1 min, 4 min, 16 min, an hour. */
export function retryWaitMs(attempts: number): number {
  return Math.min(15_000 * 4 ** attempts, 3_600_000);
}

/** May a delivery that failed this way be tried again later? */
export function worthAnotherTry(code: FailureCode, attempts: number): boolean {
  const mendable = FAILURES[code].retryable || code === 'channel.credentials';
  return mendable && attempts < MOST_ATTEMPTS;
}

/** Waits before the 2nd, 3rd … try to tell Redis something that it must know, ms: a restart of it is over by then. */
const REDIS_WAITS_MS = [500, 1_500, 4_000];

/** Does it again while it rejects. For what is the same done twice, because the first time may have been carried out. */
export async function patiently<Result>(tell: () => Promise<Result>): Promise<Result> {
  for (const waitMs of REDIS_WAITS_MS) {
    try {
      return await tell();
    } catch {
      await sleep(waitMs);
    }
  }
  return tell();
}
