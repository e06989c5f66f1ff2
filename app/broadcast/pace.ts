/**
 * How fast a number of ours sends. It begins slowly, so that a fault of the account or the template is noticed after a few messages, and is
 * twice as fast every two seconds until it reaches the limit. A provider that asks to slow down halves it.
 */

/** See `PaceState` in `archive/write/broadcasts.ts`: times are unix ms by one clock, the database's. */
export interface Pace {
  /** So many may be sent now. */
  tokens: number;
  /** In a second; 0 = nothing was sent lately. */
  rate: number;
  filledAt: number;
  grownAt: number;
  heldUntil: number;
  heldFor: string | null;
}

export interface PaceLimits {
  /** Messages in a second, the most. */
  perSecond: number;
  /** How long it stays as fast as it is before it is twice as fast, ms. Default: 2,000. */
  growMs?: number | undefined;
}

/** In a second, at first. */
const SLOW = 5;
const GROW_MS = 2_000;
/** After so long without a message it begins slowly again, ms. */
const IDLE_MS = 60_000;
/**
 * This share of a second's messages may go at once, the rest steadily: so no second has more than the limit, and a provider that counts
 * what comes in, too, has room for answers.
 */
const BURST = 0.1;

/** The pace by now. */
export function refill(pace: Pace, now: number, { perSecond, growMs = GROW_MS }: PaceLimits): Pace {
  const steady = perSecond * (1 - BURST);
  const elapsedMs = Math.max(0, now - pace.filledAt);
  if (pace.rate === 0 || elapsedMs > IDLE_MS) {
    return { ...pace, tokens: 1, rate: Math.min(SLOW, steady), filledAt: now, grownAt: now };
  }
  const tokens = Math.min(Math.max(1, perSecond * BURST), pace.tokens + (pace.rate * elapsedMs) / 1_000);
  const isGrown = now - pace.grownAt >= growMs;
  const rate = Math.min(steady, isGrown ? pace.rate * 2 : pace.rate);
  return { ...pace, tokens, rate, filledAt: now, grownAt: isGrown ? now : pace.grownAt };
}
