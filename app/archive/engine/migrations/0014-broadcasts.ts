/** Broadcasts: one template to many people, row by row. */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const BROADCASTS = `
create table broadcasts (
  id uuid primary key default gen_random_uuid(),
  name varchar(200) not null,
  channel varchar(50) not null,
  business_number varchar(200) not null,           -- the address of ours that it is sent from, without +; '' = the channel's default
  template jsonb not null,                         -- as message.ts has it: name and language, or contentSid
  template_name varchar(600) not null,             -- as people name it: order_ready:en, or HX…
  category varchar(50),                            -- what the provider charges for; null when it did not say
  state varchar(20) not null check (state in ('running', 'paused', 'stopped', 'cancelled', 'done')),
  reason_code varchar(50),                         -- why it stopped automatically
  reason varchar(500),                             -- the same in words
  starts_at timestamptz(3) not null,               -- nothing is sent before
  created_by varchar(10) not null check (created_by in ('desk', 'api')),
  created_at timestamptz(3) not null default now(),
  ended_at timestamptz(3),
  total integer not null default 0                 -- its rows
)`;

/** What became of a message later is with the message, which has the row's reply_id. */
const ROWS = `
create table broadcast_rows (
  broadcast_id uuid not null references broadcasts on delete cascade,
  position integer not null,                       -- as they were uploaded, from 1
  address varchar(200) not null,                   -- without +; as it was written when it is no number
  contact varchar(200) not null,
  variables jsonb,                                 -- null: the template has none
  state varchar(20) not null check (state in ('waiting', 'sending', 'sent', 'failed', 'skipped', 'uncertain')),
  reason varchar(50),                              -- why it failed or was skipped
  note varchar(500),                               -- the same in words
  error_code varchar(50),                          -- the provider's
  reply_id varchar(64),                            -- names the message; from when it is first tried
  tries smallint not null default 0,
  not_before timestamptz(3),                       -- of a row that waits: it is not tried earlier
  claimed_by varchar(100),                         -- the process that sends it
  claimed_until timestamptz(3),                    -- later than that, the process is gone, and nobody knows whether it was sent
  first_at timestamptz(3),                         -- when it was first tried
  changed_at timestamptz(3) not null default now(),
  primary key (broadcast_id, position)
)`;

/** How fast a number of ours may send, which all processes share. */
const PACE = `
create table broadcast_pace (
  channel varchar(50) not null,
  business_number varchar(200) not null,
  tokens double precision not null default 1,      -- so many may be sent at once
  rate double precision not null default 0,        -- in a second; 0 = nothing was sent lately
  filled_at timestamptz(3),                        -- when tokens were last counted
  grown_at timestamptz(3),                         -- when the rate last rose
  held_until timestamptz(3),                       -- the provider asked to slow down: nothing is sent before
  held_for varchar(50),                            -- why, as a code; 'day' = the limit of 24 hours
  day_used integer not null default 0,             -- people written to in 24 hours, over all numbers of the channel
  day_counted_at timestamptz(3),
  primary key (channel, business_number)
)`;

const INDEXES = [
  "create index on broadcasts (starts_at) where state = 'running'",
  'create index on broadcasts (created_at, id)',
  "create index on broadcast_rows (broadcast_id, position) where state = 'waiting'",
  "create index on broadcast_rows (claimed_until) where state = 'sending'",
  'create index on broadcast_rows (first_at) include (broadcast_id, contact) where first_at is not null',
];

/** See the end of 0001-start.ts. */
const SUPABASE = `
do $$
begin
  if exists (select from pg_roles where rolname = 'anon') then
    alter table broadcasts enable row level security;
    alter table broadcast_rows enable row level security;
    alter table broadcast_pace enable row level security;
  end if;
end $$`;

const STATEMENTS = [BROADCASTS, ROWS, PACE, ...INDEXES, SUPABASE];
