/** The ledger of what contacts agreed to. It is only added to; what a contact says now is its newest entry, and is so since the first that said it. */
import { sql } from 'kysely';
import type { EventOf } from '../../events.ts';
import { type ConsentGiven, type ContactId, type ConversationId, conversationId, wordsOf } from '../../message.ts';
import { clean } from '../engine/text.ts';
import type { Writer } from './writer.ts';

/** The longest words of a message, and the longest source, that the ledger keeps. */
const LONGEST_SOURCE = 500;

/** Messages that say so; each has one entry, however often it is recorded. */
export async function recordConsents(
  db: Writer,
  events: readonly EventOf<'message.received'>[],
  conversations: ReadonlyMap<ConversationId, { id: string }>,
): Promise<void> {
  const entries = events.flatMap(({ message }) => {
    const conversation = conversations.get(conversationId(message));
    if (!message.consent || !conversation) return [];
    return {
      conversation: conversation.id,
      consent: message.consent,
      cause: message.answered ? 'provider' : 'word',
      source: clean(wordsOf(message), LONGEST_SOURCE),
      channel: message.channel,
      sid: message.id,
      at: new Date(message.sentAt ?? message.receivedAt).toISOString(),
    };
  });
  if (entries.length === 0) return;
  const { rows } = await sql<{ contact_id: string }>`
    insert into whatsapp_consents (contact_id, consent, cause, source, channel, message_sid, at)
    select c.contact_id, e.consent, e.cause, e.source, e.channel, e.sid, e.at
    from json_to_recordset(${JSON.stringify(entries)}::json)
      as e(conversation uuid, consent text, cause text, source text, channel text, sid text, at timestamptz)
    join whatsapp_conversations c on c.id = e.conversation
    on conflict (channel, message_sid) do nothing
    returning contact_id`.execute(db);
  await mark(
    db,
    rows.map((row) => row.contact_id),
  );
}

/** What the team or a program knows of a contact. @param contact the id of the row */
export async function addConsent(db: Writer, contact: string, given: ConsentGiven, at: number): Promise<void> {
  const { consent, cause, source } = given;
  await sql`insert into whatsapp_consents (contact_id, consent, cause, source, at)
    values (${contact}, ${consent}, ${cause}, ${clean(source, LONGEST_SOURCE)}, ${new Date(at)})`.execute(db);
  await mark(db, [contact]);
}

/** The ledger of a contact who turned out to be another one. */
export async function moveConsents(db: Writer, from: ContactId, to: ContactId): Promise<void> {
  await sql`update whatsapp_consents set contact_id = ${to} where contact_id = ${from}`.execute(db);
  await mark(db, [to]);
}

/** When they last agreed, and since when they have opted out after that. */
async function mark(db: Writer, contacts: readonly string[]): Promise<void> {
  if (contacts.length === 0) return;
  await sql`
    update whatsapp_contacts c set opted_in_at = l.opted_in_at, opted_out_at = l.opted_out_at
    from (select contact_id, opted_in_at,
        min(at) filter (where consent = 'opt-out' and at >= coalesce(opted_in_at, '-infinity')) as opted_out_at
      from (select contact_id, consent, at,
          max(at) filter (where consent = 'opt-in') over (partition by contact_id) as opted_in_at
        from whatsapp_consents where contact_id in (${sql.join([...contacts])})) entries
      group by contact_id, opted_in_at) l
    where c.id = l.contact_id`.execute(db);
}
