/** Conversations as the team sees them: one for each contact, channel and number of ours. */
import { type Kysely, type RawBuilder, type Selectable, type SelectQueryBuilder, sql } from 'kysely';
import { addressOf, contactIdOf, phoneOf, readAddress } from '../../contacts/addresses.ts';
import { type ContactId, type ConversationId, conversationOf, type HandoffReason } from '../../message.ts';
import type { Database } from '../engine/database.ts';
import type { Author, ConversationStatus, MessageType, Tables } from '../engine/schema.ts';
import { isId, ORDERS, type Order, type Page, type Paging, pageOf, readTimeCursor } from './page.ts';
import { containing, fewHits, hasWords } from './search.ts';

/** Times in unix ms. */
export interface ArchivedConversation {
  id: string;
  /** The contact's address as people read it: `+15550100123`, or a username id. */
  phone: string;
  /** All addresses of the contact, as people read them. */
  addresses: string[];
  /** Channel, business and contact name the conversation, see `conversationId`. */
  channel: string;
  /** Our number they write to. */
  business: string;
  contact: ContactId;
  contactName: string | null;
  prospectId: string | null;
  status: ConversationStatus;
  firstMessageAt: number;
  lastMessageAt: number;
  /** WhatsApp lets us write freely for 24 hours after it. Null when they never wrote. */
  lastInboundAt: number | null;
  totalMessages: number;
  unreadCount: number;
  tasks: number;
  openTasks: number;
  /** A person answers until then; null when the bot does. It may be over already. */
  takeoverUntil: number | null;
  /** Since when they have opted out of messages; null when they have not. */
  optedOutAt: number | null;
  /** What a person of the team is needed for; null when nobody is. */
  waiting: { since: number; reason: HandoffReason; note: string | null; summary: string | null } | null;
  lastMessage: { id: string; text: string; type: MessageType; author: Author } | null;
  /** Of the newest analysed message. */
  sentiment: string | null;
  /** What the contact wrote in the last days looks like spam; null when it does not. */
  spam: { score: number; reasons: string[]; throttledUntil: number | null } | null;
}

export interface ConversationQuery extends Paging {
  /** waiting: for a person; voice, text, picture: they sent at least one; tasks: something is open; unread: the team has not seen all of it. */
  filter?: 'all' | 'waiting' | 'voice' | 'text' | 'picture' | 'tasks' | 'unread' | undefined;
  sentiment?: string | undefined;
  /** Default: all. */
  status?: ConversationStatus | undefined;
  /** Those that look like spam. */
  spam?: boolean | undefined;
  /** Those with one number of ours, however it is written. */
  business?: string | undefined;
  /** A part of the name, the number or another address, or words in messages (of words that more than 5,000 messages have, in the newest 2,000 of them). */
  search?: string | undefined;
  /** By their last message, those that wait for a person by since when. Default: newest first; of those, oldest first. */
  order?: Order | undefined;
}

/** Whose conversation: any address of the contact, and the number of ours; both however they are written. */
export interface Place {
  phone: string;
  /** Default: the number whose conversation was active last. */
  business?: string | undefined;
}

/** A number of ours that people write to. */
export interface BusinessNumber {
  channel: string;
  business: string;
  conversations: number;
}

/** Reject with `archive.unavailable`; with `request.invalid` for a cursor of another list. */
export interface Conversations {
  list(query: ConversationQuery): Promise<Page<ArchivedConversation>>;
  /** Null when there is no such conversation. */
  find(place: Place): Promise<ArchivedConversation | null>;
  findById(id: string): Promise<ArchivedConversation | null>;
  /** The numbers of ours that there are conversations with. */
  numbers(): Promise<BusinessNumber[]>;
}

const MOST_FOUND = 2_000;

export function createConversations(database: Database): Conversations {
  return { list, find, findById, numbers };

  function list(query: ConversationQuery): Promise<Page<ArchivedConversation>> {
    return database.run(async (db) => {
      const { limit, cursor, offset = 0, filter, order = filter === 'waiting' ? 'oldest' : 'newest' } = query;
      const { direction, behind } = ORDERS[order];
      // Whoever has waited longest is the first.
      const sortedBy = filter === 'waiting' ? 'handoff_at' : 'last_message_at';
      const place = readTimeCursor(cursor);
      const search = query.search?.trim() ?? '';
      const talking = search === '' ? [] : await whoSaid(db, search);
      const rows = await selectConversations(db)
        .$call((all) => narrowed(all, query))
        .$if(search !== '', (all) => all.where(found(search, talking)))
        .$if(place !== null, (all) =>
          all.where(sql<boolean>`(${sql.ref(sortedBy)}, id) ${behind} (${place?.at}::timestamptz, ${place?.id}::uuid)`),
        )
        .orderBy(sortedBy, direction)
        .orderBy('id', direction)
        .limit(limit + 1)
        .offset(place ? 0 : offset)
        .execute();
      return pageOf(rows, limit, (row) => [(row[sortedBy] ?? row.last_message_at).toISOString(), row.id], present);
    });
  }

  function find({ phone, business }: Place): Promise<ArchivedConversation | null> {
    return database.run(async (db) => {
      const row = await selectConversations(db)
        .where(sql<boolean>`contact_id = ${contactWith(phone)}`)
        .$if(business !== undefined, (all) => all.where('business_number', '=', businessNumber(business ?? '')))
        .orderBy('last_message_at', 'desc')
        .orderBy('id', 'desc')
        .limit(1)
        .executeTakeFirst();
      return row ? present(row) : null;
    });
  }

  async function findById(id: string): Promise<ArchivedConversation | null> {
    if (!isId(id)) return null;
    return database.run(async (db) => {
      const row = await selectConversations(db).where('id', '=', id).executeTakeFirst();
      return row ? present(row) : null;
    });
  }

  function numbers(): Promise<BusinessNumber[]> {
    return database.run(async (db) => {
      const { rows } = await sql<BusinessNumber>`
        select channel, business_number as business, count(*) as conversations from whatsapp_conversations
        group by channel, business_number order by business_number, channel`.execute(db);
      return rows;
    });
  }
}

/** The id of the contact who has an address; no row when there is none. */
export function contactWith(phone: string): RawBuilder<string> {
  const address = contactIdOf(readAddress(phone));
  return sql`(select contact_id from whatsapp_contact_addresses where address = ${address})`;
}

/** Is a row of whatsapp_conversations this one? */
export function isConversation(conversation: ConversationId): RawBuilder<boolean> {
  const { channel, business, contact } = conversationOf(conversation);
  return sql<boolean>`contact_id = ${contactWith(contact)} and channel = ${channel}
    and business_number = ${businessNumber(business)}`;
}

/** A number of ours as the tables have it. */
export function businessNumber(given: string): string {
  return phoneOf(readAddress(given));
}

/** Since when the contact of a row `p` of whatsapp_contacts has opted out; null when they have not. */
export const optedOutAt = sql<Date | null>`case when p.opted_out_at >= coalesce(p.opted_in_at, '-infinity') then p.opted_out_at end`;

/** With what `present` needs beside the table's columns. */
function selectConversations(db: Kysely<Tables>) {
  return db
    .selectFrom('whatsapp_conversations')
    .selectAll()
    .select([
      sql<string>`(select key from whatsapp_contacts p where p.id = contact_id)`.as('contact_key'),
      sql<Date | null>`(select ${optedOutAt} from whatsapp_contacts p where p.id = contact_id)`.as('opted_out_at'),
      sql<Row['spam']>`(select json_build_object('score', p.spam_score, 'reasons', p.spam_reasons,
          'throttled', extract(epoch from p.throttled_until) * 1000)
        from whatsapp_contacts p where p.id = contact_id and ${IS_SPAM})`.as('spam'),
      sql<string[]>`array(select address from whatsapp_contact_addresses a
        where a.contact_id = whatsapp_conversations.contact_id order by address)`.as('addresses'),
    ]);
}

type Rows = SelectQueryBuilder<Tables, 'whatsapp_conversations', Row>;
type Row = Selectable<Tables['whatsapp_conversations']> & {
  contact_key: string;
  opted_out_at: Date | null;
  addresses: string[];
  spam: { score: number; reasons: string[]; throttled: number | null } | null;
};

/** Of a contact `p`: what was noticed longer ago is over, and a blocked one needs nobody's attention. */
const IS_SPAM = sql<boolean>`(p.spam_score > 0 and p.spam_at > now() - interval '7 days' and not p.blocked)`;

// Literals, so that the planner sees that a partial index holds them.
const FILTERS = {
  waiting: sql<boolean>`(handoff_at is not null and handoff_until > now())`,
  voice: sql<boolean>`voice_messages > 0`,
  text: sql<boolean>`text_messages > 0`,
  picture: sql<boolean>`picture_messages > 0`,
  tasks: sql<boolean>`open_tasks > 0`,
  unread: sql<boolean>`unread_count > 0`,
};

function narrowed(rows: Rows, { filter = 'all', sentiment, status, spam, business }: ConversationQuery): Rows {
  let narrow = rows;
  if (filter !== 'all') narrow = narrow.where(FILTERS[filter]);
  if (sentiment) narrow = narrow.where('last_sentiment', '=', sentiment);
  if (status) narrow = narrow.where('conversation_status', '=', status);
  if (spam) narrow = narrow.where(sql<boolean>`contact_id in (select p.id from whatsapp_contacts p where ${IS_SPAM})`);
  if (business) narrow = narrow.where('business_number', '=', businessNumber(business));
  return narrow;
}

/** The conversations whose messages have the words; of words that very many have, those of the newest messages. */
async function whoSaid(db: Kysely<Tables>, search: string): Promise<string[]> {
  const few = await fewHits(db, [], search, { most: 0, place: null });
  if (few) return few.conversations;
  const newest = await db
    .selectFrom((messages) =>
      messages
        .selectFrom('whatsapp_messages')
        .select('conversation_id')
        .where(hasWords(search))
        .orderBy('received_at', 'desc')
        .orderBy('id', 'desc')
        .limit(MOST_FOUND)
        .as('newest'),
    )
    .select('conversation_id')
    .distinct()
    .execute();
  return newest.map((row) => row.conversation_id);
}

function found(search: string, talking: readonly string[]) {
  const digits = search.replace(/[\s()./+-]/g, '');
  const number = containing(/^\d+$/.test(digits) ? digits : search);
  return sql<boolean>`(${hasWords(search)} or phone_number ilike ${number}
    or contact_id in (select contact_id from whatsapp_contact_addresses where address ilike ${number})
    or id in (select value::uuid from json_array_elements_text(${JSON.stringify(talking)}::json)))`;
}

function waitingIn(row: Row): ArchivedConversation['waiting'] {
  if (row.handoff_at === null || Number(row.handoff_until) < Date.now()) return null;
  return {
    since: row.handoff_at.getTime(),
    reason: row.handoff_reason ?? 'asked',
    note: row.handoff_note,
    summary: row.handoff_summary,
  };
}

/** Unix ms. */
function later(one: Date | null, other: Date | null): number | null {
  const times = [one, other].flatMap((time) => time?.getTime() ?? []);
  return times.length === 0 ? null : Math.max(...times);
}

function present(row: Row): ArchivedConversation {
  return {
    id: row.id,
    phone: row.phone_number,
    addresses: row.addresses.map(phoneOf),
    channel: row.channel,
    business: addressOf(row.business_number),
    contact: row.contact_key,
    contactName: row.contact_name,
    prospectId: row.prospect_id,
    status: row.conversation_status,
    firstMessageAt: row.first_message_at.getTime(),
    lastMessageAt: row.last_message_at.getTime(),
    lastInboundAt: row.last_inbound_at?.getTime() ?? null,
    totalMessages: row.total_messages,
    unreadCount: row.unread_count,
    tasks: row.tasks,
    openTasks: row.open_tasks,
    takeoverUntil: later(row.takeover_until, row.handoff_at && row.handoff_until),
    optedOutAt: row.opted_out_at?.getTime() ?? null,
    waiting: waitingIn(row),
    lastMessage:
      row.last_message_id === null
        ? null
        : {
            id: row.last_message_id,
            text: row.last_message_text ?? '',
            type: row.last_message_type ?? 'text',
            author: row.last_message_author ?? 'contact',
          },
    sentiment: row.last_sentiment,
    spam: row.spam && {
      score: row.spam.score,
      reasons: row.spam.reasons,
      throttledUntil: row.spam.throttled === null ? null : Math.round(row.spam.throttled),
    },
  };
}
