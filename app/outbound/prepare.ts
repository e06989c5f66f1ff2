/** A text as it is sent: in WhatsApp's formatting, in parts that the channel takes. Done once; what is stored is what was sent. */
import type { Channel, OpenResponse } from '../channels/channel.ts';
import type { Via } from '../message.ts';
import type { Scrubbed } from '../privacy/scrub.ts';
import { formatForWhatsApp } from './format.ts';
import { splitText } from './split.ts';

/**
 * How a reply of these parts is sent, decided once, right before it is committed: from then on the open response waits for this reply,
 * or it never will. All parts go the same way, so that they arrive in order.
 */
export function reserveResponse(response: OpenResponse | null, parts: readonly Scrubbed[]): Via {
  return response?.claim(parts.length) ? 'response' : 'call';
}

/** @param text Markdown, as a model writes it. @returns at least one part */
export function partsOfMarkdown(text: Scrubbed, channel: Pick<Channel, 'limits'>): Scrubbed[] {
  const parts = partsOfText(formatForWhatsApp(text), channel);
  // Of `#` alone the formatting leaves nothing: then it is sent as it was written.
  return parts.length > 0 ? parts : [text];
}

/** @param text as a person wrote it: its formatting, if any, is WhatsApp's. @returns none for white space */
export function partsOfText(text: Scrubbed, channel: Pick<Channel, 'limits'>): Scrubbed[] {
  return splitText(text, channel.limits.textLength);
}
