/**
 * Characters that readers and browsers take for others: letters of other widths and styles, other dots, and what is not seen at all. NFKC
 * (Unicode Standard Annex 15), and what domain names add to it: https://www.unicode.org/reports/tr46/
 */

/** Stands for a character that nobody sees. */
export const UNSEEN = 0xfffe;

const UNSEEN_CHARACTERS = /^\p{Default_Ignorable_Code_Point}$/u;
/** Ranges with characters that stand for an ASCII one, or are not seen. */
const RANGES = [
  [0x80, 0x3ff],
  [0x61c, 0x61c],
  [0x115f, 0x1160],
  [0x17b4, 0x180f],
  [0x2000, 0x2bff],
  [0x3000, 0x3164],
  [0xfe00, 0xffef],
] as const;
const FOLDED = table();

/** Has a text characters that may hide something: those the table changes, but for spaces and signs that are in no address. */
export const MAY_HIDE = mayHide();

/** What a code unit stands for: an ASCII character, `UNSEEN`, or itself. */
export function folded(code: number): number {
  return code < 0x80 ? code : (FOLDED[code] ?? code);
}

/** The ASCII character that a character beyond the first plane stands for (`𝐭`), or -1. */
export function foldedPair(high: number, low: number): number {
  if (high !== 0xd835 && high !== 0xd83c) return -1;
  return asciiOf(String.fromCharCode(high, low));
}

function table(): Uint16Array {
  const codes = Uint16Array.from({ length: 0x10000 }, (_, code) => code);
  for (const [from, to] of RANGES) {
    for (let code = from; code <= to; code++) {
      const character = String.fromCharCode(code);
      const ascii = asciiOf(character);
      if (UNSEEN_CHARACTERS.test(character)) codes[code] = UNSEEN;
      else if (ascii >= 0) codes[code] = ascii;
    }
  }
  for (const dot of '\u3002\uff61') codes[dot.charCodeAt(0)] = '.'.charCodeAt(0);
  return codes;
}

function mayHide(): RegExp {
  const written = (code: number) => `\\u${code.toString(16).padStart(4, '0')}`;
  const changed = RANGES.flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, i) => from + i)).filter(
    (code) => {
      const stands = folded(code);
      return stands === UNSEEN || (stands !== code && /[\w.:/?#@%~-]/.test(String.fromCharCode(stands)));
    },
  );
  return new RegExp(`[${changed.map(written).join('')}\\ud835\\ud83c]`);
}

function asciiOf(character: string): number {
  const normal = character.normalize('NFKC');
  const code = normal.charCodeAt(0);
  return normal.length === 1 && code < 0x80 ? code : -1;
}

/** The whole text folded, without what is not seen. */
export function foldedText(text: string): string {
  let result = '';
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const pair = foldedPair(code, text.charCodeAt(i + 1));
    const one = pair >= 0 ? pair : folded(code);
    if (pair >= 0) i++;
    if (one !== UNSEEN) result += String.fromCharCode(one);
  }
  return result;
}
