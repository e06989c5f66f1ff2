/** What the people at the desk do to a conversation's memory: say, take over, hand back, block. */
import type { ConversationId, Line } from '../message.ts';
import type { Keys } from './keys.ts';
import { type RedisClient, type RunScript, unavailable } from './redis.ts';

/** What the inbox shows beside a conversation. */
export interface DeskState {
  /** A person answers until then, unix ms; 0 = the model does. */
  takeoverUntil: number;
  /** When the person last wrote, unix ms; 0 when not remembered: WhatsApp lets us write freely for 24 hours after it. */
  lastInboundAt: number;
  blocked: boolean;
}

/** Everything rejects with `store.unavailable`. Events are JSON, for the event stream. */
export interface Desk {
  state(conversation: ConversationId): Promise<DeskState>;
  /** Adds what a person at the desk said to the bot's history, once however often it is told; a running takeover is prolonged. @returns `takeoverUntil`. */
  said(conversation: ConversationId, line: Line, event: string): Promise<number>;
  /** Pauses the bot for `pauseMs`, and again for as long from every word of the desk; 0 hands back. @returns `takeoverUntil`. */
  takeOver(conversation: ConversationId, pauseMs: number, event: string): Promise<number>;
  /** A block stays until it is lifted, however long they are silent: the memory around it does not expire meanwhile. */
  block(conversation: ConversationId, blocked: boolean): Promise<void>;
}

export interface DeskOptions {
  redis: RedisClient;
  run: RunScript;
  keys: Keys;
  historyTtlMs: number;
  now: () => number;
}

const MOST_EVENTS = 100_000;

export function createDesk({ redis, run, keys, historyTtlMs, now }: DeskOptions): Desk {
  async function act(
    conversation: ConversationId,
    event: string,
    line: Line | null,
    pauseMs: number | '',
  ): Promise<number> {
    const key = keys.of(conversation);
    const spoken = line ? JSON.stringify(line) : '';
    const args = [now(), historyTtlMs, event, MOST_EVENTS, spoken, line?.tokens ?? 0, pauseMs];
    return Number(await run('desk', [key.state, key.history, key.events], args));
  }
  return {
    async state(conversation) {
      const [takeover, lastInbound, blocked] = await redis
        .hmget(keys.of(conversation).state, 'takeover', 'lastInbound', 'blocked')
        .catch((error) => Promise.reject(unavailable(error)));
      return {
        takeoverUntil: Number(takeover ?? 0),
        lastInboundAt: Number(lastInbound ?? 0),
        blocked: blocked === '1',
      };
    },
    said: (conversation, line, event) => act(conversation, event, line, ''),
    takeOver: (conversation, pauseMs, event) => act(conversation, event, null, pauseMs),
    async block(conversation, blocked) {
      const { state } = keys.of(conversation);
      const both = blocked
        ? redis.multi().hset(state, 'blocked', '1').persist(state)
        : redis.multi().hdel(state, 'blocked').pexpire(state, historyTtlMs);
      await both.exec().catch((error) => Promise.reject(unavailable(error)));
    },
  };
}
