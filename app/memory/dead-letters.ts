/** What was given up, until it is replayed or dropped. */
import { Failure } from '../errors.ts';
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
  /** A page of them, newest first, behind a cursor; `next` is null at the end. */
  list(most: number, cursor?: string): Promise<{ items: DeadLetter[]; next: string | null }>;
  find(id: string): Promise<DeadLetter | null>;
  /** Puts it back to work. 'busy' while a turn is running, a person has taken over, or the contact is blocked or has opted out. */
  replay(id: string): Promise<'replayed' | 'unknown' | 'busy'>;
  /** @returns false when there is no such letter. */
  drop(id: string): Promise<boolean>;
}

export interface DeadLettersOptions {
  redis: RedisClient;
  run: RunScript;
  keys: Keys;
  aliases: Pick<Aliases, 'rootOf'>;
}

/** A dead letter with what is needed to deliver its reply. */
interface Stored extends DeadLetter {
  /** JSON array, '' when there was no reply. */
  parts: string;
  /** When the reply was recorded, unix ms: it may have been sent at any time since. */
  replyAt: number;
  replyId: string;
  replyTo: string;
  /** JSON, '' when it was none. */
  template: string;
}

export function createDeadLetters({ redis, run, keys, aliases }: DeadLettersOptions): DeadLetters {
  return { list, find, replay, drop };

  /** The cursor is the id of the last letter: each shard has its own numbers, and what was written in the same moment is sorted by shard. */
  async function list(most: number, cursor?: string): Promise<{ items: DeadLetter[]; next: string | null }> {
    const last = cursor === undefined ? null : placeOf(cursor);
    if (cursor !== undefined && !last) throw new Failure('request.invalid', 'The cursor belongs to another list.');
    const perShard = await Promise.all(
      keys.shards.map(async (shard, n) => {
        const from = !last ? '+' : n > last.n ? last.entry : `(${last.entry}`;
        const entries = await redis.xrevrange(shard.dead, from, '-', 'COUNT', most + 1);
        return entries.map(([entry, fields]) => ({ n, entry, letter: read(`${n}-${entry}`, fields) }));
      }),
    ).catch((error) => Promise.reject(unavailable(error)));
    const found = perShard.flat().sort((a, b) => compareEntries(b.entry, a.entry) || a.n - b.n);
    const items = found.slice(0, most).map(({ letter }) => letter);
    return { items, next: found.length > most ? (items.at(-1)?.id ?? null) : null };
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
      [key.mailbox, key.reply, key.due, key.dead, key.lease, key.state, key.history],
      [
        entry,
        contact,
        threadOf(conversation),
        conversation,
        letter.parts,
        letter.replyAt,
        letter.replyId,
        letter.replyTo,
        letter.template,
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

  function placeOf(id: string): { n: number; shard: ShardKeys; entry: string } | null {
    const [, shardNumber, entry] = /^(\d{1,9})-(\d{1,16}-\d{1,16})$/.exec(id) ?? [];
    const n = Number(shardNumber);
    const shard = keys.shards[n];
    return shard && entry ? { n, shard, entry } : null;
  }
}

/** Ids of a stream are `<ms>-<number>`. */
function compareEntries(a: string, b: string): number {
  const [aMs = 0, aNumber = 0] = a.split('-').map(Number);
  const [bMs = 0, bNumber = 0] = b.split('-').map(Number);
  return aMs - bMs || aNumber - bNumber;
}

/** A field that is damaged counts as empty: the letter is still shown, with its reason, and can be dropped. */
function listIn<Item>(json: string): Item[] {
  try {
    const list: unknown = JSON.parse(json);
    return Array.isArray(list) ? list : [];
  } catch {
    return [];
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
    reply: listIn<string>(parts).join('\n'),
    parts,
    replyAt: Number(value('replyAt') || value('at')),
    replyId: value('replyId'),
    replyTo: value('replyTo'),
    template: value('template'),
    messages: listIn<InboundMessage>(value('messages')),
  };
}

/** The fields that `bury` writes. */
function fieldsOf(letter: Stored): string[] {
  const { conversation, at, code, reason, replyId, replyTo, parts, replyAt, template, messages } = letter;
  const fields = {
    conversation,
    at,
    code,
    reason,
    replyId,
    replyTo,
    parts,
    replyAt,
    template,
    messages: JSON.stringify(messages),
  };
  return Object.entries(fields).flatMap(([name, value]) => [name, String(value)]);
}
