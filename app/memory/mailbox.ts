/**
 * What waits, who is at it, and what was answered: one method per script, one round trip each.
 * Everything rejects with `store.unavailable` when Redis cannot be asked.
 */
import type { ConversationId, InboundMessage, Line, Reply, Via } from '../message.ts';
import { conversationId } from '../message.ts';
import { type Scrubbed, scrub } from '../privacy/scrub.ts';
import { MINUTE_MS } from './allowance.ts';
import type { Keys, ShardKeys } from './keys.ts';
import { type RedisClient, type RunScript, unavailable } from './redis.ts';

/** What a conversation is remembered by, as a turn needs it. */
export interface Memory {
  /** '' when there is none. */
  summary: Scrubbed;
  /** Of the summary; a roll compares it. */
  version: string;
  profileName: Scrubbed | null;
  /** Verbatim, oldest first. */
  history: Line[];
}

/** A conversation in the hands of one turn: nobody else answers it until the turn finishes or its lease runs out. */
export interface Held extends Memory {
  conversation: ConversationId;
  turn: string;
  /** Oldest first, at most `MOST_MESSAGES`; none when there is only a reply to bring to its end. */
  messages: InboundMessage[];
  /** A reply whose sender is gone: it may have been sent, or not. */
  pending: Reply | null;
  /** How often somebody took over what waits, this time included; 0 at the first try. */
  attempts: number;
  /** How many turns in a row died over what waits. */
  crashes: number;
  /** A person at the desk answers until then, unix ms; 0 = the model does. */
  takeoverUntil: number;
  /** Nobody answers this contact. */
  blocked: boolean;
}

export type Accepted =
  | { kind: 'known' }
  | { kind: 'waiting' }
  /** `written`: how many messages the contact has written in this minute. */
  | { kind: 'turn'; held: Held; written: number };

export type Committed =
  | { kind: 'lost' }
  /** Somebody at the desk took over, or blocked the contact, while the reply was made: nothing was changed. */
  | { kind: 'quiet'; why: 'blocked' | 'takeover' }
  | { kind: 'more'; messages: InboundMessage[] }
  | { kind: 'committed'; roll: boolean };

export type Claimed = { kind: 'busy' } | { kind: 'idle' } | { kind: 'turn'; held: Held };

export type Finished = { kind: 'lost' } | { kind: 'done' } | { kind: 'turn'; held: Held };

/** What a commit makes final. */
export interface Answer {
  turn: string;
  /** How many of the waiting messages, from the oldest, it answers. */
  taken: number;
  /** May the turn still take in what came meanwhile? */
  mayTakeMore: boolean;
  lines: Line[];
  /** What to send; null when there is nothing to say. */
  reply: { text: Scrubbed; via: Via } | null;
  /** For the event stream, JSON. */
  event: string;
}

export interface Mailbox {
  /** Stores a message; gives the conversation to `turn` when nobody is at it. `event` is JSON for the event stream. */
  accept(message: InboundMessage, turn: string, event: string): Promise<Accepted>;
  commit(conversation: ConversationId, answer: Answer): Promise<Committed>;
  /** Takes over a conversation that is due. */
  claim(conversation: ConversationId, turn: string): Promise<Claimed>;
  /** What waits behind the `from` oldest messages, as far as the same turn can answer it. */
  waiting(conversation: ConversationId, from: number): Promise<InboundMessage[]>;
  /** Conversations somebody should look at by now, of all shards, the longest due first; at most `most` of each shard. */
  due(most: number): Promise<ConversationId[]>;
  /** Of all shards: conversations with work, those of them that are due with nobody at them, and dead letters. */
  backlog(): Promise<{ unfinished: number; due: number; dead: number }>;
  /** Ends `turn`, whose reply `replyId` was sent; what came in meanwhile goes to `nextTurn`. */
  finish(
    conversation: ConversationId,
    turn: string,
    replyId: string,
    nextTurn: string,
    event: string,
  ): Promise<Finished>;
  /** Keeps the lease of `turn`; false when it is somebody else's by now. */
  extend(conversation: ConversationId, turn: string): Promise<boolean>;
  /** Gives the conversation back unanswered, to be looked at again after `retryMs`. */
  release(conversation: ConversationId, turn: string, retryMs: number): Promise<void>;
  /** Gives up the reply and the `taken` oldest messages of the conversation: a dead letter. False when the lease is lost. */
  bury(
    conversation: ConversationId,
    turn: string,
    taken: number,
    why: { code: string; reason: string },
    event: string,
  ): Promise<boolean>;
}

export interface MailboxOptions {
  redis: RedisClient;
  run: RunScript;
  keys: Keys;
  leaseMs: number;
  /** Idle time after which a conversation's memory is forgotten. */
  historyTtlMs: number;
  /** Tokens of verbatim history at which it is rolled into the summary. */
  historyTokens: number;
  now: () => number;
}

/** A provider repeats a webhook for hours at most; Meta for 7 days (webhooks overview). */
const SEEN_MS = 8 * 86_400_000;

/** How many events a shard's stream keeps, roughly, while nobody reads it: about 50 MB. */
const MOST_EVENTS = 100_000;

/**
 * How many messages one turn answers. Who writes more meanwhile gets further turns, and each of those is held against the
 * limit of a minute: a flood never becomes one endless prompt.
 */
export const MOST_MESSAGES = 20;

/** A prompt never needs more lines than this; it bounds what a turn loads when rolls keep failing. */
const MOST_LINES = 500;

/** How many dead letters a shard keeps, roughly. */
const MOST_DEAD = 10_000;

export function createMailbox({
  redis,
  run,
  keys,
  leaseMs,
  historyTtlMs,
  historyTokens,
  now,
}: MailboxOptions): Mailbox {
  return {
    async accept(message, turn, event) {
      const id = conversationId(message);
      const key = keys.of(id);
      const result = await run(
        'accept',
        [key.seen, key.mailbox, key.lease, key.state, key.history, key.reply, key.due, key.events, key.rate],
        [
          now(),
          message.id,
          JSON.stringify(message),
          turn,
          leaseMs,
          SEEN_MS,
          historyTtlMs,
          event,
          MOST_EVENTS,
          id,
          message.profileName ?? '',
          MOST_LINES,
          MOST_MESSAGES,
          MINUTE_MS,
        ],
      );
      const [kind, ...rest] = tuple(result);
      if (kind === 'turn') return { kind, held: readHeld(id, turn, rest), written: Number(rest[4]) };
      return { kind: kind === 'waiting' ? 'waiting' : 'known' };
    },

    async commit(conversation, { turn, taken, mayTakeMore, lines, reply, event }) {
      const key = keys.of(conversation);
      const result = await run(
        'commit',
        [key.lease, key.mailbox, key.history, key.state, key.reply, key.due, key.events],
        [
          now(),
          turn,
          taken,
          mayTakeMore ? MOST_MESSAGES : 0,
          leaseMs,
          historyTtlMs,
          conversation,
          lines.reduce((sum, line) => sum + line.tokens, 0),
          historyTokens,
          event,
          MOST_EVENTS,
          reply?.text ?? '',
          reply?.via ?? '',
          ...lines.map((line) => JSON.stringify(line)),
        ],
      );
      const [kind, detail] = tuple(result);
      if (kind === 'committed') return { kind, roll: detail === 1 };
      if (kind === 'quiet') return { kind, why: detail === 'blocked' ? 'blocked' : 'takeover' };
      if (kind === 'more') return { kind, messages: readMessages(detail) };
      return { kind: 'lost' };
    },

    async claim(conversation, turn) {
      const key = keys.of(conversation);
      const result = await run(
        'claim',
        [key.lease, key.mailbox, key.state, key.history, key.reply, key.due],
        [now(), turn, leaseMs, conversation, MOST_LINES, MOST_MESSAGES],
      );
      const [kind, ...rest] = tuple(result);
      if (kind === 'turn') return { kind, held: readHeld(conversation, turn, rest) };
      return { kind: kind === 'busy' ? 'busy' : 'idle' };
    },

    async waiting(conversation, from) {
      const entries = redis.lrange(keys.of(conversation).mailbox, from, MOST_MESSAGES - 1);
      return readMessages(await entries.catch((error) => Promise.reject(unavailable(error))));
    },

    async due(most) {
      const shards = keys.shards.map((shard) => redis.zrangebyscore(shard.due, '-inf', now(), 'LIMIT', 0, most));
      const found = await Promise.all(shards).catch((error) => Promise.reject(unavailable(error)));
      return found.flat();
    },

    async backlog() {
      const total = async (count: (shard: ShardKeys) => Promise<number>): Promise<number> => {
        const counts = await Promise.all(keys.shards.map(count));
        return counts.reduce((sum, one) => sum + one, 0);
      };
      const [unfinished, due, dead] = await Promise.all([
        total((shard) => redis.zcard(shard.due)),
        total((shard) => redis.zcount(shard.due, '-inf', now())),
        total((shard) => redis.xlen(shard.dead)),
      ]).catch((error) => Promise.reject(unavailable(error)));
      return { unfinished, due, dead };
    },

    async finish(conversation, turn, replyId, nextTurn, event) {
      const key = keys.of(conversation);
      const result = await run(
        'finish',
        [key.lease, key.reply, key.mailbox, key.state, key.history, key.due, key.events],
        [now(), turn, nextTurn, leaseMs, event, MOST_EVENTS, conversation, MOST_LINES, replyId, MOST_MESSAGES],
      );
      const [kind, ...rest] = tuple(result);
      if (kind === 'turn') return { kind, held: readHeld(conversation, nextTurn, rest) };
      return { kind: kind === 'done' ? 'done' : 'lost' };
    },

    async extend(conversation, turn) {
      const key = keys.of(conversation);
      return (await run('extend', [key.lease, key.due], [now(), turn, leaseMs, conversation])) === 1;
    },

    async release(conversation, turn, retryMs) {
      const key = keys.of(conversation);
      await run('release', [key.lease, key.due, key.state], [turn, now() + retryMs, conversation]);
    },

    async bury(conversation, turn, taken, { code, reason }, event) {
      const key = keys.of(conversation);
      const result = await run(
        'bury',
        [key.lease, key.mailbox, key.reply, key.state, key.due, key.dead, key.events],
        [turn, conversation, now(), code, reason, event, MOST_EVENTS, MOST_DEAD, taken],
      );
      return tuple(result)[0] === 'buried';
    },
  };
}

function readHeld(conversation: ConversationId, turn: string, [state, history, mailbox, reply]: unknown[]): Held {
  const [summary, version, profileName, attempts, takeover, blocked, crashes] = tuple(state);
  return {
    conversation,
    turn,
    // A border: what was stored is scrubbed again when it is loaded.
    summary: scrub(typeof summary === 'string' ? summary : ''),
    version: typeof version === 'string' ? version : '0',
    profileName: typeof profileName === 'string' ? scrub(profileName) : null,
    history: readLines(String(history)),
    messages: readMessages(mailbox),
    pending: readReply(reply),
    attempts: Number(attempts ?? 0),
    crashes: Math.max(0, Number(crashes ?? 0)),
    takeoverUntil: Number(takeover ?? 0),
    blocked: blocked === '1',
  };
}

function readReply(fields: unknown): Reply | null {
  const [id, text, via, at] = tuple(fields);
  if (typeof id !== 'string' || typeof text !== 'string') return null;
  return { id, text: scrub(text), via: via === 'twiml' ? 'twiml' : 'rest', at: Number(at) };
}

/**
 * Lines as `commit` stored them, scrubbed again as they are loaded.
 * @param json an array: one long text is read quicker than fifty short ones
 */
export function readLines(json: string): Line[] {
  // Our own commit is the only writer of this list.
  const lines = JSON.parse(json) as Line[];
  return lines.map((line) => ({ ...line, text: scrub(line.text) }));
}

function readMessages(entries: unknown): InboundMessage[] {
  // Our own accept is the only writer of this list.
  return tuple(entries).map((entry) => JSON.parse(String(entry)) as InboundMessage);
}

function tuple(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
