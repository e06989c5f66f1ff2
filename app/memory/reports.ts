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
  /** The provider's id of a part; null when nothing was reported of it. */
  find(part: Part): Promise<string | null>;
  /** Is this message recorded, which was written past us? A provider brings it again when it did not hear that we have it. */
  hasEcho(sid: string): Promise<boolean>;
  noteEcho(sid: string): Promise<void>;
  /** Were there any reports of late? Else there may be none of what was sent, either. */
  doCome(): Promise<boolean>;
}

export interface ReportsOptions {
  redis: RedisClient;
  keys: Pick<Keys, 'report' | 'reported' | 'echo'>;
  /** One for each provider. */
  channel: string;
}

/** A reply is delivered within minutes, or it becomes a dead letter that may be replayed within days. */
const PART_MS = 3 * 86_400_000;
/** Meta brings what it could not deliver for seven days. */
const ECHO_MS = 8 * 86_400_000;
/** Whoever writes with people gets reports every day; a number that nobody writes to sends nothing. */
const LATELY_MS = 7 * 86_400_000;

export function createReports({ redis, keys, channel }: ReportsOptions): Reports {
  return { note, find, doCome, hasEcho, noteEcho };

  async function note({ replyId, part }: Part, sid: string): Promise<void> {
    const key = keys.report(channel, replyId);
    await ask(
      Promise.all([
        redis.hsetnx(key, String(part), sid),
        redis.pexpire(key, PART_MS),
        redis.set(keys.reported(channel), 1, 'PX', LATELY_MS),
      ]),
    );
  }

  function find({ replyId, part }: Part): Promise<string | null> {
    return ask(redis.hget(keys.report(channel, replyId), String(part)));
  }

  async function hasEcho(sid: string): Promise<boolean> {
    return (await ask(redis.exists(keys.echo(channel, sid)))) === 1;
  }

  async function noteEcho(sid: string): Promise<void> {
    await ask(redis.set(keys.echo(channel, sid), 1, 'PX', ECHO_MS));
  }

  async function doCome(): Promise<boolean> {
    return (await ask(redis.exists(keys.reported(channel)))) === 1;
  }
}

function ask<Answer>(answer: Promise<Answer>): Promise<Answer> {
  return answer.catch((error) => Promise.reject(unavailable(error)));
}
