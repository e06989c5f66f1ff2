import { findAddresses } from './addresses.ts';
import { type View, viewOf } from './decoded.ts';
import { foldedText, MAY_HIDE } from './folded.ts';
import { createKnownTexts } from './known.ts';
import { type Stretch, takeSids } from './sids.ts';

declare const brand: unique symbol;

/** A text that `scrub` has seen. The places behind the border accept nothing else. */
export type Scrubbed = string & { readonly [brand]: true };

/** Replaces what was removed. */
export const PLACEHOLDER = '[MEDIA_CONTENT]';

/** Something that must not cross a border: where it is in a text, in UTF-16 code units, never what it says. */
export interface Leak {
  /** An address of Twilio or of Meta's API, an API path on any host, or an identifier. */
  kind: 'url' | 'path' | 'sid';
  index: number;
  length: number;
}

/**
 * Replaces everything in a text that leads to Twilio or to Meta's API by `PLACEHOLDER`:
 *
 * - addresses of twilio.com, twiliocdn.com, fbsbx.com, graph.facebook.com and their subdomains, in any case, with any scheme or none, with credentials
 *   and port, percent-encoded to any depth; punctuation at their end stays;
 * - API paths (`/2010-04-01/Accounts/…`), with the host they are on;
 * - `MM` and `ME` + 32 letters or digits, every other kind of Twilio's identifiers + 32 hex digits;
 *
 * also when they are written with characters that look the same or between which are some that nobody sees.
 *
 * Pure, idempotent, and linear in the length of the text. All other text is unchanged.
 */
export function scrub(text: string): Scrubbed {
  const clean = mayLeak(text) ? replaced(text, findLeaks(text)) : text;
  return clean as Scrubbed; // this is the one place that makes them
}

/** How many placeholders a text has: what was taken out of it. */
export function placeholdersIn(text: Scrubbed): number {
  return text.split(PLACEHOLDER).length - 1;
}

/** What `scrub` would take out, in order and without overlaps. */
export function findLeaks(text: string): Leak[] {
  if (!mayLeak(text)) return [];
  const view = viewOf(text);
  return leaksIn(view).map(({ kind, from, to }) => {
    const index = view.starts[from] ?? 0;
    return { kind, index, length: (view.starts[to] ?? 0) - index };
  });
}

/**
 * Joins scrubbed texts and numbers: scrubbed`Summary: ${summary}`. The whole is scrubbed again, because two
 * harmless halves can make an address.
 */
export function scrubbed(strings: TemplateStringsArray, ...values: (Scrubbed | number)[]): Scrubbed {
  return scrub(String.raw({ raw: strings }, ...values));
}

/** Like `Array.join`, for scrubbed texts; the whole is scrubbed again. */
export function joinScrubbed(texts: readonly Scrubbed[], separator: string): Scrubbed {
  return scrub(texts.join(separator));
}

/** How many characters the search for leaks looks at: the proof that it is linear, without a clock. */
export function stepsToScrub(text: string): number {
  const view = viewOf(text);
  leaksIn(view);
  return view.steps;
}

/** One text for everything that `scrub` knows, for a self-check: none may remain. The values are invented. */
export const LEAK_EXAMPLES: readonly { kind: Leak['kind']; name: string; sample: string }[] = examples();

// Both are quick ways to say "certainly nothing here", and most texts have nothing. Without an escape, what is searched
// is the text itself; so each pattern only has to be broader than the search behind it.
// Apart from each other, because a search for one of several is ten times slower: it cannot leap ahead.
const MAY_BE_HOST = /twilio(?:cdn)?\.com/i;
const MAY_BE_FILE_HOST = /fbsbx\.com/i;
const MAY_BE_GRAPH_HOST = /graph\.facebook\.com/i;
const MAY_BE_PATH = '2010-04-01';
const MAY_BE_ESCAPE = /%[0-9a-f]{2}/i;
const MAY_BE_SID = /[A-Z]{2}[0-9A-Za-z]{32}/;

/**
 * The lines of a history are looked at when they are loaded and again before they leave, at every turn. Looking up that a line had nothing
 * takes a tenth of that. Shorter texts are looked at as quickly, and longer ones are no lines.
 */
const CLEAN = createKnownTexts(1_000_000);
const SHORTEST_LINE = 64;
const LONGEST_LINE = 4_096;

function mayLeak(text: string): boolean {
  const isLine = text.length >= SHORTEST_LINE && text.length <= LONGEST_LINE;
  if (isLine && CLEAN.has(text)) return false;
  if (showsLeak(text) || (MAY_HIDE.test(text) && showsLeak(foldedText(text)))) return true;
  if (isLine) CLEAN.add(text);
  return false;
}

function showsLeak(text: string): boolean {
  return (
    MAY_BE_HOST.test(text) ||
    MAY_BE_FILE_HOST.test(text) ||
    MAY_BE_GRAPH_HOST.test(text) ||
    text.includes(MAY_BE_PATH) ||
    (text.includes('%') && MAY_BE_ESCAPE.test(text)) ||
    (text.length >= 34 && MAY_BE_SID.test(text))
  );
}

function leaksIn(view: View): Stretch[] {
  const sids = takeSids(view);
  // Two sorted lists: the engine's sort merges those in linear time.
  return merged([...findAddresses(view), ...sids].sort((a, b) => a.from - b.from || b.to - a.to));
}

/** Joins what overlaps or touches; an address with an identifier in it is one leak. */
function merged(stretches: Stretch[]): Stretch[] {
  const joined: Stretch[] = [];
  for (const next of stretches) {
    const last = joined.at(-1);
    if (!last || next.from > last.to) {
      joined.push(next);
      continue;
    }
    last.to = Math.max(last.to, next.to);
    if (last.kind === 'sid') last.kind = next.kind;
  }
  return joined;
}

function replaced(text: string, leaks: Leak[]): string {
  let clean = '';
  let from = 0;
  for (const { index, length } of leaks) {
    clean += text.slice(from, index) + PLACEHOLDER;
    from = index + length;
  }
  return clean + text.slice(from);
}

function examples(): { kind: Leak['kind']; name: string; sample: string }[] {
  const sid = (prefix: string) => prefix + '0123456789abcdef'.repeat(2);
  const path = `/2010-04-01/Accounts/${sid('AC')}/Messages/${sid('MM')}/Media/${sid('ME')}`;
  const url = `https://api.twilio.com${path}`;
  const encoded = encodeURIComponent(url);
  return [
    { kind: 'url', name: 'media address', sample: url },
    { kind: 'url', name: 'media address in capitals', sample: url.toUpperCase() },
    { kind: 'url', name: 'region and edge', sample: `https://api.dublin.ie1.twilio.com${path}` },
    { kind: 'url', name: 'media host', sample: 'https://media.twiliocdn.com/folder/file?Signature=abc~d_e' },
    { kind: 'url', name: 'credentials and port', sample: `https://${sid('AC')}:made-up@api.twilio.com:8443/x` },
    { kind: 'url', name: 'another scheme', sample: 'wss://media.twilio.com/stream' },
    { kind: 'url', name: 'no scheme', sample: 'api.twilio.com/x?y=1' },
    { kind: 'url', name: 'bare host', sample: 'twilio.com' },
    {
      kind: 'url',
      name: 'file of Meta',
      sample: 'https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=1&hash=x',
    },
    { kind: 'url', name: 'API of Meta', sample: 'https://Graph.Facebook.com/v25.0/106540352242922/messages' },
    { kind: 'url', name: 'percent-encoded', sample: encoded },
    { kind: 'url', name: 'percent-encoded twice', sample: encodeURIComponent(encoded) },
    { kind: 'path', name: 'API path', sample: path },
    { kind: 'path', name: 'API path on another host', sample: `http://localhost:4010${path}.json` },
    ...['MM', 'ME', 'AC', 'SM', 'SK', 'CA', 'MG', 'PN', 'IS', 'XE', 'HX'].map((prefix) => ({
      kind: 'sid' as const,
      name: `${prefix} identifier`,
      sample: sid(prefix),
    })),
    { kind: 'sid', name: 'MM identifier of any letters', sample: `MM${'xYz4'.repeat(8)}` },
  ];
}
