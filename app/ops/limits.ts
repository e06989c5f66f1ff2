/** The figures that are worth an alarm, and how much is too much: the table in `docs/operations.md` is the same one, a test compares them. */
import type { Alarm } from './alarms.ts';
import { elapsed } from './elapsed.ts';
import type { Metrics } from './metrics.ts';

/** Reads a figure, see `Metrics`. */
type Figure = Metrics['figure'];

/** A figure with a limit. */
export interface Limit extends Pick<Alarm, 'name' | 'limit'> {
  /** Without `recado_`. */
  figure: string;
  labels?: Readonly<Record<string, string>>;
  /** More than this is too much. */
  above: number;
  /** How it is read: as it is, or how much it has risen in the last `WINDOW_MS`. */
  as: 'level' | 'rise';
  /** How long it has to be too much, ms. Default: 0, at once. */
  forMs?: number;
  /** What is wrong, as one sentence. */
  words(value: number): string;
}

/** How long a rise is worth an alarm, ms. */
export const WINDOW_MS = 15 * 60_000;

/** The time of which it is told whether the model failed and Redis was slow, ms. */
export const SPAN_MS = 5 * 60_000;

/** Failures of the model that somebody has to mend; what is wrong with one message alone is left out. */
const MODEL_FAILURES = ['unavailable', 'timeout', 'rate_limited', 'credentials', 'quota', 'request'];
const LEAST_FAILURES = 3;

/** Mean time of a script, s; fewer calls say nothing. */
const SLOW_REDIS_S = 0.1;
const LEAST_SCRIPTS = 20;

const MINUTE_MS = 60_000;

/** Figures of the process that answers. */
export const BOT_LIMITS: readonly Limit[] = [
  {
    name: 'dead_letters',
    limit: 'dead letters above 0',
    figure: 'dead_letters',
    above: 0,
    as: 'level',
    words: (count) => `${counted(count, 'dead letter')}: messages or replies were given up and need attention.`,
  },
  {
    name: 'contacts_waiting',
    limit: 'contacts whose work is due, for 3 minutes',
    figure: 'conversations_due',
    above: 0,
    as: 'level',
    forMs: 3 * MINUTE_MS,
    words: (count) => `${counted(count, 'contact')} waiting, and no process answers: start another one.`,
  },
  {
    name: 'prompt_leak',
    limit: 'addresses or ids of the provider in a prompt above 0',
    figure: 'scrubbed_total',
    labels: { where: 'prompt' },
    above: 0,
    as: 'rise',
    words: () => 'An address or id of the provider was found by the last check before the model. Please report it.',
  },
  {
    name: 'history_damaged',
    limit: 'damaged lines of histories above 0',
    figure: 'history_lines_damaged_total',
    above: 0,
    as: 'rise',
    words: (count) => `${counted(count, 'line')} of histories in Redis cannot be read. The log names the contacts.`,
  },
  {
    name: 'event_loop',
    limit: 'delay of the event loop above 0.1 s, for 2 minutes',
    figure: 'event_loop_delay_p99_seconds',
    labels: { process: 'bot' },
    above: 0.1,
    as: 'level',
    forMs: 2 * MINUTE_MS,
    words: (s) => `The process that answers has more to do than one core can: events wait ${s.toFixed(2)} s.`,
  },
  {
    name: 'spam',
    limit: 'contacts throttled as spam above 20 in 15 minutes',
    figure: 'contacts_throttled_total',
    above: 20,
    as: 'rise',
    words: (count) => `${counted(count, 'contact')} throttled: what they write looks like spam. See the inbox.`,
  },
  {
    name: 'budget_near',
    limit: "80 % of the month's budget used",
    figure: 'budget_share',
    above: 0.8,
    as: 'level',
    words: (share) => `${Math.floor(share * 100)} % of the month's budget is used. At 100 % the bot is paused.`,
  },
  {
    name: 'budget_used',
    limit: "the month's budget used up",
    figure: 'budget_share',
    above: 1,
    as: 'level',
    words: () => "The month's budget is used up. The bot is paused: raise MONTHLY_BUDGET, or let the team answer.",
  },
];

/** Figures of the process that has the archive. */
export const DESK_LIMITS: readonly Limit[] = [
  {
    name: 'archive_failing',
    limit: 'the archive cannot be written, for a minute',
    figure: 'archive_failing',
    above: 0,
    as: 'level',
    forMs: MINUTE_MS,
    words: () => 'Nothing can be written to PostgreSQL. Contacts are answered; the inbox shows nothing new.',
  },
  {
    name: 'archive_backlog',
    limit: 'events that wait for the archive above 25 %',
    figure: 'archive_backlog_share',
    above: 0.25,
    as: 'level',
    words: (share) =>
      `Redis is ${Math.round(share * 100)} % full of events for PostgreSQL. At 100 % the oldest are dropped.`,
  },
  {
    name: 'archive_set_aside',
    limit: 'events set aside above 0',
    figure: 'archive_events_set_aside',
    above: 0,
    as: 'level',
    words: (count) => `${counted(count, 'event')} could not be written to the archive. The log says why.`,
  },
  {
    name: 'broadcast_stopped',
    limit: 'broadcasts that stopped by themselves above 0',
    figure: 'broadcasts_stopped',
    above: 0,
    as: 'level',
    words: (count) =>
      `${counted(count, 'broadcast')} stopped by themselves. The inbox says why: resume or cancel them.`,
  },
];

export function alarmsOf(limits: readonly Limit[], figure: Figure): Alarm[] {
  return limits.map(({ name, limit, figure: read, labels, above, as, forMs = 0, words }) => {
    const value = () => figure(read, labels);
    const measure = as === 'rise' ? risen(value, WINDOW_MS) : value;
    const isLong = lasting(forMs);
    return {
      name,
      limit,
      async look() {
        const found = await measure();
        if (found === null || Number.isNaN(found)) return undefined;
        return isLong(found > above) ? words(found) : null;
      },
    };
  });
}

/** The model fails: most calls for an answer in the last minutes did. */
export function modelAlarm(figure: Figure): Alarm {
  const calls = (labels: Record<string, string>) =>
    risen(() => figure('model_call_seconds_count', { purpose: 'answer', ...labels }), SPAN_MS);
  const answered = calls({ outcome: 'answered' });
  const failures = MODEL_FAILURES.map((code) => calls({ outcome: `model.${code}` }));
  return {
    name: 'model_failing',
    limit: 'most answers of the model in 5 minutes failed',
    async look() {
      const [right, ...wrong] = await Promise.all([answered(), ...failures.map((count) => count())]);
      const failed = wrong.reduce((sum: number, count) => sum + (count ?? 0), 0);
      if (failed < LEAST_FAILURES || failed <= (right ?? 0)) return null;
      return `The model fails: ${failed} of ${failed + (right ?? 0)} answers in 5 minutes. The log has the reason.`;
    },
  };
}

/** Redis is slow: every answer waits for it. */
export function slowRedisAlarm(figure: Figure): Alarm {
  const seconds = risen(() => figure('redis_script_seconds_sum'), SPAN_MS);
  const calls = risen(() => figure('redis_script_seconds_count'), SPAN_MS);
  return {
    name: 'redis_slow',
    limit: 'a round trip to Redis above 0.1 s on average in 5 minutes',
    async look() {
      const [spent, count] = await Promise.all([seconds(), calls()]);
      if (spent === null || count === null || count < LEAST_SCRIPTS) return null;
      const mean = spent / count;
      return mean > SLOW_REDIS_S ? `Redis is slow, and every answer waits for it: ${mean.toFixed(2)} s.` : null;
    },
  };
}

/** How much a counter has risen in the last so many ms; it began at 0. */
function risen(read: () => Promise<number | null>, spanMs: number): () => Promise<number | null> {
  let seen = [{ value: 0, age: elapsed() }];
  return async () => {
    const value = await read();
    if (value === null) return null;
    seen.push({ value, age: elapsed() });
    // The last one before the span is what it is compared with.
    const from = seen.findLastIndex(({ age }) => age() >= spanMs);
    seen = seen.slice(Math.max(0, from));
    return value - (seen[0]?.value ?? 0);
  };
}

/** Has it been so for so long, ms? */
function lasting(forMs: number): (isSo: boolean) => boolean {
  let age: (() => number) | undefined;
  return (isSo) => {
    age = isSo ? (age ?? elapsed()) : undefined;
    return age !== undefined && age() >= forMs;
  };
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
