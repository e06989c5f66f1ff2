/** The dashboard's numbers. */
import { sql } from 'kysely';
import type { Database } from '../engine/database.ts';

/** The eight numbers over everything that was ever recorded. */
export interface Totals {
  totalMessages: number;
  inboundMessages: number;
  outboundMessages: number;
  /** Inbound messages that are voice notes. */
  voiceMessages: number;
  tasksCreated: number;
  transcriptionsCompleted: number;
  uniqueContacts: number;
  /** From a message's arrival until it was heard, seen and answered, in seconds; null when there was none. */
  avgProcessingTimeSeconds: number | null;
}

/** One entry per day, without gaps, oldest first. `day` is `2026-11-24` in the time zone that was asked for. */
export interface Series {
  messages: { day: string; inbound: number; outbound: number }[];
  /** How long people waited for an answer, ms; null on days without one. */
  responseTime: { day: string; p50Ms: number | null; p95Ms: number | null }[];
  /** How many messages sounded how; a sentiment that did not occur is missing. */
  sentiment: { day: string; counts: Record<string, number> }[];
  tasks: { day: string; created: number; done: number }[];
  /** `cached` is the part of `prompt` that the provider served from its cache. */
  tokens: { day: string; prompt: number; completion: number; cached: number }[];
}

/** Reject with `archive.unavailable`. */
export interface Analytics {
  totals(): Promise<Totals>;
  /**
   * @param options `days` up to and with today, at most 366; `timeZone` an IANA name, where a day begins.
   */
  series(options: { days: number; timeZone: string }): Promise<Series>;
}

export interface AnalyticsOptions {
  /** How old an answer may be, ms. Whoever asks meanwhile gets the same one, also while it is being counted. Default: 0. */
  keepMs?: number;
  now?: () => number;
}

export function createAnalytics(database: Database, { keepMs = 0, now = Date.now }: AnalyticsOptions = {}): Analytics {
  const counted = keeping(keepMs, now);
  return {
    totals: counted(() =>
      database.run(async (db) => {
        const { rows } = await sql<Totals>`
          select total_messages as "totalMessages", inbound_messages as "inboundMessages", outbound_messages as "outboundMessages",
            voice_messages as "voiceMessages", tasks_created as "tasksCreated",
            transcriptions_completed as "transcriptionsCompleted", unique_contacts as "uniqueContacts",
            avg_processing_time_seconds as "avgProcessingTimeSeconds"
          from whatsapp_analytics`.execute(db);
        const [totals] = rows;
        if (!totals) throw new RangeError('a count has always one row');
        return totals;
      }),
    ),

    series: counted(({ days, timeZone }) =>
      database.transaction(async (db) => {
        await sql`set local jit = off`.execute(db); // compiling the query takes longer than running it
        const most = Math.max(1, Math.min(366, Math.trunc(days)));
        const { rows } = await sql<Day>`
          select day, inbound, outbound, response_p50_ms as p50, response_p95_ms as p95,
            tokens_in as prompt, tokens_out as completion, tokens_cached as cached, tasks_created as created, tasks_done as done
          from whatsapp_analytics_by_day(${most}::int, ${timeZone})
          order by day`.execute(db);
        const sounds = await sql<Sound>`
          select day, sentiment, messages from whatsapp_sentiments_by_day(${most}::int, ${timeZone})`.execute(db);
        return seriesOf(rows, sounds.rows);
      }),
    ),
  };
}

/** How many different results are kept. */
const MOST_KEPT = 20;

/** Answers the same question with the same answer for a while. What failed is asked again. */
function keeping(keepMs: number, now: () => number) {
  return <Asked extends unknown[], Answer>(count: (...asked: Asked) => Promise<Answer>) => {
    const kept = new Map<string, { until: number; answer: Promise<Answer> }>();
    return (...asked: Asked): Promise<Answer> => {
      const question = JSON.stringify(asked);
      const known = kept.get(question);
      if (known && known.until > now()) return known.answer;
      if (kept.size >= MOST_KEPT) kept.clear();
      const answer = count(...asked);
      // From when it was asked: what happens while it is counted may be missing in it.
      kept.set(question, { until: now() + keepMs, answer });
      answer.catch(() => kept.delete(question));
      return answer;
    };
  };
}

interface Day {
  day: string;
  inbound: number;
  outbound: number;
  p50: number | null;
  p95: number | null;
  prompt: number;
  completion: number;
  cached: number;
  created: number;
  done: number;
}

interface Sound {
  day: string;
  sentiment: string;
  messages: number;
}

function seriesOf(rows: readonly Day[], sounds: readonly Sound[]): Series {
  const round = (ms: number | null) => (ms === null ? null : Math.round(ms));
  return {
    messages: rows.map(({ day, inbound, outbound }) => ({ day, inbound, outbound })),
    responseTime: rows.map(({ day, p50, p95 }) => ({ day, p50Ms: round(p50), p95Ms: round(p95) })),
    sentiment: rows.map(({ day }) => ({
      day,
      counts: Object.fromEntries(
        sounds.filter((sound) => sound.day === day).map(({ sentiment, messages }) => [sentiment, messages]),
      ),
    })),
    tasks: rows.map(({ day, created, done }) => ({ day, created, done })),
    tokens: rows.map(({ day, prompt, completion, cached }) => ({ day, prompt, completion, cached })),
  };
}
