/**
 * The processes that share this Redis. Each says every second that it is alive. One that falls silent, or that has visibly ended on this
 * machine, is gone: its turns are over, and what they worked at is due at once.
 */
import { elapsed } from '../ops/elapsed.ts';
import { newId } from '../ops/id.ts';
import type { Log } from '../ops/logger.ts';
import { hasEnded, type Place, placeHere } from '../ops/place.ts';
import type { Clock } from './clock.ts';
import type { Keys, ShardKeys } from './keys.ts';
import { type RedisClient, type RunScript, unavailable } from './redis.ts';

export interface Processes {
  /** Names this process. A new one with every start. */
  readonly id: string;
  /**
   * Begins to beat. Resolves after the first beat; never rejects: while Redis does not answer, the next beat tries again.
   * @param onFreed called when work of a process that is gone is due
   */
  start(onFreed: () => void): Promise<void>;
  /** One beat at once, e.g. after the connection is back. */
  beat(): Promise<void>;
  /** The last beat: from now on this process is gone. Never rejects. */
  stop(): Promise<void>;
  /**
   * Since when nobody can have counted this process gone, by `performance.now()`: what it held then is still its own.
   * Infinity when that is not certain, because it has not beaten for a while.
   */
  aliveSince(): number;
}

export interface ProcessesOptions {
  redis: RedisClient;
  run: RunScript;
  keys: Keys;
  clock: Clock;
  log: Log;
  /** Where this process runs, as others see it. Default: here. */
  place?: Place | null;
  /** Time between two beats, ms. Default: 1,000. */
  everyMs?: number;
}

/** Silence after which a process is gone, ms: five beats may fail, and a machine may be short of time for that long. */
const GONE_MS = 6_000;

/** The longest pause between beats that are regular, ms: a process that was away itself cannot judge who else was. */
const REGULAR_MS = 3_000;

/** So long after its last beat, ms, a process is still certain that it is alive for others: well before `GONE_MS`. */
export const CERTAIN_MS = 2_500;

/** How many contacts with work are looked at together. */
const LOOKED_AT = 500;

export function createProcesses(options: ProcessesOptions): Processes {
  const { redis, run, keys, clock, log, place = placeHere(), everyMs = 1_000 } = options;
  const id = newId();
  const shards = keys.shards.map((shard) => ({ shard, since: 0 }));
  let onFreed = () => {};
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let beating: Promise<void> | undefined;
  let sinceBeat = () => Number.POSITIVE_INFINITY;
  let aliveSince = Number.POSITIVE_INFINITY;
  return {
    id,
    start,
    beat,
    stop,
    aliveSince: () => (sinceBeat() > CERTAIN_MS ? Number.POSITIVE_INFINITY : aliveSince),
  };

  async function start(freed: () => void): Promise<void> {
    // It may be stopped while it is still starting.
    if (stopped) return;
    onFreed = freed;
    timer ??= setInterval(() => void beat(), everyMs);
    await beat();
  }

  async function beat(): Promise<void> {
    if (stopped) return;
    beating ??= beatAll().finally(() => {
      beating = undefined;
    });
    return beating;
  }

  async function stop(): Promise<void> {
    stopped = true;
    clearInterval(timer);
    await beating;
    if (timer === undefined) return;
    // What it should have left behind is due for the others at their next beat.
    await Promise.all(shards.map(({ shard }) => redis.zadd(shard.processes, 'XX', 0, id))).catch(() => {});
  }

  async function beatAll(): Promise<void> {
    const age = elapsed();
    try {
      const beats = await Promise.all(shards.map((one) => beatOne(one, [])));
      if (beats.some(({ wasAlive }) => !wasAlive)) aliveSince = performance.now();
      sinceBeat = age;
      const freed = await Promise.all(shards.map((one, n) => freeGone(one, beats[n])));
      if (freed.some((contacts) => contacts > 0)) onFreed();
    } catch (error) {
      log.debug('Redis did not hear that this process is alive', { error });
    }
  }

  async function beatOne(one: (typeof shards)[number], ended: readonly string[]): Promise<Beat> {
    const { processes, places } = one.shard;
    const askedAt = performance.now();
    const args = [id, JSON.stringify(place), one.since, GONE_MS, REGULAR_MS, ...ended];
    const answer = await run('beat', [processes, places], args);
    const [now, since, wasAlive, gone, where] = listOf(answer);
    clock.heard(Number(now), askedAt);
    one.since = Number(since);
    return { wasAlive: wasAlive === 1, gone: listOf(gone).map(String), places: placesIn(where) };
  }

  /** @returns how many contacts are due now */
  async function freeGone(one: (typeof shards)[number], beat: Beat | undefined): Promise<number> {
    if (!beat) return 0;
    const ended = beat.places.filter((other) => other.id !== id && other.place && hasEnded(other.place, place));
    const isNew = ended.some((other) => !beat.gone.includes(other.id));
    const names = ended.map((other) => other.id);
    const gone = isNew ? (await beatOne(one, names)).gone : beat.gone;
    if (gone.length === 0) return 0;
    const contacts = await free(one.shard);
    await run('forget', [one.shard.processes, one.shard.places], gone);
    const told = { processes: gone.length, contacts };
    if (contacts > 0) log.warn('A process is gone. What it worked at is taken over', told);
    else log.debug('A process is gone, and left nothing unfinished', told);
    return contacts;
  }

  async function free({ due, processes }: ShardKeys): Promise<number> {
    const contacts = await redis.zrange(due, 0, '-1').catch((error) => Promise.reject(unavailable(error)));
    let freed = 0;
    for (let from = 0; from < contacts.length; from += LOOKED_AT) {
      const some = contacts.slice(from, from + LOOKED_AT);
      freed += Number(await run('free', [due, processes, ...some.map((contact) => keys.of(contact).lease)], some));
    }
    return freed;
  }
}

/** A lease as it is stored: it names the process that holds it. Versions up to 0.2.0 stored the turn alone. */
export function leaseOf(process: string, turn: string): string {
  return `${process} ${turn}`;
}

interface Beat {
  /** Was this process alive for the others until now? */
  wasAlive: boolean;
  gone: string[];
  places: { id: string; place: Place | null }[];
}

/** Process, JSON, process, JSON …; a place that cannot be read is none. */
function placesIn(flat: unknown): Beat['places'] {
  const list = listOf(flat).map(String);
  return list.flatMap((id, i) => (i % 2 === 0 ? [{ id, place: placeIn(list[i + 1] ?? '') }] : []));
}

function placeIn(json: string): Place | null {
  try {
    const { machine, pid, startedAt } = JSON.parse(json) ?? {};
    const isPlace = typeof machine === 'string' && Number.isInteger(pid) && pid > 0 && typeof startedAt === 'string';
    return isPlace ? { machine, pid, startedAt } : null;
  } catch {
    return null;
  }
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
