/** Conversations as the desk sees them: one for each contact. */
import { type Kysely, type Selectable, type SelectQueryBuilder, sql } from 'kysely';
import type { Database } from '../engine/database.ts';
import type { Author, ConversationStatus, MessageType, Tables } from '../engine/schema.ts';
import { addressOf, readPhone } from '../phone.ts';
import { isId, ORDERS, type Order, type Page, type Paging, pageOf, readTimeCursor } from './page.ts';
import { containing, fewHits, hasWords } from './search.ts';

/** Times in unix ms. */
export interface ArchivedConversation {
  id: string;
  /** The contact's, as `phone_number` has it: `+15550100123`, or a username id. */
  phone: string;
  /** Without `+`, as `message.ts` names them: together they name the conversation in the bot's memory. */
  contact: string;
  /** Our number they wrote to last; answers go out from there. */
  business: string;
  channel: string | null;
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
  lastMessage: { id: string; text: string; type: MessageType; author: Author } | null;
  /** Of the newest analysed message. */
  sentiment: string | null;
}

export interface ConversationQuery extends Paging {
  /** voice, text, picture: they sent at least one; tasks: something is open; unread: nobody at the desk has seen all of it. */
  filter?: 'all' | 'voice' | 'text' | 'picture' | 'tasks' | 'unread' | undefined;
  sentiment?: string | undefined;
  /** Default: all. */
  status?: ConversationStatus | undefined;
  /** A part of the name or number, or words in messages (of words that more than 5,000 messages have, in the newest 2,000 of them). */
  search?: string | undefined;
  /** By their last message. Default: newest first. */
  order?: Order | undefined;
}

/** Reject with `archive.unavailable`; with `request.invalid` for a cursor of another list. */
export interface Conversations {
  list(query: ConversationQuery): Promise<Page<ArchivedConversation>>;
  /** By the contact's number or username id, however it is written. */
  find(phone: string): Promise<ArchivedConversation | null>;
  findById(id: string): Promise<ArchivedConversation | null>;
  /** Nothing in it is unread any more. @returns how many messages were. */
  markRead(phone: string): Promise<number>;
  /** The messages of an archived conversation are archived, too, until it is active again. @returns null for somebody unknown. */
  setStatus(phone: string, status: ConversationStatus): Promise<ArchivedConversation | null>;
}

const MOST_FOUND = 2_000;

export function createConversations(database: Database): Conversations {
  const findBy = (column: 'phone_number' | 'id', value: string) =>
    database.run(async (db) => {
      const row = await db
        .selectFrom('whatsapp_conversations')
        .selectAll()
        .where(column, '=', value)
        .executeTakeFirst();
      return row ? present(row) : null;
    });
  return {
    list: (query) =>
      database.run(async (db) => {
        const { limit, cursor, offset = 0, order = 'newest' } = query;
        const { direction, behind } = ORDERS[order];
        const place = readTimeCursor(cursor);
        const search = query.search?.trim() ?? '';
        const talking = search === '' ? [] : await whoSaid(db, search);
        const rows = await db
          .selectFrom('whatsapp_conversations')
          .selectAll()
          .$call((all) => narrowed(all, query))
          .$if(search !== '', (all) => all.where(found(search, talking)))
          .$if(place !== null, (all) =>
            all.where(sql<boolean>`(last_message_at, id) ${behind} (${place?.at}::timestamptz, ${place?.id}::uuid)`),
          )
          .orderBy('last_message_at', direction)
          .orderBy('id', direction)
          .limit(limit + 1)
          .offset(place ? 0 : offset)
          .execute();
        return pageOf(rows, limit, (row) => [row.last_message_at.toISOString(), row.id], present);
      }),

    find: (phone) => findBy('phone_number', readPhone(phone)),
    findById: async (id) => (isId(id) ? findBy('id', id) : null),

    markRead: (phone) =>
      database.transaction(async (db) => {
        const conversation = await db
          .updateTable('whatsapp_conversations')
          .set({ unread_count: 0 })
          .where('phone_number', '=', readPhone(phone))
          .returning('id')
          .executeTakeFirst();
        if (!conversation) return 0;
        const read = await db
          .updateTable('whatsapp_messages')
          .set({ seen_at: sql`now()`, status: sql`case when status = 'received' then 'read' else status end` })
          .where('conversation_id', '=', conversation.id)
          .where(sql<boolean>`direction = 'inbound' and seen_at is null`)
          .executeTakeFirst();
        return Number(read.numUpdatedRows);
      }),

    setStatus: (phone, status) =>
      database.transaction(async (db) => {
        const row = await db
          .updateTable('whatsapp_conversations')
          .set({ conversation_status: status })
          .where('phone_number', '=', readPhone(phone))
          .returningAll()
          .executeTakeFirst();
        if (!row) return null;
        await db
          .updateTable('whatsapp_messages')
          .set({ status: status === 'archived' ? 'archived' : sql`${AS_IT_WAS}` })
          .where('conversation_id', '=', row.id)
          .where('status', status === 'archived' ? '<>' : '=', 'archived')
          .execute();
        return present(row);
      }),
  };
}

const AS_IT_WAS = sql<'replied'>`case when answered_at is not null or direction = 'outbound' then 'replied'
  when seen_at is not null then 'read' else 'received' end`;

type Rows = SelectQueryBuilder<Tables, 'whatsapp_conversations', Row>;
type Row = Selectable<Tables['whatsapp_conversations']>;

// Literals, so that the planner sees that a partial index holds them.
const FILTERS = {
  voice: sql<boolean>`voice_messages > 0`,
  text: sql<boolean>`text_messages > 0`,
  picture: sql<boolean>`picture_messages > 0`,
  tasks: sql<boolean>`open_tasks > 0`,
  unread: sql<boolean>`unread_count > 0`,
};

function narrowed(rows: Rows, { filter = 'all', sentiment, status }: ConversationQuery): Rows {
  let narrow = rows;
  if (filter !== 'all') narrow = narrow.where(FILTERS[filter]);
  if (sentiment) narrow = narrow.where('last_sentiment', '=', sentiment);
  if (status) narrow = narrow.where('conversation_status', '=', status);
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
  return sql<boolean>`(contact_name ilike ${containing(search)} or phone_number ilike ${number}
    or id in (select value::uuid from json_array_elements_text(${JSON.stringify(talking)}::json)))`;
}

function present(row: Row): ArchivedConversation {
  return {
    id: row.id,
    phone: row.phone_number,
    contact: addressOf(row.phone_number),
    business: addressOf(row.business_number),
    channel: row.channel,
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
    takeoverUntil: row.takeover_until?.getTime() ?? null,
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
  };
}
