/** What all processes together have spent, month by month. The archive has the ledger; this counter knows it a moment earlier. */
import type { Keys } from './keys.ts';
import { type RedisClient, type RunScript, unavailable } from './redis.ts';

/** Amounts are billionths of the budget's currency, months are named `2026-11`. Everything rejects with `store.unavailable`. */
export interface Spending {
  /** Counts what was spent. @returns what all processes spent in that month. */
  add(month: string, billionths: number): Promise<number>;
  /** What all processes spent in a month. */
  of(month: string): Promise<number>;
  /** Raises the counter to what the archive has, should it know less. @returns as `add` */
  raise(month: string, billionths: bigint): Promise<number>;
}

export interface SpendingOptions {
  redis: RedisClient;
  run: RunScript;
  keys: Pick<Keys, 'spent'>;
}

export function createSpending({ redis, run, keys: { spent } }: SpendingOptions): Spending {
  return {
    add: (month, billionths) =>
      redis.hincrby(spent, month, billionths).catch((error) => Promise.reject(unavailable(error))),
    async of(month) {
      return Number(await redis.hget(spent, month).catch((error) => Promise.reject(unavailable(error))));
    },
    async raise(month, billionths) {
      return Number(await run('raise', [spent], [month, String(billionths)]));
    },
  };
}
