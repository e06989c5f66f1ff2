/** Broadcasts and their rows: what was planned, who sends a row, what came of it. The decisions are in `broadcast/`. */
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import type { ChannelName, TemplateRef } from '../../message.ts';
import type { Database } from '../engine/database.ts';
import type { BroadcastState, RowState } from '../engine/schema.ts';
import { clean, cleanJson } from '../engine/text.ts';
import { isId } from '../read/page.ts';
import type { Writer } from './writer.ts';

/** A number of ours that broadcasts are sent from. */
export interface Sender {
  channel: ChannelName;
  /** '' when it is not known: then the channel's default. */
  business: string;
}

export interface NewBroadcast extends Sender {
  name: string;
  template: TemplateRef;
  /** The template as people name it. */
  templateName: string;
  category: string | null;
  /** Unix ms; nothing is sent before. */
  startsAt: number;
  createdBy: 'desk' | 'api';
}

/** A row as it was planned: it waits, or was skipped. */
export interface NewRow {
  address: string;
  contact: string;
  variables: Record<string, string> | null;
  state: Extract<RowState, 'waiting' | 'skipped'>;
  reason: string | null;
  note: string | null;
}

/** A row that this process sends now. */
export interface ClaimedRow extends Sender {
  broadcast: string;
  position: number;
  address: string;
  contact: string;
  template: TemplateRef;
  variables: Record<string, string>;
  /** Names the message, the same at every try. */
  replyId: string;
  /** This is which try; 1 is the first. */
  tries: number;
  /** When it was first tried, unix ms. */
  firstAt: number;
  /** It may have been sent before. */
  uncertain: boolean;
}

/** How fast a number may send, see `broadcast/pace.ts`. Times are unix ms by the clock of the database, 0 = never. */
export interface PaceState {
  tokens: number;
  rate: number;
  filledAt: number;
  grownAt: number;
  heldUntil: number;
  heldFor: string | null;
}

export interface TakeOptions {
  process: string;
  /** How long the rows are this process's unless it renews that, ms. */
  leaseMs: number;
  /** So many rows at most. */
  most: number;
  /** New people in 24 hours, over all numbers of the channel; null = no limit. */
  perDay: number | null;
  /** By Redis' clock, unix ms: what is compared with the provider's times. */
  now: number;
  /** The state by now; `tokens` says how many rows may be taken. */
  refill: (state: PaceState, now: number) => PaceState;
}

export interface Taken {
  rows: ClaimedRow[];
  /** Nothing more can be taken until then, unix ms by the clock of the database; 0 = that is not known. */
  heldMs: number;
}

/** What came of a try. */
export type RowResult =
  | {
      state: Extract<RowState, 'sent' | 'failed' | 'skipped' | 'uncertain'>;
      reason?: string;
      note?: string;
      error?: string;
    }
  /** Certainly not sent: it is tried again later. */
  | { state: 'waiting'; waitMs: number; note?: string; error?: string }
  /** Perhaps sent: the provider is asked later. */
  | { state: 'sending'; waitMs: number; note?: string; error?: string };

/** Everything rejects with `archive.unavailable`. */
export interface BroadcastStore {
  /** All rows or none. @returns the broadcast's id */
  create(broadcast: NewBroadcast, rows: AsyncIterable<readonly NewRow[]>): Promise<string>;
  /**
   * Changes what a broadcast does, if it is in one of the states `from`. A broadcast goes on without the reason it had stopped for.
   * @returns false when it is in another one, or does not exist
   */
  turn(
    id: string,
    from: readonly BroadcastState[],
    to: BroadcastState,
    why?: { code: string; reason: string },
  ): Promise<boolean>;
  /** Numbers of ours with rows that are to be sent now. */
  senders(): Promise<Sender[]>;
  /** Takes rows to send: first those that another process left behind. A broadcast without any is done. */
  take(sender: Sender, options: TakeOptions): Promise<Taken>;
  /** The rows that a process sends stay its own. */
  renew(process: string, leaseMs: number): Promise<void>;
  /**
   * Notes what came of a try. Of a row that came to an end meanwhile nothing changes; of one that another process has by now, only that it
   * was sent.
   */
  settle(row: Pick<ClaimedRow, 'broadcast' | 'position'>, result: RowResult, process: string): Promise<void>;
  /** The provider asked to slow down: half as fast, after `waitMs`. */
  slow(sender: Sender, waitMs: number, why: string): Promise<void>;
}

/** How many rows are written with one statement. */
const AT_ONCE = 1_000;
/** How long the count of the last 24 hours is good for, ms; less than that when the limit is near. */
const COUNT_MS = 60_000;

export function createBroadcastStore(database: Database): BroadcastStore {
  return { create, turn, senders, take, renew, settle, slow };

  function create(broadcast: NewBroadcast, rows: AsyncIterable<readonly NewRow[]>): Promise<string> {
    const id = randomUUID();
    return database.transaction(async (db) => {
      await insertBroadcast(db, id, broadcast);
      let position = 0;
      for await (const chunk of rows) {
        for (let from = 0; from < chunk.length; from += AT_ONCE) {
          const some = chunk.slice(from, from + AT_ONCE);
          await insertRows(db, id, position, some);
          position += some.length;
        }
      }
      await db.updateTable('broadcasts').set({ total: position }).where('id', '=', id).execute();
      return id;
    });
  }

  function turn(
    id: string,
    from: readonly BroadcastState[],
    to: BroadcastState,
    why?: { code: string; reason: string },
  ): Promise<boolean> {
    return database.run(async (db) => {
      if (!isId(id)) return false;
      const { numUpdatedRows } = await db
        .updateTable('broadcasts')
        .set({
          state: to,
          reason_code: why?.code ?? null,
          reason: why ? clean(why.reason, 500) : null,
          ended_at: to === 'cancelled' ? sql`now()` : null,
        })
        .where('id', '=', id)
        .where('state', 'in', [...from])
        .executeTakeFirst();
      return numUpdatedRows > 0n;
    });
  }

  function senders(): Promise<Sender[]> {
    return database.run(async (db) => {
      const rows = await db
        .selectFrom('broadcasts')
        .select(['channel', 'business_number'])
        .distinct()
        .where('state', '=', 'running')
        .where(sql<boolean>`starts_at <= clock_timestamp()`)
        .execute();
      return rows.map(({ channel, business_number: business }) => ({ channel, business }));
    });
  }

  function take(sender: Sender, options: TakeOptions): Promise<Taken> {
    return database.transaction((db) => takeRows(db, sender, options));
  }

  function renew(process: string, leaseMs: number): Promise<void> {
    return database.run(async (db) => {
      await sql`update broadcast_rows set claimed_until = ${later(leaseMs)}
        where state = 'sending' and claimed_by = ${process}`.execute(db);
    });
  }

  function settle(
    { broadcast, position }: Pick<ClaimedRow, 'broadcast' | 'position'>,
    result: RowResult,
    process: string,
  ): Promise<void> {
    const { state, note, error } = result;
    return database.run(async (db) => {
      await db
        .updateTable('broadcast_rows')
        .set({
          state,
          reason: ('reason' in result && result.reason) || null,
          note: note === undefined ? null : clean(note, 500),
          error_code: error === undefined ? null : clean(error, 50),
          not_before: state === 'waiting' ? later(result.waitMs) : null,
          claimed_by: null,
          claimed_until: state === 'sending' ? later(result.waitMs) : null,
          changed_at: sql`clock_timestamp()`,
        })
        .where('broadcast_id', '=', broadcast)
        .where('position', '=', position)
        .where('state', '=', 'sending')
        .$if(state !== 'sent', (rows) => rows.where('claimed_by', '=', process))
        .execute();
    });
  }

  function slow({ channel, business }: Sender, waitMs: number, why: string): Promise<void> {
    return database.run(async (db) => {
      await sql`update broadcast_pace set rate = greatest(1, rate / 2), tokens = 0, grown_at = clock_timestamp(),
          held_until = greatest(held_until, ${later(waitMs)}), held_for = ${why}
        where channel = ${channel} and business_number = ${business}`.execute(db);
    });
  }
}

function later(ms: number) {
  return sql<Date>`clock_timestamp() + ${ms} * interval '1 millisecond'`;
}

async function insertBroadcast(db: Writer, id: string, broadcast: NewBroadcast): Promise<void> {
  const { name, channel, business, template, templateName, category, startsAt, createdBy } = broadcast;
  await db
    .insertInto('broadcasts')
    .values({
      id,
      name: clean(name, 200),
      channel,
      business_number: business,
      template: JSON.stringify(template),
      template_name: templateName,
      category,
      state: 'running',
      starts_at: new Date(startsAt),
      created_by: createdBy,
    })
    .execute();
}

async function insertRows(db: Writer, id: string, before: number, rows: readonly NewRow[]): Promise<void> {
  const given = rows.map(({ address, contact, variables, ...row }, i) => ({
    ...row,
    address: clean(address, 200),
    contact: clean(contact, 200),
    variables,
    position: before + i + 1,
  }));
  await sql`
    insert into broadcast_rows (broadcast_id, position, address, contact, variables, state, reason, note)
    select ${id}, r.position, r.address, r.contact, r.variables, r.state, r.reason, r.note
    from json_to_recordset(${cleanJson(given)}::json) as r(position int, address text, contact text, variables jsonb, state text,
      reason text, note text)`.execute(db);
}

async function takeRows(db: Writer, sender: Sender, options: TakeOptions): Promise<Taken> {
  const { most, perDay, refill } = options;
  const { now, state, dayUsed, dayCountedAt } = await paceOf(db, sender);
  const pace = refill(state, now);
  if (pace.heldUntil > now) return { rows: [], heldMs: pace.heldUntil - now };
  const wanted = Math.min(most, Math.floor(pace.tokens));
  if (wanted < 1) return { rows: [], heldMs: 0 };
  const day = await dayOf(db, sender.channel, { perDay, wanted, now, dayUsed, dayCountedAt });
  const rows = await claim(db, sender, day.left, options);
  const fresh = rows.filter(({ tries }) => tries === 1).length;
  const isFull = day.left < wanted && rows.length === day.left;
  await sql`update broadcast_pace set tokens = ${pace.tokens - rows.length}, rate = ${pace.rate}, filled_at = ${new Date(pace.filledAt)},
      grown_at = ${new Date(pace.grownAt)}, held_until = ${isFull ? later(COUNT_MS) : null}, held_for = ${isFull ? 'day' : null},
      day_used = ${day.used + fresh}, day_counted_at = ${new Date(day.countedAt)}
    where channel = ${sender.channel} and business_number = ${sender.business}`.execute(db);
  return { rows, heldMs: isFull ? COUNT_MS : 0 };
}

interface PaceRow {
  now: number;
  tokens: number;
  rate: number;
  filled_at: Date | null;
  grown_at: Date | null;
  held_until: Date | null;
  held_for: string | null;
  day_used: number;
  day_counted_at: Date | null;
}

/** Locked until the transaction ends: one process after the other takes rows of a number. */
async function paceOf(db: Writer, { channel, business }: Sender) {
  await sql`insert into broadcast_pace (channel, business_number) values (${channel}, ${business})
    on conflict do nothing`.execute(db);
  const { rows } = await sql<PaceRow>`
    select *, extract(epoch from clock_timestamp())::double precision * 1000 as now from broadcast_pace
    where channel = ${channel} and business_number = ${business} for update`.execute(db);
  const [row] = rows;
  if (!row) throw new Error('the pace of a number is missing'); // it was inserted above
  const state: PaceState = {
    tokens: row.tokens,
    rate: row.rate,
    filledAt: row.filled_at?.getTime() ?? 0,
    grownAt: row.grown_at?.getTime() ?? 0,
    heldUntil: row.held_until?.getTime() ?? 0,
    heldFor: row.held_for,
  };
  return { now: row.now, state, dayUsed: row.day_used, dayCountedAt: row.day_counted_at?.getTime() ?? 0 };
}

/** How many people may be written to: each counts once in 24 hours. */
async function dayOf(
  db: Writer,
  channel: ChannelName,
  asked: { perDay: number | null; wanted: number; now: number; dayUsed: number; dayCountedAt: number },
): Promise<{ left: number; used: number; countedAt: number }> {
  const { perDay, wanted, now, dayUsed, dayCountedAt } = asked;
  if (perDay === null) return { left: wanted, used: dayUsed, countedAt: dayCountedAt };
  const isNear = dayUsed + wanted > perDay * 0.9;
  if (!isNear && now - dayCountedAt < COUNT_MS)
    return { left: Math.max(0, Math.min(wanted, perDay - dayUsed)), used: dayUsed, countedAt: dayCountedAt };
  const { rows } = await sql<{ used: number }>`
    select count(distinct r.contact) as used from broadcast_rows r join broadcasts b on b.id = r.broadcast_id
    where b.channel = ${channel} and r.first_at > clock_timestamp() - interval '24 hours'`.execute(db);
  const used = rows[0]?.used ?? 0;
  return { left: Math.max(0, Math.min(wanted, perDay - used)), used, countedAt: now };
}

interface ClaimRow {
  broadcast_id: string;
  position: number;
  address: string;
  contact: string;
  variables: Record<string, string> | null;
  reply_id: string;
  tries: number;
  first_at: Date;
  was: RowState;
}

async function claim(db: Writer, sender: Sender, most: number, options: TakeOptions): Promise<ClaimedRow[]> {
  const broadcasts = await db
    .selectFrom('broadcasts')
    .select(['id', 'template'])
    .where('state', '=', 'running')
    .where('channel', '=', sender.channel)
    .where('business_number', '=', sender.business)
    .where(sql<boolean>`starts_at <= clock_timestamp()`)
    .orderBy('starts_at')
    .orderBy('id')
    .execute();
  const claimed: ClaimedRow[] = [];
  for (const { id, template } of broadcasts) {
    const room = most - claimed.length;
    const left = await claimOf(db, id, 'sending', room, options);
    const waiting = await claimOf(db, id, 'waiting', room - left.length, options);
    claimed.push(...[...left, ...waiting].map((row) => claimedRow(row, sender, template)));
    if (claimed.length >= most) break;
    await endWhenEmpty(db, id);
  }
  return claimed;
}

/** @param state `waiting`, or `sending` for those whose process is gone */
async function claimOf(
  db: Writer,
  broadcast: string,
  state: 'sending' | 'waiting',
  most: number,
  { process, leaseMs, now }: TakeOptions,
): Promise<ClaimRow[]> {
  if (most < 1) return [];
  const isDue =
    state === 'waiting'
      ? sql`state = 'waiting' and (not_before is null or not_before <= clock_timestamp())`
      : sql`state = 'sending' and claimed_until < clock_timestamp()`;
  const { rows } = await sql<ClaimRow>`
    with due as materialized (
      select broadcast_id, position, state as was from broadcast_rows where broadcast_id = ${broadcast} and ${isDue}
      order by position limit ${most} for update skip locked)
    update broadcast_rows r set state = 'sending', claimed_by = ${process}, claimed_until = ${later(leaseMs)}, tries = r.tries + 1,
      reply_id = coalesce(r.reply_id, 'b-' || r.broadcast_id || '-' || r.position), first_at = coalesce(r.first_at, ${new Date(now)}),
      not_before = null, changed_at = clock_timestamp()
    from due where r.broadcast_id = due.broadcast_id and r.position = due.position
    returning r.broadcast_id, r.position, r.address, r.contact, r.variables, r.reply_id, r.tries, r.first_at, due.was`.execute(
    db,
  );
  return rows;
}

function claimedRow(row: ClaimRow, sender: Sender, template: TemplateRef): ClaimedRow {
  const {
    broadcast_id: broadcast,
    position,
    address,
    contact,
    variables,
    reply_id: replyId,
    tries,
    first_at,
    was,
  } = row;
  return {
    ...sender,
    broadcast,
    position,
    address,
    contact,
    template,
    variables: variables ?? {},
    replyId,
    tries,
    firstAt: first_at.getTime(),
    uncertain: was === 'sending',
  };
}

async function endWhenEmpty(db: Writer, id: string): Promise<void> {
  await sql`update broadcasts set state = 'done', ended_at = clock_timestamp() where id = ${id} and state = 'running'
    and not exists (select from broadcast_rows where broadcast_id = ${id} and state = 'waiting')
    and not exists (select from broadcast_rows where broadcast_id = ${id} and state = 'sending')`.execute(db);
}
