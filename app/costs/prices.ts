/** What models and messages cost. The prices that come with the project are in `prices.json`; the operator's own win over them. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { type Money, readAmount } from '../money.ts';

/** An amount in billionths of the table's currency. A number of JSON is taken as it is written. */
const amount = z
  .union([z.string(), z.number()], { error: 'expected a price such as "0.75"' })
  .transform((given) => readAmount(String(given)))
  .refine((billionths) => billionths !== null, 'expected a price such as "0.75", with at most nine decimals')
  .transform(Number);

const source = z.string().optional();

const model = z.union(
  [
    /** For a million tokens. What the provider had in its cache costs `input` unless it says otherwise; so does what it puts there. */
    z.strictObject({
      input: amount,
      cached_input: amount.optional(),
      cache_write: amount.optional(),
      output: amount,
      source,
    }),
    /** For a minute of a recording. */
    z.strictObject({ minute: amount, source }),
  ],
  { error: 'expected "input" and "output", for a million tokens each, or "minute"; every price such as "0.75"' },
);

/** For one message, where the provider does not report a price: one for all, or by the provider's word for its kind. */
const message = z.union([amount, z.record(z.string(), amount)], {
  error: 'expected a price such as "0.005", or one for each category',
});

const Table = z.strictObject(
  {
    date: z.iso.date('expected a day such as 2026-11-28').optional(),
    currency: z.string().regex(/^[A-Z]{3}$/, 'expected a code such as USD'),
    models: z.record(z.string(), model).default({}),
    messages: z.record(z.string(), message).default({}),
  },
  {
    error: (issue) =>
      issue.code === 'unrecognized_keys' ? 'knows only date, currency, models and messages' : undefined,
  },
);

export type PriceTable = z.output<typeof Table>;
type ModelPrice = PriceTable['models'][string];

/** What a call of a model used, in whole numbers. */
export interface Usage {
  /** `cached` is the part of `prompt` that the provider had in its cache, `cacheWrites` the part that it put there. */
  tokens?: { prompt: number; completion: number; cached: number; cacheWrites?: number } | undefined;
  /** How long a recording was, ms. */
  audioMs?: number | undefined;
}

export interface Prices {
  currency: string;
  /** Null when the table has no price for the model, or the usage is not what the price is for. */
  costOf(model: string, usage: Usage): Money | null;
  /** Has the table a price for this model? */
  knows(model: string): boolean;
  /** Of messages whose price no provider reports; `category` is null in what counts for every kind. */
  messages: readonly MessagePrice[];
}

export interface MessagePrice {
  channel: string;
  category: string | null;
  cost: Money;
}

/**
 * Reads the operator's table, JSON. Models and channels that it does not name stay those of the project, when both have one currency.
 * @param json undefined for the project's own
 * @throws Error that says in one sentence what is wrong where
 */
export function readPriceTable(json?: string): PriceTable {
  const ours = parse(readFileSync(new URL('./prices.json', import.meta.url), 'utf8'));
  if (json === undefined) return ours;
  const own = parse(json);
  if (own.currency !== ours.currency) return own;
  return { ...own, models: { ...ours.models, ...own.models }, messages: { ...ours.messages, ...own.messages } };
}

function parse(json: string): PriceTable {
  const parsed = Table.safeParse(jsonIn(json));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new Error(`${issue?.path.join('.') || 'the table'}: ${issue?.message}`);
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error('the table: expected JSON');
  }
}

export function createPrices({ currency, models, messages }: PriceTable): Prices {
  const priced = new Map(Object.entries(models));
  const priceOf = (name: string) =>
    namesOf(name)
      .map((one) => priced.get(one))
      .find(Boolean);
  return {
    currency,
    knows: (name) => priceOf(name) !== undefined,
    costOf(name, usage) {
      const price = priceOf(name);
      const billionths = price ? billionthsOf(price, usage) : null;
      return billionths === null ? null : { billionths, currency };
    },
    messages: Object.entries(messages).flatMap(([channel, price]) => {
      const kinds = typeof price === 'number' ? [[null, price] as const] : Object.entries(price);
      return kinds.map(([category, billionths]) => ({ channel, category, cost: { billionths, currency } }));
    }),
  };
}

/** As it is; without the maker in front (`openai/…`); without the day of its snapshot behind. */
function namesOf(name: string): string[] {
  const bare = name.split('/').at(-1) ?? name;
  return [name, bare, bare.replace(/-\d{4}-\d{2}-\d{2}$/, '')];
}

const TOKENS = 1_000_000n;
const MINUTE_MS = 60_000n;

function billionthsOf(price: ModelPrice, { tokens, audioMs }: Usage): number | null {
  if ('minute' in price) return audioMs === undefined ? null : share(BigInt(price.minute) * BigInt(audioMs), MINUTE_MS);
  if (!tokens) return null;
  const { input, cached_input = input, cache_write = input, output } = price;
  const { prompt, completion, cached, cacheWrites = 0 } = tokens;
  const parts = [
    [Math.max(0, prompt - cached - cacheWrites), input],
    [cached, cached_input],
    [cacheWrites, cache_write],
    [completion, output],
  ] as const;
  return share(
    parts.reduce((sum, [count, each]) => sum + BigInt(count) * BigInt(each), 0n),
    TOKENS,
  );
}

/** Rounded to the nearest billionth, halves up. */
function share(amount: bigint, parts: bigint): number {
  return Math.min(Number((amount * 2n + parts) / (parts * 2n)), Number.MAX_SAFE_INTEGER);
}
