/** What became of broadcasts. The delivery of a row's message is with the message: it is looked up here, not copied. */
import { type Kysely, sql } from 'kysely';
import type { ContactId, TemplateRef } from '../../message.ts';
import type { Database } from '../engine/database.ts';
import type { BroadcastState, RowState, Tables } from '../engine/schema.ts';
import { optedOutAt } from './conversations.ts';
import { isId, type Page, pageOf, readTimeCursor } from './page.ts';

/** What a row has come to, as people see it. */
export type RowOutcome = RowState | 'delivered' | 'read';

export interface Broadcast {
  id: string;
  name: string;
  channel: string;
  business: string;
  template: TemplateRef;
  templateName: string;
  category: string | null;
  state: BroadcastState;
  reasonCode: string | null;
  reason: string | null;
  /** Unix ms, as all times here. */
  startsAt: number;
  createdAt: number;
  endedAt: number | null;
  createdBy: 'desk' | 'api';
  total: number;
  counts: Partial<Record<RowOutcome, number>>;
  /** Rows that were skipped, by their reason. */
  skipped: Record<string, number>;
}

export interface BroadcastRow {
  position: number;
  address: string;
  state: RowOutcome;
  reason: string | null;
  note: string | null;
  errorCode: string | null;
  /** Names the message in the conversation. */
  replyId: string | null;
  /** The provider's id of the message. */
  sid: string | null;
  firstAt: number | null;
  changedAt: number;
}

/** How a number of ours sends just now. */
export interface Pace {
  /** Messages in a second, over the last ten. */
  perSecond: number;
  /** How fast it may send, in a second. */
  allowed: number;
  /** Nothing is sent until then, unix ms; 0 = nothing holds it. */
  heldUntil: number;
  heldFor: string | null;
}

/** What the archive says of writing to somebody without being asked. */
export interface Permission {
  blocked: boolean;
  optedOut: boolean;
  optedIn: boolean;
  /** They want no marketing messages; others they may get. */
  noMarketing: boolean;
  /** The provider's codes for which templates to them failed in the last 24 hours. */
  failedWith: string[];
}

/** Everything rejects with `archive.unavailable`. */
export interface Broadcasts {
  /** Newest first. */
  list(paging: { limit: number; cursor?: string | undefined }): Promise<Page<Broadcast>>;
  find(id: string): Promise<Broadcast | null>;
  /** In the order of the upload. @param after the last position of the page before; 0 at the beginning */
  rows(id: string, query: { limit: number; after: number; state?: RowOutcome | undefined }): Promise<BroadcastRow[]>;
  paceOf(sender: { channel: string; business: string }): Promise<Pace>;
  /** By address; who is not known is missing. */
  permissionsOf(addresses: readonly ContactId[]): Promise<Map<ContactId, Permission>>;
  /** Those that stopped by themselves in the last week, newest first. */
  stopped(): Promise<{ name: string; reason: string }[]>;
}

/** Of a row `r` with its broadcast `b` and message `m`. A delivery is the last word, also about what nobody could tell. */
const OUTCOME = sql<RowOutcome>`case
  when r.state = 'waiting' and b.state = 'cancelled' then 'skipped'
  when r.state = 'sending' and b.state = 'cancelled' and r.claimed_until < now() then 'uncertain'
  when r.state in ('sent', 'uncertain') and m.delivery_status in ('delivered', 'read') then m.delivery_status
  when r.state in ('sent', 'uncertain') and m.delivery_status = 'failed' and m.delivery_error is not null then 'failed'
  when r.state = 'uncertain' and m.delivery_status = 'sent' then 'sent'
  else r.state end`;

const WITH_MESSAGES = sql`broadcast_rows r join broadcasts b on b.id = r.broadcast_id
  left join whatsapp_messages m on m.turn_id = r.reply_id and m.direction = 'outbound'`;

const REASON = sql<
  string | null
>`case when r.state = 'waiting' and b.state = 'cancelled' then 'cancelled' else r.reason end`;

/** How long the counts of a list are good for, ms: of a broadcast that sends, of others. */
const KEEP_MS = 4_000;
const KEEP_ENDED_MS = 30_000;
const MOST_KEPT = 500;

export function createBroadcasts(database: Database): Broadcasts {
  const counted = new Map<string, { at: number; counts: Count[] }>();
  return { list, find, rows, paceOf, permissionsOf, stopped };

  /** Of a list, which is looked at for minutes: many broadcasts, some of them with a hundred thousand rows. */
  async function recentCounts(db: Kysely<Tables>, found: readonly Row[]): Promise<Count[]> {
    const now = performance.now();
    const keepMs = (state: BroadcastState) => (state === 'running' ? KEEP_MS : KEEP_ENDED_MS);
    const nameOf = ({ id, state }: Row) => `${id} ${state}`;
    const old = found.filter((row) => !(now - (counted.get(nameOf(row))?.at ?? -Infinity) < keepMs(row.state)));
    const all = await countsOf(
      db,
      old.map(({ id }) => id),
    );
    if (counted.size > MOST_KEPT) counted.clear();
    for (const row of old) counted.set(nameOf(row), { at: now, counts: all.filter(({ id }) => id === row.id) });
    return found.flatMap((row) => counted.get(nameOf(row))?.counts ?? []);
  }

  function list({ limit, cursor }: { limit: number; cursor?: string | undefined }): Promise<Page<Broadcast>> {
    const place = readTimeCursor(cursor);
    return database.run(async (db) => {
      const found = await db
        .selectFrom('broadcasts')
        .selectAll()
        .$if(place !== null, (all) => all.where(sql<boolean>`(created_at, id) < (${place?.at}, ${place?.id}::uuid)`))
        .orderBy('created_at', 'desc')
        .orderBy('id', 'desc')
        .limit(limit + 1)
        .execute();
      const counts = await recentCounts(db, found);
      return pageOf(
        found,
        limit,
        (row) => [row.created_at.toISOString(), row.id],
        (row) => present(row, counts),
      );
    });
  }

  function find(id: string): Promise<Broadcast | null> {
    if (!isId(id)) return Promise.resolve(null);
    return database.run(async (db) => {
      const row = await db.selectFrom('broadcasts').selectAll().where('id', '=', id).executeTakeFirst();
      return row ? present(row, await countsOf(db, [id])) : null;
    });
  }

  function rows(
    id: string,
    { limit, after, state }: { limit: number; after: number; state?: RowOutcome | undefined },
  ): Promise<BroadcastRow[]> {
    if (!isId(id)) return Promise.resolve([]);
    return database.run(async (db) => {
      const { rows } = await sql<ReadRow>`
        select r.position, r.address, ${OUTCOME} as state, ${REASON} as reason, r.note, coalesce(r.error_code, m.delivery_error) as error_code,
          r.reply_id, m.message_sid as sid, r.first_at, greatest(r.changed_at, m.delivered_at) as changed_at
        from ${WITH_MESSAGES}
        where r.broadcast_id = ${id} and r.position > ${after} and ${state === undefined ? sql`true` : sql`${OUTCOME} = ${state}`}
        order by r.position limit ${limit}`.execute(db);
      return rows.map(({ error_code: errorCode, reply_id: replyId, first_at, changed_at, ...row }) => ({
        ...row,
        errorCode,
        replyId,
        firstAt: first_at?.getTime() ?? null,
        changedAt: changed_at.getTime(),
      }));
    });
  }

  function paceOf({ channel, business }: { channel: string; business: string }): Promise<Pace> {
    return database.run(async (db) => {
      const { rows } = await sql<{
        recent: number;
        rate: number | null;
        held_until: Date | null;
        held_for: string | null;
      }>`
        select (select count(*) from broadcast_rows r join broadcasts b on b.id = r.broadcast_id where b.channel = ${channel}
            and b.business_number = ${business} and r.first_at > clock_timestamp() - interval '10 seconds') as recent,
          p.rate, case when p.held_until > clock_timestamp() then p.held_until end as held_until, p.held_for
        from (select) one left join broadcast_pace p on p.channel = ${channel} and p.business_number = ${business}`.execute(
        db,
      );
      const [row] = rows;
      const heldUntil = row?.held_until?.getTime() ?? 0;
      return {
        perSecond: Number(row?.recent ?? 0) / 10,
        allowed: row?.rate ?? 0,
        heldUntil,
        heldFor: heldUntil > 0 ? (row?.held_for ?? null) : null,
      };
    });
  }

  function permissionsOf(addresses: readonly ContactId[]): Promise<Map<ContactId, Permission>> {
    return database.run(async (db) => {
      if (addresses.length === 0) return new Map();
      const { rows } = await sql<Permission & { address: string }>`
        select a.address, p.blocked, ${optedOutAt} is not null as "optedOut",
          p.opted_in_at is not null and p.opted_in_at > coalesce(p.opted_out_at, '-infinity') as "optedIn",
          p.marketing_opted_out_at is not null as "noMarketing",
          array(select distinct d.error_code from whatsapp_conversations c
            join whatsapp_messages m on m.conversation_id = c.id and m.author = 'template' and m.received_at > now() - interval '24 hours'
            join whatsapp_deliveries d on d.message_id = m.id and d.state = 'failed' and d.error_code is not null
            where c.contact_id = p.id) as "failedWith"
        from whatsapp_contact_addresses a join whatsapp_contacts p on p.id = a.contact_id
        where a.address in (select value from json_array_elements_text(${JSON.stringify(addresses)}::json))`.execute(
        db,
      );
      return new Map(rows.map(({ address, ...permission }) => [address, permission]));
    });
  }

  function stopped(): Promise<{ name: string; reason: string }[]> {
    return database.run(async (db) => {
      const found = await db
        .selectFrom('broadcasts')
        .select(['name', 'reason'])
        .where('state', '=', 'stopped')
        .where(sql<boolean>`created_at > now() - interval '7 days'`)
        .orderBy('created_at', 'desc')
        .limit(100)
        .execute();
      return found.map(({ name, reason }) => ({ name, reason: reason ?? '' }));
    });
  }
}

interface ReadRow {
  position: number;
  address: string;
  state: RowOutcome;
  reason: string | null;
  note: string | null;
  error_code: string | null;
  reply_id: string | null;
  sid: string | null;
  first_at: Date | null;
  changed_at: Date;
}

interface Count {
  id: string;
  state: RowOutcome;
  reason: string | null;
  count: number;
}

async function countsOf(db: Kysely<Tables>, ids: readonly string[]): Promise<Count[]> {
  if (ids.length === 0) return [];
  const { rows } = await sql<Count>`
    select r.broadcast_id as id, ${OUTCOME} as state, case when ${OUTCOME} = 'skipped' then ${REASON} end as reason, count(*) as count
    from ${WITH_MESSAGES} where r.broadcast_id in (${sql.join(ids)}) group by 1, 2, 3`.execute(db);
  return rows;
}

type Row = {
  id: string;
  name: string;
  channel: string;
  business_number: string;
  template: TemplateRef;
  template_name: string;
  category: string | null;
  state: BroadcastState;
  reason_code: string | null;
  reason: string | null;
  starts_at: Date;
  created_by: 'desk' | 'api';
  created_at: Date;
  ended_at: Date | null;
  total: number;
};

function present(row: Row, all: readonly Count[]): Broadcast {
  const counts: Broadcast['counts'] = {};
  const skipped: Broadcast['skipped'] = {};
  for (const { id, state, reason, count } of all) {
    if (id !== row.id) continue;
    counts[state] = (counts[state] ?? 0) + count;
    if (state === 'skipped') skipped[reason ?? 'other'] = (skipped[reason ?? 'other'] ?? 0) + count;
  }
  const { id, name, channel, template, category, state, reason, total } = row;
  return {
    ...{ id, name, channel, template, category, state, reason, total, counts, skipped },
    business: row.business_number,
    templateName: row.template_name,
    reasonCode: row.reason_code,
    startsAt: row.starts_at.getTime(),
    createdAt: row.created_at.getTime(),
    endedAt: row.ended_at?.getTime() ?? null,
    createdBy: row.created_by,
  };
}
