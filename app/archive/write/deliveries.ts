/** What became of what we sent. */
import { sql } from 'kysely';
import { addressesOf } from '../../message.ts';
import { clean } from '../engine/text.ts';
import { phoneOf } from '../phone.ts';
import type { EventOf, Writer } from './writer.ts';

/** A part of a reply, as the provider took it. */
interface Part {
  turn: string;
  sid: string;
  /** Unix ms. */
  at: number;
}

/** @returns the contacts whose replies left. */
export async function recordSent(db: Writer, events: readonly EventOf<'reply.sent'>[]): Promise<string[]> {
  const sent: { turn: string; via: string; at: string }[] = [];
  const parts: Part[] = [];
  for (const { turn, via, at, sids } of events) {
    sent.push({ turn, via, at: new Date(at).toISOString() });
    parts.push(...sids.map((sid) => ({ turn, sid, at })));
  }
  if (sent.length > 0) {
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
  }
  await recordParts(db, parts);
  return [...new Set(events.map(({ conversation }) => phoneOf(addressesOf(conversation).contact)))];
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

/** Notes the provider's ids of a reply's parts; what was told of them before counts from now on. */
export async function recordParts(db: Writer, parts: readonly Part[]): Promise<void> {
  if (parts.length === 0) return;
  const bySid = new Map(parts.map(({ turn, sid, at }) => [sid, { turn, sid, at: new Date(at).toISOString() }]));
  await sql`
    insert into whatsapp_deliveries (sid, message_id, state, changed_at)
    select p.sid, m.id, 'sent', p.at
    from json_to_recordset(${JSON.stringify([...bySid.values()])}::json) as p(turn text, sid text, at timestamptz)
    join whatsapp_messages m on m.turn_id = p.turn and m.direction = 'outbound'
    on conflict (sid) do update set message_id = excluded.message_id`.execute(db);
  await summarize(db, [...bySid.keys()]);
}

/** @returns the contacts the messages went to. */
export async function recordDeliveries(db: Writer, events: readonly EventOf<'delivery.changed'>[]): Promise<string[]> {
  if (events.length === 0) return [];
  const furthest = new Map<
    string,
    { sid: string; reply: string | null; state: string; error: string | null; at: string }
  >();
  for (const { at, status } of events) {
    const { sid, state, errorCode, replyId } = status;
    const known = furthest.get(sid);
    const reply = replyId ?? known?.reply ?? null;
    const further = !known || STATES.indexOf(state) >= STATES.indexOf(known.state);
    const error = errorCode === undefined ? null : clean(errorCode, 50);
    furthest.set(sid, further ? { sid, reply, state, error, at: new Date(at).toISOString() } : { ...known, reply });
  }
  const isFurther = sql`${rank('excluded.state')} > ${rank('d.state')}`;
  await sql`
    insert into whatsapp_deliveries as d (sid, message_id, state, error_code, changed_at)
    select e.sid, m.id, e.state, e.error, e.at
    from json_to_recordset(${JSON.stringify([...furthest.values()])}::json)
      as e(sid text, reply text, state text, error text, at timestamptz)
    left join whatsapp_messages m on m.turn_id = e.reply and m.direction = 'outbound'
    on conflict (sid) do update set
      message_id = coalesce(d.message_id, excluded.message_id),
      state = case when ${isFurther} then excluded.state else d.state end,
      error_code = case when ${isFurther} then excluded.error_code else d.error_code end,
      changed_at = case when ${isFurther} then excluded.changed_at else d.changed_at end`.execute(db);
  await summarize(db, [...furthest.keys()]);
  return [...new Set(events.map(({ conversation }) => phoneOf(addressesOf(conversation).contact)))];
}

/** Statuses come in any order; only one that is further on counts. A part that was delivered has not failed. */
const STATES: readonly string[] = ['queued', 'sent', 'failed', 'delivered', 'read'];
const STATE_LIST = sql`array[${sql.join(STATES.map((state) => sql.lit(state)))}]`;

function rank(column: string) {
  return sql`coalesce(array_position(${STATE_LIST}, ${sql.ref(column)}::text), 0)`;
}

/** A message is where its slowest part is; one part that failed, and the person did not get all of it. */
async function summarize(db: Writer, sids: readonly string[]): Promise<void> {
  if (sids.length === 0) return;
  await sql`
    update whatsapp_messages m set
      message_sid = coalesce(m.message_sid, d.first_sid),
      delivery_status = d.state,
      delivery_error = d.error_code,
      delivered_at = case when d.state in ('delivered', 'read') then coalesce(m.delivered_at, d.changed_at) else m.delivered_at end
    from (
      select message_id, min(sid) as first_sid, max(changed_at) as changed_at,
        max(error_code) filter (where state = 'failed') as error_code,
        case when bool_or(state = 'failed') then 'failed'
          else (${STATE_LIST})[min(${rank('state')})] end as state
      from whatsapp_deliveries
      where message_id in (select message_id from whatsapp_deliveries where sid in (${sql.join(sids)}))
      group by message_id) d
    where m.id = d.message_id`.execute(db);
}

/**
 * A turn that was given up. One reply of a conversation is under way at a time: if there is one, that is what could not be
 * delivered; else it is what waited for an answer. @returns the contacts.
 */
export async function recordGivenUp(db: Writer, events: readonly EventOf<'given.up'>[]): Promise<string[]> {
  const phones: string[] = [];
  for (const { conversation, at, code, reason } of events) {
    const phone = phoneOf(addressesOf(conversation).contact);
    phones.push(phone);
    const why = clean(reason, 500);
    await sql`
      with conversation as (select id from whatsapp_conversations where phone_number = ${phone}),
      undelivered as (
        update whatsapp_messages set delivery_status = 'failed', failure_code = ${code}, failure_reason = ${why}
        where conversation_id = (select id from conversation) and direction = 'outbound' and author = 'bot'
          and delivery_status = 'sending' and received_at <= ${new Date(at)}
        returning id)
      update whatsapp_messages set failure_code = ${code}, failure_reason = ${why}, processing_error = ${why}
      where conversation_id = (select id from conversation) and direction = 'inbound' and turn_id is null
        and answered_at is null and received_at <= ${new Date(at)} and not exists (select from undelivered)`.execute(
      db,
    );
  }
  return phones;
}
