/**
 * Byte pair encoding, as far as counting needs it: the number of tokens, without the tokens. Makes no objects, for a turn counts several texts.
 * The algorithm is that of https://github.com/openai/tiktoken
 */
import { NO_TOKEN, type Vocabulary } from './vocabulary.ts';

/**
 * @param split finds the pieces that no token crosses, one behind the other; with the flags `g` and `u`
 * @returns counts the tokens of a text; the time for a piece grows with the square of its length
 */
export function createCounter({ rankOf }: Vocabulary, split: RegExp): (text: string) => number {
  const pieces = new RegExp(split.source, split.flags);
  const encoder = new TextEncoder();
  let bytes = new Uint8Array(0);
  let starts = new Int32Array(0);
  let ranks = new Int32Array(0);
  return count;

  function count(text: string): number {
    if (bytes.length < text.length * 3) reserve(text.length * 3);
    const { written } = encoder.encodeInto(text, bytes);
    const isAscii = written === text.length;
    let tokens = 0;
    let from = 0;
    let byteFrom = 0;
    while (from < text.length) {
      const to = wordEnd(text, from) ?? pieceEnd(text, from);
      const byteTo = byteFrom + (isAscii ? to - from : bytesOf(text, from, to));
      tokens += tokensOf(byteFrom, byteTo);
      from = to;
      byteFrom = byteTo;
    }
    return tokens;
  }

  /** Unlike `matchAll`, this makes no array for each piece. */
  function pieceEnd(text: string, from: number): number {
    pieces.lastIndex = from;
    return pieces.test(text) ? pieces.lastIndex : text.length;
  }

  function reserve(length: number): void {
    bytes = new Uint8Array(length);
    starts = new Int32Array(length + 1);
    ranks = new Int32Array(length + 1);
  }

  /** Joins the two neighbours that make the lowest rank, until none make a token. Each single byte is one. */
  function tokensOf(from: number, to: number): number {
    let parts = to - from;
    if (parts === 1 || rankOf(bytes, from, to) !== NO_TOKEN) return 1;
    for (let i = 0; i <= parts; i++) {
      starts[i] = from + i;
      ranks[i] = i + 1 < parts ? rankOf(bytes, from + i, from + i + 2) : NO_TOKEN;
    }
    for (let at = lowest(parts); at !== -1; at = lowest(parts)) {
      parts--;
      for (let i = at + 1; i <= parts; i++) {
        starts[i] = starts[i + 1] ?? 0;
        ranks[i] = ranks[i + 1] ?? 0;
      }
      ranks[at] = rankAt(at, parts);
      if (at > 0) ranks[at - 1] = rankAt(at - 1, parts);
    }
    return parts;
  }

  /** Of a part and the next one, joined. */
  function rankAt(part: number, parts: number): number {
    return part + 1 < parts ? rankOf(bytes, starts[part] ?? 0, starts[part + 2] ?? 0) : NO_TOKEN;
  }

  /** @returns -1 when no two neighbours make a token */
  function lowest(parts: number): number {
    let rank = NO_TOKEN;
    let at = -1;
    for (let i = 0; i < parts; i++) {
      const other = ranks[i] ?? NO_TOKEN;
      if (other >= rank) continue;
      rank = other;
      at = i;
    }
    return at;
  }
}

/**
 * Where the piece ends that begins here, if it is a plain word, with the sign or space before it: most pieces are, and the pattern takes
 * several times as long. Undefined when only the pattern can tell.
 */
function wordEnd(text: string, from: number): number | undefined {
  let at = from;
  let code = text.charCodeAt(at);
  if (code < 0x80 && !isLetter(code) && !isDigit(code) && code !== 10 && code !== 13) code = text.charCodeAt(++at);
  while (code >= 65 && code <= 90) code = text.charCodeAt(++at);
  const small = at;
  while (code >= 97 && code <= 122) code = text.charCodeAt(++at);
  // It may go on beyond ASCII, or with `'s`.
  return at === small || code >= 0x80 || code === 39 ? undefined : at;
}

function isLetter(code: number): boolean {
  return (code >= 65 && code <= 90) || (code >= 97 && code <= 122);
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

/** In UTF-8; half a character becomes U+FFFD, which takes three. */
function bytesOf(text: string, from: number, to: number): number {
  let bytes = 0;
  for (let i = from; i < to; i++) {
    const code = text.codePointAt(i) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x1_0000 ? 3 : 4;
    if (code > 0xffff) i++;
  }
  return bytes;
}
