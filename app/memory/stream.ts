/**
 * The event stream, for the recorder: a consumer group over the streams of all shards, so that every event stays in Redis until it is
 * acknowledged.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Cluster } from 'ioredis';
import type { Log } from '../ops/logger.ts';
import type { Keys } from './keys.ts';
import { type RedisClient, unavailable } from './redis.ts';

/** One event of the stream. */
export interface StreamEntry {
  /** Names the entry among those of all shards: `<stream> <id>`. */
  name: string;
  stream: string;
  id: string;
  /** An `Event`, JSON. */
  event: string;
}

/** `take`, `acknowledge`, `trim` and `waiting` reject with `store.unavailable`. */
export interface EventStream {
  /**
   * The oldest events that are not acknowledged, in the order they happened within a conversation: first those that any process has
   * taken before; when there are none, new ones.
   *
   * One process at a time may take and write, or two would write the events of one conversation in any order. All
   * processes are therefore one consumer, and the caller holds a lock from `take` until what it took is written.
   * @param most about how many; each shard gives its part.
   */
  take(most: number): Promise<StreamEntry[]>;
  /** Puts events (JSON) back at the end, to be taken again. */
  putBack(events: readonly string[]): Promise<void>;
  /** They are written down; they are not taken again. */
  acknowledge(entries: readonly StreamEntry[]): Promise<void>;
  /** Resolves when there is something new, after `waitMs`, or on the signal; never rejects. */
  wait(waitMs: number, signal: AbortSignal): Promise<void>;
  /**
   * Removes what is acknowledged and older than the time that readers of the live stream may want to look back, and the oldest of what is
   * more than may be kept. It has to be called every few seconds, also while the archive is down.
   */
  trim(): Promise<Trimmed>;
  /** How many events are not acknowledged yet, roughly. */
  waiting(): Promise<number>;
  close(): void;
}

export interface Trimmed {
  /** How many events were pushed out by a limit before they were taken, as far as it is known now. */
  lost: number;
  /** How much of what may be kept is waiting for the archive, 0 to 1; at 1 the oldest events are dropped. */
  fullness: number;
}

export interface EventStreamOptions {
  redis: RedisClient;
  keys: Keys;
  log: Log;
  /** How long acknowledged events stay for those who look back, ms. Default: 10 minutes. */
  keepMs?: number;
  /** What the streams of all shards may take together while the archive is down, bytes of Redis' memory. Default: 200 MB. */
  mostBytes?: number;
}

const MOST_BYTES = 200_000_000;

/** How many events a shard's stream keeps, roughly, while the archive is down: about 50 MB of short messages. */
export const MOST_EVENTS = 100_000;

const GROUP = 'archive';
const CONSUMER = 'recorder';

/** How long one look at the streams blocks, ms: a connection that hangs is noticed after this and `PATIENCE_MS`. */
const MOST_BLOCK_MS = 5_000;
const PATIENCE_MS = 2_000;
/** On a cluster no command can block on the streams of several nodes: they are looked at this often, ms. */
const LOOK_MS = 200;

export function createEventStream({
  redis,
  keys,
  log,
  keepMs = 600_000,
  mostBytes = MOST_BYTES,
}: EventStreamOptions): EventStream {
  const streams = keys.shards.map((shard) => shard.events);
  // A blocked connection takes no other commands; and it may be silent for longer than a command may take.
  const quietMs = MOST_BLOCK_MS + PATIENCE_MS;
  const bell = redis instanceof Cluster ? null : redis.duplicate({ commandTimeout: quietMs, socketTimeout: quietMs });
  bell?.on('error', () => {}); // the other connection reports the same error

  return {
    async take(most) {
      const perStream = Math.max(1, Math.ceil(most / streams.length));
      try {
        const left = await readAll('0', perStream);
        return left.length > 0 ? left : await readAll('>', perStream);
      } catch (error) {
        if (!isNoGroup(error)) throw unavailable(error);
      }
      await createGroups();
      return readAll('>', perStream).catch((error) => Promise.reject(unavailable(error)));
    },

    async putBack(events) {
      const [stream = ''] = streams;
      await Promise.all(events.map((event) => redis.xadd(stream, '*', 'event', event))).catch((error) =>
        Promise.reject(unavailable(error)),
      );
    },

    async acknowledge(entries) {
      const idsOf = (stream: string) => entries.filter((entry) => entry.stream === stream).map((entry) => entry.id);
      const touched = [...new Set(entries.map((entry) => entry.stream))];
      await Promise.all(touched.map((stream) => redis.xack(stream, GROUP, ...idsOf(stream)))).catch((error) =>
        Promise.reject(unavailable(error)),
      );
    },

    async wait(waitMs, signal) {
      // Not AbortSignal.any: a long-lived signal would keep every one of these (Node 20).
      const over = new AbortController();
      const end = () => over.abort();
      signal.addEventListener('abort', end);
      if (signal.aborted) end();
      const pause = (ms: number) => sleep(ms, undefined, { signal: over.signal }).catch(() => {});
      const news = bell ? blockUntilNews(bell, Math.min(waitMs, MOST_BLOCK_MS)) : lookForNews(waitMs, over.signal);
      await Promise.race([news.catch(() => pause(Math.min(waitMs, LOOK_MS))), pause(waitMs + PATIENCE_MS)]);
      signal.removeEventListener('abort', end);
      end();
    },

    async trim() {
      try {
        const lost = await Promise.all(streams.map(trimOne));
        return { lost: lost.reduce((sum, count) => sum + count, 0), fullness: await keepWithinBytes() };
      } catch (error) {
        throw unavailable(error);
      }
    },

    async waiting() {
      const counts = await Promise.all(
        streams.map(async (stream) => {
          const group = await groupOf(stream);
          return group ? group.pending + (group.lag ?? 0) : redis.xlen(stream);
        }),
      ).catch((error) => Promise.reject(unavailable(error)));
      return counts.reduce((sum, count) => sum + count, 0);
    },

    close() {
      bell?.disconnect();
    },
  };

  async function readAll(from: '0' | '>', perStream: number): Promise<StreamEntry[]> {
    const entries = await Promise.all(streams.map((stream) => readOne(stream, from, perStream)));
    return entries.flat();
  }

  async function readOne(stream: string, from: '0' | '>', count: number): Promise<StreamEntry[]> {
    const reply = await redis.xreadgroup('GROUP', GROUP, CONSUMER, 'COUNT', count, 'STREAMS', stream, from);
    const read = entriesOf(reply, stream);
    const gone = read.filter(({ event }) => event === null).map(({ id }) => id);
    if (gone.length > 0) {
      log.error('Events were pushed out of Redis before they were written to the archive', { count: gone.length });
      await redis.xack(stream, GROUP, ...gone);
    }
    return read.flatMap(({ id, event }) => (event === null ? [] : { name: `${stream} ${id}`, stream, id, event }));
  }

  /** From the very beginning: what happened before the first process with an archive is written down, too. */
  async function createGroups(): Promise<void> {
    await Promise.all(
      streams.map(async (stream) => {
        try {
          await redis.xgroup('CREATE', stream, GROUP, '0', 'MKSTREAM');
        } catch (error) {
          if (!(error instanceof Error && error.message.startsWith('BUSYGROUP'))) throw unavailable(error);
        }
      }),
    );
  }

  async function trimOne(stream: string): Promise<number> {
    const group = await groupOf(stream);
    if (!group) return 0;
    const [pending, oldest] = group.pending > 0 ? await redis.xpending(stream, GROUP) : [0, null];
    const settled = Number(pending) > 0 ? timeOf(oldest) : timeOf(group.lastDelivered);
    await redis.xtrim(
      stream,
      'MINID',
      '~',
      `${Math.max(0, Math.min(settled, timeOf(group.lastDelivered) - keepMs))}-0`,
    );
    const facts = factsOf(await redis.xinfo('STREAM', stream));
    const removed = Number(facts.get('entries-added')) - Number(facts.get('length'));
    const read = group.read ?? removed;
    return Number.isFinite(removed) ? Math.max(0, removed - read) : 0; // Redis 6 does not count
  }

  /** Large messages reach the limit in bytes long before the one in events. @returns see `Trimmed.fullness` */
  async function keepWithinBytes(): Promise<number> {
    const sizes = await Promise.all(
      streams.map(async (stream) => {
        const [length, bytes, group] = await Promise.all([redis.xlen(stream), bytesOf(stream), groupOf(stream)]);
        const waiting = group ? Math.min(length, group.pending + (group.lag ?? 0)) : length;
        return { stream, length, bytes, waiting };
      }),
    );
    const total = sizes.reduce((sum, { bytes }) => sum + bytes, 0);
    if (total > mostBytes) {
      const share = mostBytes / total;
      await Promise.all(sizes.map(({ stream, length }) => redis.xtrim(stream, 'MAXLEN', Math.floor(length * share))));
    }
    const waitingBytes = sizes.reduce(
      (sum, one) => sum + (one.length === 0 ? 0 : (one.bytes * one.waiting) / one.length),
      0,
    );
    return Math.min(1, Math.max(waitingBytes / mostBytes, ...sizes.map(({ waiting }) => waiting / MOST_EVENTS)));
  }

  async function bytesOf(stream: string): Promise<number> {
    return Number((await redis.memory('USAGE', stream)) ?? 0);
  }

  /** Null while there is no group. */
  async function groupOf(stream: string): Promise<Group | null> {
    const groups = await redis.xinfo('GROUPS', stream).catch((error: unknown) => {
      if (error instanceof Error && error.message.includes('no such key')) return [];
      throw error;
    });
    const facts = (Array.isArray(groups) ? groups : []).map(factsOf).find((some) => some.get('name') === GROUP);
    if (!facts) return null;
    const lastDelivered = String(facts.get('last-delivered-id'));
    const lag = countOf(facts.get('lag'));
    return {
      lastDelivered,
      pending: Number(facts.get('pending')),
      read: countOf(facts.get('entries-read')),
      // Redis goes on counting entries that were dropped before anybody took them.
      lag: lag !== null && lag > 0 && (await isLast(stream, lastDelivered)) ? 0 : lag,
    };
  }

  async function isLast(stream: string, id: string): Promise<boolean> {
    const [newest] = await redis.xrevrange(stream, '+', '-', 'COUNT', 1);
    return newest === undefined || newest[0] === id;
  }

  /** Asks from where the group is now, not from the end: what came in since the last `take` rings at once. */
  async function blockUntilNews(connection: NonNullable<typeof bell>, blockMs: number): Promise<void> {
    if (connection.status === 'wait' || connection.status === 'end') await connection.connect();
    const delivered = await Promise.all(streams.map(groupOf));
    const from = delivered.map((group) => group?.lastDelivered ?? '0-0');
    await connection.xread('COUNT', 1, 'BLOCK', blockMs, 'STREAMS', ...streams, ...from);
  }

  async function lookForNews(waitMs: number, signal: AbortSignal): Promise<void> {
    for (let waited = 0; waited < waitMs && !signal.aborted; waited += LOOK_MS) {
      const groups = await Promise.all(streams.map(groupOf));
      if (groups.some((group) => group === null || group.lag === null || group.lag > 0)) return;
      await sleep(LOOK_MS, undefined, { signal });
    }
  }
}

interface Group {
  /** The newest entry that was taken. */
  lastDelivered: string;
  /** How many were taken and not acknowledged. */
  pending: number;
  /** How many were taken since the stream began; null when Redis does not report it. */
  read: number | null;
  /** How many were not taken yet; null when Redis does not report it. */
  lag: number | null;
}

/** `[[stream, [[id, ['event', json]], …]]]`; fields are null when the entry is no longer in the stream. */
function entriesOf(reply: unknown, stream: string): { id: string; event: string | null }[] {
  const [read] = listOf(reply)
    .map(listOf)
    .filter(([name]) => name === stream);
  return listOf(read?.[1]).map((entry) => {
    const [id, fields] = listOf(entry);
    const names = listOf(fields);
    const value = names[names.indexOf('event') + 1];
    return { id: String(id), event: Array.isArray(fields) ? String(value) : null };
  });
}

/** Redis returns facts as `[name, value, name, value …]`. */
function factsOf(reply: unknown): Map<unknown, unknown> {
  const flat = listOf(reply);
  return new Map(flat.flatMap((name, i) => (i % 2 === 0 ? [[name, flat[i + 1]]] : [])));
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function countOf(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}

/** An entry's id begins with the time it was added, unix ms by Redis's clock. */
function timeOf(id: unknown): number {
  return Number(String(id).split('-')[0]);
}

function isNoGroup(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOGROUP');
}
