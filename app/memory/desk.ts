/** What people in the inbox do to a contact's memory: write, take over, block. And the copy of what the archive knows of a contact. */
import {
  type Consent,
  type ContactId,
  type ConversationId,
  conversationId,
  conversationOf,
  type Line,
} from '../message.ts';
import type { Aliases } from './aliases.ts';
import { type Keys, threadOf } from './keys.ts';
import { type RedisClient, type RunScript, rejectUnavailable, unavailable } from './redis.ts';
import { MOST_EVENTS } from './stream.ts';
import { isOther } from './threads.ts';

/** What the memory knows of a conversation. */
export interface DeskState {
  /** A person answers until then, unix ms; 0 = the model does. */
  takeoverUntil: number;
  /** By how much a person's message prolongs the takeover, ms; 0 when there is none. */
  takeoverMs: number;
  /** Another responder owns the thread. */
  isOthers: boolean;
  /** When the contact last wrote, unix ms; 0 when that is not remembered: WhatsApp lets us write freely for 24 hours after it. */
  lastInboundAt: number;
  /** The address to answer to; null when it is not remembered. */
  address: string | null;
  blocked: boolean;
  /** Since when they have opted out of messages, unix ms; 0 = they have not. */
  optedOutAt: number;
  /** When they last agreed to get messages, unix ms; 0 = that is not remembered. */
  optedInAt: number;
  /** The conversation waits for a person until then, unix ms; 0 = it does not. */
  handoffUntil: number;
  /** Block, opt-out and takeover were compared with the archive. */
  confirmed: boolean;
}

/** How the bot is paused. */
export interface Pause {
  /** Unix ms; 0 = it answers. */
  until: number;
  /** By how much a person's message prolongs the pause, ms. */
  pauseMs: number;
}

/** What the archive knows of a contact, to be copied. */
export interface KnownContact {
  blocked: boolean;
  /** Unix ms; 0 = they have not opted out. */
  optedOutAt: number;
  /** Until then what they write is no spam, unix ms; 0 = nobody said so. */
  excusedUntil: number;
  conversations: {
    conversation: ConversationId;
    address: string;
    lastInboundAt: number;
    takeoverUntil: number;
    takeoverMs: number;
    /** It waits for a person until then, unix ms; 0 = it does not. */
    handoffUntil: number;
  }[];
}

/** Everything rejects with `store.unavailable`. Events are JSON, for the event stream. */
export interface Desk {
  state(conversation: ConversationId): Promise<DeskState>;
  /** Adds what a person wrote to the history, and pauses the bot. Nothing changes when a line of this id is there already. */
  said(conversation: ConversationId, line: Line, pause: Pause, event: string): Promise<void>;
  /** Adds a template to the history in the same way; the bot is not paused. */
  noted(conversation: ConversationId, line: Line, event: string): Promise<void>;
  /** Takes a line back that could not be sent. */
  unsay(conversation: ConversationId, line: Line, event: string): Promise<void>;
  /** Pauses the bot, or lets it answer again. */
  takeOver(conversation: ConversationId, pause: Pause, event: string): Promise<void>;
  /** A block stays until it is lifted, however long the contact is silent: the memory does not expire meanwhile. */
  block(contact: ContactId, blocked: boolean): Promise<void>;
  /** An opt-out stays until they agree again, as a block does. */
  consent(contact: ContactId, consent: Consent): Promise<void>;
  /** What the contact writes is no spam until then, unix ms: they are answered again. */
  excuse(contact: ContactId, until: number): Promise<void>;
  /**
   * Copies what the archive knows. What is in the memory already is newer and stays; but in the conversation `confirmed` nothing is to be
   * confirmed any more.
   */
  restore(contact: ContactId, known: KnownContact, confirmed: ConversationId | null): Promise<void>;
}

export interface DeskOptions {
  redis: RedisClient;
  run: RunScript;
  keys: Keys;
  aliases: Pick<Aliases, 'rootOf'>;
  historyTtlMs: number;
}

export function createDesk({ redis, run, keys, aliases, historyTtlMs }: DeskOptions): Desk {
  return { state, said, noted, unsay, takeOver, block, consent, excuse, restore };

  async function state(asked: ConversationId): Promise<DeskState> {
    const conversation = await current(asked);
    const thread = threadOf(conversation);
    const [takeover, takeoverMs, lastInbound, from, blocked, optedOut, optedIn, standing, handoff, owner] = await redis
      .hmget(
        keys.of(conversationOf(conversation).contact).state,
        `takeover@${thread}`,
        `takeoverMs@${thread}`,
        `lastInbound@${thread}`,
        `from@${thread}`,
        'blocked',
        'optedOut',
        'optedIn',
        'standing',
        `handoff@${thread}`,
        `owner@${thread}`,
      )
      .catch((error) => Promise.reject(unavailable(error)));
    return {
      takeoverUntil: Number(takeover ?? 0),
      takeoverMs: Number(takeoverMs ?? 0),
      isOthers: isOther(owner),
      lastInboundAt: Number(lastInbound ?? 0),
      address: from ?? null,
      blocked: blocked === '1',
      optedOutAt: Number(optedOut ?? 0),
      optedInAt: Number(optedIn ?? 0),
      handoffUntil: Number(handoff ?? 0),
      confirmed: standing === '1',
    };
  }

  function said(conversation: ConversationId, line: Line, pause: Pause, event: string): Promise<void> {
    return record(conversation, line, pause, event);
  }

  function noted(conversation: ConversationId, line: Line, event: string): Promise<void> {
    return record(conversation, line, null, event);
  }

  function takeOver(conversation: ConversationId, pause: Pause, event: string): Promise<void> {
    return record(conversation, null, pause, event);
  }

  /** @param pause null leaves the bot as it is */
  async function record(asked: ConversationId, line: Line | null, pause: Pause | null, event: string): Promise<void> {
    const conversation = await current(asked);
    const { contact } = conversationOf(conversation);
    const key = keys.of(contact);
    const written = line ? JSON.stringify(line) : '';
    const thread = threadOf(conversation);
    const { until, pauseMs } = pause ?? { until: '', pauseMs: '' };
    const { tokens = 0, id = '' } = line ?? {};
    const args = [historyTtlMs, event, MOST_EVENTS, written, tokens, thread, until, pauseMs, contact, id];
    await run('desk', [key.state, key.history, key.events, key.due], args);
  }

  async function unsay(asked: ConversationId, line: Line, event: string): Promise<void> {
    const key = keys.of(conversationOf(await current(asked)).contact);
    await run('unsay', [key.state, key.history, key.events], [JSON.stringify(line), line.tokens, event, MOST_EVENTS]);
  }

  function block(contact: ContactId, blocked: boolean): Promise<void> {
    return mark(contact, blocked ? 'block' : 'unblock');
  }

  function consent(contact: ContactId, given: Consent): Promise<void> {
    return mark(contact, given);
  }

  async function mark(contact: ContactId, as: 'block' | 'unblock' | Consent): Promise<void> {
    const root = await aliases.rootOf(contact);
    const { state, history, due } = keys.of(root);
    await run('block', [state, history, due], [as, historyTtlMs, root]);
  }

  async function excuse(contact: ContactId, until: number): Promise<void> {
    const root = await aliases.rootOf(contact);
    const { state, spam, due } = keys.of(root);
    await run('excuse', [state, spam, due], [until, historyTtlMs, root]);
  }

  async function restore(contact: ContactId, known: KnownContact, confirmed: ConversationId | null): Promise<void> {
    const { blocked, optedOutAt, excusedUntil, conversations } = known;
    const excuse = excusedUntil > 0 ? ['excused', excusedUntil] : [];
    const fields = conversations.flatMap((known) => {
      const { conversation, address, lastInboundAt, takeoverUntil, takeoverMs, handoffUntil } = known;
      const thread = threadOf(conversation);
      const takeover = [`takeover@${thread}`, takeoverUntil, `takeoverMs@${thread}`, takeoverMs];
      // The team was told of it before.
      const handoff = [`handoff@${thread}`, handoffUntil, `told@${thread}`, handoffUntil];
      return [
        `lastInbound@${thread}`,
        lastInboundAt,
        `from@${thread}`,
        address,
        ...(takeoverUntil > 0 ? takeover : []),
        ...(handoffUntil > 0 ? handoff : []),
      ];
    });
    const { state, history, due, handoffs } = keys.of(contact);
    await run(
      'restore',
      [state, history, due],
      [
        historyTtlMs,
        blocked ? '1' : '',
        contact,
        optedOutAt,
        confirmed ? threadOf(confirmed) : '',
        ...excuse,
        ...fields,
      ],
    );
    for (const { conversation, handoffUntil } of conversations)
      if (handoffUntil > 0) await redis.zadd(handoffs, 'NX', handoffUntil, conversation).catch(rejectUnavailable);
  }

  /** The same conversation, should its contact have become an alias of another one. */
  async function current(conversation: ConversationId): Promise<ConversationId> {
    const named = conversationOf(conversation);
    const contact = await aliases.rootOf(named.contact);
    return contact === named.contact ? conversation : conversationId({ ...named, contact });
  }
}
