/** Names that programs give to their messages, so that one that is asked for twice is sent once. */
import { createHash } from 'node:crypto';
import type { ConversationId } from '../message.ts';
import type { Keys } from './keys.ts';
import { type RedisClient, rejectUnavailable } from './redis.ts';

/** What is sent under a name. */
export interface Named {
  conversation: ConversationId;
  /** All that is sent, in any form that is the same for the same message. */
  content: string;
}

export interface Claim {
  /** False: somebody was to send it before, and it may have been sent. */
  isNew: boolean;
  /** Is it the same message to the same contact as before? */
  fits: boolean;
  /** When it was first to be sent, unix ms. */
  at: number;
}

/** Everything rejects with `store.unavailable`. */
export interface Names {
  claim(name: string, named: Named): Promise<Claim>;
  /** It was certainly not sent: the name is free again. */
  release(name: string): Promise<void>;
}

/** A program that repeats a request does so within minutes. */
const KEPT_MS = 24 * 3_600_000;

export interface NamesOptions {
  redis: RedisClient;
  keys: Pick<Keys, 'name'>;
  /** Redis' time, unix ms. */
  now: () => number;
}

export function createNames({ redis, keys, now }: NamesOptions): Names {
  return { claim, release };

  async function claim(name: string, { conversation, content }: Named): Promise<Claim> {
    const at = now();
    const what = createHash('sha256').update(`${conversation} ${content}`).digest('base64url');
    const key = keys.name(name);
    const isNew = (await redis.set(key, `${at} ${what}`, 'PX', KEPT_MS, 'NX').catch(rejectUnavailable)) === 'OK';
    if (isNew) return { isNew, fits: true, at };
    const known = await redis.get(key).catch(rejectUnavailable);
    // It has expired in this moment.
    if (known === null) return claim(name, { conversation, content });
    const [since, before] = known.split(' ');
    return { isNew, fits: before === what, at: Number(since) };
  }

  async function release(name: string): Promise<void> {
    await redis.del(keys.name(name)).catch(rejectUnavailable);
  }
}
