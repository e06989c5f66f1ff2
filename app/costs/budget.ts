/**
 * How much of the month's budget is used. Every process has a copy of the counter that they share, and what it spent itself since it last
 * told the others: so nobody is asked when a message comes in.
 */
import type { Spending } from '../memory/spending.ts';
import type { Money } from '../money.ts';
import type { Log } from '../ops/logger.ts';
import type { MonthOf } from './month.ts';

export interface Budget {
  /** Of a month; null when there is none. */
  readonly limit: Money | null;
  /** What all processes spent this month, billionths of the limit's currency, as far as this one knows. */
  readonly spent: number;
  /** Then no model is asked any more until the month is over. */
  isUsedUp(): boolean;
  /** Counts an expense; one in another currency than the limit's is not counted. */
  spend(at: number, cost: Money): void;
  /** Begins to look at the shared counter. */
  start(): void;
  /** Resolves when the others know what this process spent. */
  stop(): Promise<void>;
}

export interface BudgetOptions {
  limit: Money | null;
  spending: Spending;
  /** What the archive has of a month, billionths; null in a process that records nothing. */
  archived: ((month: string) => Promise<bigint>) | null;
  monthOf: MonthOf;
  now: () => number;
  log: Log;
}

/** How long what this process spends is added up before the others are told, ms. */
const TELL_MS = 250;
/** How often the counter is looked at, ms: so late does a process that spends nothing notice that others used the budget up. */
const LOOK_MS = 2_000;
/** How often the counter is compared with the archive, ms: prices of messages come late, and a Redis that was emptied has lost its count. */
const COMPARE_MS = 30_000;

export function createBudget({ limit, spending, archived, monthOf, now, log }: BudgetOptions): Budget {
  let known = { month: '', billionths: 0 };
  /** Month → what was spent here and not told yet. */
  let untold = new Map<string, number>();
  let telling: NodeJS.Timeout | undefined;
  let looking: NodeJS.Timeout | undefined;
  let comparedAt = Number.NEGATIVE_INFINITY;
  let failing = false;
  return {
    limit,
    get spent() {
      return spentIn(monthOf(now()));
    },
    isUsedUp: () => limit !== null && spentIn(monthOf(now())) >= limit.billionths,
    spend,
    start() {
      if (limit === null || looking) return;
      looking = setInterval(() => void look(), LOOK_MS).unref();
      void look();
    },
    async stop() {
      clearInterval(looking);
      clearTimeout(telling);
      await tell();
    },
  };

  function spentIn(month: string): number {
    return (known.month === month ? known.billionths : 0) + (untold.get(month) ?? 0);
  }

  function spend(at: number, { billionths, currency }: Money): void {
    if (currency !== limit?.currency || billionths === 0) return;
    const month = monthOf(at);
    untold.set(month, (untold.get(month) ?? 0) + billionths);
    telling ??= setTimeout(() => void tell(), TELL_MS).unref();
  }

  async function tell(): Promise<void> {
    telling = undefined;
    const expenses = [...untold];
    untold = new Map();
    for (const [month, billionths] of expenses) {
      // Until the answer: it counts here.
      learn(month, (known.month === month ? known.billionths : 0) + billionths);
      // It may have been counted although nobody said so: not again. The archive has it, too.
      await asked(async () => learn(month, await spending.add(month, billionths)));
    }
  }

  async function look(): Promise<void> {
    const month = monthOf(now());
    await asked(async () => {
      const isDue = archived !== null && performance.now() - comparedAt >= COMPARE_MS;
      const total = isDue ? await archived(month).catch(() => null) : null;
      if (total !== null) comparedAt = performance.now();
      learn(month, total === null ? await spending.of(month) : await spending.raise(month, total));
    });
  }

  function learn(month: string, billionths: number): void {
    if (month >= known.month) known = { month, billionths };
  }

  /** Logs once per outage. Without Redis nothing is answered either. */
  async function asked(ask: () => Promise<void>): Promise<void> {
    try {
      await ask();
      failing = false;
    } catch (error) {
      if (!failing) log.warn('What was spent this month cannot be read; going on with what is known', { error });
      failing = true;
    }
  }
}
