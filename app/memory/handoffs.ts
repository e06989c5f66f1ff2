/** Conversations that wait for a person: whom to tell of them, and when nobody has come in time. */
import { type ConversationId, conversationId, conversationOf, type Line } from '../message.ts';
import type { Scrubbed } from '../privacy/scrub.ts';
import type { Aliases } from './aliases.ts';
import { type Keys, threadOf } from './keys.ts';
import { type RedisClient, type RunScript, rejectUnavailable } from './redis.ts';
import { MOST_EVENTS } from './stream.ts';

/** What the bot says when it answers again. */
export interface Said {
  line: Line;
  parts: readonly Scrubbed[];
  /** For the event stream, JSON, each: when it is said (its `reply.to` is ''), and when it cannot be. */
  events: { said: string; silent: string };
  /** So long after their last message a contact may be written to, ms. */
  windowMs: number;
}

/** Everything rejects with `store.unavailable`. */
export interface Handoffs {
  /** Those that are to be looked after now, of all shards; nobody else gets them for `TAKEN_MS`. */
  take(): Promise<ConversationId[]>;
  /** Why it waits (JSON, as `commit` was given it); null when it does not, or the team was told. */
  newsOf(conversation: ConversationId): Promise<string | null>;
  /** The team was told. */
  told(conversation: ConversationId): Promise<void>;
  /**
   * Lets the bot answer again when the time is over and nobody has come; it says so when it may write.
   * @returns whether it answers again; when it does not, the conversation is looked after again later, or it does not wait any more
   */
  over(conversation: ConversationId, said: Said): Promise<boolean>;
}

export interface HandoffsOptions {
  redis: RedisClient;
  run: RunScript;
  keys: Keys;
  aliases: Pick<Aliases, 'rootOf'>;
}

const MOST_AT_ONCE = 50;
/** Longer than telling the team takes, all tries together. */
const TAKEN_MS = 120_000;
/** When a turn is running. */
const AGAIN_MS = 5_000;

export function createHandoffs({ redis, run, keys, aliases }: HandoffsOptions): Handoffs {
  return { take, newsOf, told, over };

  async function take(): Promise<ConversationId[]> {
    const found = await Promise.all(
      keys.shards.map((shard) => run('waiting', [shard.handoffs], [MOST_AT_ONCE, TAKEN_MS])),
    );
    return found.flatMap((some) => (Array.isArray(some) ? some.map(String) : []));
  }

  async function newsOf(waiting: ConversationId): Promise<string | null> {
    const { contact, thread } = await current(waiting);
    const fields = [`handoff@${thread}`, `told@${thread}`, `why@${thread}`];
    const [until, toldOf, why] = await redis.hmget(keys.of(contact).state, ...fields).catch(rejectUnavailable);
    return until && until !== toldOf ? (why ?? null) : null;
  }

  async function told(waiting: ConversationId): Promise<void> {
    const { contact, thread } = await current(waiting);
    const { state } = keys.of(contact);
    const until = await redis.hget(state, `handoff@${thread}`).catch(rejectUnavailable);
    if (until) await redis.hset(state, `told@${thread}`, until).catch(rejectUnavailable);
  }

  async function over(waiting: ConversationId, { line, parts, events, windowMs }: Said): Promise<boolean> {
    const { contact, thread, conversation } = await current(waiting);
    const key = keys.of(contact);
    const { handoffs } = keys.of(conversationOf(waiting).contact);
    // An alias may be on another shard than its contact: then this one is left out there, and belongs to that one.
    if (handoffs !== key.handoffs) {
      await redis.zadd(key.handoffs, 0, conversation).catch(rejectUnavailable);
      await redis.zrem(handoffs, waiting).catch(rejectUnavailable);
      return false;
    }
    const outcome = await run(
      'over',
      [key.handoffs, key.state, key.lease, key.reply, key.mailbox, key.history, key.due, key.events],
      [
        waiting,
        contact,
        thread,
        conversation,
        windowMs,
        AGAIN_MS,
        JSON.stringify(line),
        line.tokens,
        JSON.stringify(parts),
        line.id,
        events.said,
        events.silent,
        MOST_EVENTS,
      ],
    );
    return outcome === 'said' || outcome === 'silent';
  }

  /** The same conversation, should its contact have become an alias of another one. */
  async function current(waiting: ConversationId) {
    const named = conversationOf(waiting);
    const contact = await aliases.rootOf(named.contact);
    const conversation = conversationId({ ...named, contact });
    return { contact, conversation, thread: threadOf(conversation) };
  }
}
