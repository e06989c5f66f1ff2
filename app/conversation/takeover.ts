/** What people in the inbox do in a conversation: write, pause the bot, let it answer again, block, record consent, say that it is no spam. */

import type { ThreadAction } from '../channels/channel.ts';
import type { Channels } from '../channels/channels.ts';
import type { StandingsOf } from '../contacts/confirm.ts';
import { Failure, isFailure } from '../errors.ts';
import { encodeEvent } from '../events.ts';
import type { Desk, DeskState } from '../memory/desk.ts';
import { type ConsentGiven, type ContactId, type ConversationId, conversationId, conversationOf } from '../message.ts';
import type { SendAsPerson, SendOptions, SendTools, Sent } from '../outbound/send.ts';
import { EXCUSED_MS } from './spam.ts';

/** Everything rejects with `archive.unavailable` or `store.unavailable`; the same call can be made again then. */
export interface Takeover {
  /** Sends what a person wrote, see `SendAsPerson`. */
  say(conversation: ConversationId, text: string, options?: SendOptions): Promise<Sent>;
  /** Pauses the bot until no person has written for `minutes`. @returns until when, unix ms. */
  take(conversation: ConversationId, minutes: number): Promise<number>;
  /** Lets the bot answer again. */
  handBack(conversation: ConversationId): Promise<void>;
  /**
   * Gives the thread to another responder beside us (`release`), or takes it. Rejects with `channel.rejected` when the provider does not
   * let us, or knows no other responders.
   */
  control(conversation: ConversationId, action: ThreadAction): Promise<void>;
  /** A blocked contact is neither answered nor remembered. */
  block(contact: ContactId, blocked: boolean): Promise<void>;
  /** Records that a contact agreed to get messages, or wants none. */
  consent(contact: ContactId, given: ConsentGiven): Promise<void>;
  /** What the contact writes is no spam: they are answered again, and the team is not asked about them for 30 days. */
  excuse(contact: ContactId): Promise<void>;
}

/** The archive is the source of truth; Redis has a copy. See `archive/write/desk.ts`. */
export interface Truth {
  block(contact: ContactId, blocked: boolean): Promise<void>;
  /** @param at unix ms */
  consent(contact: ContactId, given: ConsentGiven, at: number): Promise<void>;
  /** @param until unix ms */
  excuse(contact: ContactId, until: number): Promise<void>;
  takeOver(conversation: ConversationId, untilMs: number, pauseMs: number): Promise<void>;
}

export interface TakeoverOptions {
  desk: Desk;
  truth: Truth;
  send: SendAsPerson;
  channels: Channels;
  own: SendTools['own'];
  now: () => number;
}

export function createTakeover({ desk, truth, send, channels, own, now }: TakeoverOptions): Takeover {
  return { say, take, handBack, control, block, consent, excuse };

  function say(conversation: ConversationId, text: string, options?: SendOptions): Promise<Sent> {
    return send(conversation, text, options);
  }

  function take(conversation: ConversationId, minutes: number): Promise<number> {
    return setTakeover(conversation, minutes * 60_000);
  }

  async function handBack(conversation: ConversationId): Promise<void> {
    await setTakeover(conversation, 0);
  }

  async function setTakeover(conversation: ConversationId, pauseMs: number): Promise<number> {
    const at = now();
    const until = pauseMs === 0 ? 0 : at + pauseMs;
    await truth.takeOver(conversation, until, pauseMs);
    await desk.takeOver(conversation, { until, pauseMs }, encodeEvent({ type: 'desk.took', conversation, at, until }));
    return until;
  }

  async function control(conversation: ConversationId, action: ThreadAction): Promise<void> {
    const { channel: name, business, contact } = conversationOf(conversation);
    const channel = channels.of(name);
    if (!channel.controlThread)
      throw new Failure('channel.rejected', 'This number has no other responders: every conversation is ours.');
    const { address } = await desk.state(conversation);
    try {
      await channel.controlThread({ business, address: address ?? contact }, action);
    } catch (error) {
      const words = isFailure(error) && error.providerCode ? channel.explain(error.providerCode) : null;
      if (isFailure(error) && words !== null) throw new Failure(error.code, words, { cause: error });
      throw error;
    }
    await own(conversation, action === 'take' ? 'us' : 'other');
  }

  async function block(contact: ContactId, blocked: boolean): Promise<void> {
    await truth.block(contact, blocked);
    await desk.block(contact, blocked);
  }

  async function consent(contact: ContactId, given: ConsentGiven): Promise<void> {
    await truth.consent(contact, given, now());
    await desk.consent(contact, given.consent);
  }

  async function excuse(contact: ContactId): Promise<void> {
    const until = now() + EXCUSED_MS;
    await truth.excuse(contact, until);
    await desk.excuse(contact, until);
  }
}

/** The memory's state of a conversation; what is not remembered any more comes from the archive. */
export function createStateOf(desk: Pick<Desk, 'state'>, standingsOf: StandingsOf) {
  return async function stateOf(conversation: ConversationId): Promise<DeskState> {
    const state = await desk.state(conversation);
    if (state.confirmed && state.lastInboundAt > 0 && state.address !== null) return state;
    const { contact } = conversationOf(conversation);
    const standing = (await standingsOf([contact])).get(contact);
    const optedOutAt = standing?.optedOutAt ?? 0;
    const known = standing?.conversations.find(
      ({ channel, business }) => conversationId({ channel, business, contact }) === conversation,
    );
    return {
      takeoverUntil: Math.max(state.takeoverUntil, known?.takeoverUntil ?? 0),
      takeoverMs: state.takeoverMs || (known?.takeoverMs ?? 0),
      isOthers: state.isOthers,
      lastInboundAt: Math.max(state.lastInboundAt, known?.lastInboundAt ?? 0),
      address: state.address ?? known?.address ?? null,
      blocked: state.blocked || standing?.blocked === true,
      optedOutAt: state.optedOutAt || (optedOutAt > state.optedInAt ? optedOutAt : 0),
      optedInAt: state.optedInAt,
      handoffUntil: Math.max(state.handoffUntil, known?.handoffUntil ?? 0),
      confirmed: true,
    };
  };
}
