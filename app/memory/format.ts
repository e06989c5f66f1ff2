/** The version of what is stored in Redis: a store of another version is recognised before anything is read or written. */
import { Cluster } from 'ioredis';
import { Failure } from '../errors.ts';
import type { Keys } from './keys.ts';
import { type RedisClient, unavailable } from './redis.ts';

/**
 * Raised with every change of a key or of what is in it; a migration from each older number comes with the change.
 * 1 = version 0.2.0.
 */
export const FORMAT = 1;

export interface Format {
  /**
   * Resolves when the store has this format, or is new: then the format is noted.
   * Rejects with `store.format` for a store of another format or with another number of shards, in which nothing was changed, and for the
   * simulator in a store where a provider was used: it would take what waits for real people. With `store.unavailable` when Redis cannot be
   * asked.
   */
  check(provider: 'real' | 'simulator'): Promise<void>;
  /** Resolves when Redis takes writes: a replica or a Redis whose disk is full still answers to everything else. Changes nothing. */
  canWrite(): Promise<void>;
}

/** Version 0.1 noted no format; its keys had business and contact in them. */
const OLD_KEY = /:c:[^:]*:[^:]+:(state|history|seen|mailbox)$/;

export function createFormat({ redis, keys }: { redis: RedisClient; keys: Keys }): Format {
  return { check, canWrite };

  async function check(provider: 'real' | 'simulator'): Promise<void> {
    const shards = String(keys.shards.length);
    const found = await readNote();
    if (!found.format) {
      if (await hasOldKeys()) throw new Failure('store.format', OLD);
      await ask(redis.hsetnx(keys.format, 'format', FORMAT));
      await ask(redis.hsetnx(keys.format, 'shards', shards));
      return check(provider);
    }
    if (Number(found.format) !== FORMAT) throw new Failure('store.format', otherFormat(found.format));
    if (found.shards === undefined) await ask(redis.hsetnx(keys.format, 'shards', shards));
    else if (found.shards !== shards) throw new Failure('store.format', otherShards(found.shards));
    if (provider === 'real') await ask(redis.hset(keys.format, 'provider', 'real'));
    else if (found.provider === 'real') throw new Failure('store.format', REAL_PEOPLE);
  }

  async function canWrite(): Promise<void> {
    await ask(redis.persist(keys.format)); // it never expires
  }

  function readNote(): Promise<Record<string, string>> {
    return ask(redis.hgetall(keys.format));
  }

  /** All keys are looked at, but only in a store without a note: it is new, lost its data, or is of version 0.1. */
  async function hasOldKeys(): Promise<boolean> {
    const nodes = redis instanceof Cluster ? redis.nodes('master') : [redis];
    for (const node of nodes) {
      let cursor = '0';
      do {
        const [next, names] = await ask(node.scan(cursor, 'MATCH', 'recado:{*}:c:*:*:*', 'COUNT', 1_000));
        if (names.some((name) => OLD_KEY.test(name))) return true;
        cursor = next;
      } while (cursor !== '0');
    }
    return false;
  }
}

function ask<Answer>(answer: Promise<Answer>): Promise<Answer> {
  return answer.catch((error) => Promise.reject(unavailable(error)));
}

const WAYS =
  'Nothing was changed. Use another Redis or another database number, or delete the keys that begin with recado: after a backup.';

const OLD = `This Redis holds data of Recado 0.1, which this version cannot read. ${WAYS}`;

const REAL_PEOPLE =
  'This Redis holds conversations of real people, but no provider is configured, so the simulator would take their place. Is the .env file missing? Give TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN; or try the simulator with another Redis, database number or DATA_DIR.';

function otherFormat(format: string): string {
  return `This Redis holds data of a newer Recado (format ${format}; this version reads format ${FORMAT}). Start that version again. ${WAYS}`;
}

function otherShards(shards: string): string {
  return `The data in this Redis are spread over ${shards} shards. Set REDIS_SHARDS=${shards}; another number would hide them.`;
}
