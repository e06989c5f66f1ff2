/** Messages that came in. */
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { phoneOf } from '../../contacts/addresses.ts';
import type { EventOf } from '../../events.ts';
import { conversationId, conversationOf, type InboundMessage, kindOf, wordsOf } from '../../message.ts';
import type { MessageType } from '../engine/schema.ts';
import { clean, cleanJson, storableJson } from '../engine/text.ts';
import { mediaPath } from '../read/media-path.ts';
import { recordConsents } from './consents.ts';
import { countIn, type Sighting, upsertConversations } from './conversations.ts';
import type { Writer } from './writer.ts';

/** @returns the contacts who wrote, as people read their address. */
export async function recordReceived(
  db: Writer,
  events: readonly EventOf<'message.received'>[],
  analysis: boolean,
): Promise<string[]> {
  if (events.length === 0) return [];
  const messages = events.map(({ message }) => message);
  const conversations = await upsertConversations(db, messages.map(sightingIn));
  const rows = messages.flatMap((message) => {
    const conversation = conversations.get(conversationId(message));
    return conversation === undefined ? [] : rowOf(message, conversation.id, analysis);
  });
  const inserted = await db
    .insertInto('whatsapp_messages')
    .values(rows)
    .onConflict((conflict) => conflict.columns(['channel', 'message_sid']).doNothing())
    .returning('id')
    .execute();
  await countIn(
    db,
    inserted.map(({ id }) => id),
  );
  await recordConsents(db, events, conversations);
  return [...conversations.values()].map(({ phone }) => phone);
}

/** Voice notes that somebody listens to. @returns the contacts, as people read their address. */
export async function recordListening(db: Writer, events: readonly EventOf<'voice.opened'>[]): Promise<string[]> {
  if (events.length === 0) return [];
  const opened = events.map(({ conversation, message }) => ({
    channel: conversationOf(conversation).channel,
    sid: message,
  }));
  const { rows } = await sql<{ phone: string }>`
    update whatsapp_messages m set transcription_status = 'processing'
    from json_to_recordset(${JSON.stringify(opened)}::json) as o(channel text, sid text), whatsapp_conversations c
    where m.channel = o.channel and m.message_sid = o.sid and m.transcription_status = 'pending' and c.id = m.conversation_id
    returning c.phone_number as phone`.execute(db);
  return rows.map(({ phone }) => phone);
}

function sightingIn(message: InboundMessage): Sighting {
  const { from, aliases = [], receivedAt, sentAt, profileName } = message;
  return {
    conversation: conversationId(message),
    at: receivedAt,
    inbound: true,
    ...(sentAt === undefined ? {} : { wroteAt: sentAt }),
    address: from,
    aliases,
    name: profileName === null ? null : clean(profileName, 255),
  };
}

function rowOf(message: InboundMessage, conversation: string, analysis: boolean) {
  const id = randomUUID();
  const { attachments, location } = message;
  return {
    id,
    message_sid: message.id,
    conversation_id: conversation,
    channel: message.channel,
    from_number: phoneOf(message.from),
    to_number: phoneOf(message.business),
    direction: 'inbound' as const,
    author: 'contact' as const,
    message_body: clean(wordsOf(message)),
    message_type: typeOf(message),
    media_url: attachments.length > 0 ? mediaPath(id, 0) : null,
    // The provider's name of a file is what it is fetched by: scrubbed it would be lost. It is never shown.
    media: attachments.length > 0 ? storableJson(attachments) : null,
    location: location ? cleanJson(location) : null,
    referral: message.referral ? cleanJson(message.referral) : null,
    original: message.original ? cleanJson(message.original) : null,
    button_payload: message.buttonPayload === undefined ? null : clean(message.buttonPayload),
    in_reply_to: message.inReplyTo?.slice(0, 200) ?? null,
    forwarded: message.forwarded ?? false,
    transcription_status: attachments.some(({ kind }) => kind === 'audio') ? ('pending' as const) : null,
    analysis_status: analysis ? ('pending' as const) : ('skipped' as const),
    received_at: new Date(message.receivedAt),
  };
}

/** The kinds that the table has; a pressed button is a text. */
function typeOf(message: InboundMessage): MessageType {
  const kind = kindOf(message);
  if (kind === 'contact-card') return 'contact';
  return kind === 'button' ? 'text' : kind;
}
