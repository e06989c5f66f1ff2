/** Contacts whose messages look like spam, and what the team says of it. */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  `alter table whatsapp_contacts
    add column spam_score smallint not null default 0,  -- 0 to 100, of the last time it was noticed; 0 = nothing is known against them
    add column spam_reasons varchar[] not null default '{}',
    add column spam_at timestamptz,                     -- when it was noticed
    add column throttled_until timestamptz,             -- not answered until then
    add column excused_until timestamptz                -- until then the team says that it is no spam`,
  'create index on whatsapp_contacts (spam_at) where spam_score > 0',
];
