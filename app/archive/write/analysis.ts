/** What waits for an analysis, and what came of it. One analysis is for one burst: the messages that a turn took in together. */
import { sql } from 'kysely';
import { addressOf } from '../../contacts/addresses.ts';
import { type ConversationId, conversationId } from '../../message.ts';
import type { Database } from '../engine/database.ts';
import type { MessageType } from '../engine/schema.ts';
import { clean, cleanJson } from '../engine/text.ts';
import { isId } from '../read/page.ts';
import { insertTask, type NewTask } from './tasks.ts';
import type { Writer } from './writer.ts';

/** Messages of one contact that are analysed together. */
export interface Burst {
  /** The turn that took them in; null for messages that no turn took in for a long time. */
  turn: string | null;
  conversation: ConversationId;
  phone: string;
  contactName: string | null;
  /** Oldest first. */
  messages: BurstMessage[];
  /** What was answered; null when nothing was. */
  reply: string | null;
  /** How often it was tried, this time included. */
  attempt: number;
}

export interface BurstMessage {
  id: string;
  type: MessageType;
  /** What was written, and what was said in a voice note. Scrubbed. */
  text: string;
  /** Unix ms. */
  receivedAt: number;
}

/** What a model made of a burst. Texts are scrubbed and cut when they are written. */
export interface Analysis {
  summary: string;
  /** positive, negative, neutral, urgent, or what the operator's categories say; at most 20 characters. */
  sentiment: string;
  /** At most 100 characters. */
  intent: string | null;
  /** BCP 47, e.g. `en`. */
  language: string | null;
  /** People, companies, dates, amounts, products …, as the model gave them. */
  entities: unknown;
  /** All the model said. */
  full: unknown;
}

/** Reject with `archive.unavailable`. */
export interface AnalysisStore {
  /**
   * Takes bursts that wait, the longest waiting first: they are `processing`, and no other caller gets them for `leaseMs`.
   * @param options `turn` takes the burst of one turn, if it still waits; `most` is how many bursts.
   */
  take(options: { most: number; leaseMs: number; turn?: string | undefined }): Promise<Burst[]>;
  /**
   * Writes an analysis to the message it is about; the rest of the burst is `skipped`. The task is made in the same transaction; if only
   * the task cannot be made, the analysis stays, with `task_creation_status` failed.
   * @param result `about` is one of the burst's messages; `task` null when there is nothing to do.
   * @returns the task's id; null when there is none, or the message has one already.
   */
  complete(burst: Burst, result: { about: string; analysis: Analysis; task: NewTask | null }): Promise<string | null>;
  /** It did not work: `again` puts the burst back to wait, else it has failed. */
  fail(burst: Burst, reason: string, again: boolean): Promise<void>;
  /** It was not the burst's fault: it waits again, and the try does not count. */
  putBack(burst: Burst, reason: string): Promise<void>;
  /**
   * What has failed waits again, with all tries before it.
   * @param message of one message and its burst only. Default: everything that has failed.
   * @returns how many messages.
   */
  retry(message?: string): Promise<number>;
  /** Not worth a model's time. */
  skip(burst: Burst): Promise<void>;
  /** How many messages wait. */
  waiting(): Promise<number>;
}

/** What no turn has taken in after this long is analysed without one, ms. */
const UNANSWERED_MS = 600_000;

export function createAnalysisStore(database: Database): AnalysisStore {
  return {
    take: ({ most, leaseMs, turn }) =>
      database.transaction(async (db) => {
        const waits = sql`m.direction = 'inbound' and m.analysis_status in ('pending', 'processing')
          and (m.analysis_status = 'pending' or m.analysis_started_at < now() - ${leaseMs} * interval '1 millisecond')
          and (m.turn_id is not null or m.received_at < now() - ${sql.lit(UNANSWERED_MS)} * interval '1 millisecond')`;
        const { rows } = await sql<Taken>`
          with first as (
            select m.turn_id, m.conversation_id, m.received_at as since from whatsapp_messages m
            where ${waits} ${turn === undefined ? sql`` : sql`and m.turn_id = ${turn}`}
            order by since limit ${most}),
          free as (
            select m.id from whatsapp_messages m
            -- The time is for the index of a conversation's messages: without it all that wait would be looked through.
            join first f on f.conversation_id = m.conversation_id and m.received_at >= f.since
              and f.turn_id is not distinct from m.turn_id
            where ${waits} for update of m skip locked)
          update whatsapp_messages m set analysis_status = 'processing', analysis_started_at = now(),
            analysis_attempts = m.analysis_attempts + 1
          from whatsapp_conversations c join whatsapp_contacts p on p.id = c.contact_id
          where m.id in (select id from free) and c.id = m.conversation_id
          returning m.id, m.turn_id, m.conversation_id, m.message_type, m.message_body, m.transcription, m.received_at,
            m.analysis_attempts, c.phone_number, c.contact_name, c.channel, c.business_number, p.key as contact`.execute(
          db,
        );
        return burstsOf(db, rows);
      }),

    complete: (burst, { about, analysis, task }) =>
      database.transaction(async (db) => {
        // Conversations are always locked before their messages, or two transactions could wait for each other.
        await db
          .updateTable('whatsapp_conversations')
          .set({ last_sentiment: clean(analysis.sentiment, 20) })
          .where('id', '=', (eb) =>
            eb.selectFrom('whatsapp_messages').select('conversation_id').where('id', '=', about),
          )
          // Analyses end in any order: a newer message's stays.
          .where(sql<boolean>`not exists (select from whatsapp_messages newer, whatsapp_messages this
            where this.id = ${about} and newer.conversation_id = this.conversation_id
              and newer.received_at > this.received_at and newer.ai_sentiment is not null)`)
          .execute();
        const message = await db
          .updateTable('whatsapp_messages')
          .set({
            analysis_status: 'completed',
            ai_analysis: cleanJson(analysis.full),
            ai_summary: clean(analysis.summary),
            ai_sentiment: clean(analysis.sentiment, 20),
            ai_intent: analysis.intent === null ? null : clean(analysis.intent, 100),
            language: analysis.language === null ? null : clean(analysis.language, 35),
            extracted_entities: cleanJson(analysis.entities),
            task_creation_status: sql`case when task_created then 'created' else 'none' end`,
            processing_error: sql`case when transcription_status = 'failed' then processing_error end`,
          })
          .where('id', '=', about)
          .returning(['id', 'conversation_id'])
          .executeTakeFirst();
        if (!message) return null;
        await setStatus(
          db,
          burst.messages.map(({ id }) => id).filter((id) => id !== about),
          'skipped',
        );
        return task ? makeTask(db, task, message) : null;
      }),

    fail: (burst, reason, again) =>
      database.transaction(async (db) => {
        const ids = burst.messages.map(({ id }) => id);
        await setStatus(db, ids, again ? 'pending' : 'failed', clean(`Analysis: ${reason}`, 1_000));
      }),

    putBack: (burst, reason) =>
      database.transaction(async (db) => {
        const ids = burst.messages.map(({ id }) => id);
        await setStatus(db, ids, 'pending', clean(`Analysis: ${reason}`, 1_000));
        await db
          .updateTable('whatsapp_messages')
          .set({ analysis_attempts: sql`greatest(analysis_attempts - 1, 0)` })
          .where('id', 'in', ids)
          .execute();
      }),

    retry: (message) =>
      database.transaction(async (db) => {
        if (message !== undefined && !isId(message)) return 0;
        const { numUpdatedRows } = await db
          .updateTable('whatsapp_messages')
          .set({ analysis_status: 'pending', analysis_attempts: 0, analysis_started_at: null })
          .where('analysis_status', '=', 'failed')
          .$if(message !== undefined, (failed) =>
            failed.where(
              sql<boolean>`(id = ${message} or turn_id = (select turn_id from whatsapp_messages where id = ${message}))`,
            ),
          )
          .executeTakeFirst();
        return Number(numUpdatedRows);
      }),

    skip: (burst) =>
      database.transaction((db) =>
        setStatus(
          db,
          burst.messages.map(({ id }) => id),
          'skipped',
        ),
      ),

    waiting: () =>
      database.run(async (db) => {
        const { rows } = await sql<{ count: number }>`
          select count(*) as count from whatsapp_messages where analysis_status in ('pending', 'processing')`.execute(
          db,
        );
        return rows[0]?.count ?? 0;
      }),
  };
}

interface Taken {
  id: string;
  turn_id: string | null;
  conversation_id: string;
  message_type: MessageType;
  message_body: string;
  transcription: string | null;
  received_at: Date;
  analysis_attempts: number;
  phone_number: string;
  contact_name: string | null;
  channel: string;
  business_number: string;
  contact: string;
}

async function burstsOf(db: Writer, rows: readonly Taken[]): Promise<Burst[]> {
  const bursts = new Map<string, Taken[]>();
  for (const row of rows) {
    const key = row.turn_id ?? row.conversation_id;
    bursts.set(key, [...(bursts.get(key) ?? []), row]);
  }
  const replies = await repliesOf(
    db,
    rows.flatMap(({ turn_id }) => turn_id ?? []),
  );
  return [...bursts.values()].flatMap((taken) => {
    const sorted = taken.sort((a, b) => a.received_at.getTime() - b.received_at.getTime());
    const [first] = sorted;
    return first ? burstOf(first, sorted, replies.get(first.turn_id) ?? null) : [];
  });
}

function burstOf(first: Taken, taken: readonly Taken[], reply: string | null): Burst {
  return {
    turn: first.turn_id,
    conversation: conversationId({
      channel: first.channel,
      business: addressOf(first.business_number),
      contact: first.contact,
    }),
    phone: first.phone_number,
    contactName: first.contact_name,
    messages: taken.map((row) => ({
      id: row.id,
      type: row.message_type,
      text: [row.transcription, row.message_body].filter(Boolean).join('\n'),
      receivedAt: row.received_at.getTime(),
    })),
    reply,
    attempt: Math.max(...taken.map((row) => row.analysis_attempts)),
  };
}

async function repliesOf(db: Writer, turns: readonly string[]): Promise<Map<string | null, string>> {
  if (turns.length === 0) return new Map();
  const rows = await db
    .selectFrom('whatsapp_messages')
    .select(['turn_id', 'message_body'])
    .where('turn_id', 'in', [...new Set(turns)])
    .where('direction', '=', 'outbound')
    .execute();
  return new Map(rows.map((row) => [row.turn_id, row.message_body]));
}

async function setStatus(
  db: Writer,
  ids: readonly string[],
  status: 'pending' | 'failed' | 'skipped',
  error?: string,
): Promise<void> {
  const known = ids.filter(isId);
  if (known.length === 0) return;
  await db
    .updateTable('whatsapp_messages')
    .set({ analysis_status: status, ...(error === undefined ? {} : { processing_error: error }) })
    .where('id', 'in', known)
    .execute();
}

/** A savepoint keeps the analysis when only the task cannot be made. */
async function makeTask(
  db: Writer,
  task: NewTask,
  message: { id: string; conversation_id: string },
): Promise<string | null> {
  await sql`savepoint task`.execute(db);
  try {
    return await insertTask(db, task, {
      conversationId: message.conversation_id,
      messageId: message.id,
      createdBy: 'analysis',
    });
  } catch (error) {
    await sql`rollback to savepoint task`.execute(db);
    const reason = clean(`Task: ${error instanceof Error ? error.message : String(error)}`, 1_000);
    await db
      .updateTable('whatsapp_messages')
      .set({ task_creation_status: 'failed', processing_error: reason })
      .where('id', '=', message.id)
      .execute();
    return null;
  }
}
