/** The rows of another archive, beside the tables of this one: in temporary tables, which the end of the transaction drops. */
import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { Tables } from '../engine/schema.ts';
import type { Writer } from './writer.ts';

/** Every table that holds rows, and the name of its temporary one. */
export const STAGED = {
  whatsapp_contacts: 'moved_contacts',
  whatsapp_contact_addresses: 'moved_addresses',
  whatsapp_consents: 'moved_consents',
  whatsapp_conversations: 'moved_conversations',
  whatsapp_messages: 'moved_messages',
  whatsapp_deliveries: 'moved_deliveries',
  sales_tasks: 'moved_tasks',
  whatsapp_costs: 'moved_costs',
  whatsapp_events_set_aside: 'moved_events',
} as const;

export type Staged = keyof typeof STAGED;

/** Told now and then, and when a table is done: how many rows of it were read. */
export type OnRows = (table: Staged, rows: number) => void;

/** What was staged: the columns of a table, without those that the database computes. */
export type Columns = Record<Staged, string[]>;

/** How many rows are in memory at a time; one has a few KB at most. */
const PAGE = 500;
const TELL_EVERY = 10_000;

/** Reads every table of an archive that is up to date, page by page, into temporary tables of the transaction `db`. */
export async function stage(from: Kysely<Tables>, db: Writer, onRows: OnRows): Promise<Columns> {
  const columns: Partial<Columns> = {};
  for (const table of Object.keys(STAGED) as Staged[]) {
    columns[table] = await columnsOf(from, table);
    await sql`create temporary table ${sql.table(STAGED[table])} on commit drop as
      select * from ${sql.table(table)} with no data`.execute(db);
    await copy(from, db, { table, columns: columns[table], onRows });
    await sql`analyze ${sql.table(STAGED[table])}`.execute(db);
  }
  return columns as Columns; // the loop went over all of them
}

async function columnsOf(db: Kysely<Tables>, table: Staged): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    select column_name as name from information_schema.columns
    where table_schema = current_schema() and table_name = ${table} and is_generated = 'NEVER'
    order by ordinal_position`.execute(db);
  return rows.map(({ name }) => name);
}

interface Copying {
  table: Staged;
  columns: readonly string[];
  onRows: OnRows;
}

/** JSON carries every type of ours, whatever the order of the columns. */
async function copy(from: Kysely<Tables>, db: Writer, { table, columns, onRows }: Copying): Promise<void> {
  const names = namesOf(columns);
  const place = sql.table(STAGED[table]);
  await from.transaction().execute(async (reader) => {
    await sql`declare staged no scroll cursor for
      select row_to_json(r)::text as row from (select ${names} from ${sql.table(table)}) r`.execute(reader);
    for (let read = 0; ; ) {
      const { rows } = await sql<{ row: string }>`fetch ${sql.lit(PAGE)} from staged`.execute(reader);
      if (rows.length === 0) return onRows(table, read);
      await sql`insert into ${place} (${names})
        select ${names} from json_populate_recordset(null::${place}, ${`[${rows.map(({ row }) => row).join()}]`}::json)`.execute(
        db,
      );
      read += rows.length;
      if (read % TELL_EVERY === 0) onRows(table, read);
    }
  });
}

export function namesOf(columns: readonly string[]): RawBuilder<unknown> {
  return sql.join(columns.map((column) => sql.ref(column)));
}
