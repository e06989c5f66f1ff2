/** Messages whose price the provider has not reported yet: when it is asked, and how often. */
import { sql } from 'kysely';
import type { ChannelName } from '../../message.ts';
import type { Database } from '../engine/database.ts';

/** Rejects with `archive.unavailable`. */
export interface PricesDue {
  /**
   * Takes messages whose price is due to be asked for, the longest due first. They are due again later, up to two days after they were
   * sent, unless the price is reported meanwhile.
   * @param channels whose provider can be asked; of the others nothing is due any more
   */
  take(most: number, channels: readonly ChannelName[]): Promise<{ channel: ChannelName; sid: string }[]>;
}

/** After the first question, which comes two minutes after the message was sent: minutes until the next ones. Then nobody asks any more. */
const WAITS_MIN = [10, 60, 6 * 60, 18 * 60, 24 * 60];

export function createPricesDue(database: Database): PricesDue {
  return {
    take: (most, channels) =>
      database.run(async (db) => {
        const waits = sql`array[${sql.join(WAITS_MIN.map((minutes) => sql.lit(minutes)))}]`;
        const { rows } = await sql<{ channel: string; sid: string; asked: boolean }>`
          update whatsapp_deliveries d set price_asks = d.price_asks + 1,
            price_due_at = case when d.price is null and d.channel in (${sql.join(['', ...channels])})
              then now() + (${waits})[d.price_asks + 1] * interval '1 minute' end
          from (select channel, sid from whatsapp_deliveries where price_due_at <= now()
            order by price_due_at limit ${most} for update skip locked) due
          where d.channel = due.channel and d.sid = due.sid
          returning d.channel, d.sid, d.price is null as asked`.execute(db);
        return rows.flatMap(({ channel, sid, asked }) => (asked && channels.includes(channel) ? { channel, sid } : []));
      }),
  };
}
