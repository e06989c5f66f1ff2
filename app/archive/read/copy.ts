/** Everything that is kept of a contact, for the contact. */
import { sql } from 'kysely';
import type { ContactId } from '../../message.ts';
import type { Database } from '../engine/database.ts';
import { contactWith } from './conversations.ts';

/** As JSON; times are ISO 8601. */
export interface ContactCopy {
  addresses: string[];
  names: string[];
  /** Oldest first. */
  messages: {
    at: Date;
    /** `you`, `assistant` or `team`. */
    from: string;
    text: string;
    /** What was said in a voice note. */
    transcript?: string;
    /** What was sent with it: its type, not the file. */
    files?: string[];
    location?: unknown;
    /** What software made of the message. */
    analysis?: unknown;
  }[];
  consents: { at: Date; consent: string; source: string }[];
}

/** Null for a contact that is not known. Rejects with `archive.unavailable`. */
export type CopyOf = (contact: ContactId) => Promise<ContactCopy | null>;

export function createCopyOf(database: Database): CopyOf {
  return function copyOf(contact) {
    return database.run(async (db) => {
      const { rows: known } = await sql<{ id: string | null }>`select ${contactWith(contact)} as id`.execute(db);
      const id = known[0]?.id;
      if (!id) return null;
      const addresses = await sql<{ address: string }>`
        select address from whatsapp_contact_addresses where contact_id = ${id} order by address`.execute(db);
      const names = await sql<{ name: string }>`
        select distinct contact_name as name from whatsapp_conversations
        where contact_id = ${id} and contact_name is not null order by 1`.execute(db);
      const messages = await sql<ContactCopy['messages'][number]>`
        select m.received_at as at, m.message_body as text,
          case m.author when 'contact' then 'you' when 'bot' then 'assistant' when 'other' then 'another assistant' else 'team' end as from,
          m.transcription as transcript, m.location, m.ai_analysis as analysis,
          (select json_agg(f->>'contentType') from jsonb_array_elements(m.media) f) as files
        from whatsapp_messages m join whatsapp_conversations c on c.id = m.conversation_id
        where c.contact_id = ${id} order by m.received_at, m.id`.execute(db);
      const consents = await sql<ContactCopy['consents'][number]>`
        select at, consent, source from whatsapp_consents where contact_id = ${id} order by at`.execute(db);
      return {
        addresses: addresses.rows.map((row) => row.address),
        names: names.rows.map((row) => row.name),
        messages: messages.rows.map(withoutNulls),
        consents: consents.rows,
      };
    });
  };
}

function withoutNulls<Row extends object>(row: Row): Row {
  // The keys that are left are those of the row.
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null)) as Row;
}
