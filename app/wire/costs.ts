/** Joins what money is spent on: the price table, the ledger, the budget of the month. */
import { createCosts } from '../archive/read/costs.ts';
import { createPricesDue } from '../archive/write/prices-due.ts';
import type { Channel } from '../channels/channel.ts';
import type { Config } from '../config.ts';
import { type Budget, createBudget } from '../costs/budget.ts';
import { createLatePrices, type LatePrices } from '../costs/late-prices.ts';
import { createLedger, type Ledger } from '../costs/ledger.ts';
import { createMonthOf } from '../costs/month.ts';
import { createOverview, type Overview } from '../costs/overview.ts';
import { createPrices, type Prices } from '../costs/prices.ts';
import type { Log } from '../ops/logger.ts';
import type { ArchiveParts } from './archive.ts';
import type { MemoryParts } from './memory.ts';
import { recordStatus } from './status.ts';

export interface CostParts {
  prices: Prices;
  budget: Budget;
  ledger: Ledger;
  /** What the team sees of it. */
  overview: Overview;
  /** Asks providers what messages cost. */
  latePrices: LatePrices;
}

export interface CostTools {
  memory: MemoryParts;
  archive: Pick<ArchiveParts, 'database'>;
  channels: readonly Channel[];
  /** This process fills the archive: then the budget's counter is compared with it. */
  records: boolean;
  log: Log;
}

/** Builds it; nothing is asked or counted until it starts. */
export function buildCosts(config: Config, { memory, archive, channels, records, log }: CostTools): CostParts {
  const { timeZone, monthlyBudget: limit } = config;
  const { spending, publish, allowance } = memory;
  const { now } = memory.clock;
  const { database } = archive;
  const prices = createPrices(config.prices);
  const costs = createCosts(database);
  const monthOf = createMonthOf(timeZone);
  const budget = createBudget({ limit, spending, archived: records ? archived : null, monthOf, now, log });
  const ledger = createLedger({ prices, budget, allow: allowance.spend, publish, now, log });
  const overview = createOverview({ costs, prices, budget, monthOf, timeZone, now });
  return { prices, budget, ledger, overview, latePrices: buildLatePrices() };

  async function archived(month: string): Promise<bigint> {
    const { sums } = await costs.month(month, timeZone);
    return sums.find(({ currency }) => currency === limit?.currency)?.billionths ?? 0n;
  }

  function buildLatePrices(): LatePrices {
    const due = createPricesDue(database);
    const askable = new Map(
      channels.flatMap((channel) => (channel.statusOf ? [[channel.name, channel] as const] : [])),
    );
    return createLatePrices({
      take: (most) => due.take(most, [...askable.keys()]),
      statusOf: async ({ channel, sid }, signal) => (await askable.get(channel)?.statusOf?.(sid, signal)) ?? null,
      report: (status) => recordStatus(memory, status),
      log,
    });
  }
}
