/** Looks after conversations that wait for a person: tells the team, and lets the bot answer again when nobody has come. */
import type { Channels } from '../channels/channels.ts';
import { phoneOf } from '../contacts/addresses.ts';
import { encodeEvent } from '../events.ts';
import { countTokens } from '../llm/tokens.ts';
import type { Handoffs, Said } from '../memory/handoffs.ts';
import { type ConversationId, conversationOf } from '../message.ts';
import { newId } from '../ops/id.ts';
import type { Log } from '../ops/logger.ts';
import { partsOfMarkdown } from '../outbound/prepare.ts';
import { WINDOW_MS } from '../outbound/window.ts';
import type { Scrubbed } from '../privacy/scrub.ts';

/** Looks after those that are due, of all processes together. Never rejects. */
export type LookAfter = () => Promise<void>;

export interface LookAfterOptions {
  handoffs: Handoffs;
  /** Tells the team's own program, see `HandoffNews`; null when there is none. Never throws. */
  tell: ((type: 'handoff.requested', news: HandoffNews) => void) | null;
  /** What the bot says when it answers again. */
  overReply: Scrubbed;
  /** Where the inbox is, for a link; undefined when it is not known. */
  publicUrl: string | undefined;
  channels: Channels;
  now: () => number;
  log: Log;
}

/** The `data` of a `handoff.requested` webhook. */
export interface HandoffNews {
  /** One sentence, for programs that show text. */
  text: string;
  channel: string;
  /** The contact's id: usually the digits of their number. */
  contact: string;
  business_number: string;
  /** `asked`, `model` or `failed`. */
  reason: string;
  /** The model's, null when it was not asked. */
  note: string | null;
  summary: string | null;
  /** The conversation in the inbox; null when PUBLIC_URL is not set. */
  url: string | null;
}

const REASONS: Readonly<Record<string, string>> = {
  asked: 'asks for a person',
  model: 'needs a person',
  failed: 'got no answer again and again',
};

export function createLookAfter(options: LookAfterOptions): LookAfter {
  const { handoffs, tell, overReply, publicUrl, channels, now, log } = options;
  return lookAfter;

  async function lookAfter(): Promise<void> {
    try {
      const conversations = await handoffs.take();
      await Promise.all(conversations.map(lookAfterOne));
    } catch (error) {
      log.warn('Conversations that wait for a person could not be looked after; the next round tries again', { error });
    }
  }

  async function lookAfterOne(conversation: ConversationId): Promise<void> {
    try {
      await tellOrEnd(conversation);
    } catch (error) {
      log.warn('A conversation that waits for a person could not be looked after; a later round tries again', {
        error,
      });
    }
  }

  async function tellOrEnd(conversation: ConversationId): Promise<void> {
    const why = await handoffs.newsOf(conversation);
    if (why !== null) {
      tell?.('handoff.requested', newsOf(conversation, why));
      await handoffs.told(conversation);
    }
    const isOver = await handoffs.over(conversation, said(conversation));
    if (isOver) log.info('Nobody came in time: the bot answers again', { conversation });
  }

  function newsOf(conversation: ConversationId, why: string): HandoffNews {
    const { channel, business, contact } = conversationOf(conversation);
    // What `compose` gave to the commit.
    const { reason, note, summary } = JSON.parse(why) as Pick<HandoffNews, 'reason' | 'note' | 'summary'>;
    const url =
      publicUrl === undefined ? null : `${publicUrl}/whatsapp-inbox/with/${encodeURIComponent(phoneOf(contact))}`;
    const text = `${phoneOf(contact)} ${REASONS[reason] ?? 'needs a person'}${note ? `: ${note}` : '.'}${url ? ` ${url}` : ''}`;
    return { text, channel, contact, business_number: business, reason, note, summary, url };
  }

  function said(conversation: ConversationId): Said {
    const id = newId();
    const at = now();
    const parts = partsOfMarkdown(overReply, channels.of(conversationOf(conversation).channel));
    const over = { type: 'handoff.over', conversation, at } as const;
    return {
      line: { role: 'assistant', text: overReply, at, id, tokens: countTokens(overReply), apology: true },
      parts,
      events: {
        said: encodeEvent({ ...over, turn: id, reply: { to: '', parts } }),
        silent: encodeEvent({ ...over, turn: null, reply: null }),
      },
      windowMs: WINDOW_MS,
    };
  }
}
