/** Whether somebody is known: was there ever any message? */
import { sql } from 'kysely';
import type { ContactId } from '../../message.ts';
import type { Database } from '../engine/database.ts';

/**
 * Is there any message with a contact but these (the provider's ids), in any conversation, also one of ours? Rejects with
 * `archive.unavailable`.
 */
export type IsKnown = (contact: ContactId, but: readonly string[]) => Promise<boolean>;

export function createIsKnown(database: Database): IsKnown {
  return function isKnown(contact, but) {
    return database.run(async (db) => {
      const { rows } = await sql`
        select from whatsapp_messages m
        join whatsapp_conversations c on c.id = m.conversation_id
        join whatsapp_contact_addresses a on a.contact_id = c.contact_id
        where a.address = ${contact} and not (m.direction = 'inbound' and m.message_sid = any(${[...but]}))
        limit 1`.execute(db);
      return rows.length > 0;
    });
  };
}
