/** What was said without us, and preferences and numbers of contacts that the provider tells of. */
import { randomUUID } from 'node:crypto';
import { phoneOf } from '../../contacts/addresses.ts';
import type { EventOf } from '../../events.ts';
import { conversationOf, kindOf } from '../../message.ts';
import { clean, storableJson } from '../engine/text.ts';
import { mediaPath } from '../read/media-path.ts';
import { addPreferences } from './consents.ts';
import { renumberContact, upsertContacts } from './contacts.ts';
import { countIn, upsertConversations } from './conversations.ts';
import type { Writer } from './writer.ts';

type Kept = EventOf<'messages.kept'>;

/** Each message once, however often it is told. @returns the contacts, as people read their address. */
export async function recordKept(db: Writer, events: readonly Kept[]): Promise<string[]> {
  const told = events.filter(({ messages }) => messages.length > 0);
  if (told.length === 0) return [];
  const conversations = await upsertConversations(
    db,
    told.map(({ conversation, address, messages }) => ({
      conversation,
      at: Math.max(...messages.map(({ at }) => at)),
      inbound: false,
      address,
    })),
  );
  const rows = told.flatMap((event) => {
    const row = conversations.get(event.conversation);
    return row === undefined ? [] : event.messages.map((message) => rowOf(event, message, row.id));
  });
  for (let i = 0; i < rows.length; i += AT_ONCE) await insert(db, rows.slice(i, i + AT_ONCE));
  for (const row of rows) if (row.media !== null) await addFile(db, row);
  return [...conversations.values()].map(({ phone }) => phone);
}

/** A statement of PostgreSQL has at most 65,535 values. */
const AT_ONCE = 500;

async function insert(db: Writer, rows: readonly Row[]): Promise<void> {
  const inserted = await db
    .insertInto('whatsapp_messages')
    .values([...rows])
    .onConflict((conflict) => conflict.columns(['channel', 'message_sid']).doNothing())
    .returning('id')
    .execute();
  await countIn(
    db,
    inserted.map(({ id }) => id),
  );
}

function rowOf({ conversation, address }: Kept, message: Kept['messages'][number], conversationId: string) {
  const { channel, business } = conversationOf(conversation);
  const { id: sid, author, text, attachments, at } = message;
  const isTheirs = author === 'contact';
  const [ours, theirs] = [phoneOf(business), phoneOf(address)];
  const id = randomUUID();
  const kind = kindOf({ attachments });
  return {
    id,
    message_sid: sid,
    conversation_id: conversationId,
    channel,
    from_number: isTheirs ? theirs : ours,
    to_number: isTheirs ? ours : theirs,
    direction: isTheirs ? ('inbound' as const) : ('outbound' as const),
    author,
    message_body: clean(text),
    message_type: kind === 'contact-card' ? ('contact' as const) : kind === 'button' ? ('text' as const) : kind,
    media_url: attachments.length > 0 ? mediaPath(id, 0) : null,
    media: attachments.length > 0 ? storableJson(attachments) : null,
    // It was read and answered elsewhere.
    status: 'replied' as const,
    processed: true,
    seen_at: isTheirs ? new Date(at) : null,
    analysis_status: isTheirs ? ('skipped' as const) : null,
    delivery_status: isTheirs ? null : ('sent' as const),
    received_at: new Date(at),
    sent_at: isTheirs ? null : new Date(at),
  };
}

/** A past message comes without its file first. */
async function addFile(db: Writer, { channel, message_sid, media, message_type, message_body }: Row): Promise<void> {
  const known = await db
    .selectFrom('whatsapp_messages')
    .select('id')
    .where('channel', '=', channel)
    .where('message_sid', '=', message_sid)
    .where('message_body', '=', PLACEHOLDER)
    .executeTakeFirst();
  if (!known) return;
  await db
    .updateTable('whatsapp_messages')
    .set({ media, media_url: mediaPath(known.id, 0), message_type, message_body })
    .where('id', '=', known.id)
    .execute();
}

type Row = ReturnType<typeof rowOf>;

const PLACEHOLDER = '[media_placeholder]';

/** What contacts said about marketing messages, into the ledger. */
export async function recordPreferences(db: Writer, events: readonly EventOf<'preference.changed'>[]): Promise<void> {
  if (events.length === 0) return;
  const keys = events.map(({ conversation }) => conversationOf(conversation).contact);
  const contacts = await upsertContacts(
    db,
    keys.map((key) => ({ key, addresses: [] })),
  );
  const entries = events.map(({ conversation, id, consent, saidAt }) => {
    const { channel, contact } = conversationOf(conversation);
    return { contact: contacts.get(contact) ?? '', channel, name: id, consent, at: new Date(saidAt).toISOString() };
  });
  await addPreferences(db, entries);
}

/** Contacts who have another number now. @returns them, as people read their address. */
export async function recordNumbers(db: Writer, events: readonly EventOf<'number.changed'>[]): Promise<string[]> {
  for (const { from, to, at } of events) await renumberContact(db, { from, to, at });
  return events.map(({ to }) => phoneOf(to));
}
