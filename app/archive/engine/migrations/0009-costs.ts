/** The ledger: what messages and models cost. It begins with this update: what was spent before is not known. */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

/** One row for each call of a model, and for each part of a message that we sent. */
const COSTS = `
create table whatsapp_costs (
  name varchar(260) primary key,                   -- names the entry: recorded twice, it is there once
  at timestamptz(3) not null,
  purpose varchar(20) not null check (purpose in ('answer', 'summary', 'analysis', 'transcription', 'message')),
  conversation_id uuid references whatsapp_conversations on delete set null, -- null while it is not known whose it is
  turn_id varchar(100),                            -- the turn that it was spent in, or that made the message
  model varchar(200),
  prompt_tokens integer,
  cached_tokens integer,                           -- the part of prompt_tokens that the provider had in its cache
  cache_write_tokens integer,                      -- the part of prompt_tokens that it put there
  completion_tokens integer,
  audio_ms integer,                                -- of a transcription: how long the recording was
  channel varchar(50),                             -- of a message
  category varchar(50),                            -- of a message: the provider's word for the kind that it charges for
  amount bigint,                                   -- billionths of the currency's unit; null when nobody said what it costs
  currency varchar(3),                             -- null with an amount of 0: it is free in every currency
  source varchar(10) check (source in ('provider', 'table')), -- who said it; table: MODEL_PRICES
  check (amount is null or amount = 0 or currency is not null)
)`;

/** What the provider reports, and when it is to be asked. Nobody asks for what was sent before this update. */
const PRICES = [
  `alter table whatsapp_deliveries
    add reply_id varchar(100),                     -- the reply that it is a part of, when the provider repeats that
    add first_at timestamptz(3),                   -- when it was first heard of: the message counts for this day
    add category varchar(50),
    add price bigint,                              -- billionths of the currency's unit
    add currency varchar(3),
    add priced_at timestamptz(3),                  -- when the provider said so
    add price_due_at timestamptz(3),               -- when the provider is asked; null when it is not
    add price_asks smallint not null default 0`,
  'update whatsapp_deliveries set first_at = changed_at',
  `alter table whatsapp_deliveries alter first_at set not null, alter first_at set default now(),
    alter price_due_at set default now() + interval '2 minutes'`,
];

/** What is summed is in the index: a month is read without the table. */
const INDEXES = [
  'create index on whatsapp_costs (at) include (purpose, currency, amount, conversation_id)',
  'create index on whatsapp_costs (conversation_id, at)',
  "create index on whatsapp_costs (at) where amount is null and purpose <> 'message'",
  'create index on whatsapp_deliveries (price_due_at) where price_due_at is not null',
  'create index on whatsapp_deliveries (reply_id) where message_id is null',
];

/** See the end of 0001-start.ts. */
const SUPABASE = `
do $$
begin
  if exists (select from pg_roles where rolname = 'anon') then
    alter table whatsapp_costs enable row level security;
  end if;
end $$`;

const STATEMENTS = [COSTS, ...PRICES, ...INDEXES, SUPABASE];
