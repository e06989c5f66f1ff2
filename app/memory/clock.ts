/** Redis' time: the one that all processes compare, whatever the clocks of their machines say. */
import { createOffset } from '../ops/offset.ts';

export interface Clock {
  /** Unix ms. Before Redis has told its time, that of this machine. */
  now(): number;
  /**
   * Redis told its time.
   * @param at unix ms
   * @param askedAt when it was asked, by `performance.now()`
   */
  heard(at: number, askedAt: number): void;
}

export function createClock(): Clock {
  // From the clock that nobody sets.
  const ahead = createOffset();
  return {
    now: () => (ahead.ms === undefined ? Date.now() : Math.round(performance.now() + ahead.ms)),
    heard: (at, askedAt) => ahead.narrow(at - performance.now(), at - askedAt),
  };
}
