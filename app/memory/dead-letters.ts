/** What was given up, until it is replayed or dropped. */
import { type ConversationId, conversationId, conversationOf, type InboundMessage } from '../message.ts';
import type { Aliases } from './aliases.ts';
import { type Keys, type ShardKeys, threadOf } from './keys.ts';
import { type RedisClient, type RunScript, unavailable } from './redis.ts';

/** Work that could not be done: messages without an answer, or a reply that could not be delivered. */
export interface DeadLetter {
  /** Unique among the letters of all shards: `<shard>-<stream id>`. */
  id: string;
  conversation: ConversationId;
  /** When it was given up, unix ms. */
  at: number;
  /** A code of `errors.ts`. */
  code: string;
  /** What happened, one sentence. */
  reason: string;
  /** The reply that was not delivered, as it would have been sent; '' when there was none. */
  reply: string;
  messages: InboundMessage[];
}

export interface DeadLetters {
  /** Newest first. */
  list(most: number): Promise<DeadLetter[]>;
  find(id: string): Promise<DeadLetter | null>;
  /** Puts it back to work. 'busy' while a turn is running, a person has taken over, or the contact is blocked. */
  replay(id: string): Promise<'replayed' | 'unknown' | 'busy'>;
  /** @returns false when there is no such letter. */
  drop(id: string): Promise<boolean>;
}

export interface DeadLettersOptions {
  redis: RedisClient;
  run: RunScript;
  keys: Keys;
  aliases: Pick<Aliases, 'rootOf'>;
  historyTtlMs: number;
  now: () => number;
}

/** A dead letter with what is needed to deliver its reply. */
interface Stored extends DeadLetter {
  /** JSON array, '' when there was no reply. */
  parts: string;
  /** When the reply was recorded, unix ms: it may have been sent at any time since. */
  replyAt: number;
  replyId: string;
  replyTo: string;
}

export function createDeadLetters({ redis, run, keys, aliases, historyTtlMs, now }: DeadLettersOptions): DeadLetters {
  return { list, find, replay, drop };

  async function list(most: number): Promise<DeadLetter[]> {
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
  }

  async function find(id: string): Promise<Stored | null> {
    const place = placeOf(id);
    if (!place) return null;
    const [entry] = await redis
      .xrange(place.shard.dead, place.entry, place.entry)
      .catch((error) => Promise.reject(unavailable(error)));
    return entry ? read(id, entry[1]) : null;
  }

  async function replay(id: string): Promise<'replayed' | 'unknown' | 'busy'> {
    const place = placeOf(id);
    const letter = place && (await find(id));
    if (!letter) return 'unknown';
    const named = conversationOf(letter.conversation);
    const contact = await aliases.rootOf(named.contact);
    // The letter is on the shard of the id that its contact had then.
    const key = keys.of(contact);
    if (key.dead !== place.shard.dead) return moveAndReplay(letter, contact, place);
    return replayHere(letter, contact, place.entry);
  }

  async function replayHere(letter: Stored, contact: string, entry: string): Promise<'replayed' | 'unknown' | 'busy'> {
    const key = keys.of(contact);
    const conversation = conversationId({ ...conversationOf(letter.conversation), contact });
    const result = await run(
      'replay',
      [key.mailbox, key.reply, key.due, key.dead, key.lease, key.state],
      [
        entry,
        contact,
        now(),
        historyTtlMs,
        threadOf(conversation),
        conversation,
        letter.parts,
        letter.replyAt,
        letter.replyId,
        letter.replyTo,
        ...letter.messages.map((message) => JSON.stringify(message)),
      ],
    );
    return result === 1 ? 'replayed' : result === -1 ? 'busy' : 'unknown';
  }

  /** Copies the letter to the shard its contact belongs to now, then replays it there and drops the original. */
  async function moveAndReplay(
    letter: Stored,
    contact: string,
    place: { shard: ShardKeys; entry: string },
  ): Promise<'replayed' | 'unknown' | 'busy'> {
    const { dead } = keys.of(contact);
    const entry = await redis.xadd(dead, '*', ...fieldsOf(letter)).catch((error) => Promise.reject(unavailable(error)));
    const outcome = await replayHere(letter, contact, String(entry));
    const done =
      outcome === 'replayed' ? { key: place.shard.dead, entry: place.entry } : { key: dead, entry: String(entry) };
    await redis.xdel(done.key, done.entry).catch((error) => Promise.reject(unavailable(error)));
    return outcome;
  }

  async function drop(id: string): Promise<boolean> {
    const place = placeOf(id);
    if (!place) return false;
    const dropped = await redis
      .xdel(place.shard.dead, place.entry)
      .catch((error) => Promise.reject(unavailable(error)));
    return dropped === 1;
  }

  function placeOf(id: string): { shard: ShardKeys; entry: string } | null {
    const [, shardNumber, entry] = /^(\d+)-(\d+-\d+)$/.exec(id) ?? [];
    const shard = keys.shards[Number(shardNumber)];
    return shard && entry ? { shard, entry } : null;
  }
}

function read(id: string, fields: string[]): Stored {
  const values = new Map<string, string>();
  for (let i = 0; i < fields.length; i += 2) values.set(fields[i] ?? '', fields[i + 1] ?? '');
  const value = (name: string): string => values.get(name) ?? '';
  const parts = value('parts');
  return {
    id,
    conversation: value('conversation'),
    at: Number(value('at')),
    code: value('code'),
    reason: value('reason'),
    // Only `bury` and `moveAndReplay` write this stream.
    reply: parts === '' ? '' : (JSON.parse(parts) as string[]).join('\n'),
    parts,
    replyAt: Number(value('replyAt') || value('at')),
    replyId: value('replyId'),
    replyTo: value('replyTo'),
    messages: JSON.parse(value('messages')) as InboundMessage[],
  };
}

/** The fields that `bury` writes. */
function fieldsOf(letter: Stored): string[] {
  const { conversation, at, code, reason, replyId, replyTo, parts, replyAt, messages } = letter;
  const fields = {
    conversation,
    at,
    code,
    reason,
    replyId,
    replyTo,
    parts,
    replyAt,
    messages: JSON.stringify(messages),
  };
  return Object.entries(fields).flatMap(([name, value]) => [name, String(value)]);
}
