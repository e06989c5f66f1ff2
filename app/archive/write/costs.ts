/** The ledger: calls of models, and parts of messages that were sent. */
import { type RawBuilder, sql } from 'kysely';
import type { EventOf, ModelUse } from '../../events.ts';
import type { ChannelName } from '../../message.ts';
import type { Money } from '../../money.ts';
import { clean } from '../engine/text.ts';
import { upsertConversations } from './conversations.ts';
import type { Writer } from './writer.ts';

/** What one message costs whose price no provider reports. */
export interface MessagePrice {
  channel: ChannelName;
  /** The provider's word for the kind of message; null in what counts for every kind. */
  category: string | null;
  cost: Money;
}

type Using = EventOf<'reply.made'> | EventOf<'models.used'>;

/** Enters what models were used for. */
export async function recordUses(db: Writer, events: readonly Using[]): Promise<void> {
  const spending = events.filter((event) => usesOf(event).length > 0);
  if (spending.length === 0) return;
  const sightings = spending.map(({ conversation, at }) => ({ conversation, at, inbound: false, address: null }));
  const conversations = await upsertConversations(db, sightings);
  const entries = spending.flatMap((event) =>
    usesOf(event).map((use) => entryOf(use, event.turn, conversations.get(event.conversation)?.id)),
  );
  await sql`
    insert into whatsapp_costs (name, at, purpose, conversation_id, turn_id, model, prompt_tokens, cached_tokens, cache_write_tokens,
      completion_tokens, audio_ms, amount, currency, source)
    select e.name, e.at, e.purpose, e.conversation, e.turn, e.model, e.prompt, e.cached, e.written, e.completion, e.audio,
      e.amount, e.currency, case when e.amount is not null then 'table' end
    from json_to_recordset(${JSON.stringify(entries)}::json) as e(name text, at timestamptz, purpose text, conversation uuid, turn text,
      model text, prompt int, cached int, written int, completion int, audio int, amount bigint, currency text)
    on conflict do nothing`.execute(db);
}

function usesOf(event: Using): readonly ModelUse[] {
  return event.type === 'reply.made' ? (event.spent ?? []) : event.uses;
}

function entryOf({ id, at, purpose, model, tokens, audioMs, cost }: ModelUse, turn: string, conversation?: string) {
  return {
    name: `use ${id}`,
    at: new Date(at).toISOString(),
    purpose,
    conversation: conversation ?? null,
    turn,
    model: clean(model, 200),
    prompt: tokens?.prompt ?? null,
    cached: tokens?.cached ?? null,
    written: tokens?.cacheWrites ?? null,
    completion: tokens?.completion ?? null,
    audio: audioMs ?? null,
    amount: cost?.billionths ?? null,
    currency: cost?.currency ?? null,
  };
}

/** What a batch changed of messages that were sent. */
export interface Sending {
  /** Turns whose replies were sent. */
  turns: readonly string[];
  /** Messages at the provider that a status was reported for. */
  parts: readonly { channel: ChannelName; sid: string }[];
}

/**
 * Enters the parts of messages that were sent. Entries are made anew of what the tables have by now, so that the order of the reports does
 * not matter.
 */
export async function recordMessages(
  db: Writer,
  { turns, parts }: Sending,
  prices: readonly MessagePrice[],
): Promise<void> {
  if (turns.length === 0 && parts.length === 0) return;
  const reported = sql`select channel, sid from json_to_recordset(${JSON.stringify(parts)}::json) as p(channel text, sid text)`;
  const { rows } = await sql<{ id: string }>`
    select id from whatsapp_messages where direction = 'outbound'
      and turn_id in (select value from json_array_elements_text(${JSON.stringify(turns)}::json))
    union select message_id from whatsapp_deliveries where (channel, sid) in (${reported}) and message_id is not null`.execute(
    db,
  );
  const messages = sql`select value::uuid from json_array_elements_text(${JSON.stringify(rows.map(({ id }) => id))}::json)`;
  await enterKnown(
    db,
    sql`${reported} union select channel, sid from whatsapp_deliveries where message_id in (${messages})`,
    prices,
  );
  await enterUnknown(db, messages, prices);
}

type Part = RawBuilder<unknown>;

/** By the provider's id, because each of its messages is charged: a part that failed and was sent again may cost twice. */
async function enterKnown(db: Writer, touched: Part, prices: readonly MessagePrice[]): Promise<void> {
  await sql`
    insert into whatsapp_costs as c (name, at, purpose, conversation_id, turn_id, channel, category, amount, currency, source)
    select 'sid ' || s.channel || ' ' || s.sid, s.first_at, 'message', m.conversation_id, m.turn_id, s.channel, s.category,
      case when s.price is not null then s.price when s.state = 'failed' then 0 else t.amount end,
      case when s.price is not null then s.currency when s.state <> 'failed' then t.currency end,
      case when s.price is not null then 'provider' when s.state <> 'failed' and t.amount is not null then 'table' end
    from whatsapp_deliveries s left join whatsapp_messages m on m.id = s.message_id
    left join lateral ${priceIn(prices, sql`s.category`)} t on true
    where (s.channel, s.sid) in (${touched})
    order by s.channel, s.sid
    on conflict (name) do update set (${sql.raw(CHANGING)}) = row (${NEW})
      where (${sql.raw(CHANGING.replace(/\w+/g, 'c.$&'))}) is distinct from (${NEW})`.execute(db);
}

/** What of an entry may change; most statuses change nothing. */
const CHANGING = 'at, conversation_id, turn_id, category, amount, currency, source';
const NEW = sql`excluded.at, excluded.conversation_id, excluded.turn_id, excluded.category, ${sql.join(
  ['amount', 'currency', 'source'].map((column) => {
    return sql`case when ${kept()} then ${sql.ref(`c.${column}`)} else ${sql.ref(`excluded.${column}`)} end`;
  }),
)}`;

/** What the table of then said stays, whatever it says now, until the provider says something. */
function kept(): Part {
  return sql`(c.source = 'table' and (excluded.source = 'table' or excluded.amount is null)
    and c.category is not distinct from excluded.category)`;
}

/** Parts that were sent in a webhook's response, while no status has told the provider's id. */
async function enterUnknown(db: Writer, messages: Part, prices: readonly MessagePrice[]): Promise<void> {
  await sql`
    delete from whatsapp_costs where name in (
      select ${partName('m.turn_id', sql`coalesce(d.part, 0)`)}
      from whatsapp_deliveries d join whatsapp_messages m on m.id = d.message_id where m.id in (${messages}))`.execute(
    db,
  );
  await sql`
    insert into whatsapp_costs (name, at, purpose, conversation_id, turn_id, channel, amount, currency, source)
    select ${partName('s.turn_id', sql`n`)}, s.sent_at, 'message', s.conversation_id, s.turn_id, s.channel, t.amount, t.currency,
      case when t.amount is not null then 'table' end
    from whatsapp_messages s
    -- An aggregate: the planner would look through all deliveries for "not exists".
    cross join lateral (select array_agg(coalesce(d.part, 0)::int) as parts from whatsapp_deliveries d where d.message_id = s.id) known
    cross join generate_series(0, greatest(1, jsonb_array_length(coalesce(s.parts, '[]'))) - 1) n
    left join lateral ${priceIn(prices, sql`null`)} t on true
    where s.id in (${messages}) and s.sent_at is not null and n <> all (coalesce(known.parts, '{}'))
    on conflict do nothing`.execute(db);
}

function partName(turn: string, part: Part): Part {
  return sql`'part ' || ${sql.ref(turn)} || ' ' || ${part}`;
}

/** What a message `s` of a category costs by the table; no row when that does not say it. */
function priceIn(prices: readonly MessagePrice[], category: Part): Part {
  const rows = prices.map(({ channel, category: kind, cost }) => ({ channel, category: kind, ...cost }));
  return sql`(
    select p.billionths as amount, p.currency from json_to_recordset(${JSON.stringify(rows)}::json)
      as p(channel text, category text, billionths bigint, currency text)
    where p.channel = s.channel and (p.category is null or p.category = ${category}::text)
    order by p.category nulls last limit 1)`;
}
