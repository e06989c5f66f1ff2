/** Addresses from which contacts get a copy of their data, until they expire. */
import type { ContactId } from '../message.ts';
import type { Keys } from './keys.ts';
import { type RedisClient, rejectUnavailable } from './redis.ts';

/** All reject with `store.unavailable`. Ids are secrets: what is kept here is a hash of them. */
export interface Exports {
  /** Lets whoever knows the id have a copy for so long, ms. */
  allow(id: string, contact: ContactId, ms: number): Promise<void>;
  /** Whose data the id is for; null when it is not known, or has expired. */
  contactOf(id: string): Promise<ContactId | null>;
}

export function createExports({ redis, keys }: { redis: RedisClient; keys: Keys }): Exports {
  return { allow, contactOf };

  async function allow(id: string, contact: ContactId, ms: number): Promise<void> {
    await redis.set(keys.export(id), contact, 'PX', ms).catch(rejectUnavailable);
  }

  function contactOf(id: string): Promise<ContactId | null> {
    return redis.get(keys.export(id)).catch(rejectUnavailable);
  }
}
