/** May something be sent in this conversation now? The one place that decides it: block, opt-out, other responders, takeover, 24-hour window. */
import type { FailureCode } from '../errors.ts';
import { isWindowOpen } from './window.ts';

/**
 * Who writes:
 * - `bot`: the model or another part of the program
 * - `person`: somebody in the inbox, who may have been asked whether to write to a contact who opted out
 * - `opt-out`: the program, to confirm an opt-out
 * - `handoff`: the program, to say that a person is called; from then on the bot is silent
 * - `template`: anybody who sends a template, which needs no open window
 */
export type Author = 'bot' | 'person' | 'person, despite the opt-out' | 'opt-out' | 'handoff' | 'template';

/** What is known of the conversation and its contact. */
export interface Situation {
  /** The contact is blocked: nothing is sent to them. */
  blocked: boolean;
  /** Since when the contact has opted out of messages, unix ms: nothing is sent to them until they agree again. 0 = they have not. */
  optedOutAt: number;
  /** Another responder owns the thread: only a person writes, who gets the thread by that; and templates go out. Default: we own it. */
  isOthers?: boolean;
  /** A person answers until then, unix ms: the bot sends nothing before. */
  takeoverUntil: number;
  /** When the contact last wrote in this conversation, unix ms. 0 = that is not known, and the provider decides. */
  lastInboundAt: number;
}

export interface Refusal {
  code: Extract<FailureCode, 'channel.blocked' | 'channel.opted_out' | 'channel.window' | 'turn.overtaken'>;
  /** One sentence for the team. */
  reason: string;
}

/** Why nothing may be sent; null when it may. */
export function refusalOf(author: Author, situation: Situation, now: number): Refusal | null {
  const { blocked, optedOutAt, isOthers = false, takeoverUntil, lastInboundAt } = situation;
  if (blocked) return { code: 'channel.blocked', reason: 'The contact is blocked. Unblock them to write.' };
  if (optedOutAt > 0 && author !== 'opt-out' && author !== 'person, despite the opt-out') {
    return { code: 'channel.opted_out', reason: 'They have opted out: nothing is sent until they write START.' };
  }
  if (isOthers && author !== 'person' && author !== 'person, despite the opt-out' && author !== 'template') {
    return { code: 'turn.overtaken', reason: 'Another responder got the conversation before this was sent.' };
  }
  if (author === 'bot' && takeoverUntil > now) {
    return { code: 'turn.overtaken', reason: 'A person took the conversation over before this was sent.' };
  }
  if (author !== 'template' && lastInboundAt > 0 && !isWindowOpen(lastInboundAt, now)) {
    const way = 'WhatsApp allows only an approved template until they write again.';
    return { code: 'channel.window', reason: `More than 24 hours since their last message: ${way}` };
  }
  return null;
}
