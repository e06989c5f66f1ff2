/** Tells the operator when something crosses its limit, and again when it is over. */
import { setTimeout as sleep } from 'node:timers/promises';
import { elapsed } from './elapsed.ts';
import type { Log } from './logger.ts';

/** Something the operator should hear of at once. What its figure is, is its own affair. */
export interface Alarm {
  /** For programs: letters and `_`. */
  name: string;
  /** What is watched and how much is too much, in words that can follow "Alarm:" and "Over:": `dead letters above 0`. */
  limit: string;
  /**
   * What is wrong, as one sentence; null when nothing is; undefined while that cannot be found out: then the last word holds.
   * Asked every 15 seconds. A rejection counts as undefined.
   */
  look(): Promise<string | null | undefined>;
}

/** What all processes know together, see `memory/alarms.ts`. */
export interface Board {
  report(
    states: ReadonlyMap<string, boolean>,
  ): Promise<{ name: string; state: 'firing' | 'resolved'; since: number }[]>;
}

export interface Watch {
  /** Looks again and again. */
  start(): void;
  /** One look. Never rejects. */
  look(): Promise<void>;
  /** Resolves when the look that runs is over, after `LAST_MS` at most. */
  stop(): Promise<void>;
}

export interface WatchOptions {
  alarms: readonly Alarm[];
  board: Board;
  /** Tells the operator: `alarm.firing` or `alarm.resolved`. */
  send: (type: string, data: Told) => void;
  /** Who tells it: the operator may have several. */
  sender: string;
  /** Unix ms. */
  now: () => number;
  log: Log;
  /** Time between two looks, ms. Default: 15,000. */
  everyMs?: number;
  /** How long the board may be away before that is an alarm, ms; Infinity = it is none. Default: 60,000. */
  awayMs?: number;
}

/** What the operator is told. Slack and others show `text`. */
export interface Told {
  text: string;
  alarm: string;
  state: 'firing' | 'resolved';
  limit: string;
  /** Since when it fires, or fired: ISO 8601. */
  since: string;
}

const LAST_MS = 1_000;

/** The board is kept in Redis. Without it processes cannot know of each other: each tells this itself. */
const AWAY: Pick<Alarm, 'name' | 'limit'> = { name: 'redis_away', limit: 'no answer from Redis for a minute' };
const AWAY_WORDS = 'Redis does not answer: webhooks get 503, and nobody is answered.';

/** It is told so often at most, ms. */
const AWAY_QUIET_MS = 15 * 60_000;

export function createWatch(options: WatchOptions): Watch {
  const { alarms, board, send, sender, now, log, everyMs = 15_000, awayMs = 60_000 } = options;
  /** The last word of each alarm. */
  const words = new Map<string, string | null>();
  /** Since when the board is away, and when that was told. */
  let away: { age: () => number; since: number } | undefined;
  let isAwayTold = false;
  let toldAge = () => Number.POSITIVE_INFINITY;
  let looking: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  return { start, look, stop };

  function start(): void {
    timer ??= setInterval(() => void look(), everyMs).unref();
  }

  async function stop(): Promise<void> {
    clearInterval(timer);
    await Promise.race([looking, sleep(LAST_MS, undefined, { ref: false })]);
  }

  function look(): Promise<void> {
    looking ??= lookAtAll().finally(() => {
      looking = undefined;
    });
    return looking;
  }

  async function lookAtAll(): Promise<void> {
    await Promise.all(alarms.map(lookAt));
    try {
      const states = new Map([...words].map(([name, word]) => [name, word !== null]));
      for (const { name, state, since } of await board.report(states)) tell(name, state, since);
      back();
    } catch (error) {
      log.debug('Alarms wait for Redis', { error });
      missed();
    }
  }

  async function lookAt({ name, look }: Alarm): Promise<void> {
    try {
      const word = await look();
      if (word !== undefined) words.set(name, word);
    } catch (error) {
      log.debug('An alarm could not be looked at', { alarm: name, error });
    }
  }

  function tell(name: string, state: Told['state'], since: number): void {
    const alarm = alarms.find((one) => one.name === name);
    if (alarm) send(`alarm.${state}`, told(alarm, state, since, words.get(name) ?? ''));
  }

  function told(
    { name, limit }: Pick<Alarm, 'name' | 'limit'>,
    state: Told['state'],
    since: number,
    word: string,
  ): Told {
    const text = state === 'firing' ? `${sender}: ${word} (Alarm: ${limit})` : `${sender}: Over: ${limit}`;
    log.warn(state === 'firing' ? 'Alarm' : 'Alarm is over', { alarm: name, limit });
    return { text, alarm: name, state, limit, since: new Date(since).toISOString() };
  }

  function missed(): void {
    away ??= { age: elapsed(), since: now() };
    if (isAwayTold || away.age() < awayMs || toldAge() < AWAY_QUIET_MS) return;
    isAwayTold = true;
    toldAge = elapsed();
    send('alarm.firing', told(AWAY, 'firing', away.since, AWAY_WORDS));
  }

  function back(): void {
    if (away && isAwayTold) send('alarm.resolved', told(AWAY, 'resolved', away.since, ''));
    away = undefined;
    isAwayTold = false;
  }
}
