/** Adds events to the stream that no script adds. */
import type { ContactId } from '../message.ts';
import type { Keys } from './keys.ts';
import { type RedisClient, unavailable } from './redis.ts';
import { MOST_EVENTS } from './stream.ts';

/** Appends an event (JSON) to the stream of a contact. Rejects with `store.unavailable`. */
export type Publish = (contact: ContactId, event: string) => Promise<void>;

export function createPublish({ redis, keys }: { redis: RedisClient; keys: Keys }): Publish {
  return async function publish(contact, event) {
    const { events } = keys.shardOf(contact);
    await redis
      .xadd(events, 'MAXLEN', '~', MOST_EVENTS, '*', 'event', event)
      .catch((error) => Promise.reject(unavailable(error)));
  };
}
