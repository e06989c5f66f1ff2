/** What people in the inbox change: seen, archived, blocked, excused, taken over, consent. The bot's memory has copies of the last four. */
import { sql } from 'kysely';
import type { ConsentGiven, ContactId, ConversationId } from '../../message.ts';
import type { Database } from '../engine/database.ts';
import { businessNumber, contactWith, isConversation, type Place } from '../read/conversations.ts';
import { addConsent } from './consents.ts';
import { upsertContacts } from './contacts.ts';
import type { Writer } from './writer.ts';

/** All reject with `archive.unavailable`. Contacts are locked before conversations, conversations before messages. */
export interface DeskWriter {
  /**
   * Nothing of a contact is unread any more, with one number of ours or with all.
   * @param until what came after it stays unread, unix ms. Default: nothing does.
   * @returns how many messages were.
   */
  markRead(place: Place, until?: number): Promise<number>;
  /** Archived messages of a conversation that is active again get the status they had. */
  archive(conversation: ConversationId, archived: boolean): Promise<void>;
  /** Blocks a contact in all conversations, or unblocks: then their conversations are active. No effect for a contact that is not known. */
  block(contact: ContactId, blocked: boolean): Promise<void>;
  /** Adds to the ledger, also for a contact who has not written yet. @param at unix ms */
  consent(contact: ContactId, given: ConsentGiven, at: number): Promise<void>;
  /** What the contact writes is no spam until then, unix ms. No effect for a contact that is not known. */
  excuse(contact: ContactId, until: number): Promise<void>;
  /** Until when a person answers, unix ms, and by how much a message of theirs prolongs it, ms; 0 = the bot answers. */
  takeOver(conversation: ConversationId, untilMs: number, pauseMs: number): Promise<void>;
}

export function createDeskWriter(database: Database): DeskWriter {
  return { markRead, archive, block, consent, excuse, takeOver };

  function markRead({ phone, business }: Place, until?: number): Promise<number> {
    return database.transaction(async (db) => {
      await sql`select from whatsapp_conversations where contact_id = ${contactWith(phone)} order by id
        for no key update`.execute(db);
      const conversations = await db
        .selectFrom('whatsapp_conversations')
        .select('id')
        .where(sql<boolean>`contact_id = ${contactWith(phone)}`)
        .$if(business !== undefined, (all) => all.where('business_number', '=', businessNumber(business ?? '')))
        .execute();
      if (conversations.length === 0) return 0;
      const ids = conversations.map(({ id }) => id);
      const read = await db
        .updateTable('whatsapp_messages')
        .set({ seen_at: sql`now()`, status: sql`case when status = 'received' then 'read' else status end` })
        .where('conversation_id', 'in', ids)
        .where(sql<boolean>`direction = 'inbound' and seen_at is null`)
        .$if(until !== undefined, (unseen) => unseen.where('received_at', '<=', new Date(until ?? 0)))
        .executeTakeFirst();
      await db
        .updateTable('whatsapp_conversations')
        .set({
          unread_count: sql`(select count(*) from whatsapp_messages m
            where m.conversation_id = whatsapp_conversations.id and m.direction = 'inbound' and m.seen_at is null)`,
        })
        .where('id', 'in', ids)
        .execute();
      return Number(read.numUpdatedRows);
    });
  }

  function archive(conversation: ConversationId, archived: boolean): Promise<void> {
    return database.transaction(async (db) => {
      const rows = await db
        .updateTable('whatsapp_conversations')
        .set({ conversation_status: archived ? 'archived' : 'active' })
        .where(isConversation(conversation))
        .returning('id')
        .execute();
      await setMessages(
        db,
        rows.map(({ id }) => id),
        archived,
      );
    });
  }

  function block(contact: ContactId, blocked: boolean): Promise<void> {
    return database.transaction(async (db) => {
      const row = await db
        .updateTable('whatsapp_contacts')
        .set({ blocked })
        .where(sql<boolean>`id = ${contactWith(contact)}`)
        .returning('id')
        .executeTakeFirst();
      if (!row) return;
      const changed = await db
        .updateTable('whatsapp_conversations')
        .set({ conversation_status: blocked ? 'blocked' : 'active' })
        .where('contact_id', '=', row.id)
        .where('conversation_status', blocked ? '<>' : '=', 'blocked')
        .returning('id')
        .execute();
      await setMessages(
        db,
        changed.map(({ id }) => id),
        false,
      );
    });
  }

  function consent(contact: ContactId, given: ConsentGiven, at: number): Promise<void> {
    return database.transaction(async (db) => {
      const id = (await upsertContacts(db, [{ key: contact, addresses: [] }])).get(contact);
      if (id) await addConsent(db, id, given, at);
    });
  }

  function excuse(contact: ContactId, until: number): Promise<void> {
    return database.run(async (db) => {
      await db
        .updateTable('whatsapp_contacts')
        .set({ excused_until: new Date(until), throttled_until: null, spam_score: 0, spam_reasons: [] })
        .where(sql<boolean>`id = ${contactWith(contact)}`)
        .execute();
    });
  }

  function takeOver(conversation: ConversationId, untilMs: number, pauseMs: number): Promise<void> {
    return database.run(async (db) => {
      await db
        .updateTable('whatsapp_conversations')
        .set({
          takeover_until: untilMs > 0 ? new Date(untilMs) : null,
          takeover_ms: untilMs > 0 ? pauseMs : null,
          // Somebody has come.
          handoff_at: null,
        })
        .where(isConversation(conversation))
        .execute();
    });
  }
}

async function setMessages(db: Writer, conversations: readonly string[], archived: boolean): Promise<void> {
  if (conversations.length === 0) return;
  await db
    .updateTable('whatsapp_messages')
    .set({ status: archived ? 'archived' : sql`${AS_IT_WAS}` })
    .where('conversation_id', 'in', [...conversations])
    .where('status', archived ? '<>' : '=', 'archived')
    .execute();
}

const AS_IT_WAS = sql<'replied'>`case when answered_at is not null or direction = 'outbound' then 'replied'
  when seen_at is not null then 'read' else 'received' end`;
