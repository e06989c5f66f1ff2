/** How texts, types and names of a provider's message become ours: cleaned and scrubbed, at the border. */
import type { Attachment } from '../message.ts';
import { type Scrubbed, scrub } from '../privacy/scrub.ts';

/**
 * The longest text that is taken in, in UTF-16 units; the rest is cut off. More than twice what any provider says a message holds
 * (Twilio 1,600, Meta 4,096), so that only something that is no WhatsApp message ever loses by it.
 */
export const LONGEST_TEXT = 10_000;
export const LONGEST_NAME = 256;
/** Of a text of an advertisement. */
export const LONGEST_AD = 1_000;
/** A username id has at most 128 characters after its country, and Twilio's addresses at most 140. */
const LONGEST_ADDRESS = 160;

/**
 * Without control characters (but lines and tabs stay), without halves of characters, at most `longest` units,
 * and scrubbed.
 */
export function clean(text: string | null | undefined, longest: number): Scrubbed {
  if (!text) return scrub('');
  const cleaned = scrub(NOT_CLEAN.test(text) ? withoutControls(text) : text);
  return cleaned.length <= longest ? cleaned : scrub(wholeCharacters(cleaned.slice(0, longest)));
}

/** `\p{Cs}` is half of a character; the other half is missing. */
const NOT_CLEAN = /[^\P{Cc}\n\t]|\p{Cs}/u;

function withoutControls(text: string): string {
  return wholeCharacters(text.replace(/\r\n?/g, '\n').replace(/[^\P{Cc}\n\t]/gu, ''));
}

function wholeCharacters(text: string): string {
  return text.replace(/\p{Cs}/gu, '\ufffd');
}

/** What a person calls themselves, in one line; null when that says nothing. */
export function nameIn(name: string | null | undefined): Scrubbed | null {
  const cleaned = clean(name?.replace(/\s+/g, ' ').trim(), LONGEST_NAME);
  return cleaned === '' ? null : cleaned;
}

/** An address that can be written to and be part of a key. */
export function isAddress(address: string): boolean {
  return address.length <= LONGEST_ADDRESS && /^[^\s\p{C}/]+$/u.test(address);
}

/** The names of a template's variables, `{{1}}` or `{{first_name}}`, in order, each once. */
export function placesIn(text: string): string[] {
  return [...new Set([...text.matchAll(/\{\{\s*([\w.]{1,64})\s*\}\}/g)].map(([, name = '']) => name))];
}

/** A provider's token, such as the id of a click; undefined when it is none. */
export function tokenIn(token: string | null | undefined): string | undefined {
  return token && /^[\w.~+/=-]{1,512}$/.test(token) ? token : undefined;
}

/** `Audio/OGG; codecs=opus` → `audio/ogg` */
export function mediaTypeIn(header: string): string {
  const type = header.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  return /^[\w.+-]+\/[\w.+-]+$/.test(type) ? type : 'application/octet-stream';
}

const CONTACT_CARDS = new Set(['text/vcard', 'text/x-vcard', 'text/directory']);

export function attachmentKindOf(contentType: string): Attachment['kind'] {
  const family = contentType.split('/', 1)[0];
  if (family === 'image' || family === 'audio' || family === 'video') return family;
  return CONTACT_CARDS.has(contentType) ? 'contact-card' : 'document';
}

/** Degrees of a place, written as a number or as a text; undefined when they are none. @param most 90 or 180 */
export function degreesIn(said: unknown, most: number): number | undefined {
  const degrees = typeof said === 'string' && said.trim() !== '' ? Number(said) : said;
  return typeof degrees === 'number' && Math.abs(degrees) <= most ? degrees : undefined;
}
