/** Tasks, made by the analysis or by hand; most urgent first. */
import { type Selectable, sql } from 'kysely';
import { Failure } from '../../errors.ts';
import type { Database } from '../engine/database.ts';
import type { Tables, TaskStatus } from '../engine/schema.ts';
import { clean } from '../engine/text.ts';
import { contactWith } from '../read/conversations.ts';
import { isId, type Page, type Paging, pageOf, readCursor } from '../read/page.ts';
import { hasWords } from '../read/search.ts';
import type { Writer } from './writer.ts';

/** Times in unix ms. */
export interface Task {
  id: string;
  title: string;
  description: string;
  /** call, email, meeting, follow_up, demo, proposal, general … */
  type: string;
  category: string;
  /** 1 is the most urgent, 5 the least. */
  priority: number;
  status: TaskStatus;
  /** A day in the operator's time zone, `2026-11-24`; null when there is none. */
  dueDate: string | null;
  tags: string[];
  /** The message it came from. */
  messageId: string | null;
  /** The contact it is about; null when there is none. */
  phone: string | null;
  contactName: string | null;
  createdBy: 'analysis' | 'desk';
  createdAt: number;
  updatedAt: number;
  completedAt: number | null;
}

export interface NewTask {
  title: string;
  description?: string | undefined;
  type?: string | undefined;
  category?: string | undefined;
  /** 1 to 5. Default: 3. */
  priority?: number | undefined;
  dueDate?: string | null | undefined;
  tags?: string[] | undefined;
}

export interface TaskQuery extends Paging {
  /** open: pending or in progress. Default: all. */
  status?: TaskStatus | 'open' | undefined;
  /** Due on this day or before, `2026-11-24`. */
  dueBy?: string | undefined;
  /** Whom it is about. */
  phone?: string | undefined;
  type?: string | undefined;
  /** A part of the title or description. */
  search?: string | undefined;
}

/** Reject with `archive.unavailable`; with `request.invalid` for a priority, day or cursor that cannot be. */
export interface Tasks {
  /** By due date (those without last), then priority. */
  list(query: TaskQuery): Promise<Page<Task>>;
  find(id: string): Promise<Task | null>;
  /** The types that tasks have, by name. */
  types(): Promise<string[]>;
  /** By hand. `about` names the contact, or the message it came from. */
  create(task: NewTask, about?: { phone?: string | undefined; messageId?: string | undefined }): Promise<Task>;
  /** What is not given stays. `status: 'completed'` is how a task gets done, and another status undoes it. @returns null when there is no such task. */
  update(id: string, change: Partial<NewTask> & { status?: TaskStatus | undefined }): Promise<Task | null>;
}

export function createTasks(database: Database): Tasks {
  const find = (id: string) =>
    database.run(async (db) => {
      if (!isId(id)) return null;
      const row = await selectTasks(db).where('t.id', '=', id).executeTakeFirst();
      return row ? present(row) : null;
    });
  return {
    list: (query) =>
      database.run(async (db) => {
        const { limit, cursor, offset = 0, status, dueBy, phone, type, search } = query;
        const place = readCursor(cursor);
        const [due, priority] = place?.[0].split(' ') ?? [];
        if (place && !((isDay(due) || due === 'infinity') && /^[1-5]$/.test(priority ?? '')))
          throw invalid('The cursor belongs to another list.');
        let rows = selectTasks(db);
        if (status === 'open') rows = rows.where('t.status', 'in', ['pending', 'in_progress']);
        else if (status) rows = rows.where('t.status', '=', status);
        if (dueBy) rows = rows.where('t.due_date', '<=', day(dueBy));
        if (phone) rows = rows.where(sql<boolean>`c.contact_id = ${contactWith(phone)}`);
        if (type) rows = rows.where('t.task_type', '=', type);
        if (search?.trim()) rows = rows.where(hasWords(search, 't.search_text'));
        if (place) {
          const last = sql`(${due}::date, ${Number(priority)}::int, ${place[1]}::uuid)`;
          rows = rows.where(sql<boolean>`(coalesce(t.due_date, 'infinity'), t.priority, t.id) > ${last}`);
        }
        const page = await rows
          .orderBy(sql`coalesce(t.due_date, 'infinity'), t.priority, t.id`)
          .limit(limit + 1)
          .offset(place ? 0 : offset)
          .execute();
        return pageOf(page, limit, (row) => [`${row.due_date ?? 'infinity'} ${row.priority}`, row.id], present);
      }),

    find,

    types: () =>
      database.run(async (db) => {
        const rows = await db.selectFrom('sales_tasks').select('task_type').distinct().orderBy('task_type').execute();
        return rows.map(({ task_type }) => task_type);
      }),

    async create(task, about = {}) {
      const id = await database.transaction(async (db) => {
        const subject = await subjectOf(db, about);
        return insertTask(db, task, { ...subject, createdBy: 'desk' });
      });
      const created = id === null ? null : await find(id);
      if (!created) throw new RangeError('a task made by hand is always made');
      return created;
    },

    async update(id, change) {
      if (!isId(id)) return null;
      await database.transaction(async (db) => {
        const values = columnsOf(change);
        const { status } = change;
        const done = status === 'completed' ? sql<Date>`coalesce(completed_at, now())` : null;
        const row = await db
          .updateTable('sales_tasks')
          .set({ ...values, ...(status ? { status, completed_at: done } : {}), updated_at: sql`now()` })
          .where('id', '=', id)
          .returning('conversation_id')
          .executeTakeFirst();
        if (row?.conversation_id) await countTasks(db, row.conversation_id);
      });
      return find(id);
    },
  };
}

/** Where a task comes from. */
export interface TaskSource {
  conversationId: string | null;
  messageId: string | null;
  createdBy: 'analysis' | 'desk';
}

/** @returns the task's id; null when the analysis has made one of this message before. */
export async function insertTask(db: Writer, task: NewTask, source: TaskSource): Promise<string | null> {
  if (source.conversationId) {
    // Conversations are always locked before their messages, or two transactions could deadlock.
    await db
      .selectFrom('whatsapp_conversations')
      .select('id')
      .where('id', '=', source.conversationId)
      .forUpdate()
      .execute();
  }
  const row = await db
    .insertInto('sales_tasks')
    .values({
      ...columnsOf(task),
      title: clean(task.title, 255),
      conversation_id: source.conversationId,
      whatsapp_message_id: source.messageId,
      created_by: source.createdBy,
    })
    .onConflict((conflict) => conflict.doNothing())
    .returning('id')
    .executeTakeFirst();
  if (row && source.messageId) {
    await db
      .updateTable('whatsapp_messages')
      .set({ task_created: true, created_task_id: row.id, task_creation_status: 'created' })
      .where('id', '=', source.messageId)
      .execute();
  }
  if (source.conversationId) await countTasks(db, source.conversationId);
  return row?.id ?? null;
}

async function countTasks(db: Writer, conversationId: string): Promise<void> {
  await sql`
    update whatsapp_conversations set (tasks, open_tasks) = (
      select count(*), count(*) filter (where status in ('pending', 'in_progress'))
      from sales_tasks where conversation_id = ${conversationId})
    where id = ${conversationId}`.execute(db);
}

async function subjectOf(
  db: Writer,
  { phone, messageId }: { phone?: string | undefined; messageId?: string | undefined },
) {
  if (messageId !== undefined) {
    const message = isId(messageId)
      ? await db
          .selectFrom('whatsapp_messages')
          .select(['id', 'conversation_id'])
          .where('id', '=', messageId)
          .executeTakeFirst()
      : undefined;
    if (!message) throw invalid('There is no such message.');
    return { conversationId: message.conversation_id, messageId: message.id };
  }
  if (phone === undefined) return { conversationId: null, messageId: null };
  const conversation = await db
    .selectFrom('whatsapp_conversations')
    .select('id')
    .where(sql<boolean>`contact_id = ${contactWith(phone)}`)
    .orderBy('last_message_at', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (!conversation) throw invalid('There is no conversation with this contact.');
  return { conversationId: conversation.id, messageId: null };
}

function columnsOf({ title, description, type, category, priority, dueDate, tags }: Partial<NewTask>) {
  return {
    ...(title === undefined ? {} : { title: clean(title, 255) }),
    ...(description === undefined ? {} : { description: clean(description) }),
    ...(type === undefined ? {} : { task_type: clean(type, 50) }),
    ...(category === undefined ? {} : { category: clean(category, 50) }),
    ...(priority === undefined ? {} : { priority: priorityOf(priority) }),
    ...(dueDate === undefined ? {} : { due_date: dueDate === null ? null : day(dueDate) }),
    ...(tags === undefined ? {} : { tags: tags.map((tag) => clean(tag, 50)) }),
  };
}

function priorityOf(priority: number): number {
  if (Number.isInteger(priority) && priority >= 1 && priority <= 5) return priority;
  throw invalid('A priority is a whole number from 1 (most urgent) to 5.');
}

function day(text: string): string {
  if (isDay(text)) return text;
  throw invalid('A day is written like 2026-11-24.');
}

function isDay(text: string | undefined): text is string {
  if (text === undefined || !/^\d{4}-\d\d-\d\d$/.test(text)) return false;
  const at = new Date(`${text}T00:00:00Z`);
  // PostgreSQL's calendar has no year 0.
  return text >= '0001' && !Number.isNaN(at.getTime()) && at.toISOString().startsWith(text);
}

function invalid(message: string): Failure<'request.invalid'> {
  return new Failure('request.invalid', message);
}

function selectTasks(db: Pick<Writer, 'selectFrom'>) {
  return db
    .selectFrom('sales_tasks as t')
    .leftJoin('whatsapp_conversations as c', 'c.id', 't.conversation_id')
    .selectAll('t')
    .select(['c.phone_number', 'c.contact_name']);
}

type Row = Selectable<Tables['sales_tasks']> & { phone_number: string | null; contact_name: string | null };

function present(row: Row): Task {
  return {
    id: row.id,
    title: row.title,
    description: row.description,
    type: row.task_type,
    category: row.category,
    priority: row.priority,
    status: row.status,
    dueDate: row.due_date,
    tags: row.tags,
    messageId: row.whatsapp_message_id,
    phone: row.phone_number,
    contactName: row.contact_name,
    createdBy: row.created_by,
    createdAt: row.created_at.getTime(),
    updatedAt: row.updated_at.getTime(),
    completedAt: row.completed_at?.getTime() ?? null,
  };
}
