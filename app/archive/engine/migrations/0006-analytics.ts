/** The numbers of the dashboard for people with a SQL prompt: the page asks for the same ones. */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

/** One row, over everything that was ever recorded. */
const TOTALS = `
create view whatsapp_analytics as
select count(*) as total_messages,
  count(*) filter (where direction = 'inbound') as inbound_messages,
  count(*) filter (where direction = 'outbound') as outbound_messages,
  count(*) filter (where direction = 'inbound' and message_type = 'audio') as voice_messages,
  (select count(*) from sales_tasks) as tasks_created,
  count(*) filter (where transcription_status = 'completed') as transcriptions_completed,
  (select count(*) from whatsapp_contacts) as unique_contacts,
  round(avg(extract(epoch from processed_at - received_at)) filter (where direction = 'inbound'), 3)
    as avg_processing_time_seconds
from whatsapp_messages`;

/** One row for each day up to and with today, without gaps, oldest first: select * from whatsapp_analytics_by_day(30, 'Europe/Madrid') */
const BY_DAY = `
create function whatsapp_analytics_by_day(days integer, time_zone text default 'UTC')
returns table (
  day date, inbound bigint, outbound bigint,
  response_p50_ms double precision, response_p95_ms double precision, -- how long people waited for an answer
  positive bigint, negative bigint, neutral bigint, urgent bigint,
  tokens_in bigint, tokens_out bigint, tokens_cached bigint,          -- cached is the part of in that the provider had already
  tasks_created bigint, tasks_done bigint
) language sql stable as $by_day$
  select span.day, said.inbound, said.outbound, said.p50, said.p95, said.positive, said.negative, said.neutral, said.urgent,
    said.tokens_in, said.tokens_out, said.tokens_cached, made.created, finished.done
  from (
    select at::date as day, at at time zone time_zone as since, (at + interval '1 day') at time zone time_zone as until
    from (
      select date_trunc('day', now() at time zone time_zone) - n * interval '1 day' as at
      from generate_series(0, greatest(1, least(366, days)) - 1) n
    ) counted
  ) span
  cross join lateral (
    select count(*) filter (where direction = 'inbound') as inbound,
      count(*) filter (where direction = 'outbound') as outbound,
      percentile_cont(0.5) within group (order by response_ms) as p50,
      percentile_cont(0.95) within group (order by response_ms) as p95,
      count(*) filter (where ai_sentiment = 'positive') as positive,
      count(*) filter (where ai_sentiment = 'negative') as negative,
      count(*) filter (where ai_sentiment = 'neutral') as neutral,
      count(*) filter (where ai_sentiment = 'urgent') as urgent,
      coalesce(sum(prompt_tokens), 0) as tokens_in,
      coalesce(sum(completion_tokens), 0) as tokens_out,
      coalesce(sum(cached_tokens), 0) as tokens_cached
    from whatsapp_messages where received_at >= span.since and received_at < span.until
  ) said
  cross join lateral (
    select count(*) as created from sales_tasks where created_at >= span.since and created_at < span.until
  ) made
  cross join lateral (
    select count(*) as done from sales_tasks where completed_at >= span.since and completed_at < span.until
  ) finished
  order by span.day
$by_day$`;

/** See the end of 0001-start.ts. */
const SUPABASE = `
do $$
begin
  if exists (select from pg_roles where rolname = 'anon') and current_setting('server_version_num')::int >= 150000 then
    execute 'alter view whatsapp_analytics set (security_invoker = true)';
  end if;
end $$`;

const STATEMENTS = [TOTALS, BY_DAY, SUPABASE];
