/** Messages that came in, and the conversations they belong to. */
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import type { InboundMessage } from '../../message.ts';
import type { MessageType } from '../engine/schema.ts';
import { clean, cleanJson, storableJson } from '../engine/text.ts';
import { phoneOf } from '../phone.ts';
import type { EventOf, Writer } from './writer.ts';

/** @returns the contacts who wrote. */
export async function recordReceived(
  db: Writer,
  events: readonly EventOf<'message.received'>[],
  analysis: boolean,
): Promise<string[]> {
  if (events.length === 0) return [];
  const messages = events.map(({ message }) => message);
  const conversations = await upsertConversations(db, messages.map(sightingIn));
  const rows = messages.flatMap((message) => {
    const conversationId = conversations.get(phoneOf(message.contact));
    return conversationId === undefined ? [] : rowOf(message, conversationId, analysis);
  });
  const inserted = await db
    .insertInto('whatsapp_messages')
    .values(rows)
    .onConflict((conflict) => conflict.column('message_sid').doNothing())
    .returning('id')
    .execute();
  await countIn(
    db,
    inserted.map(({ id }) => id),
  );
  return [...conversations.keys()];
}

/** What an event tells of a conversation. */
export interface Sighting {
  phone: string;
  business: string;
  /** Unix ms. */
  at: number;
  inbound: boolean;
  channel?: string;
  name?: string | null;
}

function sightingIn({ contact, business, receivedAt, channel, profileName }: InboundMessage): Sighting {
  const name = profileName === null ? null : clean(profileName, 255);
  return { phone: phoneOf(contact), business: phoneOf(business), at: receivedAt, inbound: true, channel, name };
}

/** Makes the conversations that are not there, and locks those that are, always in the same order. @returns phone → id. */
export async function upsertConversations(db: Writer, sightings: readonly Sighting[]): Promise<Map<string, string>> {
  const newest = new Map<string, Sighting>();
  for (const sighting of sightings) {
    const known = newest.get(sighting.phone);
    if (!known || known.at <= sighting.at)
      newest.set(sighting.phone, { ...sighting, name: sighting.name ?? known?.name ?? null });
  }
  const sorted = [...newest.values()].sort((a, b) => (a.phone < b.phone ? -1 : 1));
  const rows = await db
    .insertInto('whatsapp_conversations')
    .values(
      sorted.map(({ phone, business, at, inbound, channel, name }) => ({
        phone_number: phone,
        business_number: business,
        channel: channel ?? null,
        contact_name: name ?? null,
        first_message_at: new Date(at),
        last_message_at: new Date(at),
        last_inbound_at: inbound ? new Date(at) : null,
      })),
    )
    .onConflict((conflict) =>
      conflict.column('phone_number').doUpdateSet({
        contact_name: sql`coalesce(excluded.contact_name, whatsapp_conversations.contact_name)`,
        business_number: ifTheyWroteLast('business_number'),
        channel: ifTheyWroteLast('channel'),
      }),
    )
    .returning(['id', 'phone_number'])
    .execute();
  return new Map(rows.map((row) => [row.phone_number, row.id]));
}

/** Where they wrote to last is where answers go out from. */
function ifTheyWroteLast(column: 'business_number' | 'channel') {
  const known = sql.ref(`whatsapp_conversations.${column}`);
  return sql<string>`case when excluded.last_inbound_at >= coalesce(whatsapp_conversations.last_inbound_at, '-infinity')
    then coalesce(${sql.ref(`excluded.${column}`)}, ${known}) else ${known} end`;
}

function rowOf(message: InboundMessage, conversationId: string, analysis: boolean) {
  const id = randomUUID();
  const { attachments, location } = message;
  return {
    id,
    message_sid: message.id,
    conversation_id: conversationId,
    channel: message.channel,
    from_number: phoneOf(message.contact),
    to_number: phoneOf(message.business),
    direction: 'inbound' as const,
    author: 'contact' as const,
    message_body: clean(message.text),
    message_type: typeOf(message),
    media_url: attachments.length > 0 ? mediaPath(id, 0) : null,
    // The provider's name of a file is what it is fetched by: scrubbed it would be lost. Nobody is shown it.
    media: attachments.length > 0 ? storableJson(attachments) : null,
    location: location ? cleanJson(location) : null,
    button_payload: message.buttonPayload === undefined ? null : clean(message.buttonPayload),
    in_reply_to: message.inReplyTo?.slice(0, 100) ?? null,
    forwarded: message.forwarded ?? false,
    transcription_status: attachments.some(({ kind }) => kind === 'audio') ? ('pending' as const) : null,
    analysis_status: analysis ? ('pending' as const) : ('skipped' as const),
    received_at: new Date(message.receivedAt),
  };
}

/** Where a browser gets the file number `n` of a message from. */
export function mediaPath(messageId: string, n: number): string {
  return `/api/whatsapp/media/${messageId}/${n}`;
}

function typeOf({ attachments, location }: InboundMessage): MessageType {
  const [first] = attachments;
  if (first) return first.kind === 'contact-card' ? 'contact' : first.kind;
  return location ? 'location' : 'text';
}

/** Brings the conversations' counts up to date with messages that were just inserted. */
export async function countIn(db: Writer, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await sql`
    with new as (select * from whatsapp_messages where id in (${sql.join(ids)})),
    counts as (
      select conversation_id, count(*) as total,
        count(*) filter (where direction = 'inbound') as inbound,
        count(*) filter (where direction = 'inbound' and message_type = 'audio') as voice,
        count(*) filter (where direction = 'inbound' and message_type = 'image') as pictures,
        count(*) filter (where direction = 'inbound' and message_type = 'text') as texts,
        min(received_at) as first_at, max(received_at) as last_at,
        max(received_at) filter (where direction = 'inbound') as last_inbound_at
      from new group by conversation_id),
    newest as (
      select distinct on (conversation_id) conversation_id, id, received_at, message_type, author,
        left(coalesce(nullif(message_body, ''), transcription, ''), 200) as text
      from new order by conversation_id, received_at desc, id desc)
    update whatsapp_conversations c set
      total_messages = c.total_messages + n.total,
      unread_count = c.unread_count + n.inbound,
      voice_messages = c.voice_messages + n.voice,
      picture_messages = c.picture_messages + n.pictures,
      text_messages = c.text_messages + n.texts,
      first_message_at = least(c.first_message_at, n.first_at),
      last_message_at = greatest(c.last_message_at, n.last_at),
      last_inbound_at = greatest(c.last_inbound_at, n.last_inbound_at),
      last_message_id = case when ${LATER} then l.id else c.last_message_id end,
      last_message_text = case when ${LATER} then l.text else c.last_message_text end,
      last_message_type = case when ${LATER} then l.message_type else c.last_message_type end,
      last_message_author = case when ${LATER} then l.author else c.last_message_author end,
      conversation_status = case when c.conversation_status = 'archived' and n.inbound > 0
        then 'active' else c.conversation_status end
    from counts n join newest l using (conversation_id)
    where c.id = n.conversation_id`.execute(db);
}

const LATER = sql`(c.last_message_id is null or l.received_at >= c.last_message_at)`;
