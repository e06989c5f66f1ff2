/** What arrives beside messages: words of other responders, and whether somebody wants marketing messages. */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const NEVER_CHANGED = `
create or replace function whatsapp_consents_stay() returns trigger language plpgsql as $stay$
begin
  if (old.id, old.consent, old.cause, old.source, old.channel, old.message_sid, old.at, old.recorded_at, old.about)
    is distinct from (new.id, new.consent, new.cause, new.source, new.channel, new.message_sid, new.at, new.recorded_at, new.about) then
    raise exception 'An entry of whatsapp_consents is never changed: add another one.';
  end if;
  return new;
end
$stay$`;

const STATEMENTS = [
  'alter table whatsapp_messages drop constraint whatsapp_messages_author_check',
  // other: another responder, beside us; template: an approved one. What is there already was checked more strictly.
  `alter table whatsapp_messages add constraint whatsapp_messages_author_check
    check (author in ('contact', 'bot', 'desk', 'other', 'template')) not valid`,
  `alter table whatsapp_consents
    add column about varchar(10) not null default 'messages' check (about in ('messages', 'marketing'))`,
  NEVER_CHANGED,
  // Since when they have wanted no marketing messages; null when they have not said so, or agreed again.
  'alter table whatsapp_contacts add column marketing_opted_out_at timestamptz(3)',
];
