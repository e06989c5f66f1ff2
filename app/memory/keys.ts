/**
 * Every Redis key is built here. All keys of one contact share the hash tag `{n}` of its shard, so that a script that touches
 * several of them runs on one node of a cluster.
 */
import { createHash } from 'node:crypto';
import { type ContactId, type ConversationId, keySafe } from '../message.ts';

/** The keys of one contact and of the shard it belongs to. */
export interface ContactKeys
  extends Pick<ShardKeys, 'due' | 'events' | 'dead' | 'processes' | 'handoffs' | 'texts' | 'blocks'> {
  /** list: one JSON `Line` per message, oldest first */
  history: string;
  /** hash: see `scripts/accept.lua` for the fields */
  state: string;
  /** list: inbound messages that wait, JSON, oldest first */
  mailbox: string;
  /** string with expiry: the process and the turn that is running, see `leaseOf` */
  lease: string;
  /** zset: message ids by the time they came, unix ms */
  seen: string;
  /** hash: the reply that is being delivered */
  reply: string;
  /** list, expires: replies that went out in a webhook's response a while ago (JSON), the latest last */
  handed: string;
  /** string: the contact that this id is an alias of; there are no other keys then */
  alias: string;
  /** counters with expiry: messages this minute, and model tokens this day */
  rate: string;
  tokens: string;
  /** hash, expires: what is counted to recognise spam, see `scripts/accept.lua` */
  spam: string;
}

export interface ShardKeys {
  /** zset: contacts with work, by the time at which it is due, unix ms */
  due: string;
  /** stream: what happened */
  events: string;
  /** stream: what was given up, until it is replayed or dropped */
  dead: string;
  /** zset: conversations that wait for a person, by when they are to be looked after, unix ms. See `handoffs.ts` */
  handoffs: string;
  /** zset: processes, by the time of their last beat, unix ms; 0 = gone. See `processes.ts` */
  processes: string;
  /** hash: process → where it runs, JSON `Place` */
  places: string;
  /** hashes, expire: how many contacts wrote the same words, and how many new contacts have almost the same number */
  texts: string;
  blocks: string;
}

export interface Keys {
  of(contact: ContactId): ContactKeys;
  shardOf(contact: ContactId): ShardKeys;
  /** All shards, for work that covers all of them. */
  shards: readonly ShardKeys[];
  /** hash, expires: which alarms fire, see `scripts/alarms.lua`; not part of a shard */
  alarms: string;
  /** stream: changes for the open pages of the inbox; not part of a shard */
  news: string;
  /** hash: month (`2026-11`) → what all processes spent in it, billionths of the budget's currency; not part of a shard */
  spent: string;
  /** string, expires: a session of the inbox, by the hash of its id; not part of a shard */
  session(id: string): string;
  /** string, expires: the contact whose data an address is for, by the hash of its id; not part of a shard */
  export(id: string): string;
  /** hash, expires: part of a reply → the provider's id of it, as it reported, and `tried<part>` → when it was sent; not part of a shard */
  report(channel: string, replyId: string): string;
  /** string, expires: a message of the Business app is recorded; not part of a shard */
  echo(channel: string, sid: string): string;
  /** hash: what a provider told of our accounts, subject → JSON, see `accounts.ts`; not part of a shard */
  account(channel: string): string;
  /** string, expires: when and what was to be sent under a name of a program's; not part of a shard */
  name(given: string): string;
  /** string, expires: when a provider last reported anything, unix ms; not part of a shard */
  reported(channel: string): string;
  /** hash: version of the format and number of shards, see `format.ts` */
  format: string;
}

/** @param shards how many hash tags the contacts are spread over; changing it hides what was stored before. */
export function createKeys(shards: number): Keys {
  const all = Array.from({ length: shards }, (_, n) => ({
    due: `recado:{${n}}:due`,
    events: `recado:{${n}}:events`,
    dead: `recado:{${n}}:dead`,
    handoffs: `recado:{${n}}:handoffs`,
    processes: `recado:{${n}}:processes`,
    places: `recado:{${n}}:places`,
    texts: `recado:{${n}}:texts`,
    blocks: `recado:{${n}}:blocks`,
  }));
  return {
    shards: all,
    alarms: 'recado:alarms',
    news: 'recado:news',
    spent: 'recado:spent',
    format: 'recado:format',
    session,
    export: exportOf,
    report: (channel, replyId) => `recado:report:${keySafe(channel)}:${keySafe(replyId)}`,
    echo: (channel, sid) => `recado:echo:${keySafe(channel)}:${keySafe(sid)}`,
    account: (channel) => `recado:account:${keySafe(channel)}`,
    name: (given) => `recado:name:${keySafe(given)}`,
    reported: (channel) => `recado:reported:${keySafe(channel)}`,
    shardOf,
    of,
  };

  function session(id: string): string {
    return `recado:session:${createHash('sha256').update(id).digest('base64url')}`;
  }

  function exportOf(id: string): string {
    return `recado:export:${createHash('sha256').update(id).digest('base64url')}`;
  }

  function shardOf(contact: ContactId): ShardKeys {
    const keys = all[hash(contact) % shards];
    if (!keys) throw new RangeError(`there is no shard for ${shards} shards`);
    return keys;
  }

  // Every field is written out: a spread here would cost a twentieth of all the work of a message.
  function of(contact: ContactId): ContactKeys {
    const { due, events, dead, processes, handoffs, texts, blocks } = shardOf(contact);
    const prefix = `${due.slice(0, -'due'.length)}c:${keySafe(contact)}`;
    return {
      due,
      events,
      dead,
      processes,
      handoffs,
      texts,
      blocks,
      history: `${prefix}:history`,
      state: `${prefix}:state`,
      mailbox: `${prefix}:mailbox`,
      lease: `${prefix}:lease`,
      seen: `${prefix}:seen`,
      reply: `${prefix}:reply`,
      handed: `${prefix}:handed`,
      alias: `${prefix}:alias`,
      rate: `${prefix}:rate`,
      tokens: `${prefix}:tokens`,
      spam: `${prefix}:spam`,
    };
  }
}

/** A conversation without its contact: `<channel>:<business>`. Ends the names of a contact's fields that belong to one conversation. */
export function threadOf(conversation: ConversationId): string {
  return conversation.slice(0, conversation.lastIndexOf(':'));
}

/** FNV-1a, 32 bits: spreads well, and every process computes the same. http://www.isthe.com/chongo/tech/comp/fnv/ */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value >>> 0;
}
