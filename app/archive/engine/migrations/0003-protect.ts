/** The list of migrations is hidden from the public key of a Supabase project, as the tables are: whoever could write it would stop us. */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(SUPABASE).execute(db);
}

/** See the end of 0001-start.ts. */
const SUPABASE = `
do $$
declare name text;
begin
  if not exists (select from pg_roles where rolname = 'anon') then return; end if;
  foreach name in array array['kysely_migration', 'kysely_migration_lock'] loop
    execute format('alter table %I enable row level security', name);
  end loop;
end $$`;
