import { folded, foldedPair, UNSEEN } from './folded.ts';

/**
 * A text as a reader of addresses sees it, with characters of other widths and styles as plain ones and without those that are not seen: one character per entry, percent-encoding undone at every depth
 * (`%2F`, `%252F` and `%25%32%46` are all `/`), each with its place in the original.
 */
export interface View {
  /** How many characters there are. */
  length: number;
  /** UTF-16 code units, decoded. `MARK` where something was already found. */
  codes: Uint16Array;
  /** Where each character begins in the original, in code units; one entry more for the end. */
  starts: Uint32Array;
  /** The last character an escape is written with, decoded: `A` for `%4A`. For a plain character itself. */
  tails: Uint16Array;
  /** Characters looked at so far; grows linearly with the text, and a test holds it to that. */
  steps: number;
}

/** Stands for a character that was found and will be replaced. U+FFFF is never a character. */
export const MARK = 0xffff;

/** What a character may be part of. */
export const ALNUM = 1;
export const HEX = 2;
/** A host name's label; `%` because escapes beyond ASCII stay as they are. */
export const LABEL = 4;
export const SCHEME = 8;
/** An address from its path on, as RFC 3986 has it, and the backslash that JSON and careless people write for `/`. */
export const ADDRESS = 16;
/** Everything before the query of an address, from its scheme on. */
export const PATH = 32;
/** The mailbox of `mailbox@host`. */
export const MAILBOX = 64;
/** A user name and password before `@`, also unescaped ones. */
export const USERINFO = 128;

const LETTERS_AND_DIGITS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
const CLASSES = classes();

/** Reads a text. Escapes of characters beyond ASCII stay undecoded: no address or SID has any. */
export function viewOf(text: string): View {
  const { length } = text;
  const codes = new Uint16Array(length);
  const starts = new Uint32Array(length + 1);
  const tails = new Uint16Array(length);
  let top = 0;
  for (let i = 0; i < length; i++) {
    const pair = foldedPair(text.charCodeAt(i), text.charCodeAt(i + 1));
    const code = pair >= 0 ? pair : folded(text.charCodeAt(i));
    // It belongs to the character before it.
    if (code === UNSEEN) continue;
    codes[top] = tails[top] = code;
    starts[top] = i;
    if (pair >= 0) i++;
    top++;
    // What an escape gives may complete the escape around it. Every round takes two entries away: linear in all.
    for (let decoded = escapeAt(codes, top - 3); decoded >= 0; decoded = escapeAt(codes, top - 3)) {
      tails[top - 3] = codes[top - 1] ?? 0;
      top -= 2;
      codes[top - 1] = decoded;
    }
  }
  starts[top] = length;
  return { length: top, codes, starts, tails, steps: length };
}

/** The character at a place; 0 outside of the text. */
export function codeAt(view: View, index: number): number {
  return index < view.length ? (view.codes[index] ?? 0) : 0;
}

export function isA(view: View, index: number, kind: number): boolean {
  view.steps++;
  return index >= 0 && index < view.length && ((CLASSES[view.codes[index] ?? 0] ?? 0) & kind) !== 0;
}

/** How many characters of the original one is written with: more than 1 when it is percent-encoded. */
export function width(view: View, index: number): number {
  return (view.starts[index + 1] ?? 0) - (view.starts[index] ?? 0);
}

/** Does the text at a place say `word` (given in lower case), in any case of letters? */
export function says(view: View, index: number, word: string): boolean {
  for (let i = 0; i < word.length; i++) {
    view.steps++;
    const code = codeAt(view, index + i);
    if ((code >= 65 && code <= 90 ? code + 32 : code) !== word.charCodeAt(i)) return false;
  }
  return true;
}

/** Is there a `%hh` of a character beyond ASCII that ends just before this place? */
export function followsEscape(view: View, index: number): boolean {
  return codeAt(view, index - 3) === PERCENT && isA(view, index - 2, HEX) && isA(view, index - 1, HEX);
}

const PERCENT = 37;

/** The ASCII character of the `%hh` that begins here, or -1. */
function escapeAt(codes: Uint16Array, index: number): number {
  if (codes[index] !== PERCENT) return -1;
  const high = hexValue(codes[index + 1] ?? 0);
  const low = hexValue(codes[index + 2] ?? 0);
  return high < 0 || high > 7 || low < 0 ? -1 : high * 16 + low;
}

function hexValue(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const lower = code | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

/** One byte of kinds for every code unit: the searches ask it for each character. */
function classes(): Uint8Array {
  const table = new Uint8Array(0x10000);
  const allow = (kind: number, characters: string) => {
    for (const character of characters) table[character.charCodeAt(0)] = (table[character.charCodeAt(0)] ?? 0) | kind;
  };
  allow(ALNUM | LABEL | SCHEME | ADDRESS | PATH | MAILBOX, LETTERS_AND_DIGITS);
  allow(HEX, '0123456789abcdefABCDEF');
  allow(LABEL, '-_%');
  allow(SCHEME, '+-.');
  allow(ADDRESS, "-._~:/?#@!$&'()*+,;=%\\");
  allow(PATH, '-._~%:@/\\+');
  allow(MAILBOX, '-._%+~');
  for (let code = 0x21; code < 0x10000; code++) table[code] = (table[code] ?? 0) | USERINFO;
  for (const end of '"<>`/\\?#\u007f\u00a0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff') forbid(table, end.charCodeAt(0));
  for (let code = 0x2000; code <= 0x200b; code++) forbid(table, code);
  table[MARK] = LABEL | ADDRESS | PATH | MAILBOX | USERINFO;
  return table;
}

function forbid(table: Uint8Array, code: number): void {
  table[code] = (table[code] ?? 0) & ~USERINFO;
}
