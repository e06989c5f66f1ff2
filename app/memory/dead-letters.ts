/** What was given up, until somebody replays or drops it. */
import { addressesOf, type ConversationId, type InboundMessage } from '../message.ts';
import type { Keys, ShardKeys } from './keys.ts';
import { type RedisClient, type RunScript, unavailable } from './redis.ts';

/** Work that could not be done: messages without an answer, or a reply that could not be delivered. */
export interface DeadLetter {
  /** Unique among the letters of all shards: `<shard>-<stream id>`. */
  id: string;
  conversation: ConversationId;
  business: string;
  contact: string;
  /** When it was given up, unix ms. */
  at: number;
  /** A code of `errors.ts`. */
  code: string;
  /** What happened, in words. */
  reason: string;
  /** The reply that was not delivered; '' when there was none. */
  reply: string;
  /** When the reply was recorded, unix ms: it may have been sent at any time since. */
  replyAt: number;
  /** The reply's id, see `Reply`. */
  replyId: string;
  messages: InboundMessage[];
}

export interface DeadLetters {
  /** Newest first. */
  list(most: number): Promise<DeadLetter[]>;
  find(id: string): Promise<DeadLetter | null>;
  /** Puts it back to work. 'busy' while the bot or somebody at the desk is answering this person, or they are blocked. */
  replay(id: string): Promise<'replayed' | 'unknown' | 'busy'>;
  /** @returns false when there is no such letter. */
  drop(id: string): Promise<boolean>;
}

export interface DeadLettersOptions {
  redis: RedisClient;
  run: RunScript;
  keys: Keys;
  historyTtlMs: number;
  now: () => number;
}

export function createDeadLetters({ redis, run, keys, historyTtlMs, now }: DeadLettersOptions): DeadLetters {
  return {
    async list(most) {
      const perShard = await Promise.all(
        keys.shards.map(async (shard, n) => {
          const entries = await redis.xrevrange(shard.dead, '+', '-', 'COUNT', most);
          return entries.map(([id, fields]) => read(`${n}-${id}`, fields));
        }),
      ).catch((error) => Promise.reject(unavailable(error)));
      return perShard
        .flat()
        .sort((a, b) => b.at - a.at)
        .slice(0, most);
    },

    find,

    async replay(id) {
      const place = placeOf(id);
      const letter = place && (await find(id));
      if (!letter) return 'unknown';
      const key = keys.of(letter.conversation);
      const result = await run(
        'replay',
        [key.mailbox, key.reply, key.due, key.dead, key.lease, key.state],
        [
          place.entry,
          letter.conversation,
          now(),
          historyTtlMs,
          letter.reply,
          letter.replyAt,
          letter.replyId,
          ...letter.messages.map((message) => JSON.stringify(message)),
        ],
      );
      return result === 1 ? 'replayed' : result === -1 ? 'busy' : 'unknown';
    },

    async drop(id) {
      const place = placeOf(id);
      if (!place) return false;
      return (
        (await redis.xdel(place.shard.dead, place.entry).catch((error) => Promise.reject(unavailable(error)))) === 1
      );
    },
  };

  async function find(id: string): Promise<DeadLetter | null> {
    const place = placeOf(id);
    if (!place) return null;
    const [entry] = await redis
      .xrange(place.shard.dead, place.entry, place.entry)
      .catch((error) => Promise.reject(unavailable(error)));
    return entry ? read(id, entry[1]) : null;
  }

  function placeOf(id: string): { shard: ShardKeys; entry: string } | null {
    const [, shardNumber, entry] = /^(\d+)-(\d+-\d+)$/.exec(id) ?? [];
    const shard = keys.shards[Number(shardNumber)];
    return shard && entry ? { shard, entry } : null;
  }
}

function read(id: string, fields: string[]): DeadLetter {
  const values = new Map<string, string>();
  for (let i = 0; i < fields.length; i += 2) values.set(fields[i] ?? '', fields[i + 1] ?? '');
  const value = (name: string): string => values.get(name) ?? '';
  const conversation = value('conversation');
  return {
    id,
    conversation,
    ...addressesOf(conversation),
    at: Number(value('at')),
    code: value('code'),
    reason: value('reason'),
    reply: value('reply'),
    replyAt: Number(value('replyAt') || value('at')),
    replyId: value('replyId'),
    // Our own bury is the only writer of this stream.
    messages: JSON.parse(value('messages')) as InboundMessage[],
  };
}
