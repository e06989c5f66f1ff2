/** What the people at the desk do in a conversation: write themselves, pause the bot, hand back. */

import { Failure } from '../errors.ts';
import { type Events, encodeEvent } from '../events.ts';
import { countTokens } from '../llm/tokens.ts';
import type { Desk } from '../memory/desk.ts';
import { addressesOf, type ConversationId, type Line, type Reply } from '../message.ts';
import { newId } from '../ops/id.ts';
import type { Log } from '../ops/logger.ts';
import type { Deliver } from '../outbound/deliver.ts';
import { isWindowOpen } from '../outbound/window.ts';
import { scrub } from '../privacy/scrub.ts';
import { patiently } from './retries.ts';

export interface Takeover {
  /**
   * Sends what a person at the desk wrote; it becomes part of what the bot remembers, and prolongs a running takeover. What
   * was sent never rejects, even if it could not be noted: nobody should send it twice.
   * @returns the provider's id of the message
   * @throws Failure `channel.window` more than 24 hours after their last message, or another `channel.…` one
   */
  say(conversation: ConversationId, text: string): Promise<string>;
  /** Pauses the bot until nobody at the desk wrote for `minutes`. @returns until when, unix ms. */
  take(conversation: ConversationId, minutes: number): Promise<number>;
  handBack(conversation: ConversationId): Promise<void>;
  /** A blocked contact is neither answered nor remembered. */
  block(conversation: ConversationId, blocked: boolean): Promise<void>;
}

export interface TakeoverOptions {
  desk: Desk;
  deliver: Deliver;
  events: Events;
  log: Log;
  now: () => number;
}

export function createTakeover({ desk, deliver, events, log, now }: TakeoverOptions): Takeover {
  return {
    async say(conversation, words) {
      const { lastInboundAt } = await desk.state(conversation);
      if (!isWindowOpen(lastInboundAt, now())) {
        const way = 'WhatsApp allows only an approved template until they write again.';
        throw new Failure('channel.window', `More than 24 hours since their last message: ${way}`);
      }
      const text = scrub(words);
      const id = newId();
      const at = now();
      const reply: Reply = { id, text, via: 'rest', at, asWritten: true };
      const delivered = await deliver(reply, addressesOf(conversation), null, log);
      if (delivered.kind === 'failed') throw new Failure(delivered.code, delivered.reason);
      const sid = delivered.sids[0] ?? id;
      const line: Line = { role: 'assistant', text, at, id, tokens: countTokens(text), desk: true };
      try {
        const event = encodeEvent({ type: 'desk.said', conversation, id, at, text, sid });
        const until = await patiently(() => desk.said(conversation, line, event));
        if (until > at) await events.publish(conversation, { type: 'desk.took', conversation, at, until });
      } catch (error) {
        log.error('What the desk said was sent, but could not be noted: the bot will not know of it', { error });
      }
      return sid;
    },

    async take(conversation, minutes) {
      const pauseMs = minutes * 60_000;
      const event = encodeEvent({ type: 'desk.took', conversation, at: now(), until: now() + pauseMs });
      return desk.takeOver(conversation, pauseMs, event);
    },

    async handBack(conversation) {
      await desk.takeOver(conversation, 0, encodeEvent({ type: 'desk.took', conversation, at: now(), until: 0 }));
    },

    block: (conversation, blocked) => desk.block(conversation, blocked),
  };
}
