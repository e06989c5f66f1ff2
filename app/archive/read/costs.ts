/** What was spent, summed from the ledger: by day, by purpose, by conversation. */
import { type Kysely, type RawBuilder, sql } from 'kysely';
import { addressOf } from '../../contacts/addresses.ts';
import type { Database } from '../engine/database.ts';
import type { CostPurpose, Tables } from '../engine/schema.ts';
import { businessNumber, contactWith, type Place } from './conversations.ts';

/** A sum in one currency. */
export interface Sum {
  currency: string;
  billionths: bigint;
}

/** What was spent for something, and how many entries of it have no price: nobody said what they cost. */
export interface Expenses {
  sums: Sum[];
  entries: number;
  unpriced: number;
}

export interface CostReport {
  /** One for each day up to and with today, oldest first; `day` is `2026-11-24` in the time zone that was asked for. */
  days: { day: string; purposes: (Expenses & { purpose: CostPurpose })[] }[];
  /** Over all days. */
  total: Expenses;
  purposes: (Expenses & { purpose: CostPurpose })[];
  /** Those that cost most in the main currency, dearest first. */
  conversations: (Expenses & { phone: string; contactName: string | null; business: string })[];
}

export interface CostQuery {
  /** Up to and with today, at most 366. */
  days: number;
  /** An IANA name: where a day begins. */
  timeZone: string;
  /** By which currency conversations are ordered. */
  currency: string;
  /** What was spent for one contact; with `business`, in one conversation. Default: all. */
  place?: Place | undefined;
}

/** Reject with `archive.unavailable`. */
export interface Costs {
  report(query: CostQuery): Promise<CostReport>;
  /** What was spent in a month, `2026-11`. */
  month(month: string, timeZone: string): Promise<Expenses>;
  /** Models that were used in a month and have no price in the ledger. */
  unpricedModels(month: string, timeZone: string): Promise<string[]>;
}

const MOST_CONVERSATIONS = 20;

export function createCosts(database: Database): Costs {
  return {
    report: (query) =>
      database.transaction(async (db) => {
        await sql`set local jit = off`.execute(db); // compiling the query takes longer than running it
        return { ...(await byDay(db, query)), conversations: await byConversation(db, query) };
      }),

    month: (month, timeZone) =>
      database.run(async (db) => {
        const { rows } = await sql<Row>`
          select c.currency, ${FIGURES} from whatsapp_costs c where ${inMonth(month, timeZone)} group by c.currency
          order by c.currency`.execute(db);
        return expensesOf(rows);
      }),

    unpricedModels: (month, timeZone) =>
      database.run(async (db) => {
        const { rows } = await sql<{ model: string }>`
          select distinct c.model from whatsapp_costs c
          where c.amount is null and c.purpose <> 'message' and ${inMonth(month, timeZone)} order by c.model`.execute(
          db,
        );
        return rows.map(({ model }) => model);
      }),
  };
}

interface Row {
  currency: string | null;
  /** A sum may be larger than a number holds exactly. */
  billionths: string;
  entries: number;
  unpriced: number;
}

const FIGURES = sql`coalesce(sum(c.amount), 0)::text as billionths, count(*) as entries,
  count(*) filter (where c.amount is null) as unpriced`;

async function byDay(db: Kysely<Tables>, query: CostQuery): Promise<Omit<CostReport, 'conversations'>> {
  const { rows } = await sql<Row & { day: string; purpose: CostPurpose }>`
    select (c.at at time zone ${query.timeZone})::date as day, c.purpose, c.currency, ${FIGURES}
    from whatsapp_costs c where ${isAsked(query)} group by 1, 2, 3 order by 1, 2, 3`.execute(db);
  const { rows: span } = await sql<{ day: string }>`
    select (${today(query)} - n * interval '1 day')::date as day
    from generate_series(${mostDays(query) - 1}::int, 0, -1) n`.execute(db);
  return {
    days: span.map(({ day }) => ({ day, purposes: byPurpose(rows.filter((row) => row.day === day)) })),
    total: expensesOf(rows),
    purposes: byPurpose(rows),
  };
}

async function byConversation(db: Kysely<Tables>, query: CostQuery): Promise<CostReport['conversations']> {
  const { rows } = await sql<Row & { id: string; phone: string; name: string | null; business: string }>`
    with dearest as (
      select c.conversation_id as id, coalesce(sum(c.amount) filter (where c.currency = ${query.currency}), 0) as spent
      from whatsapp_costs c where ${isAsked(query)} and c.conversation_id is not null
      group by 1 order by 2 desc, 1 limit ${MOST_CONVERSATIONS})
    select v.id, v.phone_number as phone, v.contact_name as name, v.business_number as business, c.currency, ${FIGURES}
    from dearest d join whatsapp_conversations v on v.id = d.id join whatsapp_costs c on c.conversation_id = d.id
    where ${isAsked(query)} group by v.id, d.spent, c.currency order by d.spent desc, v.id, c.currency`.execute(db);
  const found = new Map<string, typeof rows>();
  for (const row of rows) found.set(row.id, [...(found.get(row.id) ?? []), row]);
  return [...found.values()].flatMap((all) => {
    const [first] = all;
    if (!first) return [];
    const { phone, name, business } = first;
    return { phone, contactName: name, business: addressOf(business), ...expensesOf(all) };
  });
}

/** Midnight of today there. */
function today({ timeZone }: CostQuery): RawBuilder<unknown> {
  return sql`date_trunc('day', now() at time zone ${timeZone})`;
}

function mostDays({ days }: CostQuery): number {
  return Math.max(1, Math.min(366, Math.trunc(days)));
}

function isAsked(query: CostQuery): RawBuilder<boolean> {
  const { place, timeZone } = query;
  const since = sql`(${today(query)} - ${mostDays(query) - 1}::int * interval '1 day') at time zone ${timeZone}`;
  if (!place) return sql`c.at >= ${since}`;
  const business =
    place.business === undefined ? sql`` : sql`and v.business_number = ${businessNumber(place.business)}`;
  return sql`c.at >= ${since} and c.conversation_id in (
    select v.id from whatsapp_conversations v where v.contact_id = ${contactWith(place.phone)} ${business})`;
}

function inMonth(month: string, timeZone: string): RawBuilder<boolean> {
  const begin = sql`${`${month}-01`}::timestamp`;
  return sql`c.at >= ${begin} at time zone ${timeZone} and c.at < (${begin} + interval '1 month') at time zone ${timeZone}`;
}

function byPurpose<Of extends Row & { purpose: CostPurpose }>(rows: readonly Of[]) {
  const purposes = [...new Set(rows.map(({ purpose }) => purpose))].sort();
  return purposes.map((purpose) => ({ purpose, ...expensesOf(rows.filter((row) => row.purpose === purpose)) }));
}

/** What is free in every currency has none. */
function expensesOf(rows: readonly Row[]): Expenses {
  const sums = new Map<string, bigint>();
  for (const { currency, billionths } of rows) {
    if (currency !== null) sums.set(currency, (sums.get(currency) ?? 0n) + BigInt(billionths));
  }
  return {
    sums: [...sums]
      .map(([currency, billionths]) => ({ currency, billionths }))
      .sort((a, b) => (a.currency < b.currency ? -1 : 1)),
    entries: rows.reduce((sum, row) => sum + row.entries, 0),
    unpriced: rows.reduce((sum, row) => sum + row.unpriced, 0),
  };
}
