import {
  ADDRESS,
  ALNUM,
  codeAt,
  followsEscape,
  HEX,
  isA,
  LABEL,
  MAILBOX,
  PATH,
  SCHEME,
  says,
  USERINFO,
  type View,
  width,
} from './decoded.ts';
import type { Stretch } from './sids.ts';

/** Of Twilio, and of Meta where its API and its files are: people may well write of facebook.com. */
const DOMAINS = ['twilio.com', 'twiliocdn.com', 'fbsbx.com', 'graph.facebook.com'] as const;
const DOMAIN_STARTS = new Set([...DOMAINS].flatMap(([first = '']) => [code(first), code(first.toUpperCase())]));
const API_VERSION = '2010-04-01';
const ACCOUNTS = 'accounts';

const VERSION_STARTS = code('2');
const AT = code('@');
const COLON = code(':');
const DOT = code('.');
const HYPHEN = code('-');
const OPEN = code('(');
const CLOSE = code(')');
const UNDERSCORE = code('_');
const SLASHES = [code('/'), code('\\')];
/** What may follow host and port in an address. */
const CONTINUES = [...SLASHES, code('?'), code('#')];
/** What ends a sentence, a quotation or WhatsApp's formatting rather than an address. */
const TRAILING = new Set([...".,;:!?'*_~)\\"].map(code));

/**
 * Finds addresses of Twilio's and Meta's hosts and Twilio's API paths on any host, each with all that belongs to it: scheme, credentials,
 * subdomains, port, path, query. Expects a view whose SIDs are marked: they do not join a name to what is beside it.
 *
 * Nothing looks back beyond the end of the stretch before, so the work is linear in the length of the text.
 * @returns in order, without overlaps.
 */
export function findAddresses(view: View): Stretch[] {
  const found: Stretch[] = [];
  let floor = 0;
  let at = 0;
  while (at < view.length) {
    const next = addressAt(view, at, floor);
    if (next) found.push(next);
    floor = next?.to ?? floor;
    at = next?.to ?? at + 1;
  }
  return found;
}

function addressAt(view: View, at: number, floor: number): Stretch | undefined {
  view.steps++;
  const character = codeAt(view, at);
  if (character === VERSION_STARTS) return pathAddress(view, at, floor);
  return DOMAIN_STARTS.has(character) ? hostAddress(view, at, floor) : undefined;
}

function hostAddress(view: View, at: number, floor: number): Stretch | undefined {
  const domain = DOMAINS.find((name) => says(view, at, name));
  if (!domain || !startsName(view, at, floor)) return undefined;
  const hostEnd = at + domain.length;
  // An encoded letter may be meant as one (`twilio.com%6Dunity`) or not; taking it out is the safe reading.
  if (isA(view, hostEnd, ALNUM) && width(view, hostEnd) === 1) return undefined;
  return { kind: 'url', from: hostStart(view, at, floor), to: addressEnd(view, hostEnd) };
}

/** Is this where a registered name begins? Not in `nottwilio.com` and `not-twilio.com`. */
function startsName(view: View, at: number, floor: number): boolean {
  let i = at;
  while (i > floor && codeAt(view, i - 1) === HYPHEN) i--;
  view.steps += at - i;
  return i <= floor || !isA(view, i - 1, ALNUM) || followsEscape(view, i);
}

/** From the registered name back over subdomains, credentials and scheme. */
function hostStart(view: View, at: number, floor: number): number {
  const host = labelsStart(view, at, floor);
  const start = schemeStart(view, credentialsStart(view, host, floor), floor);
  return start === host ? afterUnderscores(view, host, at) : start;
}

function labelsStart(view: View, at: number, floor: number): number {
  let start = at;
  while (start > floor && codeAt(view, start - 1) === DOT) {
    const label = runStart(view, start - 1, floor, LABEL);
    if (label === start - 1) break;
    start = label;
  }
  return start;
}

/** `_api.twilio.com_` is in italics: the underscore is not the host's. */
function afterUnderscores(view: View, host: number, at: number): number {
  let start = host;
  while (start < at && codeAt(view, start) === UNDERSCORE) start++;
  return start;
}

/** Back over `user:password@` or `mailbox@`; the host itself when there is neither. */
function credentialsStart(view: View, host: number, floor: number): number {
  if (host <= floor || codeAt(view, host - 1) !== AT) return host;
  const at = host - 1;
  let start = at;
  let colon = false;
  while (start > floor && isUserinfo(view, start - 1, width(view, at))) {
    start--;
    colon ||= codeAt(view, start) === COLON;
  }
  if (colon || (start > floor && SLASHES.includes(codeAt(view, start - 1)))) return start;
  const mailbox = runStart(view, at, floor, MAILBOX);
  return mailbox === at ? host : mailbox;
}

/** Passwords hold all sorts of things; a delimiter that is encoded more often than the `@` behind it is one of them. */
function isUserinfo(view: View, index: number, atWidth: number): boolean {
  if (isA(view, index, USERINFO)) return true;
  const own = width(view, index);
  return own > atWidth || (own > 1 && !CONTINUES.includes(codeAt(view, index)));
}

/** Back over `scheme://` or `//`. */
function schemeStart(view: View, at: number, floor: number): number {
  let slashes = at;
  while (slashes > floor && SLASHES.includes(codeAt(view, slashes - 1))) slashes--;
  view.steps += at - slashes;
  if (slashes === at) return at;
  if (slashes > floor && codeAt(view, slashes - 1) === COLON) return runStart(view, slashes - 1, floor, SCHEME);
  return at - slashes >= 2 ? slashes : at;
}

/** `/2010-04-01/Accounts…`, with what is before it: a proxy's address, or nothing. */
function pathAddress(view: View, at: number, floor: number): Stretch | undefined {
  if (at <= floor || !says(view, at, API_VERSION) || !SLASHES.includes(codeAt(view, at - 1))) return undefined;
  let accounts = at + API_VERSION.length;
  const slashes = accounts;
  while (SLASHES.includes(codeAt(view, accounts))) accounts++;
  view.steps += accounts - slashes;
  const end = accounts + ACCOUNTS.length;
  if (accounts === slashes || !says(view, accounts, ACCOUNTS)) return undefined;
  if (isA(view, end, ALNUM) && width(view, end) === 1) return undefined;
  return { kind: 'path', from: pathStart(view, at, floor), to: addressEnd(view, end) };
}

function pathStart(view: View, at: number, floor: number): number {
  const start = runStart(view, at, floor, PATH);
  for (let i = start; i < at; i++) {
    view.steps++;
    // An unusual password ends the run early: `https://user:p(w@host/2010-…`.
    if (codeAt(view, i) === AT) return Math.min(start, schemeStart(view, credentialsStart(view, i + 1, floor), floor));
  }
  return start;
}

/** From the end of the host (or of `Accounts`) over port, path and query, without the punctuation of the sentence. */
function addressEnd(view: View, nameEnd: number): number {
  const end = restEnd(view, portEnd(view, nameEnd));
  let trimmed = end;
  while (trimmed > nameEnd && TRAILING.has(codeAt(view, trimmed - 1)) && width(view, trimmed - 1) === 1) trimmed--;
  view.steps += end - trimmed;
  return trimmed;
}

function portEnd(view: View, nameEnd: number): number {
  const dot = codeAt(view, nameEnd) === DOT && [COLON, ...CONTINUES].includes(codeAt(view, nameEnd + 1));
  let end = dot ? nameEnd + 1 : nameEnd;
  if (codeAt(view, end) !== COLON) return end;
  do end++;
  while (isA(view, end, HEX) && codeAt(view, end) <= code('9'));
  return end;
}

function restEnd(view: View, portEnd: number): number {
  if (!CONTINUES.includes(codeAt(view, portEnd))) return portEnd;
  let end = portEnd;
  for (let open = 0; isA(view, end, ADDRESS) || width(view, end) > 1; end++) {
    if (codeAt(view, end) === OPEN) open++;
    // A bracket that was opened before the address began closes around it: `[photo](https://…)`.
    if (codeAt(view, end) === CLOSE && open-- === 0) break;
  }
  return end;
}

/** Back from `at` to where characters of a kind begin. */
function runStart(view: View, at: number, floor: number, kind: number): number {
  let start = at;
  while (start > floor && isA(view, start - 1, kind)) start--;
  return start;
}

function code(character: string): number {
  return character.charCodeAt(0);
}
