/** What the team sees of the costs: sums by day, purpose and conversation, how the budget stands, and what needs to be mended. */
import type { CostQuery, CostReport, Costs, Expenses, Sum } from '../archive/read/costs.ts';
import { decimalOf, type Money } from '../money.ts';
import { remember } from '../ops/remember.ts';
import type { Budget } from './budget.ts';
import type { MonthOf } from './month.ts';
import type { Prices } from './prices.ts';

export interface CostOverview {
  /** The main one: that of the budget, else that of the price table. */
  currency: string;
  report: CostReport;
  /** This month by now, of everything. */
  month: Expenses & { name: string };
  /** Null when there is none. */
  budget: Standing | null;
  /** Models that were used this month and are not in the price table. */
  unknownModels: string[];
}

/** How the budget of this month stands. */
export interface Standing {
  limit: Money;
  /** Billionths of the limit's currency. */
  spent: bigint;
  /** Whole percent of the limit, rounded down. */
  percent: number;
  state: 'within' | 'near' | 'used-up';
}

/** Something that the operator should know or mend. */
export interface Notice {
  code: string;
  text: string;
}

/** Reject with `archive.unavailable`. */
export interface Overview {
  of(query: Pick<CostQuery, 'days' | 'place'>): Promise<CostOverview>;
  /** What the archive does not say just now is left out. */
  notices(): Promise<Notice[]>;
}

export interface OverviewOptions {
  costs: Costs;
  prices: Pick<Prices, 'currency' | 'knows'>;
  budget: Pick<Budget, 'limit' | 'spent'>;
  monthOf: MonthOf;
  timeZone: string;
  now: () => number;
}

/** From so many percent on, a notice says how much is left. */
const NEAR_PERCENT = 80;
/** Every open page asks for the notices: they may be this old, ms. */
const NOTICES_MS = 5_000;

export function createOverview({ costs, prices, budget, monthOf, timeZone, now }: OverviewOptions): Overview {
  const currency = budget.limit?.currency ?? prices.currency;
  return { of, notices: remember(notices, NOTICES_MS) };

  async function of(query: Pick<CostQuery, 'days' | 'place'>): Promise<CostOverview> {
    const [report, month, unknownModels] = await Promise.all([
      costs.report({ ...query, timeZone, currency }),
      thisMonth(),
      unknown(),
    ]);
    return { currency, report, month, budget: standingOf(budget, month.sums), unknownModels };
  }

  async function notices(): Promise<Notice[]> {
    const [month, models] = await Promise.all([thisMonth().catch(() => null), unknown().catch(() => [])]);
    const sums = month?.sums ?? [];
    return [
      ...noticesOf(standingOf(budget, sums)),
      ...(budget.limit ? otherCurrencies(sums, budget.limit.currency) : []),
      ...(models.length > 0 ? [{ code: 'prices.unknown', text: noPrice(models) }] : []),
    ];
  }

  async function thisMonth(): Promise<CostOverview['month']> {
    const name = monthOf(now());
    return { name, ...(await costs.month(name, timeZone)) };
  }

  async function unknown(): Promise<string[]> {
    const models = await costs.unpricedModels(monthOf(now()), timeZone);
    return models.filter((model) => !prices.knows(model));
  }
}

/** The counter may be a moment ahead of the archive, or behind it. */
function standingOf({ limit, spent: counted }: Pick<Budget, 'limit' | 'spent'>, sums: readonly Sum[]): Standing | null {
  if (limit === null) return null;
  const archived = sums.find((sum) => sum.currency === limit.currency)?.billionths ?? 0n;
  const spent = archived > BigInt(counted) ? archived : BigInt(counted);
  const percent = Number((spent * 100n) / BigInt(limit.billionths));
  return { limit, spent, percent, state: percent >= 100 ? 'used-up' : percent >= NEAR_PERCENT ? 'near' : 'within' };
}

function noticesOf(standing: Standing | null): Notice[] {
  if (standing === null || standing.state === 'within') return [];
  const { limit, spent, percent } = standing;
  const whole = `${decimalOf(limit.billionths)} ${limit.currency}`;
  const used = `${decimalOf(toCents(spent))} ${limit.currency}`;
  return standing.state === 'near'
    ? [{ code: 'budget.near', text: `${percent} % of this month's budget is spent: ${used} of ${whole}.` }]
    : [{ code: 'budget.used_up', text: `This month's budget of ${whole} is used up: the bot is paused. ${PAUSED}` }];
}

const PAUSED =
  'Whoever writes is told once a day that the team will answer. The bot answers again next month, or after a start with a higher MONTHLY_BUDGET.';

function otherCurrencies(sums: readonly Sum[], currency: string): Notice[] {
  const others = sums.filter((sum) => sum.currency !== currency && sum.billionths > 0n).map((sum) => sum.currency);
  if (others.length === 0) return [];
  const text = `What was paid in ${others.join(', ')} is not counted against the budget, which is in ${currency}.`;
  return [{ code: 'budget.currency', text }];
}

function noPrice(models: readonly string[]): string {
  return `These models have no price, so that what they cost is not counted: ${models.join(', ')}. Add them to the file that MODEL_PRICES names.`;
}

const CENT = 10_000_000n;

/** Rounded to the cent, halves up. */
export function toCents(billionths: bigint): bigint {
  return ((billionths + CENT / 2n) / CENT) * CENT;
}
