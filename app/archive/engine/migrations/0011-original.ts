/** What the provider sent, for programs that know its format. Not in the view: nobody in the inbox needs it. */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table whatsapp_messages add column original jsonb`.execute(db);
}
