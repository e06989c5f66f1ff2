/**
 * Who owns a thread, where a provider shares one number between several responders. It never says who does, only when that changes, and
 * its events come late, twice and in any order: so what is known is one number that only grows, a mark.
 */
import { type ConversationId, conversationId, conversationOf, type Line, type Route } from '../message.ts';
import type { Aliases } from './aliases.ts';
import { type Keys, threadOf } from './keys.ts';
import { type RedisClient, type RunScript, rejectUnavailable } from './redis.ts';
import { MOST_EVENTS } from './stream.ts';

/** What happened in a thread beside the messages that the contact wrote to us. */
export interface Happened {
  /** The same for every delivery of it; null when it is told once. */
  id: string | null;
  /** Who owns the thread; null when it does not say. */
  mark: number | null;
  /** What the bot remembers of it; null = nothing. */
  line: Line | null;
  /** For the event stream, JSON; null = none. */
  event: string | null;
}

/** Everything rejects with `store.unavailable`. */
export interface Threads {
  /** Is anything remembered of the contact of this conversation, beside who owns a thread of theirs? */
  knows(conversation: ConversationId): Promise<boolean>;
  /** We did something that decides who owns the thread from now on. */
  own(conversation: ConversationId, owner: Route['owner']): Promise<void>;
  /** Keeps what happened, once, all of it in one step. @returns false when it was kept before */
  keep(conversation: ConversationId, happened: Happened): Promise<boolean>;
}

export interface ThreadsOptions {
  redis: RedisClient;
  run: RunScript;
  keys: Keys;
  aliases: Pick<Aliases, 'rootOf'>;
  historyTtlMs: number;
  /** Redis' time, unix ms. */
  now: () => number;
}

/** Meta brings what it could not deliver for seven days. */
const SEEN_MS = 8 * 86_400_000;

/**
 * The second of the event first, as providers' stamps have no more. In the same second a word about the ownership itself counts more than
 * the way that a message came, and of two like these the one that keeps us silent.
 * @param decides it says who owns the thread from then on
 */
export function markOf({ owner, at }: Route, decides = false): number {
  return Math.floor(at / 1_000) * 4 + (decides ? 2 : 0) + (owner === 'other' ? 1 : 0);
}

/** @param mark as it is stored; none when nothing is known: then we own it */
export function isOther(mark: string | null | undefined): boolean {
  return Number(mark ?? 0) % 2 === 1;
}

export function createThreads({ redis, run, keys, aliases, historyTtlMs, now }: ThreadsOptions): Threads {
  return { knows, own, keep };

  async function knows(asked: ConversationId): Promise<boolean> {
    const { contact } = await current(asked);
    const fields = await redis.hkeys(keys.of(contact).state).catch(rejectUnavailable);
    return fields.some((field) => !field.startsWith('owner@') && field !== 'tokens');
  }

  async function own(conversation: ConversationId, owner: Route['owner']): Promise<void> {
    const mark = markOf({ owner, at: now() }, true);
    await kept(conversation, { id: null, mark, line: null, event: null }, true);
  }

  function keep(conversation: ConversationId, happened: Happened): Promise<boolean> {
    return kept(conversation, happened, false);
  }

  async function kept(asked: ConversationId, { id, mark, line, event }: Happened, isOurs: boolean): Promise<boolean> {
    const { contact, thread } = await current(asked);
    const { state, history, events, due, seen } = keys.of(contact);
    const result = await run(
      'keep',
      [state, history, events, due, seen],
      [
        id ?? '',
        mark ?? 0,
        thread,
        line ? JSON.stringify(line) : '',
        line?.tokens ?? 0,
        event ?? '',
        MOST_EVENTS,
        historyTtlMs,
        contact,
        SEEN_MS,
        isOurs ? '1' : '',
      ],
    );
    return result === 1;
  }

  /** Should the contact have become an alias of another one. */
  async function current(asked: ConversationId) {
    const named = conversationOf(asked);
    const contact = await aliases.rootOf(named.contact);
    return { contact, thread: threadOf(conversationId({ ...named, contact })) };
  }
}
