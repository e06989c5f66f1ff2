/** The tables of version 0.2.0: contacts, conversations, messages, deliveries and tasks, as the inbox and people with a SQL prompt see them. */
import { type Kysely, sql } from 'kysely';

/** Postgres 13 or newer. Times are of whole milliseconds, so that a page's cursor names exactly one place. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

/** A contact is a person, whatever addresses they write from. */
const CONTACTS = `
create table whatsapp_contacts (
  id uuid primary key default gen_random_uuid(),
  key varchar(200) not null unique,                -- names the person in the bot's memory: one of the addresses
  blocked boolean not null default false,
  created_at timestamptz(3) not null default now()
)`;

const ADDRESSES = `
create table whatsapp_contact_addresses (
  address varchar(200) primary key,                -- in its canonical spelling, without '+': a number, a username id, the provider's id
  contact_id uuid not null references whatsapp_contacts on delete cascade
)`;

/** One for each contact, channel and number of ours. */
const CONVERSATIONS = `
create table whatsapp_conversations (
  id uuid primary key default gen_random_uuid(),
  contact_id uuid not null references whatsapp_contacts on delete cascade,
  channel varchar(50) not null,
  business_number varchar(200) not null,           -- the number of ours they write to
  phone_number varchar(200) not null,              -- of the contact, as people read it: '+15550100123', or a username id
  address varchar(200) not null,                   -- the one they last wrote from, without '+': answers go there
  contact_name varchar(255),
  prospect_id uuid,
  first_message_at timestamptz(3) not null,
  last_message_at timestamptz(3) not null,
  last_inbound_at timestamptz(3),                  -- WhatsApp lets us write freely for 24 hours after it
  total_messages integer not null default 0,
  unread_count integer not null default 0,         -- inbound messages that the team has not seen
  voice_messages integer not null default 0,
  picture_messages integer not null default 0,
  text_messages integer not null default 0,
  tasks integer not null default 0,
  open_tasks integer not null default 0,
  conversation_status varchar(20) not null default 'active'
    check (conversation_status in ('active', 'archived', 'blocked')), -- blocked as long as the contact is
  takeover_until timestamptz(3),                   -- a person answers until then
  takeover_ms integer,                             -- by how much a person's message prolongs it
  last_message_id uuid,
  last_message_text varchar(200),
  last_message_type varchar(20),
  last_message_author varchar(10),
  last_sentiment varchar(20),
  unique (contact_id, channel, business_number)
)`;

const MESSAGES = `
create table whatsapp_messages (
  id uuid primary key default gen_random_uuid(),
  message_sid varchar(200),                        -- the provider's id; of a reply in several parts the first one's
  conversation_id uuid not null references whatsapp_conversations on delete cascade,
  channel varchar(50) not null,
  from_number varchar(200) not null,
  to_number varchar(200) not null,
  direction varchar(10) not null check (direction in ('inbound', 'outbound')),
  author varchar(10) not null check (author in ('contact', 'bot', 'desk')),
  message_body text not null default '',           -- of an outbound message: as it was sent
  parts jsonb,                                     -- of an outbound message: the texts it was sent as
  message_type varchar(20) not null default 'text',
  media_url text,                                  -- a path of our own server, never the provider's address
  media jsonb,                                     -- all attachments: kind, contentType, ref
  location jsonb,
  button_payload text,
  in_reply_to varchar(200),
  forwarded boolean not null default false,
  transcription text,
  transcription_status varchar(20) check (transcription_status in ('pending', 'processing', 'completed', 'failed')),
  ai_analysis jsonb,
  ai_summary text,
  ai_sentiment varchar(20),
  ai_intent varchar(100),
  language varchar(35),                            -- BCP 47
  extracted_entities jsonb,
  analysis_status varchar(20)
    check (analysis_status in ('pending', 'processing', 'completed', 'failed', 'skipped')),
  analysis_started_at timestamptz(3),
  analysis_attempts integer not null default 0,
  task_created boolean not null default false,
  created_task_id uuid,
  task_creation_status varchar(20) check (task_creation_status in ('none', 'created', 'failed')),
  status varchar(20) not null default 'received' check (status in ('received', 'read', 'replied', 'archived')),
  prospect_id uuid,
  processed boolean not null default false,        -- read and answered (or deliberately not answered)
  processing_error text,
  received_at timestamptz(3) not null default now(), -- of an outbound message: when it was recorded
  processed_at timestamptz(3),
  seen_at timestamptz(3),                          -- when the team saw an inbound message
  turn_id varchar(100),                            -- of an inbound message the turn that took it in, of an outbound one the turn that made it
  answered_at timestamptz(3),
  response_ms integer,                             -- of an outbound message: since the oldest message it answers
  failure_code varchar(50),                        -- why there was an apology, or nothing
  failure_reason text,
  via varchar(10),
  delivery_status varchar(20)
    check (delivery_status in ('sending', 'queued', 'sent', 'delivered', 'read', 'failed')),
  delivery_error varchar(50),                      -- the provider's code
  sent_at timestamptz(3),
  delivered_at timestamptz(3),
  prompt_tokens integer,
  completion_tokens integer,
  cached_tokens integer,
  search tsvector generated always as (
    to_tsvector('simple', left(message_body, 50000) || ' ' || left(coalesce(transcription, ''), 50000) || ' '
      || left(coalesce(ai_summary, ''), 10000))
  ) stored,                                        -- at most 1 MB, hence the limits
  unique (channel, message_sid)
)`;

/** The provider reports the status of each part of a reply, sometimes before we know which reply it belongs to. */
const DELIVERIES = `
create table whatsapp_deliveries (
  channel varchar(50) not null,
  sid varchar(200) not null,
  message_id uuid references whatsapp_messages on delete cascade,
  part smallint,                                   -- 0 is the first; null while it is not known
  state varchar(20) not null,
  error_code varchar(50),
  changed_at timestamptz(3) not null,
  primary key (channel, sid)
)`;

const TASKS = `
create table sales_tasks (
  id uuid primary key default gen_random_uuid(),
  title varchar(255) not null,
  description text not null default '',
  task_type varchar(50) not null default 'general', -- call, email, meeting, follow_up, demo, proposal …
  category varchar(50) not null default 'follow_up',
  priority integer not null default 3 check (priority between 1 and 5), -- 1 is the most urgent
  status varchar(20) not null default 'pending' check (status in ('pending', 'in_progress', 'completed', 'cancelled')),
  due_date date,
  tags text[] not null default '{}',
  conversation_id uuid references whatsapp_conversations on delete set null,
  whatsapp_message_id uuid references whatsapp_messages on delete set null,
  prospect_id uuid,
  created_by varchar(20) not null default 'desk' check (created_by in ('analysis', 'desk')),
  created_at timestamptz(3) not null default now(),
  updated_at timestamptz(3) not null default now(),
  completed_at timestamptz(3)
)`;

/** Events that could not be recorded. They do not hold up the others. */
const SET_ASIDE = `
create table whatsapp_events_set_aside (
  name varchar(200) primary key,
  event text not null,
  reason text not null,
  set_aside_at timestamptz(3) not null default now()
)`;

const INBOX_VIEW = `
create view whatsapp_inbox_view as
select m.*, c.phone_number, c.contact_name, c.conversation_status, c.unread_count,
  t.title as task_title, t.task_type, t.priority as task_priority, t.status as task_status, t.due_date as task_due_date
from whatsapp_messages m
join whatsapp_conversations c on c.id = m.conversation_id
left join sales_tasks t on t.id = m.created_task_id`;

/** One for each way the inbox is sorted and filtered: a page costs the same at 1,000 and at a million messages. */
const INDEXES = [
  'create index on whatsapp_contact_addresses (contact_id)',
  'create index on whatsapp_conversations (last_message_at desc, id desc)',
  'create index on whatsapp_conversations (business_number, last_message_at desc, id desc)',
  'create index on whatsapp_conversations (conversation_status, last_message_at desc, id desc)',
  'create index on whatsapp_conversations (last_message_at desc, id desc) where unread_count > 0',
  'create index on whatsapp_conversations (last_message_at desc, id desc) where voice_messages > 0',
  'create index on whatsapp_conversations (last_message_at desc, id desc) where picture_messages > 0',
  'create index on whatsapp_conversations (last_message_at desc, id desc) where open_tasks > 0',
  'create index on whatsapp_conversations (last_sentiment, last_message_at desc, id desc) where last_sentiment is not null',
  'create index on whatsapp_messages (conversation_id, received_at desc, id desc)',
  // The index includes what the dashboard counts, so that it never reads the messages themselves, which are ten times as large.
  `create index on whatsapp_messages (received_at desc, id desc)
    include (direction, message_type, task_created, transcription_status, processed_at, response_ms, ai_sentiment,
      prompt_tokens, completion_tokens, cached_tokens)`,
  "create index on whatsapp_messages (message_type, received_at desc, id desc) where direction = 'inbound' and message_type <> 'text'",
  "create index on whatsapp_messages (ai_sentiment, received_at desc, id desc) where direction = 'inbound' and ai_sentiment is not null",
  "create index on whatsapp_messages (status, received_at desc, id desc) where direction = 'inbound'",
  'create index on whatsapp_messages (received_at desc, id desc) where task_created',
  "create index on whatsapp_messages (received_at desc, id desc) where direction = 'inbound' and seen_at is null",
  "create index on whatsapp_messages (conversation_id) where direction = 'inbound' and seen_at is null",
  "create index on whatsapp_messages (received_at) where analysis_status in ('pending', 'processing')",
  "create index on whatsapp_messages (turn_id) where direction = 'inbound'",
  "create unique index on whatsapp_messages (turn_id) where direction = 'outbound'",
  "create index on whatsapp_messages (conversation_id) where delivery_status in ('sending', 'failed')",
  'create index on whatsapp_messages (created_task_id) where created_task_id is not null',
  'create index on whatsapp_messages using gin (search)',
  'create index on whatsapp_deliveries (message_id)',
  "create index on sales_tasks (coalesce(due_date, 'infinity'), priority, id)",
  "create index on sales_tasks (status, coalesce(due_date, 'infinity'), priority, id)",
  'create index on sales_tasks (created_at desc)',
  'create index on sales_tasks (completed_at) where completed_at is not null',
  'create index on sales_tasks (conversation_id)',
  "create unique index on sales_tasks (whatsapp_message_id) where created_by = 'analysis'",
];

/**
 * Supabase serves the tables of this schema to everybody who has the public key, unless row security is on. It is switched on
 * without a policy: only the owner of the tables sees anything. https://supabase.com/docs/guides/database/postgres/row-level-security
 */
const SUPABASE = `
do $$
declare name text;
begin
  if not exists (select from pg_roles where rolname = 'anon') then return; end if;
  foreach name in array array['whatsapp_messages', 'whatsapp_conversations', 'whatsapp_deliveries',
    'whatsapp_events_set_aside', 'sales_tasks', 'whatsapp_contacts', 'whatsapp_contact_addresses'] loop
    execute format('alter table %I enable row level security', name);
  end loop;
  if current_setting('server_version_num')::int >= 150000 then
    execute 'alter view whatsapp_inbox_view set (security_invoker = true)';
  end if;
end $$`;

export const STATEMENTS = [
  CONTACTS,
  ADDRESSES,
  CONVERSATIONS,
  MESSAGES,
  DELIVERIES,
  TASKS,
  'alter table whatsapp_messages add foreign key (created_task_id) references sales_tasks on delete set null',
  SET_ASIDE,
  INBOX_VIEW,
  ...INDEXES,
  SUPABASE,
];
