/** What a contact agreed to, entry by entry. */
import { sql } from 'kysely';
import type { Consent } from '../../message.ts';
import type { Database } from '../engine/database.ts';
import { contactWith } from './conversations.ts';

export interface ConsentEntry {
  consent: Consent;
  /** Who said so: the contact in a message, the provider, the team, or another program. */
  cause: 'word' | 'provider' | 'desk' | 'api';
  /** The words they wrote, or where the team has it from. */
  source: string;
  /** Unix ms. */
  at: number;
}

/** Rejects with `archive.unavailable`. */
export interface Consents {
  /** By any address of the contact, newest first; none for a contact that is not known. At most `MOST_ENTRIES`. */
  of(phone: string): Promise<ConsentEntry[]>;
}

const MOST_ENTRIES = 200;

export function createConsents(database: Database): Consents {
  return { of };

  function of(phone: string): Promise<ConsentEntry[]> {
    return database.run(async (db) => {
      const { rows } = await sql<Omit<ConsentEntry, 'at'> & { at: Date }>`
        select consent, cause, source, at from whatsapp_consents where contact_id = ${contactWith(phone)}
        order by at desc, recorded_at desc limit ${MOST_ENTRIES}`.execute(db);
      return rows.map((row) => ({ ...row, at: row.at.getTime() }));
    });
  }
}
