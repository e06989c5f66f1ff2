/** Everything that is stored of one contact, for a developer to see or delete. */
import type { ContactId } from '../message.ts';
import type { Keys } from './keys.ts';
import { type RedisClient, unavailable } from './redis.ts';

/** One key as it is. */
export interface StoredKey {
  /** What it is: `history`, `state`, … */
  name: string;
  key: string;
  type: string;
  /** Until it expires, ms; null when it does not. */
  ttlMs: number | null;
  /** A list: its entries. A hash: field → value. A sorted set: member → score. JSON inside is parsed. */
  value: unknown;
}

/** Both reject with `store.unavailable`. */
export interface MemoryInspector {
  /** The keys of a contact that exist. */
  memoryOf(contact: ContactId): Promise<{ keys: StoredKey[] }>;
  /** Deletes them, including waiting messages and the lease: a running turn ends without an answer. */
  forget(contact: ContactId): Promise<void>;
}

/** Not of one contact alone. */
const SHARED = new Set(['due', 'events', 'dead', 'processes', 'texts', 'blocks']);
const MOST_ENTRIES = 500;

export function createMemoryInspector({ redis, keys }: { redis: RedisClient; keys: Keys }): MemoryInspector {
  const ownKeys = (contact: ContactId) => Object.entries(keys.of(contact)).filter(([name]) => !SHARED.has(name));
  return {
    async memoryOf(contact) {
      const found = ownKeys(contact).map(([name, key]) => look(redis, name, String(key)));
      const looked = await Promise.all(found).catch((error) => Promise.reject(unavailable(error)));
      return { keys: looked.filter((key) => key !== null) };
    },
    async forget(contact) {
      const { due } = keys.of(contact);
      const names = ownKeys(contact).map(([, key]) => String(key));
      await Promise.all([redis.zrem(due, contact), redis.del(...names)]).catch((error) =>
        Promise.reject(unavailable(error)),
      );
    },
  };
}

async function look(redis: RedisClient, name: string, key: string): Promise<StoredKey | null> {
  const [type, ttl] = await Promise.all([redis.type(key), redis.pttl(key)]);
  if (type === 'none') return null;
  return { name, key, type, ttlMs: ttl < 0 ? null : ttl, value: await contentOf(redis, type, key) };
}

async function contentOf(redis: RedisClient, type: string, key: string): Promise<unknown> {
  switch (type) {
    case 'list':
      return (await redis.lrange(key, -MOST_ENTRIES, -1)).map(unpacked);
    case 'hash':
      return redis.hgetall(key);
    case 'zset': {
      const pairs = await redis.zrange(key, -MOST_ENTRIES, '-1', 'WITHSCORES');
      return Object.fromEntries(pairs.flatMap((member, i) => (i % 2 === 0 ? [[member, Number(pairs[i + 1])]] : [])));
    }
    default:
      return redis.get(key);
  }
}

function unpacked(entry: string): unknown {
  try {
    return JSON.parse(entry);
  } catch {
    return entry;
  }
}
