/** The list of what could not be analysed. */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw("create index on whatsapp_messages (received_at desc, id desc) where analysis_status = 'failed'")
    .execute(db);
}
