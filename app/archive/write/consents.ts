/** The ledger of what contacts agreed to. It is only added to; what a contact says now is its newest entry, and is so since the first that said it. */
import { sql } from 'kysely';
import type { EventOf } from '../../events.ts';
import {
  type Consent,
  type ConsentGiven,
  type ContactId,
  type ConversationId,
  conversationId,
  wordsOf,
} from '../../message.ts';
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

/** What a contact said in WhatsApp about marketing messages. `name` is the same however often it is told. */
interface PreferenceEntry {
  /** The id of the row. */
  contact: string;
  channel: string;
  name: string;
  consent: Consent;
  /** ISO 8601. */
  at: string;
}

const PREFERENCES = {
  'opt-out': 'They switched off marketing messages from us in WhatsApp.',
  'opt-in': 'They switched on marketing messages from us in WhatsApp.',
} as const satisfies Record<Consent, string>;

export async function addPreferences(db: Writer, entries: readonly PreferenceEntry[]): Promise<void> {
  const rows = entries.map((entry) => ({ ...entry, source: PREFERENCES[entry.consent] }));
  await sql`
    insert into whatsapp_consents (contact_id, consent, cause, source, channel, message_sid, at, about)
    select e.contact, e.consent, 'provider', e.source, e.channel, e.name, e.at, 'marketing'
    from json_to_recordset(${JSON.stringify(rows)}::json)
      as e(contact uuid, consent text, source text, channel text, name text, at timestamptz)
    on conflict (channel, message_sid) do nothing`.execute(db);
  await markMarketing(db, [...new Set(entries.map(({ contact }) => contact))]);
}

/** The ledger of a contact who turned out to be another one. */
export async function moveConsents(db: Writer, from: ContactId, to: ContactId): Promise<void> {
  await sql`update whatsapp_consents set contact_id = ${to} where contact_id = ${from}`.execute(db);
  await countConsents(db, [to]);
}

/** Counts again what the ledger of contacts (ids of rows) says. */
export async function countConsents(db: Writer, contacts: readonly string[]): Promise<void> {
  await mark(db, contacts);
  await markMarketing(db, contacts);
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
        from whatsapp_consents where contact_id in (${sql.join([...contacts])}) and about = 'messages') entries
      group by contact_id, opted_in_at) l
    where c.id = l.contact_id`.execute(db);
}

/** The newest word about marketing counts; of two at the same time the one that keeps us silent. Since the first that said so. */
async function markMarketing(db: Writer, contacts: readonly string[]): Promise<void> {
  if (contacts.length === 0) return;
  await sql`
    update whatsapp_contacts c set marketing_opted_out_at = (
      select min(at) from whatsapp_consents o where o.contact_id = c.id and o.about = 'marketing' and o.consent = 'opt-out'
        and o.at >= coalesce((select max(at) from whatsapp_consents i
          where i.contact_id = c.id and i.about = 'marketing' and i.consent = 'opt-in'), '-infinity'))
    where c.id in (${sql.join([...contacts])})`.execute(db);
}
