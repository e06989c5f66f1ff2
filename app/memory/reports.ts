/**
 * What providers report of messages by the name that we gave them: how it is found out whether a message was sent when the provider
 * has no list to look into.
 */
import type { Keys } from './keys.ts';
import { type RedisClient, unavailable } from './redis.ts';

/** A part of a reply. 0 is the first. */
interface Part {
  replyId: string;
  part: number;
}

/** Everything rejects with `store.unavailable`. */
export interface Reports {
  /** The provider knows this part by that id. */
  note(part: Part, sid: string): Promise<void>;
  /** The part is about to be sent, at `at` (unix ms). */
  trying(part: Part, at: number): Promise<void>;
  find(part: Part): Promise<Traces>;
  /** Is this message of the Business app recorded? A provider brings it again when it did not hear that we have it. */
  hasEcho(sid: string): Promise<boolean>;
  noteEcho(sid: string): Promise<void>;
  /** When the provider last reported anything, unix ms; 0 = not for days. */
  lastAt(): Promise<number>;
}

/** What is known of a part. */
export interface Traces {
  /** The provider's id, when it has reported the part; else null. */
  sid: string | null;
  /** When somebody last tried to send it, unix ms; 0 = nobody did. */
  triedAt: number;
}

export interface ReportsOptions {
  redis: RedisClient;
  keys: Pick<Keys, 'report' | 'reported' | 'echo'>;
  /** One for each provider. */
  channel: string;
  /** Redis' time, unix ms. */
  now: () => number;
}

/** A reply is delivered within minutes, or it becomes a dead letter that may be replayed weeks later. */
const PART_MS = 30 * 86_400_000;
/** Meta brings what it could not deliver for seven days. */
const ECHO_MS = 8 * 86_400_000;
/** A number in use gets reports every day. */
const LATELY_MS = 7 * 86_400_000;

export function createReports({ redis, keys, channel, now }: ReportsOptions): Reports {
  return { note, trying, find, lastAt, hasEcho, noteEcho };

  async function note({ replyId, part }: Part, sid: string): Promise<void> {
    const key = keys.report(channel, replyId);
    await ask(
      Promise.all([
        redis.hsetnx(key, String(part), sid),
        redis.pexpire(key, PART_MS),
        redis.set(keys.reported(channel), now(), 'PX', LATELY_MS),
      ]),
    );
  }

  async function trying({ replyId, part }: Part, at: number): Promise<void> {
    const key = keys.report(channel, replyId);
    await ask(Promise.all([redis.hset(key, `tried${part}`, at), redis.pexpire(key, PART_MS)]));
  }

  async function find({ replyId, part }: Part): Promise<Traces> {
    const [sid, tried] = await ask(redis.hmget(keys.report(channel, replyId), String(part), `tried${part}`));
    return { sid: sid ?? null, triedAt: Number(tried ?? 0) };
  }

  async function hasEcho(sid: string): Promise<boolean> {
    return (await ask(redis.exists(keys.echo(channel, sid)))) === 1;
  }

  async function noteEcho(sid: string): Promise<void> {
    await ask(redis.set(keys.echo(channel, sid), 1, 'PX', ECHO_MS));
  }

  async function lastAt(): Promise<number> {
    return Number(await ask(redis.get(keys.reported(channel))));
  }
}

function ask<Answer>(answer: Promise<Answer>): Promise<Answer> {
  return answer.catch((error) => Promise.reject(unavailable(error)));
}
