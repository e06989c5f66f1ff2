/** Templates: messages that the provider approved before, by whomever they were sent. */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  // `order_ready:en`, or Twilio's id of it
  'alter table whatsapp_messages add column template varchar(600)',
  // A view has the columns that its tables had when it was made.
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
      if exists (select from pg_roles where rolname = 'anon') then
        execute 'alter view whatsapp_inbox_view set (security_invoker = true)';
      end if;
    end $$`,
];
