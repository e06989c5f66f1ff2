/** What was answered: by the bot, or by a person at the desk. */
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import type { Attachment } from '../../message.ts';
import { addressesOf } from '../../message.ts';
import { clean } from '../engine/text.ts';
import { phoneOf } from '../phone.ts';
import { measureResponse, recordParts } from './deliveries.ts';
import { countIn, upsertConversations } from './inbound.ts';
import type { EventOf, Writer } from './writer.ts';

type ReplyMade = EventOf<'reply.made'>;

/** @returns the contacts who were answered. */
export async function recordReplies(db: Writer, events: readonly ReplyMade[]): Promise<string[]> {
  if (events.length === 0) return [];
  await takeIn(db, events);
  const spoken = events.flatMap((event) => {
    const lines = event.lines.filter((line) => line.role === 'assistant' && line.text !== '');
    if (lines.length === 0) return [];
    const text = clean(lines.map((line) => line.text).join('\n'));
    const { prompt, completion, cached } = event.usage ?? {};
    return outbound(event.conversation, {
      turn_id: event.turn,
      author: 'bot' as const,
      message_body: text,
      received_at: new Date(event.at),
      via: event.via,
      delivery_status: 'sending' as const,
      failure_code: event.failure ?? null,
      prompt_tokens: prompt ?? null,
      completion_tokens: completion ?? null,
      cached_tokens: cached ?? null,
    });
  });
  await insertOutbound(db, spoken);
  return [...new Set(events.map((event) => phoneOf(addressesOf(event.conversation).contact)))];
}

/** What the people at the desk said, and whether they took a conversation over. @returns the contacts. */
export async function recordDesk(
  db: Writer,
  said: readonly EventOf<'desk.said'>[],
  took: readonly EventOf<'desk.took'>[],
): Promise<string[]> {
  await insertOutbound(
    db,
    said.map((event) =>
      outbound(event.conversation, {
        turn_id: event.id,
        author: 'desk' as const,
        message_body: clean(event.text),
        received_at: new Date(event.at),
        sent_at: new Date(event.at),
        via: 'rest',
        delivery_status: 'sent' as const,
      }),
    ),
  );
  await recordParts(
    db,
    said.map(({ id, sid, at }) => ({ turn: id, sid, at })),
  );
  for (const event of said) await answerWhatWaits(db, event);
  for (const { conversation, until } of took) {
    await db
      .updateTable('whatsapp_conversations')
      .set({ takeover_until: until > 0 ? new Date(until) : null })
      .where('phone_number', '=', phoneOf(addressesOf(conversation).contact))
      .execute();
  }
  return [...new Set([...said, ...took].map(({ conversation }) => phoneOf(addressesOf(conversation).contact)))];
}

/** The messages that a turn took in: heard, and answered unless the turn kept quiet. */
async function takeIn(db: Writer, events: readonly ReplyMade[]): Promise<void> {
  const wordsOf = new Map(events.flatMap(({ lines }) => lines.map((line) => [line.id, line.text] as const)));
  const turnOf = new Map(events.flatMap((event) => event.answers.map((sid) => [sid, event] as const)));
  if (turnOf.size === 0) return;
  const messages = await db
    .selectFrom('whatsapp_messages')
    .select(['id', 'message_sid', 'message_body', 'media', 'transcription_status'])
    .where('message_sid', 'in', [...turnOf.keys()])
    .where('answered_at', 'is', null)
    .execute();
  const taken = messages.flatMap((message) => {
    const event = turnOf.get(message.message_sid ?? '');
    if (!event) return [];
    const heard = message.transcription_status !== null && message.transcription_status !== 'completed';
    const words = heard ? transcriptIn(wordsOf.get(message.message_sid ?? '') ?? '', message) : '';
    return {
      id: message.id,
      turn: event.turn,
      at: new Date(event.at).toISOString(),
      answered: event.via !== null,
      hears: heard,
      words: clean(words),
    };
  });
  if (taken.length === 0) return;
  await sql`
    update whatsapp_messages m set
      turn_id = t.turn, processed = true, processed_at = t.at,
      answered_at = case when t.answered then t.at end,
      status = case when t.answered and m.status <> 'archived' then 'replied' else m.status end,
      transcription = case when t.hears and t.words <> '' then t.words else m.transcription end,
      transcription_status = case when not t.hears then m.transcription_status
        when t.words <> '' then 'completed' else 'failed' end,
      processing_error = case when t.hears and t.words = '' then ${NOTHING_HEARD} else null end,
      failure_code = null, failure_reason = null
    from json_to_recordset(${JSON.stringify(taken)}::json)
      as t(id uuid, turn text, at timestamptz, answered boolean, hears boolean, words text)
    where m.id = t.id`.execute(db);
}

const NOTHING_HEARD = 'Transcription: nothing could be heard, or the voice note could not be opened.';

/**
 * The words of a voice note, out of the line that the model was shown: without the notes in brackets, which stand for what is not
 * words, and without the caption.
 */
export function transcriptIn(line: string, message: { message_body: string; media: Attachment[] | null }): string {
  const caption = message.message_body;
  const shown = caption !== '' && line.endsWith(caption) ? line.slice(0, -caption.length) : line;
  return shown
    .split('\n')
    .filter((part) => !/^\[[^\]]*\]$/.test(part.trim()))
    .join('\n')
    .trim();
}

function outbound<Facts extends object>(conversation: string, facts: Facts) {
  const { business, contact } = addressesOf(conversation);
  return { id: randomUUID(), from_number: phoneOf(business), to_number: phoneOf(contact), ...facts };
}

type Outbound = ReturnType<
  typeof outbound<{ received_at: Date; turn_id: string; author: 'bot' | 'desk'; message_body: string }>
>;

/** A turn has one outbound message, however often it is told of. */
async function insertOutbound(db: Writer, messages: readonly Outbound[]): Promise<void> {
  if (messages.length === 0) return;
  const conversations = await upsertConversations(
    db,
    messages.map((message) => ({
      phone: message.to_number,
      business: message.from_number,
      at: message.received_at.getTime(),
      inbound: false,
    })),
  );
  const rows = messages.flatMap((message) => {
    const conversation_id = conversations.get(message.to_number);
    if (conversation_id === undefined) return [];
    const direction = 'outbound' as const;
    return {
      ...message,
      conversation_id,
      direction,
      message_type: 'text' as const,
      status: 'replied' as const,
      processed: true,
    };
  });
  const inserted = await db
    .insertInto('whatsapp_messages')
    .values(rows)
    .onConflict((conflict) => conflict.column('turn_id').where('direction', '=', 'outbound').doNothing())
    .returning('id')
    .execute();
  const ids = inserted.map(({ id }) => id);
  await countIn(db, ids);
  await measureResponse(db, ids);
}

/** A person's word answers whatever had waited for one. */
async function answerWhatWaits(db: Writer, { conversation, id, at }: EventOf<'desk.said'>): Promise<void> {
  const phone = phoneOf(addressesOf(conversation).contact);
  await sql`
    with waited as (
      update whatsapp_messages m set answered_at = ${new Date(at)},
        status = case when m.status = 'archived' then m.status else 'replied' end
      from whatsapp_conversations c
      where c.phone_number = ${phone} and m.conversation_id = c.id and m.direction = 'inbound'
        and m.answered_at is null and m.status <> 'replied' and m.received_at <= ${new Date(at)}
      returning m.received_at)
    update whatsapp_messages o set
      response_ms = least(2147483647, extract(epoch from o.received_at - (select min(received_at) from waited)) * 1000)::int
    where o.turn_id = ${id} and o.direction = 'outbound' and exists (select from waited)`.execute(db);
}
