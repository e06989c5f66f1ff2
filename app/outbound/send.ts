/** Sends what a person wrote in the inbox: decides, records, pauses the bot, delivers, notes the outcome. */
import type { Channel } from '../channels/channel.ts';
import type { Channels } from '../channels/channels.ts';
import { Failure } from '../errors.ts';
import { encodeEvent } from '../events.ts';
import { countTokens } from '../llm/tokens.ts';
import type { Desk, DeskState, Pause } from '../memory/desk.ts';
import type { Publish } from '../memory/publish.ts';
import { repeated } from '../memory/redis.ts';
import {
  type Choice,
  type ConversationId,
  conversationOf,
  type Extra,
  type Line,
  type Reply,
  type Route,
} from '../message.ts';
import { newId } from '../ops/id.ts';
import type { Log } from '../ops/logger.ts';
import { type Scrubbed, scrub } from '../privacy/scrub.ts';
import type { Deliver, Delivered } from './deliver.ts';
import { goneEvent, sentEvent } from './outcome.ts';
import { type Author, refusalOf } from './permission.ts';
import { partsOfText } from './prepare.ts';

/** A person's message that was sent. */
export interface Sent {
  /** The reply's id. */
  id: string;
  /** The provider's ids of its parts. */
  sids: string[];
}

/**
 * Sends a person's message. It is recorded before it is sent, becomes part of what the bot remembers, and pauses the bot like a
 * takeover. What was sent never rejects, even if it could not be noted: it must not be sent twice.
 * Rejects with a Failure `channel.…` when nothing was sent: `channel.window` more than 24 hours after their last message,
 * `channel.blocked` for a blocked contact, `channel.opted_out` for one who opted out, else the provider's refusal, which the conversation
 * shows then.
 */
export type SendAsPerson = (conversation: ConversationId, text: string, options?: SendOptions) => Promise<Sent>;

export interface SendOptions {
  /** Names the message: what was sent under this name is not sent again. Default: a new id. */
  id?: string | undefined;
  /** When it was first to be sent under this name, unix ms. Default: now. */
  at?: number | undefined;
  /** It may have been sent before under this name: the provider is asked first. Default: false. */
  uncertain?: boolean | undefined;
  /** Goes with the message, which is at most 1,024 long then. */
  extra?: Extra | undefined;
  /** The person was asked, and writes although the contact has opted out. Default: false. */
  despiteOptOut?: boolean | undefined;
}

export interface SendTools {
  channels: Channels;
  deliver: Deliver;
  desk: Desk;
  /** The memory's state of a conversation, completed from the archive. */
  stateOf: (conversation: ConversationId) => Promise<DeskState>;
  /** Pauses the bot until `until` (unix ms) in the archive, the source of truth. */
  takeOver: (conversation: ConversationId, until: number, pauseMs: number) => Promise<void>;
  /** Notes who owns a thread from now on. */
  own: (conversation: ConversationId, owner: Route['owner']) => Promise<void>;
  publish: Publish;
  log: Log;
  now: () => number;
}

/** How long the bot is paused after a person's message, unless a takeover with another length is running, ms. */
export const PAUSE_MS = 30 * 60_000;

export function createSend(tools: SendTools): SendAsPerson {
  const { channels, deliver, desk, stateOf, takeOver, own, publish, log, now } = tools;
  return async function send(conversation, words, options = {}) {
    const { id = newId(), at = now(), uncertain = false, extra, despiteOptOut = false } = options;
    const author: Author = despiteOptOut ? 'person, despite the opt-out' : 'person';
    const state = await stateOf(conversation);
    const refusal = refusalOf(author, state, now());
    if (refusal) throw new Failure(refusal.code, refusal.reason);
    const { channel, contact } = conversationOf(conversation);
    const { text, parts, carried } = prepared(words, extra, channels.of(channel));
    const to = state.address ?? contact;
    const reply: Reply = {
      id,
      conversation,
      to,
      parts,
      ...(carried && { extra: carried }),
      via: 'call',
      at,
      ...(uncertain && { uncertain }),
    };
    const line = lineOf({ ...reply, parts: shownParts(reply) }, text);
    await pause(reply, line, state);
    const look = () => stateOf(conversation);
    const delivered = await deliver({ reply, author, situation: state, look, response: null, history: [], log });
    await note(reply, line, delivered, state);
    if (delivered.kind === 'failed') throw new Failure(delivered.code, delivered.reason);
    return { id, sids: delivered.sids };
  };

  /** Pauses the bot and records the message, so that the bot cannot answer between the two. */
  async function pause(reply: Reply, line: Line, state: DeskState): Promise<void> {
    const { id, conversation, to, at } = reply;
    const parts = shownParts(reply);
    // Where a person is waited for, the bot is silent already; that ends when something was sent.
    const waits = isWaiting(state, at);
    const { until, pauseMs } = waits ? { until: state.takeoverUntil, pauseMs: PAUSE_MS } : pauseOf(state, at);
    if (!waits) await takeOver(conversation, until, pauseMs);
    await desk.said(
      conversation,
      line,
      { until, pauseMs },
      encodeEvent({ type: 'desk.said', conversation, id, at, to, parts }),
    );
  }

  async function note(reply: Reply, line: Line, delivered: Delivered, before: DeskState): Promise<void> {
    const { conversation } = reply;
    const { contact } = conversationOf(conversation);
    try {
      if (delivered.kind === 'sent') {
        // A message of ours takes the thread, where threads have several owners.
        const { channel } = conversationOf(conversation);
        if (before.isOthers || channels.of(channel).controlThread) await repeated(() => own(conversation, 'us'));
        if (isWaiting(before, reply.at)) await pauseFrom(conversation, pauseOf(before, reply.at));
        await repeated(() => publish(contact, sentEvent(reply, delivered.sids, now())));
        return;
      }
      // It may have been sent: it stays said, and the bot stays silent.
      if (delivered.code === 'channel.ambiguous') return;
      await repeated(() => desk.unsay(conversation, line, goneEvent(reply, delivered, now())));
      if (before.takeoverUntil <= reply.at) await letBotAnswer(conversation);
    } catch (error) {
      log.error('The outcome of a message from the inbox was not recorded', { outcome: delivered.kind, error });
    }
  }

  /** Somebody has come to a conversation that waited. */
  async function pauseFrom(conversation: ConversationId, { until, pauseMs }: Pause): Promise<void> {
    await takeOver(conversation, until, pauseMs);
    const event = encodeEvent({ type: 'desk.took', conversation, at: now(), until });
    await desk.takeOver(conversation, { until, pauseMs }, event);
  }

  function letBotAnswer(conversation: ConversationId): Promise<void> {
    return pauseFrom(conversation, { until: 0, pauseMs: 0 });
  }
}

/** A channel that cannot carry the choices has them in the text. */
function prepared(words: string, extra: Extra | undefined, channel: Channel) {
  const carried = extra && channel.extras?.includes(extra.kind) ? extra : undefined;
  if (extra?.kind === 'file' && !carried)
    throw new Failure('request.invalid', `The channel ${channel.name} cannot send files.`);
  const listed = extra && !carried && extra.kind === 'choices' ? linesOf(extra.choices) : '';
  const text = scrub([words, listed].filter((part) => part !== '').join('\n\n'));
  // What goes with a file or with choices is one part, also when there are no words.
  return { text, parts: carried ? [text] : partsOfText(text, channel), carried };
}

function linesOf(choices: readonly Choice[]): string {
  return choices
    .map(({ title, description }, i) => `${i + 1}. ${title}${description ? `: ${description}` : ''}`)
    .join('\n');
}

/** As the team reads it in the thread. */
function shownParts({ parts, extra }: Reply): Scrubbed[] {
  if (!extra) return parts;
  const shown = extra.kind === 'file' ? `[${extra.type}] ${extra.link}` : linesOf(extra.choices);
  return [scrub([...parts, shown].filter((part) => part !== '').join('\n\n'))];
}

export function isWaiting({ handoffUntil }: DeskState, at: number): boolean {
  return handoffUntil > at;
}

/** A takeover goes on as it was, else it begins. */
export function pauseOf({ takeoverUntil, takeoverMs }: DeskState, at: number): Pause {
  const pauseMs = takeoverUntil > at ? takeoverMs || PAUSE_MS : PAUSE_MS;
  return { until: at + pauseMs, pauseMs };
}

/** As the bot remembers what a person wrote. */
export function lineOf({ id, at, parts }: Reply, text: Line['text']): Line {
  const line: Line = { role: 'assistant', text, at, id, tokens: countTokens(text), desk: true };
  return parts.length === 1 && parts[0] === text ? line : { ...line, sent: parts };
}
