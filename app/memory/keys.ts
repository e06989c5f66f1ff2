/**
 * Every Redis key is built here. All keys of one conversation share the hash tag `{n}` of its shard, so that a script that
 * touches several of them runs on one node of a cluster.
 */
import type { ConversationId } from '../message.ts';

/** The keys of one conversation and of the shard it lives on. */
export interface ConversationKeys extends ShardKeys {
  /** list: one JSON `Line` per message, oldest first */
  history: string;
  /** hash: see `scripts/accept.lua` for the fields */
  state: string;
  /** list: inbound messages that wait, JSON, oldest first */
  mailbox: string;
  /** string with expiry: the turn that answers now */
  lease: string;
  /** zset: message ids by the time they came, unix ms */
  seen: string;
  /** hash: the reply that is being delivered */
  reply: string;
  /** counters with expiry: messages this minute, and model tokens this day */
  rate: string;
  tokens: string;
}

export interface ShardKeys {
  /** zset: conversations with work, by the time somebody should look, unix ms */
  due: string;
  /** stream: what happened */
  events: string;
  /** stream: what was given up, until somebody replays or drops it */
  dead: string;
}

export interface Keys {
  of(conversation: ConversationId): ConversationKeys;
  shardOf(conversation: ConversationId): ShardKeys;
  /** All shards, for those who sweep over them. */
  shards: readonly ShardKeys[];
  /** stream: what the open pages of the inbox are told; of no conversation, so of no shard */
  news: string;
}

/** @param shards how many hash tags the conversations are spread over; changing it hides what was stored before. */
export function createKeys(shards: number): Keys {
  const all = Array.from({ length: shards }, (_, n) => ({
    due: `recado:{${n}}:due`,
    events: `recado:{${n}}:events`,
    dead: `recado:{${n}}:dead`,
  }));
  const shardOf = (conversation: ConversationId): ShardKeys => {
    const keys = all[hash(conversation) % shards];
    if (!keys) throw new RangeError(`there is no shard for ${shards} shards`);
    return keys;
  };
  return {
    shards: all,
    news: 'recado:news',
    shardOf,
    // Every field is written out: a spread here would cost a twentieth of all the work of a message.
    of(conversation) {
      const { due, events, dead } = shardOf(conversation);
      const prefix = `${due.slice(0, -'due'.length)}c:${conversation}`;
      return {
        due,
        events,
        dead,
        history: `${prefix}:history`,
        state: `${prefix}:state`,
        mailbox: `${prefix}:mailbox`,
        lease: `${prefix}:lease`,
        seen: `${prefix}:seen`,
        reply: `${prefix}:reply`,
        rate: `${prefix}:rate`,
        tokens: `${prefix}:tokens`,
      };
    },
  };
}

/** FNV-1a, 32 bits: spreads well, and every process computes the same. http://www.isthe.com/chongo/tech/comp/fnv/ */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value >>> 0;
}
