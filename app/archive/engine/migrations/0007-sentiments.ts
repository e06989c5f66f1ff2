/** How messages sounded, day by day, whatever the operator's own words for it are. */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(BY_DAY).execute(db);
}

/** One row for each day and sentiment that occurred, up to and with today: select * from whatsapp_sentiments_by_day(30, 'Europe/Madrid') */
const BY_DAY = `
create function whatsapp_sentiments_by_day(days integer, time_zone text default 'UTC')
returns table (day date, sentiment varchar, messages bigint) language sql stable as $by_day$
  select (received_at at time zone time_zone)::date as day, ai_sentiment, count(*)
  from whatsapp_messages
  where ai_sentiment is not null
    and received_at >= (date_trunc('day', now() at time zone time_zone) - (greatest(1, least(366, days)) - 1) * interval '1 day')
      at time zone time_zone
  group by 1, 2
  order by 1, 2
$by_day$`;
