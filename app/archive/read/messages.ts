/** Messages as the team reads them. */
import { type Kysely, type RawBuilder, type SelectQueryBuilder, sql } from 'kysely';
import { FAILURES, type FailureCode } from '../../errors.ts';
import type { Attachment, ChannelName, Location, Referral } from '../../message.ts';
import type { Database } from '../engine/database.ts';
import type {
  AnalysisStatus,
  Author,
  DeliveryState,
  Direction,
  InboxView,
  MessageStatus,
  MessageType,
  Progress,
  Tables,
  TaskCreation,
  TaskStatus,
} from '../engine/schema.ts';
import { businessNumber, contactWith, type Place } from './conversations.ts';
import { mediaPath } from './media-path.ts';
import { isId, ORDERS, type Order, type Page, type Paging, pageOf, readTimeCursor } from './page.ts';
import { fewHits, hasWords } from './search.ts';

/** One message with all that is known of it. Times in unix ms; texts are scrubbed. */
export interface ArchivedMessage {
  id: string;
  /** The provider's id; null while a reply's is not known. */
  sid: string | null;
  conversationId: string;
  channel: string;
  /** The contact's address as people read it: `+15550100123`, or a username id. */
  phone: string;
  contactName: string | null;
  from: string;
  to: string;
  direction: Direction;
  author: Author;
  body: string;
  type: MessageType;
  /** What was attached; `url` is a path of our own server. */
  media: { kind: Attachment['kind']; contentType: string; url: string }[];
  location: Location | null;
  buttonPayload: string | null;
  /** Of a template: how it is named. */
  template: string | null;
  /** The provider's id of the message this one answers. */
  inReplyTo: string | null;
  /** The beginning of that message; null when the archive does not have it. */
  quoted: string | null;
  forwarded: boolean;
  /** The advertisement it came from. */
  referral: Pick<Referral, 'headline' | 'body'> | null;
  transcription: string | null;
  /** Null when there is no voice note. */
  transcriptionStatus: Progress | null;
  /** Null for what we sent ourselves. */
  analysis: {
    status: AnalysisStatus;
    summary: string | null;
    sentiment: string | null;
    intent: string | null;
    language: string | null;
    entities: unknown;
    /** All the model said. */
    full: unknown;
  } | null;
  task: {
    id: string;
    title: string;
    type: string;
    priority: number;
    status: TaskStatus;
    /** `2026-11-24` */
    dueDate: string | null;
  } | null;
  taskCreated: boolean;
  taskCreation: TaskCreation | null;
  status: MessageStatus;
  /** The team has not seen it; false for what we sent. */
  unread: boolean;
  processed: boolean;
  processingError: string | null;
  prospectId: string | null;
  receivedAt: number;
  processedAt: number | null;
  answeredAt: number | null;
  /** Names the turn that took it in or made it: messages of one turn were answered together. */
  turnId: string | null;
  /** Why there was an apology, or no answer, or no delivery. */
  failure: { code: string; reason: string | null; retryable: boolean } | null;
  /** What became of what we sent; null for what came in. `errorCode` is the provider's. */
  delivery: {
    state: DeliveryState;
    via: string | null;
    errorCode: string | null;
    sentAt: number | null;
    deliveredAt: number | null;
  } | null;
  /** How long the person had waited for it, ms. */
  responseMs: number | null;
  tokens: { prompt: number; completion: number; cached: number } | null;
}

/** Which messages of the inbox; what is not given does not narrow it. */
export interface InboxQuery extends Paging {
  /** voice, text and picture are the kinds of message; tasks: a task came of it; unread: the team has not seen it. */
  filter?: 'all' | 'voice' | 'text' | 'picture' | 'tasks' | 'unread' | undefined;
  sentiment?: string | undefined;
  status?: MessageStatus | undefined;
  analysis?: AnalysisStatus | undefined;
  /** Words in the text, the transcript or the summary; see `hasWords`. */
  search?: string | undefined;
  /** Default: inbound. */
  direction?: Direction | 'both' | undefined;
  /** Any address of the contact. */
  phone?: string | undefined;
  /** The number of ours, however it is written. */
  business?: string | undefined;
  /** Default: newest first. */
  order?: Order | undefined;
}

/** Reject with `archive.unavailable`; with `request.invalid` for a cursor of another list. */
export interface Messages {
  inbox(query: InboxQuery): Promise<Page<ArchivedMessage>>;
  /**
   * The messages of a contact, both ways: with one number of ours, or with all. An empty page for a contact that is not known.
   * @param query `order` newest first unless given.
   */
  thread(place: Place, query: Paging & { order?: Order | undefined }): Promise<Page<ArchivedMessage>>;
  find(id: string): Promise<ArchivedMessage | null>;
  /** Id of a message → what the provider sent, for those of which it was kept. */
  originals(ids: readonly string[]): Promise<ReadonlyMap<string, Record<string, unknown>>>;
  /** How a message begins, theirs or ours, by the provider's id; null when the archive does not have it. */
  wordsOf(channel: ChannelName, sid: string): Promise<string | null>;
  /** Where the file number `n` of a message is; null when there is none. */
  media(id: string, n: number): Promise<ArchivedMedia | null>;
}

/** A file that a contact sent, for the channel that can fetch it. */
export interface ArchivedMedia {
  channel: string;
  attachment: Attachment;
}

export function createMessages(database: Database): Messages {
  return {
    inbox: (query) =>
      database.run(async (db) => {
        const all = db.selectFrom('whatsapp_inbox_view').selectAll();
        const narrow = narrowing(query);
        const rows = all.where(({ and }) => and(narrow));
        const { search = '', limit, offset = 0, order = 'newest' } = query;
        if (search.trim() === '') return paged(db, rows, query, order);
        const place = readTimeCursor(query.cursor);
        const few = await fewHits(db, narrow, search, { most: limit + offset + 1, place, order });
        if (few === null) return paged(db, rows.where(hasWords(search)), query, order);
        if (few.ids.length === 0) return { items: [], next: null };
        return paged(db, all.where('id', 'in', few.ids), query, order);
      }),

    thread: ({ phone, business }, query) =>
      database.run(async (db) => {
        const conversations = await db
          .selectFrom('whatsapp_conversations')
          .select('id')
          .where(sql<boolean>`contact_id = ${contactWith(phone)}`)
          .$if(business !== undefined, (all) => all.where('business_number', '=', businessNumber(business ?? '')))
          .execute();
        const ids = conversations.map(({ id }) => id);
        if (ids.length === 0) return { items: [], next: null };
        const rows = db.selectFrom('whatsapp_inbox_view').selectAll().where('conversation_id', 'in', ids);
        return paged(db, rows, query, query.order ?? 'newest');
      }),

    find: (id) =>
      database.run(async (db) => {
        if (!isId(id)) return null;
        const row = await db.selectFrom('whatsapp_inbox_view').selectAll().where('id', '=', id).executeTakeFirst();
        if (!row) return null;
        const quotes = await quotesIn(db, [row]);
        return presentMessage(row, quotes.get(`${row.channel} ${row.in_reply_to}`) ?? null);
      }),

    originals: (ids) =>
      database.run(async (db) => {
        if (ids.length === 0) return new Map();
        const rows = await db
          .selectFrom('whatsapp_messages')
          .select(['id', 'original'])
          .where('id', 'in', [...ids])
          .where('original', 'is not', null)
          .execute();
        return new Map(rows.flatMap(({ id, original }) => (original ? [[id, original] as const] : [])));
      }),

    wordsOf: (channel, sid) =>
      database.run(async (db) => (await wordsBySid(db, [sid])).get(`${channel} ${sid}`) ?? null),

    media: (id, n) =>
      database.run(async (db) => {
        if (!isId(id)) return null;
        const row = await db
          .selectFrom('whatsapp_messages')
          .select(['channel', 'media'])
          .where('id', '=', id)
          .executeTakeFirst();
        const attachment = row?.media?.[n];
        if (!row || !attachment) return null;
        return { channel: row.channel, attachment };
      }),
  };
}

const TYPES = { voice: 'audio', text: 'text', picture: 'image' } as const;

type Rows = SelectQueryBuilder<Tables, 'whatsapp_inbox_view', InboxView>;

/** What has to hold of a message; the table and the view have these columns. */
function narrowing({
  filter = 'all',
  sentiment,
  status,
  analysis,
  direction = 'inbound',
  phone,
  business,
}: InboxQuery): RawBuilder<boolean>[] {
  const narrow: RawBuilder<boolean>[] = [];
  if (direction !== 'both') narrow.push(sql`direction = ${direction}`);
  if (filter === 'voice' || filter === 'text' || filter === 'picture') {
    narrow.push(sql`message_type = ${TYPES[filter]}`);
  }
  // As literals, so that the planner sees which partial index holds them.
  if (filter === 'tasks') narrow.push(sql`task_created`);
  if (filter === 'unread') narrow.push(sql`direction = 'inbound' and seen_at is null`);
  if (sentiment) narrow.push(sql`ai_sentiment = ${sentiment}`);
  if (status) narrow.push(sql`status = ${status}`);
  if (analysis) narrow.push(sql`analysis_status = ${sql.lit(analysis)}`);
  if (phone) {
    narrow.push(
      sql`conversation_id in (select id from whatsapp_conversations where contact_id = ${contactWith(phone)})`,
    );
  }
  if (business) {
    narrow.push(sql`case direction when 'inbound' then to_number else from_number end = ${businessNumber(business)}`);
  }
  return narrow;
}

async function paged(
  db: Kysely<Tables>,
  rows: Rows,
  { limit, cursor, offset = 0 }: Paging,
  order: Order,
): Promise<Page<ArchivedMessage>> {
  const place = readTimeCursor(cursor);
  const { direction, behind } = ORDERS[order];
  const page = await rows
    .$if(place !== null, (all) =>
      all.where(sql<boolean>`(received_at, id) ${behind} (${place?.at}::timestamptz, ${place?.id}::uuid)`),
    )
    .orderBy('received_at', direction)
    .orderBy('id', direction)
    .limit(limit + 1)
    .offset(place ? 0 : offset)
    .execute();
  const quotes = await quotesIn(db, page);
  const present = (row: InboxView) => presentMessage(row, quotes.get(`${row.channel} ${row.in_reply_to}`) ?? null);
  return pageOf(page, limit, (row) => [row.received_at.toISOString(), row.id], present);
}

const LONGEST_QUOTE = 200;

/** Channel and id of the messages that others answer → how they begin. Of ours the part that was answered, as far as its id is known. */
function quotesIn(db: Kysely<Tables>, rows: readonly InboxView[]): Promise<Map<string, string>> {
  return wordsBySid(db, [...new Set(rows.flatMap(({ in_reply_to }) => in_reply_to ?? []))]);
}

async function wordsBySid(db: Kysely<Tables>, asked: readonly string[]): Promise<Map<string, string>> {
  if (asked.length === 0) return new Map();
  const { rows: found } = await sql<{ channel: string; sid: string; words: string }>`
    select channel, message_sid as sid, left(coalesce(nullif(message_body, ''), transcription, ''), ${LONGEST_QUOTE}) as words
      from whatsapp_messages where message_sid in (${sql.join(asked)})
    union all
    select d.channel, d.sid, left(coalesce(m.parts ->> d.part, m.message_body), ${LONGEST_QUOTE})
      from whatsapp_deliveries d join whatsapp_messages m on m.id = d.message_id where d.sid in (${sql.join(asked)})`.execute(
    db,
  );
  return new Map(found.map(({ channel, sid, words }) => [`${channel} ${sid}`, words]));
}

function presentMessage(row: InboxView, quoted: string | null): ArchivedMessage {
  return {
    id: row.id,
    sid: row.message_sid,
    conversationId: row.conversation_id,
    channel: row.channel,
    phone: row.phone_number,
    contactName: row.contact_name,
    from: row.from_number,
    to: row.to_number,
    direction: row.direction,
    author: row.author,
    body: row.message_body,
    type: row.message_type,
    media: (row.media ?? []).map(({ kind, contentType }, n) => ({ kind, contentType, url: mediaPath(row.id, n) })),
    location: row.location,
    buttonPayload: row.button_payload,
    template: row.template,
    inReplyTo: row.in_reply_to,
    quoted,
    forwarded: row.forwarded,
    referral: row.referral,
    transcription: row.transcription,
    transcriptionStatus: row.transcription_status,
    analysis: analysisOf(row),
    task: taskOf(row),
    taskCreated: row.task_created,
    taskCreation: row.task_creation_status,
    status: row.status,
    unread: row.direction === 'inbound' && row.seen_at === null,
    processed: row.processed,
    processingError: row.processing_error,
    prospectId: row.prospect_id,
    receivedAt: row.received_at.getTime(),
    processedAt: row.processed_at?.getTime() ?? null,
    answeredAt: row.answered_at?.getTime() ?? null,
    turnId: row.turn_id,
    failure:
      row.failure_code === null
        ? null
        : { code: row.failure_code, reason: row.failure_reason, retryable: isRetryable(row.failure_code) },
    delivery: deliveryOf(row),
    responseMs: row.response_ms,
    tokens:
      row.prompt_tokens === null
        ? null
        : { prompt: row.prompt_tokens, completion: row.completion_tokens ?? 0, cached: row.cached_tokens ?? 0 },
  };
}

function analysisOf(row: InboxView): ArchivedMessage['analysis'] {
  if (row.analysis_status === null) return null;
  return {
    status: row.analysis_status,
    summary: row.ai_summary,
    sentiment: row.ai_sentiment,
    intent: row.ai_intent,
    language: row.language,
    entities: row.extracted_entities,
    full: row.ai_analysis,
  };
}

function taskOf(row: InboxView): ArchivedMessage['task'] {
  if (row.created_task_id === null || row.task_title === null) return null;
  return {
    id: row.created_task_id,
    title: row.task_title,
    type: row.task_type ?? 'general',
    priority: row.task_priority ?? 3,
    status: row.task_status ?? 'pending',
    dueDate: row.task_due_date,
  };
}

function deliveryOf(row: InboxView): ArchivedMessage['delivery'] {
  if (row.delivery_status === null) return null;
  return {
    state: row.delivery_status,
    via: row.via,
    errorCode: row.delivery_error,
    sentAt: row.sent_at?.getTime() ?? null,
    deliveredAt: row.delivered_at?.getTime() ?? null,
  };
}

function isRetryable(code: string): boolean {
  return code in FAILURES && FAILURES[code as FailureCode].retryable; // `in` has checked it
}
