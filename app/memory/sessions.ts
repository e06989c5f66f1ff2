/** Who is signed in to the inbox, for all processes: signing out holds over restarts. */
import type { Keys } from './keys.ts';
import { type RedisClient, rejectUnavailable } from './redis.ts';

/** All reject with `store.unavailable`. Ids are secrets: what is kept here must not be enough to sign in. */
export interface Sessions {
  /** Opens a session for so long, ms. */
  begin(id: string, ms: number): Promise<void>;
  isOpen(id: string): Promise<boolean>;
  end(id: string): Promise<void>;
}

export function createSessions({ redis, keys }: { redis: RedisClient; keys: Keys }): Sessions {
  return { begin, isOpen, end };

  async function begin(id: string, ms: number): Promise<void> {
    await redis.set(keys.session(id), '1', 'PX', Math.max(1, ms)).catch(rejectUnavailable);
  }

  async function isOpen(id: string): Promise<boolean> {
    return (await redis.exists(keys.session(id)).catch(rejectUnavailable)) === 1;
  }

  async function end(id: string): Promise<void> {
    await redis.del(keys.session(id)).catch(rejectUnavailable);
  }
}
