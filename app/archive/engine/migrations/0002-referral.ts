/** The advertisement that a message came from, so that a sale can be told to it. */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

/** The view has the columns that the table had when it was made, so it is made again. */
const STATEMENTS = [
  // { headline, body, sourceId, clickId }; `clickId` is what Meta's Conversions API calls ctwa_clid
  'alter table whatsapp_messages add column referral jsonb',
  'drop view whatsapp_inbox_view',
  `create view whatsapp_inbox_view as
    select m.*, c.phone_number, c.contact_name, c.conversation_status, c.unread_count,
      t.title as task_title, t.task_type, t.priority as task_priority, t.status as task_status, t.due_date as task_due_date
    from whatsapp_messages m
    join whatsapp_conversations c on c.id = m.conversation_id
    left join sales_tasks t on t.id = m.created_task_id`,
  // See the end of 0001-start.ts.
  `do $$
  begin
    if exists (select from pg_roles where rolname = 'anon') and current_setting('server_version_num')::int >= 150000 then
      execute 'alter view whatsapp_inbox_view set (security_invoker = true)';
    end if;
  end $$`,
];
