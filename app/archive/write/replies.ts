/** What was answered: by the bot, or by a person in the inbox. */
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { phoneOf } from '../../contacts/addresses.ts';
import type { EventOf } from '../../events.ts';
import { type ConversationId, conversationOf } from '../../message.ts';
import { clean, cleanJson } from '../engine/text.ts';
import { countIn, type Sighting, upsertConversations } from './conversations.ts';
import { measureResponse } from './deliveries.ts';
import { endHandoffs, recordHandoffs } from './handoffs.ts';
import type { Writer } from './writer.ts';

type ReplyMade = EventOf<'reply.made'>;

/** @returns the contacts, as people read their address. */
export async function recordReplies(db: Writer, events: readonly ReplyMade[]): Promise<string[]> {
  if (events.length === 0) return [];
  await takeIn(db, events);
  const outbound = events.flatMap((event) => {
    const { conversation, turn, at, reply, usage } = event;
    if (reply === null) return [];
    return {
      ...outboundOf(conversation, reply),
      turn_id: turn,
      author: reply.template === undefined ? ('bot' as const) : ('template' as const),
      template: reply.template ?? null,
      received_at: new Date(at),
      via: reply.via,
      failure_code: event.failure ?? null,
      prompt_tokens: usage?.prompt ?? null,
      completion_tokens: usage?.completion ?? null,
      cached_tokens: usage?.cached ?? null,
    };
  });
  const { phones, turns } = await insertOutbound(db, outbound, events.map(sightingIn));
  await recordHandoffs(db, events, turns);
  return phones;
}

/** What the bot said when it answers again, because nobody came. @returns the contacts, as people read their address. */
export async function recordOver(db: Writer, events: readonly EventOf<'handoff.over'>[]): Promise<string[]> {
  const outbound = events.flatMap(({ conversation, turn, at, reply }) => {
    if (turn === null || reply === null) return [];
    const facts = { author: 'bot' as const, received_at: new Date(at), via: 'call' };
    return { ...outboundOf(conversation, reply), ...facts, turn_id: turn };
  });
  const { phones } = await insertOutbound(db, outbound, events.map(sightingIn));
  await endHandoffs(db, events);
  return phones;
}

/** What people in the inbox wrote. @returns the contacts, as people read their address. */
export async function recordDesk(
  db: Writer,
  said: readonly EventOf<'desk.said'>[],
  took: readonly EventOf<'desk.took'>[],
): Promise<string[]> {
  const outbound = said.map((event) => ({
    ...outboundOf(event.conversation, event),
    turn_id: event.id,
    author: 'desk' as const,
    received_at: new Date(event.at),
    via: 'call',
  }));
  const { phones } = await insertOutbound(db, outbound, [...said, ...took].map(sightingIn));
  for (const event of said) await answerWhatWaits(db, event);
  await endHandoffs(db, took);
  return phones;
}

/** What was sent as a template, by whomever. @returns the contacts, as people read their address. */
export async function recordTemplates(db: Writer, made: readonly EventOf<'template.made'>[]): Promise<string[]> {
  const outbound = made.map(({ conversation, id, at, to, text, template }) => ({
    ...outboundOf(conversation, { to, parts: [text] }),
    turn_id: id,
    author: 'template' as const,
    template,
    received_at: new Date(at),
    via: 'call',
  }));
  return (await insertOutbound(db, outbound, made.map(sightingIn))).phones;
}

function sightingIn({ conversation, at }: { conversation: ConversationId; at: number }): Sighting {
  return { conversation, at, inbound: false, address: null };
}

/**
 * The messages that a turn took in: read, and answered unless the turn kept quiet. Somebody at the desk may have answered meanwhile: what was
 * heard in a voice note is recorded all the same, and analysed. What was not answered for a reason costs no analysis.
 */
async function takeIn(db: Writer, events: readonly ReplyMade[]): Promise<void> {
  const taken = events.flatMap((event) => {
    const heard = new Map(event.heard.map((one) => [one.id, one]));
    return event.answers.map((sid) => ({
      channel: conversationOf(event.conversation).channel,
      sid,
      turn: event.turn,
      at: new Date(event.at).toISOString(),
      answered: event.reply !== null,
      failure: event.reply === null ? (event.failure ?? null) : null,
      heard: heard.has(sid),
      transcript: clean(heard.get(sid)?.transcript ?? ''),
      reason: clean(`Transcription: ${heard.get(sid)?.reason ?? NOTHING_HEARD}`, 1_000),
    }));
  });
  if (taken.length === 0) return;
  await sql`
    update whatsapp_messages m set
      turn_id = t.turn, processed = true, processed_at = t.at,
      answered_at = coalesce(m.answered_at, case when t.answered then t.at end),
      status = case when t.answered and m.status <> 'archived' then 'replied' else m.status end,
      transcription = case when t.heard and t.transcript <> '' then t.transcript else m.transcription end,
      transcription_status = case when not t.heard then m.transcription_status
        when t.transcript <> '' then 'completed' else 'failed' end,
      processing_error = case when t.heard and t.transcript = '' then t.reason else null end,
      analysis_status = case when t.failure is not null and m.analysis_status = 'pending' then 'skipped'
        else m.analysis_status end,
      failure_code = t.failure, failure_reason = null
    from json_to_recordset(${JSON.stringify(taken)}::json)
      as t(channel text, sid text, turn text, at timestamptz, answered boolean, failure text, heard boolean, transcript text, reason text)
    where m.channel = t.channel and m.message_sid = t.sid and m.direction = 'inbound' and (m.answered_at is null or m.turn_id is null)`.execute(
    db,
  );
}

const NOTHING_HEARD = 'nothing could be heard, or the voice note could not be opened.';

/** What every outbound message has; its text is what was sent. */
function outboundOf(conversation: ConversationId, { to, parts }: { to: string; parts: readonly string[] }) {
  const { channel, business } = conversationOf(conversation);
  return {
    id: randomUUID(),
    conversation,
    channel,
    from_number: phoneOf(business),
    to_number: phoneOf(to),
    message_body: clean(parts.join('\n')),
    parts: cleanJson(parts),
    delivery_status: 'sending' as const,
  };
}

type Outbound = ReturnType<typeof outboundOf> & {
  turn_id: string;
  received_at: Date;
  author: 'bot' | 'desk' | 'template';
  via: string;
};

/** A turn has one outbound message, however often its event is recorded. @returns the contacts of all sightings, and the turns that are new */
async function insertOutbound(
  db: Writer,
  messages: readonly Outbound[],
  sightings: readonly Sighting[],
): Promise<{ phones: string[]; turns: Set<string> }> {
  const conversations = await upsertConversations(db, sightings);
  const phones = [...new Set([...conversations.values()].map(({ phone }) => phone))];
  const rows = messages.flatMap(({ conversation, ...message }) => {
    const row = conversations.get(conversation);
    if (row === undefined) return [];
    const facts = { direction: 'outbound', message_type: 'text', status: 'replied', processed: true } as const;
    return { ...message, ...facts, conversation_id: row.id };
  });
  if (rows.length === 0) return { phones, turns: new Set() };
  const inserted = await db
    .insertInto('whatsapp_messages')
    .values(rows)
    .onConflict((conflict) => conflict.column('turn_id').where('direction', '=', 'outbound').doNothing())
    .returning(['id', 'turn_id'])
    .execute();
  const ids = inserted.map(({ id }) => id);
  await countIn(db, ids);
  await measureResponse(db, ids);
  return { phones, turns: new Set(inserted.map(({ turn_id }) => turn_id ?? '')) };
}

/** A person's message answers what waited for an answer in the same conversation. */
async function answerWhatWaits(db: Writer, { id, at }: EventOf<'desk.said'>): Promise<void> {
  await sql`
    with waited as (
      update whatsapp_messages m set answered_at = ${new Date(at)},
        status = case when m.status = 'archived' then m.status else 'replied' end
      where m.conversation_id = (select conversation_id from whatsapp_messages where turn_id = ${id} and direction = 'outbound')
        and m.direction = 'inbound' and m.answered_at is null and m.status <> 'replied' and m.received_at <= ${new Date(at)}
      returning m.received_at)
    update whatsapp_messages o set
      response_ms = least(2147483647, extract(epoch from o.received_at - (select min(received_at) from waited)) * 1000)::int
    where o.turn_id = ${id} and o.direction = 'outbound' and exists (select from waited)`.execute(db);
}
