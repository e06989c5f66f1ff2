import { scrub } from './scrub.ts';

/** Replaces a secret. */
export const REDACTED = '[redacted]';

/** Longest string of a log line, in UTF-16 code units; what is longer is cut. A log is no place for documents. */
const MAX_TEXT = 2_000;
/** Of a string longer than this only the beginning is looked at at all. */
const MAX_LOOKED_AT = 16_000;
const MAX_DEPTH = 5;
const MAX_ITEMS = 20;
const MAX_KEYS = 50;
/** Values in all, so that a client or a request that is passed by mistake does not fill the log. */
const MAX_VALUES = 300;
/** Lines of a stack trace: enough to find the way into a library and out again. */
const MAX_FRAMES = 12;

/** How a value is to be shown. */
export interface RedactOptions {
  /** Whether errors show where they come from; false unless said. */
  stacks?: boolean;
}

/**
 * A copy of a value for a log line: plain data, bounded in depth and size, without Twilio's addresses
 * and identifiers, credentials, tokens, base64 and bodies, and with phone numbers cut down to their last 4 digits.
 *
 * Pure, and never throws: what cannot be read (a getter that throws, a revoked proxy) says so in its place.
 * @param key the name of the value; values of some names are never shown.
 */
export function redact(value: unknown, key = '', options: RedactOptions = {}): unknown {
  return shown(value, key, { stacks: options.stacks ?? false, above: [], left: MAX_VALUES });
}

/** A text for a log line. Most texts need no change, which is found out quickly. */
export function redactText(text: string): string {
  if ((text.length <= MAX_TEXT && PLAIN.test(text)) || UUID.test(text)) return text;
  if (NUMERALS.test(text)) return withoutPhones(text);
  const looked = text.length > MAX_LOOKED_AT ? wholeWords(text) : text;
  const safe = SUSPICIOUS.test(looked) ? withoutSecrets(scrub(looked)) : looked;
  if (looked.length === text.length && safe.length <= MAX_TEXT) return safe;
  return `${safe.slice(0, MAX_TEXT)}… (${text.length} characters)`;
}

interface Walk {
  stacks: boolean;
  /** The objects on the way down, to notice circles. */
  above: object[];
  /** How many more values may be shown. */
  left: number;
}

/** Names whose value is a secret, however they are written: `OPENAI_API_KEY`, `x-api-key`, `authToken`. */
const SECRET_NAME =
  /(?:authori[sz]ation|token|secret|passw(?:or)?d|cookies?|signature|credentials?|api[-_]?keys?|private[-_]?key|access[-_]?key)$/i;
/** Names whose value is what people wrote, said or are called. */
const CONTENT_NAME =
  /^(?:raw|body|raw[-_]?body|text|content|caption|transcript|prompt|summary|answer|messages|payload|button[-_]?payload|profile[-_]?name)$/i;
/** Names of numbers that are phone numbers when they are long enough. */
const PHONE_NAME = /^(?:from|to|contact|business|recipient|sender|number|wa[-_]?id|.*phone.*)$/i;

function shown(value: unknown, key: string, walk: Walk): unknown {
  if (value === null || value === undefined || typeof value === 'boolean') return value;
  if (walk.left-- <= 0) return '[too much]';
  if (SECRET_NAME.test(key) || (typeof value !== 'number' && CONTENT_NAME.test(key))) return REDACTED;
  switch (typeof value) {
    case 'string':
      return redactText(value);
    case 'number':
      return PHONE_NAME.test(key) && value >= 1e7 ? lastDigits(String(value)) : value;
    case 'object':
      return shownObject(value, walk);
    case 'function':
      return '[function]';
    default:
      return redactText(String(value));
  }
}

function shownObject(value: object, walk: Walk): unknown {
  if (walk.above.includes(value)) return '[circular]';
  if (walk.above.length >= MAX_DEPTH) return '[too deep]';
  walk.above.push(value);
  try {
    return contents(value, walk);
  } catch {
    return '[unreadable]';
  } finally {
    walk.above.pop();
  }
}

function contents(value: object, walk: Walk): unknown {
  if (value instanceof Error) return shownError(value, walk);
  if (Array.isArray(value)) return shownItems(value, value.length, walk);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? '[invalid date]' : value.toISOString();
  if (value instanceof URL) return redactText(value.href);
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `[${value.byteLength} bytes]`;
  if (value instanceof Set) return shownItems(value, value.size, walk);
  if (value instanceof Map) return shownEntries(value, value.size, walk);
  const keys = Object.keys(value);
  return shownEntries(readEach(value, keys), keys.length, walk);
}

function shownItems(items: Iterable<unknown>, size: number, walk: Walk): unknown[] {
  const list: unknown[] = [];
  for (const item of items) {
    if (list.length === MAX_ITEMS) break;
    list.push(shown(item, '', walk));
  }
  if (size > MAX_ITEMS) list.push(`… ${size - MAX_ITEMS} more`);
  return list;
}

function shownEntries(entries: Iterable<[unknown, unknown]>, size: number, walk: Walk): Record<string, unknown> {
  const record: Record<string, unknown> = {};
  let count = 0;
  for (const [key, value] of entries) {
    if (count++ === MAX_KEYS) break;
    const name = typeof key === 'object' ? '[object]' : String(key);
    record[redactText(name)] = shown(value, name, walk);
  }
  if (size > MAX_KEYS) record['…'] = `${size - MAX_KEYS} more`;
  return record;
}

function* readEach(value: object, keys: string[]): Generator<[string, unknown]> {
  for (const key of keys) yield [key, read(value, key)];
}

/** A property's value, also of an object that does not want to be read. */
function read(value: object, key: string): unknown {
  try {
    return Reflect.get(value, key);
  } catch {
    return '[unreadable]';
  }
}

/** The fields of an error that help an operator; others (requests, responses, headers) may contain secrets. */
const TELLING = ['code', 'providerCode', 'status', 'syscall', 'address', 'port', 'problems'] as const;

function shownError(error: Error, walk: Walk): Record<string, unknown> {
  const record: Record<string, unknown> = {};
  const name = read(error, 'name');
  if (typeof name === 'string' && name !== 'Error') record.name = redactText(name);
  record.message = redactText(String(read(error, 'message')));
  for (const key of TELLING) {
    const value = read(error, key);
    if (value !== undefined && typeof value !== 'function') record[key] = shown(value, key, walk);
  }
  const stack = walk.stacks ? read(error, 'stack') : undefined;
  if (typeof stack === 'string') record.stack = frames(stack).map(redactText);
  const cause = read(error, 'cause');
  if (cause !== undefined) record.cause = shown(cause, 'cause', walk);
  const errors = read(error, 'errors');
  if (Array.isArray(errors)) record.errors = shownItems(errors, errors.length, walk);
  return record;
}

/** The stack frames only: the stack repeats the message before them. */
function frames(stack: string): string[] {
  const lines = stack.slice(0, MAX_LOOKED_AT).split('\n');
  return lines
    .filter((line) => /^ {4}at /.test(line))
    .map((line) => line.trim())
    .slice(0, MAX_FRAMES);
}

// Everything below reads in one direction with bounded look-back, so that no text makes it slow.

/** Nothing but words, of which none is long and none announces credentials: what log lines mostly say. */
const PLAIN = /^(?!.*(?:bearer|basic) )(?:[a-z,'_]{1,20}(?: |$))*$/i;
/** What requests, turns and replies are called. */
const UUID = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/;
/** Digits and separators, too few for a token: addresses of people, conversation ids. */
const NUMERALS = /^[\d:+() .-]{0,31}$/;
/** Something in the text may have to go. Broader than all that `scrub` and SECRETS look for. */
const SUSPICIOUS =
  /\d{5}|\+\d|\d\)? ?[ .-]\d{3}|[\w+/-]{20}|twilio|fbsbx|graph\.facebook|2010-04-01|%[\da-f]{2}|:\/\/|data:|sk[-_]|[A-Z]{2}\.\w{6}|eyJ|bearer|basic|(?:token|secret|passw(?:or)?d|key|authorization|cookie|signature)["']?\s?[=:]/i;

/** A made-up id, a time, an IP address, the place of an entry in a Redis stream: long numbers that are no phone numbers. */
const HARMLESS =
  /[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}|\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?Z?)?|\d{1,3}(?:\.\d{1,3}){3}|1\d{12}-\d{1,6}/;
/** As bare digits, or in groups as people write them; numbers of payment cards, too. */
const LOCAL_PHONE = /\(?\d{3}\)?[ .-]{1,2}\d{3}[ .-]\d{4}|(?:\d{1,5}[ -]){1,4}\d{2,6}|\d{8,19}/;
/** International, with any separators, or as in an address (`%2B`, `%3A`); E.164 has 15 digits at most. */
const PHONE = /(?:\+|%2B|%3A)\d(?:[ ().-]{0,2}\d){6,14}/;
const NUMBERS = new RegExp(
  `${PHONE.source}|(?<![A-Za-z\\d])(?:(${HARMLESS.source})|${LOCAL_PHONE.source})(?![A-Za-z\\d])`,
  'gi',
);
/** Fewer digits than this are some other number. */
const PHONE_DIGITS = 8;

/** Each with what it becomes; in this order. */
const SECRETS: readonly [pattern: RegExp, becomes: string][] = [
  [/data:[\w.+/;=-]{0,100},[^\s"'<>)]+/gi, `data:${REDACTED}`],
  [/:\/\/[^\s/?#"'<>]*@/g, '://'],
  // a password that was not encoded as it should be; not `host:80/path@x`
  [/:\/\/[^\s/?#"'<>@:]*:(?!\d{1,5}[/?#])[^\s"'<>]{0,200}@/g, '://'],
  [/(authorization["']?\s?[:=]\s?["']?)(?:[a-z]+\s)?[^\s"',;[]+/gi, `$1${REDACTED}`],
  [/(cookie["']?\s?[:=]\s?)[^\r\n]+/gi, `$1${REDACTED}`],
  [/\bbearer\s+[\w.~+/=-]+/gi, `Bearer ${REDACTED}`],
  [/\bbasic\s+(?=[\w+/-]*[\dA-Z=])[\w+/-]{6,}={0,2}/g, `basic ${REDACTED}`],
  [/\bBasic\s+(?=[\w+/-]*(?:\d|=|[a-z][A-Z]))[\w+/-]{6,}={0,2}/g, `Basic ${REDACTED}`],
  [
    /((?:token|secret|passw(?:or)?d|api[-_]?key|signature)(?:["']\s?:\s?["']?|=["']?|:\s?(?=\S{0,100}\d)))[^\s"'&;,<>[]+/gi,
    `$1${REDACTED}`,
  ],
  // A header's value is a secret whatever it looks like; behind other names only what does not look like a word.
  [/(x-[a-z-]*(?:key|token|signature|secret)["']?\s?[:=]\s?["']?)[^\s"',;<>[]+/gi, `$1${REDACTED}`],
  [/(?<![A-Za-z0-9])sk[-_][\w*-]{6,}/g, REDACTED],
  // What services put in front of their keys, so that they are found in logs: `ghp_…`, `hf_…`, `whsec_…`; AWS; Slack; Google.
  [/(?<![A-Za-z0-9])[a-z]{2,10}_(?:[a-z]{2,10}_)?(?=[A-Za-z]*\d)[A-Za-z0-9]{16,}/g, REDACTED],
  [/(?<![A-Za-z0-9])(?:A[KS]IA[0-9A-Z]{16}|xox[a-z]-[\w-]{10,}|AIza[\w-]{30,}|glpat-[\w-]{16,})/g, REDACTED],
  // A username id names a person as a number does.
  [
    /(?<![A-Za-z0-9])([A-Z]{2}\.(?:ENT\.)?)(?=[A-Za-z]*\d)[A-Za-z0-9]{2,124}([A-Za-z0-9]{4})(?![A-Za-z0-9])/g,
    '$1***$2',
  ],
  [/(?<![\w-])eyJ[\w-]{5,}\.[\w-]+(?:\.[\w-]*)?/g, REDACTED],
  [/(?<![A-Za-z0-9])[\da-f]{32}(?![A-Za-z0-9])/gi, REDACTED],
  [/[A-Za-z0-9+/]{64,}={0,2}|[\w-]{64,}={0,2}/g, REDACTED],
  // a signature as Twilio and Meta make them: base64 of 20 bytes
  [/(?<![\w+/])[A-Za-z0-9+/]{27}=(?![\w+/=])/g, REDACTED],
  // Words in which small letters, capitals and digits mix are no words.
  [/(?<![\w-])(?=[\w-]*\d)(?=[\w-]*[a-z])(?=[\w-]*[A-Z])[\w-]{24,}(?![\w-])/g, REDACTED],
];

function withoutSecrets(text: string): string {
  let safe = text;
  for (const [pattern, becomes] of SECRETS) safe = safe.replace(pattern, becomes);
  return withoutPhones(safe);
}

function withoutPhones(text: string): string {
  return text.replace(NUMBERS, (found: string, harmless: string | undefined) => harmless ?? lastDigits(found));
}

function lastDigits(number: string): string {
  const digits = number.replace(/\D/g, '');
  return digits.length < PHONE_DIGITS ? number : `***${digits.slice(-4)}`;
}

/** The beginning of a long text, up to a word's end: half a secret looks like none. */
function wholeWords(text: string): string {
  let end = MAX_LOOKED_AT;
  while (end > 0 && !/\s/.test(text.charAt(end - 1))) end--;
  return text.slice(0, end);
}
