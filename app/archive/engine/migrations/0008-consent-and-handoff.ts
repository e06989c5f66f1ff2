/** What contacts agreed to, in a ledger that is only added to; and conversations that wait for a person. */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const LEDGER = `
create table whatsapp_consents (
  id uuid primary key default gen_random_uuid(),
  contact_id uuid not null references whatsapp_contacts on delete cascade,
  consent varchar(10) not null check (consent in ('opt-out', 'opt-in')),
  cause varchar(10) not null check (cause in ('word', 'provider', 'desk', 'api')), -- who said so: the contact, the provider, the team, a program
  source text not null,                            -- the words they wrote, or where the team has it from
  channel varchar(50),                             -- of the message that says so, if one does
  message_sid varchar(200),
  at timestamptz(3) not null,
  recorded_at timestamptz(3) not null default now(),
  unique (channel, message_sid)
)`;

/** An entry is never changed; it moves with its contact when two contacts turn out to be one person. */
const NEVER_CHANGED = `
create function whatsapp_consents_stay() returns trigger language plpgsql as $stay$
begin
  if (old.id, old.consent, old.cause, old.source, old.channel, old.message_sid, old.at, old.recorded_at)
    is distinct from (new.id, new.consent, new.cause, new.source, new.channel, new.message_sid, new.at, new.recorded_at) then
    raise exception 'An entry of whatsapp_consents is never changed: add another one.';
  end if;
  return new;
end
$stay$`;

/** See the end of 0001-start.ts. */
const SUPABASE = `
do $$
begin
  if exists (select from pg_roles where rolname = 'anon') then alter table whatsapp_consents enable row level security; end if;
end $$`;

const STATEMENTS = [
  LEDGER,
  'create index on whatsapp_consents (contact_id, at desc)',
  NEVER_CHANGED,
  `create trigger whatsapp_consents_stay before update on whatsapp_consents
    for each row execute function whatsapp_consents_stay()`,
  // The newest entries of the ledger: the contact has opted out when opted_out_at is the later one.
  'alter table whatsapp_contacts add column opted_out_at timestamptz(3), add column opted_in_at timestamptz(3)',
  `alter table whatsapp_conversations
    add column handoff_at timestamptz(3),          -- since when it waits for a person; null when it does not
    add column handoff_until timestamptz(3),       -- the bot is silent until then
    add column handoff_turn varchar(64),           -- the turn that called the person
    add column handoff_reason varchar(10) check (handoff_reason in ('asked', 'model', 'failed')),
    add column handoff_note text,                  -- why, in the words of the model
    add column handoff_summary text                -- of the conversation, for whoever picks it up`,
  'create index on whatsapp_conversations (handoff_at, id) where handoff_at is not null',
  SUPABASE,
];
