/** What a contact agreed to, entry by entry. */
import { sql } from 'kysely';
import type { Consent, ContactId } from '../../message.ts';
import type { Database } from '../engine/database.ts';
import { contactWith } from './conversations.ts';

export interface ConsentEntry {
  consent: Consent;
  /** Who said so: the contact in a message, the provider, the team, or another program. */
  cause: 'word' | 'provider' | 'desk' | 'api';
  /** The words they wrote, or where the team has it from. */
  source: string;
  /** Marketing messages alone, or all that we send. */
  about: 'messages' | 'marketing';
  /** Unix ms. */
  at: number;
}

/** Rejects with `archive.unavailable`. */
export interface Consents {
  /** By any address of the contact, newest first; none for a contact that is not known. At most `MOST_ENTRIES`. */
  of(phone: string): Promise<ConsentEntry[]>;
  /**
   * Who of these contacts wants no marketing messages, and since when, unix ms: by any of their addresses, in its canonical spelling. It
   * does not say who wants no messages at all.
   */
  withoutMarketing(contacts: readonly ContactId[]): Promise<Map<ContactId, number>>;
}

const MOST_ENTRIES = 200;

export function createConsents(database: Database): Consents {
  return { of, withoutMarketing };

  function of(phone: string): Promise<ConsentEntry[]> {
    return database.run(async (db) => {
      const { rows } = await sql<Omit<ConsentEntry, 'at'> & { at: Date }>`
        select consent, cause, source, about, at from whatsapp_consents where contact_id = ${contactWith(phone)}
        order by at desc, recorded_at desc limit ${MOST_ENTRIES}`.execute(db);
      return rows.map((row) => ({ ...row, at: row.at.getTime() }));
    });
  }

  function withoutMarketing(contacts: readonly ContactId[]): Promise<Map<ContactId, number>> {
    return database.run(async (db) => {
      if (contacts.length === 0) return new Map();
      const { rows } = await sql<{ address: string; since: Date }>`
        select a.address, c.marketing_opted_out_at as since
        from whatsapp_contact_addresses a join whatsapp_contacts c on c.id = a.contact_id
        where a.address = any(${[...contacts]}::text[]) and c.marketing_opted_out_at is not null`.execute(db);
      return new Map(rows.map(({ address, since }) => [address, since.getTime()]));
    });
  }
}
