/**
 * Adds everything that another archive holds to this one, which may have rows already: of the same contacts, even the same rows.
 * Nothing that is here is lost, and what is in both is there once.
 */
import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { Database } from '../engine/database.ts';
import type { Tables } from '../engine/schema.ts';
import { countConsents } from './consents.ts';
import { upsertContacts } from './contacts.ts';
import { keepFurthest, summarize } from './deliveries.ts';
import { recount } from './recount.ts';
import { type Columns, namesOf, type OnRows, STAGED, type Staged, stage } from './staging.ts';
import type { Writer } from './writer.ts';

export interface Merge {
  /** The other archive, up to date; it is only read. */
  from: Kysely<Tables>;
  /** The tables are up to date. Statements take as long as they take: `patienceMs` is 0. */
  into: Database;
  onRows?: OnRows;
}

/** How many rows the other archive has, and how many of them were not here. */
export type Merged = Record<'conversations' | 'messages' | 'tasks', { read: number; added: number }>;

/**
 * All in one transaction. Others may read this archive meanwhile; who writes, waits. A second time changes nothing more.
 *
 * Contacts are the same when they share an address, conversations when contact, channel and number of ours are the same, messages when the
 * provider's id or the turn is. Of a row that is in both, the one here stays. A block or takeover of either archive holds.
 */
export function mergeArchive({ from, into, onRows = () => {} }: Merge): Promise<Merged> {
  return into.transaction(async (db) => {
    await sql`set local statement_timeout = 0`.execute(db);
    await sql`set local idle_in_transaction_session_timeout = 0`.execute(db);
    const columns = await stage(from, db, onRows);
    await sql`lock table ${sql.join(Object.keys(STAGED).map((table) => sql.table(table)))}
      in share row exclusive mode`.execute(db);
    await mergeContacts(db);
    await mergeConsents(db, columns);
    const conversations = await mergeConversations(db, columns);
    const messages = await mergeMessages(db, columns);
    await mergeDeliveries(db);
    const tasks = await mergeTasks(db, columns);
    await insert(db, columns, 'whatsapp_costs', {
      from: sql`moved_costs m left join moved_conversation_ids c on c.id = m.conversation_id`,
      instead: { conversation_id: sql`c.new_id` },
    });
    await insert(db, columns, 'whatsapp_events_set_aside', { from: sql`moved_events m` });
    await recount(db);
    return {
      conversations: { read: await count(db, 'whatsapp_conversations'), added: conversations },
      messages: { read: await count(db, 'whatsapp_messages'), added: messages },
      tasks: { read: await count(db, 'sales_tasks'), added: tasks },
    };
  });
}

/** How many contacts are merged at a time. */
const PAGE = 500;

/** Afterwards `moved_contact_ids` has the contact here of each one there. */
async function mergeContacts(db: Writer): Promise<void> {
  await sql`create index on moved_contacts (key)`.execute(db);
  await sql`create index on moved_addresses (contact_id)`.execute(db);
  for (let after = ''; ; ) {
    const people = await peopleAfter(db, after);
    const last = people.at(-1);
    if (!last) break;
    await upsertContacts(db, people);
    after = last.key;
  }
  // Each key is an address by now. Contacts that were here may have become one, so this comes last.
  await sql`create temporary table moved_contact_ids on commit drop as
    select m.id, a.contact_id as new_id from moved_contacts m join whatsapp_contact_addresses a on a.address = m.key`.execute(
    db,
  );
  await sql`
    update whatsapp_contacts c set blocked = c.blocked or o.blocked, created_at = least(c.created_at, o.created_at)
    from (
      select i.new_id, bool_or(m.blocked) as blocked, min(m.created_at) as created_at
      from moved_contacts m join moved_contact_ids i on i.id = m.id group by i.new_id) o
    where c.id = o.new_id`.execute(db);
}

/** What they agreed to there counts here: by the time at which they said so. */
async function mergeConsents(db: Writer, columns: Columns): Promise<void> {
  await insert(db, columns, 'whatsapp_consents', {
    from: sql`moved_consents m join moved_contact_ids i on i.id = m.contact_id`,
    instead: { contact_id: sql`i.new_id` },
  });
  const { rows } = await sql<{ id: string }>`
    select distinct i.new_id as id from moved_consents m join moved_contact_ids i on i.id = m.contact_id`.execute(db);
  for (let from = 0; from < rows.length; from += PAGE)
    await countConsents(
      db,
      rows.slice(from, from + PAGE).map(({ id }) => id),
    );
}

/** An id that belongs to another number by now stays there: this archive is the newer one. */
async function peopleAfter(db: Writer, after: string): Promise<{ key: string; addresses: string[] }[]> {
  const { rows } = await sql<{ key: string; addresses: string[] }>`
    with page as (select id, key from moved_contacts where key > ${after} order by key limit ${PAGE}),
    owners as not materialized (
      select a.address, c.key from whatsapp_contact_addresses a join whatsapp_contacts c on c.id = a.contact_id)
    select p.key, coalesce(json_agg(a.address) filter (where a.address is not null), '[]') as addresses
    from page p
    left join owners k on k.address = p.key
    left join moved_addresses a on a.contact_id = p.id and not exists (
      select from owners o where o.address = a.address and o.key <> coalesce(k.key, p.key)
        and o.key ~ '^[0-9]+$' and coalesce(k.key, p.key) ~ '^[0-9]+$')
    group by p.key order by p.key`.execute(db);
  return rows;
}

/** Afterwards `moved_conversation_ids` has the conversation here of each one there. @returns how many were added. */
async function mergeConversations(db: Writer, columns: Columns): Promise<number> {
  const newest = sql`(
    select distinct on (i.new_id, m.channel, m.business_number) m.*, i.new_id
    from moved_conversations m join moved_contact_ids i on i.id = m.contact_id
    order by i.new_id, m.channel, m.business_number, m.last_message_at desc, m.id) m`;
  const added = await insert(db, columns, 'whatsapp_conversations', {
    from: newest,
    instead: { contact_id: sql`m.new_id` },
  });
  await sql`create temporary table moved_conversation_ids on commit drop as
    select m.id, coalesce(c.id, same.id) as new_id
    from moved_conversations m join moved_contact_ids i on i.id = m.contact_id
    left join whatsapp_conversations c
      on c.contact_id = i.new_id and c.channel = m.channel and c.business_number = m.business_number
    left join whatsapp_conversations same on same.id = m.id`.execute(db);
  return added;
}

/** Afterwards `moved_message_ids` has the message here of each one there. @returns how many were added. */
async function mergeMessages(db: Writer, columns: Columns): Promise<number> {
  const added = await insert(db, columns, 'whatsapp_messages', {
    from: sql`moved_messages m join moved_conversation_ids c on c.id = m.conversation_id`,
    // Messages and tasks refer to each other: `mergeTasks` puts it in.
    instead: { conversation_id: sql`c.new_id`, created_task_id: sql`null::uuid` },
  });
  await sql`create temporary table moved_message_ids on commit drop as
    select m.id, coalesce(same.id, by_sid.id, by_turn.id) as new_id from moved_messages m
    left join whatsapp_messages same on same.id = m.id
    left join whatsapp_messages by_sid on by_sid.channel = m.channel and by_sid.message_sid = m.message_sid
    left join whatsapp_messages by_turn
      on by_turn.turn_id = m.turn_id and by_turn.direction = 'outbound' and m.direction = 'outbound'`.execute(db);
  return added;
}

/** Statuses that were reported here for replies that were recorded there find their message. */
async function mergeDeliveries(db: Writer): Promise<void> {
  const { rows: inBoth } = await sql<{ channel: string; sid: string }>`
    select channel, sid from moved_deliveries m join whatsapp_deliveries d using (channel, sid)
    where d.message_id is null or d.state <> m.state`.execute(db);
  await sql`
    insert into whatsapp_deliveries as d (channel, sid, message_id, reply_id, part, state, error_code, changed_at, first_at, category,
      price, currency, priced_at, price_due_at, price_asks)
    select m.channel, m.sid, i.new_id, m.reply_id, m.part, m.state, m.error_code, m.changed_at, m.first_at, m.category, m.price,
      m.currency, m.priced_at, m.price_due_at, m.price_asks
    from moved_deliveries m left join moved_message_ids i on i.id = m.message_id
    ${keepFurthest()}`.execute(db);
  if (inBoth.length > 0) await summarize(db, inBoth);
}

/** @returns how many were added. */
async function mergeTasks(db: Writer, columns: Columns): Promise<number> {
  const added = await insert(db, columns, 'sales_tasks', {
    from: sql`moved_tasks m left join moved_conversation_ids c on c.id = m.conversation_id
      left join moved_message_ids i on i.id = m.whatsapp_message_id`,
    instead: { conversation_id: sql`c.new_id`, whatsapp_message_id: sql`i.new_id` },
  });
  await sql`
    update whatsapp_messages t set created_task_id = m.created_task_id, task_created = m.task_created,
      task_creation_status = m.task_creation_status
    from moved_messages m join moved_message_ids i on i.id = m.id join sales_tasks k on k.id = m.created_task_id
    where t.id = i.new_id and t.created_task_id is null`.execute(db);
  return added;
}

interface Insert {
  /** What is read, with the other archive's row as `m`. */
  from: RawBuilder<unknown>;
  /** Column → what is written instead of the value there. */
  instead?: Record<string, RawBuilder<unknown>>;
}

/** Adds the rows that are not here. @returns how many. */
async function insert(db: Writer, columns: Columns, table: Staged, { from, instead = {} }: Insert): Promise<number> {
  const values = columns[table].map((column) => instead[column] ?? sql.ref(`m.${column}`));
  const { numAffectedRows } = await sql`
    insert into ${sql.table(table)} (${namesOf(columns[table])}) select ${sql.join(values)} from ${from}
    on conflict do nothing`.execute(db);
  return Number(numAffectedRows ?? 0);
}

async function count(db: Writer, table: Staged): Promise<number> {
  const { rows } = await sql<{ count: number }>`select count(*) as count from ${sql.table(STAGED[table])}`.execute(db);
  return rows[0]?.count ?? 0;
}
