/** The delivery status of what we sent. */
import { sql } from 'kysely';
import type { EventOf } from '../../events.ts';
import { conversationOf, type Pricing } from '../../message.ts';
import { clean } from '../engine/text.ts';
import type { Writer } from './writer.ts';

/** A part of a reply, as the provider took it. */
interface Part {
  channel: string;
  turn: string;
  sid: string;
  /** 0 is the first. */
  part: number;
  /** ISO 8601. */
  at: string;
}

/** @returns the contacts whose replies were sent, as people read their address. */
export async function recordSent(db: Writer, events: readonly EventOf<'reply.sent'>[]): Promise<string[]> {
  if (events.length === 0) return [];
  const sent = events.map(({ turn, via, at }) => ({ turn, via, at: new Date(at).toISOString() }));
  const { rows } = await sql<{ id: string }>`
    update whatsapp_messages m set via = s.via, sent_at = s.at, delivery_status = 'sent', delivery_error = null,
      failure_code = case when m.delivery_status = 'failed' then null else m.failure_code end, failure_reason = null
    from json_to_recordset(${JSON.stringify(sent)}::json) as s(turn text, via text, at timestamptz)
    where m.turn_id = s.turn and m.direction = 'outbound' and m.sent_at is null
    returning m.id`.execute(db);
  await measureResponse(
    db,
    rows.map(({ id }) => id),
  );
  const turns = events.map(({ turn }) => turn);
  await recordParts(db, events.flatMap(partsOf));
  await claimParts(db, turns);
  return phonesOfTurns(db, turns);
}

function partsOf({ conversation, turn, at, sids }: EventOf<'reply.sent'>): Part[] {
  const { channel } = conversationOf(conversation);
  return sids.map((sid, part) => ({ channel, turn, sid, part, at: new Date(at).toISOString() }));
}

async function phonesOfTurns(db: Writer, turns: readonly string[]): Promise<string[]> {
  const { rows } = await sql<{ phone: string }>`
    select distinct c.phone_number as phone from whatsapp_messages m join whatsapp_conversations c on c.id = m.conversation_id
    where m.turn_id in (${sql.join(turns)}) and m.direction = 'outbound'`.execute(db);
  return rows.map(({ phone }) => phone);
}

/** How long the person had waited: since the oldest message that the reply answers. */
export async function measureResponse(db: Writer, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await sql`
    update whatsapp_messages o set response_ms = least(2147483647, greatest(0,
      extract(epoch from coalesce(o.sent_at, o.received_at) - i.since) * 1000))::int
    from (select turn_id, min(received_at) as since from whatsapp_messages
      where direction = 'inbound' and turn_id in (select turn_id from whatsapp_messages where id in (${sql.join(ids)}))
      group by turn_id) i
    where o.id in (${sql.join(ids)}) and o.turn_id = i.turn_id`.execute(db);
}

/** Records the provider's ids of a reply's parts; statuses that were reported for them before count from now on. */
async function recordParts(db: Writer, parts: readonly Part[]): Promise<void> {
  if (parts.length === 0) return;
  const bySid = new Map(parts.map((part) => [`${part.channel} ${part.sid}`, part]));
  await sql`
    insert into whatsapp_deliveries as d (channel, sid, message_id, part, state, changed_at, first_at)
    select p.channel, p.sid, m.id, p.part, 'sent', p.at, p.at
    from json_to_recordset(${JSON.stringify([...bySid.values()])}::json)
      as p(channel text, turn text, sid text, part int, at timestamptz)
    join whatsapp_messages m on m.turn_id = p.turn and m.direction = 'outbound'
    on conflict (channel, sid) do update set message_id = excluded.message_id, part = excluded.part,
      first_at = least(d.first_at, excluded.first_at)`.execute(db);
  await summarize(db, [...bySid.values()]);
}

/** Parts of replies that a status was reported for before. */
async function claimParts(db: Writer, turns: readonly string[]): Promise<void> {
  const { rows } = await sql<{ channel: string; sid: string }>`
    update whatsapp_deliveries d set message_id = m.id from whatsapp_messages m
    where d.message_id is null and d.reply_id = m.turn_id and m.direction = 'outbound' and m.turn_id in (${sql.join(turns)})
    returning d.channel, d.sid`.execute(db);
  if (rows.length > 0) await summarize(db, rows);
}

/** @returns the contacts the messages went to, as people read their address. */
export async function recordDeliveries(db: Writer, events: readonly EventOf<'delivery.changed'>[]): Promise<string[]> {
  if (events.length === 0) return [];
  const furthest = [...furthestOf(events).values()];
  await sql`
    insert into whatsapp_deliveries as d (channel, sid, message_id, reply_id, part, state, error_code, changed_at, first_at, category,
      price, currency, priced_at)
    select e.channel, e.sid, m.id, e.reply, e.part, e.state, e.error, e.at, e.first, e.category, e.price, e.currency, e.priced
    from json_to_recordset(${JSON.stringify(furthest)}::json)
      as e(channel text, sid text, reply text, part int, state text, error text, at timestamptz, first timestamptz, category text,
        price bigint, currency text, priced timestamptz)
    left join whatsapp_messages m on m.turn_id = e.reply and m.direction = 'outbound'
    ${keepFurthest()}`.execute(db);
  return summarize(db, furthest);
}

/** Of two statuses of one part, the one that is further on stays, and of two prices the newer one: the end of an `insert into whatsapp_deliveries as d`. */
export function keepFurthest() {
  const isFurther = sql`${rank('excluded.state')} > ${rank('d.state')}`;
  const isNewerPrice = sql`excluded.priced_at >= coalesce(d.priced_at, '-infinity')`;
  return sql`on conflict (channel, sid) do update set
    message_id = coalesce(d.message_id, excluded.message_id),
    reply_id = coalesce(d.reply_id, excluded.reply_id),
    part = coalesce(d.part, excluded.part),
    state = case when ${isFurther} then excluded.state else d.state end,
    error_code = case when ${isFurther} then excluded.error_code else d.error_code end,
    changed_at = case when ${isFurther} then excluded.changed_at else d.changed_at end,
    first_at = least(d.first_at, excluded.first_at),
    category = coalesce(excluded.category, d.category),
    price = case when ${isNewerPrice} then excluded.price else d.price end,
    currency = case when ${isNewerPrice} then excluded.currency else d.currency end,
    priced_at = greatest(d.priced_at, excluded.priced_at),
    price_due_at = case when excluded.priced_at is null then d.price_due_at end`;
}

/** A status as it is stored. */
interface Status {
  channel: string;
  sid: string;
  reply: string | null;
  part: number | null;
  state: string;
  error: string | null;
  at: string;
  /** When the message was first heard of in these events. */
  first: string;
  category: string | null;
  /** Billionths of the currency's unit. */
  price: number | null;
  currency: string | null;
  /** When the provider said what it costs. */
  priced: string | null;
}

/** The status of each message that is furthest on. */
function furthestOf(events: readonly EventOf<'delivery.changed'>[]): Map<string, Status> {
  const furthest = new Map<string, Status>();
  for (const { at, status } of events) {
    const { channel, sid, state, errorCode } = status;
    const known = furthest.get(`${channel} ${sid}`);
    const reply = status.replyId ?? known?.reply ?? null;
    const part = status.part ?? known?.part ?? null;
    const isFurther = !known || STATES.indexOf(state) >= STATES.indexOf(known.state);
    const error = errorCode === undefined ? null : clean(errorCode, 50);
    const time = new Date(at).toISOString();
    const first = known && known.first < time ? known.first : time;
    const price = priceOf(status.pricing, time, known);
    const newer = { channel, sid, reply, part, state, error, at: time, first, ...price };
    furthest.set(`${channel} ${sid}`, isFurther ? newer : { ...known, reply, part, first, ...price });
  }
  return furthest;
}

type Price = Pick<Status, 'category' | 'price' | 'currency' | 'priced'>;

const NO_PRICE: Price = { category: null, price: null, currency: null, priced: null };

/** What a message costs by a status and those before it. What the provider does not charge for costs 0. */
function priceOf(pricing: Pricing | undefined, at: string, before: Price = NO_PRICE): Price {
  const category = pricing?.category === undefined ? before.category : clean(pricing.category, 50);
  const price = pricing?.free ? 0 : pricing?.cost?.billionths;
  if (price !== undefined && (before.priced ?? '') <= at) {
    return { category, price, currency: pricing?.cost?.currency ?? null, priced: at };
  }
  return { category, price: before.price, currency: before.currency, priced: before.priced };
}

/** Statuses come in any order; only one that is further on counts. A part that was delivered did not fail. */
const STATES: readonly string[] = ['queued', 'sent', 'failed', 'delivered', 'read'];
const STATE_LIST = sql`array[${sql.join(STATES.map((state) => sql.lit(state)))}]`;

function rank(column: string) {
  return sql`coalesce(array_position(${STATE_LIST}, ${sql.ref(column)}::text), 0)`;
}

/**
 * A message has the status of its slowest part; when one part failed, it failed.
 * @returns the contacts of these messages, as people read their address.
 */
export async function summarize(db: Writer, parts: readonly { channel: string; sid: string }[]): Promise<string[]> {
  const { rows } = await sql<{ phone: string }>`
    update whatsapp_messages m set
      message_sid = coalesce(m.message_sid, d.first_sid),
      delivery_status = d.state,
      delivery_error = d.error_code,
      delivered_at = case when d.state in ('delivered', 'read') then coalesce(m.delivered_at, d.changed_at) else m.delivered_at end
    from (
      select message_id, (array_agg(sid order by part nulls last, sid))[1] as first_sid, max(changed_at) as changed_at,
        max(error_code) filter (where state = 'failed') as error_code,
        case when bool_or(state = 'failed') then 'failed'
          else (${STATE_LIST})[min(${rank('state')})] end as state
      from whatsapp_deliveries
      where message_id in (
        select message_id from whatsapp_deliveries
        join json_to_recordset(${JSON.stringify(parts)}::json) as p(channel text, sid text) using (channel, sid))
      group by message_id) d, whatsapp_conversations c
    where m.id = d.message_id and c.id = m.conversation_id
    returning c.phone_number as phone`.execute(db);
  return [...new Set(rows.map(({ phone }) => phone))];
}

/** What was given up: a reply, or the messages that waited for one. @returns the contacts, as people read their address. */
export async function recordGivenUp(db: Writer, events: readonly EventOf<'given.up'>[]): Promise<string[]> {
  const phones: string[] = [];
  for (const { conversation, code, reason, reply, messages } of events) {
    const why = clean(reason, 500);
    const isLost =
      reply === null
        ? sql`m.direction = 'inbound' and m.answered_at is null and m.channel = ${conversationOf(conversation).channel}
          and m.message_sid in (${messages.length > 0 ? sql.join(messages) : null})`
        : sql`m.direction = 'outbound' and m.turn_id = ${reply} and m.delivery_status = 'sending'`;
    const { rows } = await sql<{ phone: string }>`
      update whatsapp_messages m set failure_code = ${code}, failure_reason = ${why},
        delivery_status = case when m.direction = 'outbound' then 'failed' else m.delivery_status end,
        processing_error = case when m.direction = 'inbound' then ${why} else m.processing_error end
      from whatsapp_conversations c where c.id = m.conversation_id and ${isLost}
      returning c.phone_number as phone`.execute(db);
    phones.push(...rows.map(({ phone }) => phone));
  }
  return [...new Set(phones)];
}
