/**
 * Changes for the open pages of the inbox, from all processes: a short stream of texts. A reader that was disconnected continues where
 * it stopped. Nothing else depends on it.
 */
import type { Keys } from './keys.ts';
import { type RedisClient, unavailable } from './redis.ts';

/** Everything rejects with `store.unavailable`. */
export interface News {
  publish(texts: readonly string[]): Promise<void>;
  /** The id of the latest text; `0-0` when there is none. */
  latest(): Promise<string>;
  /** What came after the text with this id, oldest first. Null when it is not known any more, so that something may be missing. */
  after(id: string): Promise<{ id: string; text: string }[] | null>;
}

/** About an hour of a busy desk; some 100 KB. */
const MOST_TEXTS = 1_000;
const BEGINNING = '0-0';

export function createNews({ redis, keys }: { redis: RedisClient; keys: Pick<Keys, 'news'> }): News {
  const key = keys.news;
  return {
    async publish(texts) {
      const added = texts.map((text) => redis.xadd(key, 'MAXLEN', '~', MOST_TEXTS, '*', 'text', text));
      await Promise.all(added).catch((error) => Promise.reject(unavailable(error)));
    },

    async latest() {
      const [entry] = await redis
        .xrevrange(key, '+', '-', 'COUNT', 1)
        .catch((error) => Promise.reject(unavailable(error)));
      return entry?.[0] ?? BEGINNING;
    },

    async after(id) {
      const from = id === BEGINNING ? '-' : id;
      const entries = await redis.xrange(key, from, '+').catch((error) => Promise.reject(unavailable(error)));
      const news = entries.map(([entryId, fields]) => ({ id: entryId, text: fields[1] ?? '' }));
      if (id === BEGINNING) return news.length < MOST_TEXTS ? news : null;
      return news[0]?.id === id ? news.slice(1) : null;
    },
  };
}
