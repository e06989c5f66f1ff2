/** Cuts a text that is too long for one message. */
import { type Scrubbed, scrub } from '../privacy/scrub.ts';

/** The shortest part that can hold a code block's marks and some code. */
export const SHORTEST_LIMIT = 20;

/** So many UTF-16 units of one line between WhatsApp's marks are kept together: less than half of the shortest message. */
export const LONGEST_EMPHASIS = 700;

/**
 * Cuts a text into parts of at most `limit` UTF-16 units: after a paragraph if there is one in the second half of a
 * part, else after a line, a sentence or a word. A character as people see it (an emoji of several parts, a letter with
 * its accents), an address, emphasised words and a code block that fit into a part are never cut; a longer code block is closed at the
 * end of a part and opened again in the next. Nothing but white space at the cuts is lost, and no part is empty.
 *
 * @param limit at least `SHORTEST_LIMIT`, else a RangeError
 */
export function splitText(text: Scrubbed, limit: number): Scrubbed[] {
  if (!(limit >= SHORTEST_LIMIT)) throw new RangeError(`a part must be able to hold ${SHORTEST_LIMIT} characters`);
  if (text.length <= limit) return text.trim() === '' ? [] : [text];
  const parts: string[] = [];
  let part = '';
  const finish = () => {
    if (part.trim() !== '') parts.push(part.trimEnd());
    part = '';
  };
  for (const block of blocksOf(text)) {
    if (isCode(block)) {
      const [first = '', ...others] = codePieces(block, limit);
      if (part.length + first.length > limit) finish();
      part += first;
      for (const piece of others) {
        finish();
        part = piece;
      }
      continue;
    }
    let rest = block;
    while (part.length + rest.trimEnd().length > limit) {
      const cut = cutProse(rest, limit, part.length);
      part += rest.slice(0, cut);
      finish();
      rest = rest.slice(cut).replace(/^\s*\n|^\s+/, '');
    }
    part += rest;
  }
  finish();
  return parts.map((whole) => rescrubbed(whole, limit));
}

const FENCE = '```';

/** Code blocks with their marks, and the text around them; together they are the whole text. */
function blocksOf(text: string): string[] {
  return text.split(/(```[\s\S]*?```)/).filter((block) => block !== '');
}

function isCode(block: string): boolean {
  return block.length >= 2 * FENCE.length && block.startsWith(FENCE) && block.endsWith(FENCE);
}

/** A part on its own may read differently at its ends; what is put in then may be longer. */
function rescrubbed(part: string, limit: number): Scrubbed {
  const clean = scrub(part);
  return clean.length <= limit ? clean : scrub(clean.slice(0, limit));
}

/**
 * Where to cut: at least 1 when `taken` is 0; 0 means that it should begin a new part.
 * @param taken how much of the part is full already
 */
function cutProse(text: string, limit: number, taken: number): number {
  const room = limit - taken;
  const seen = text.slice(0, room + 1);
  const cuts = [lastParagraph(seen), lastLine(seen), lastSentence(seen), lastWord(seen)];
  const good = cuts.find((cut) => taken + cut >= limit / 2) ?? cuts.find((cut) => cut > 0);
  if (good === undefined) return taken === 0 ? cutAnywhere(text, room) : 0;
  const emphasis = emphasisOver(text.slice(0, room + LONGEST_EMPHASIS), good);
  return emphasis === undefined || (emphasis === 0 && taken === 0) ? good : emphasis;
}

/** A code block in pieces that are code blocks again. */
function codePieces(block: string, limit: number): string[] {
  if (block.length <= limit) return [block];
  const pieces: string[] = [];
  const room = limit - 2 * (FENCE.length + 1);
  let rest = block
    .slice(FENCE.length, -FENCE.length)
    .replace(/^\s*\n/, '')
    .trimEnd();
  while (rest !== '') {
    const cut = rest.length <= room ? rest.length : cutCode(rest, room);
    const code = rest.slice(0, cut).trimEnd();
    if (code !== '') pieces.push(`${FENCE}\n${code}\n${FENCE}`);
    // Only the white space that was cut at: the next line may be indented.
    rest = rest.slice(cut).replace(/^\s/, '');
  }
  return pieces;
}

function cutCode(code: string, room: number): number {
  const seen = code.slice(0, room + 1);
  return lastLine(seen) || lastWord(seen) || cutAnywhere(code, room);
}

// Each gives the place of the last cut of its kind, at which nothing or white space follows, or 0. What they look at is
// one unit longer than what may be taken.

function lastParagraph(text: string): number {
  return Math.max(text.lastIndexOf('\n\n'), 0);
}

function lastLine(text: string): number {
  return Math.max(text.lastIndexOf('\n'), 0);
}

/** Full stops need a space behind them (3.5, e.g.), those of Chinese and Japanese do not. */
const SENTENCE_END = /[.!?…।॥؟۔]["'”’»)\]*_~]{0,4}(?=\s)|[。！？｡]["'”’»」』）】》*_~]{0,4}(?![\p{M}\u200d])/gu;

function lastSentence(text: string): number {
  let last = 0;
  for (const { index, 0: end } of text.matchAll(SENTENCE_END)) {
    const cut = index + end.length;
    if (cut < text.length && linkOver(text, cut) === undefined) last = cut;
  }
  return last;
}

function lastWord(text: string): number {
  const numbers = [...text.matchAll(PHONE_NUMBER)];
  const isInNumber = (at: number) => numbers.some(({ index, 0: number }) => index < at && at < index + number.length);
  for (let i = text.length - 1; i > 0; i--) if (/\s/.test(text.charAt(i)) && !isInNumber(i)) return i;
  return 0;
}

/** With spaces in it; cut, it could not be called any more. */
const PHONE_NUMBER = /(?<!\d)(?:\+|\(?0)[\d ()./-]{1,24}/g;

/** Made at the first use: that takes some 50 ms. */
let characters: Intl.Segmenter | undefined;

/** Before the address that reaches over the place, else before the character that does. There is no space up to it. */
function cutAnywhere(text: string, room: number): number {
  const link = linkOver(text.slice(0, room + 1), room);
  if (link) return link;
  characters ??= new Intl.Segmenter(undefined, { granularity: 'grapheme' });
  const character = characters.segment(text.slice(0, room + 2)).containing(room);
  if (character && character.index > 0) return character.index;
  return /[\ud800-\udbff]/.test(text.charAt(room - 1)) ? room - 1 : room;
}

/** Where the address that covers this place begins. */
function linkOver(text: string, at: number): number | undefined {
  return beginOver(text, ADDRESS, at);
}

/** Where the words in bold, italics or struck through begin that cover this place. */
function emphasisOver(text: string, at: number): number | undefined {
  return beginOver(text, EMPHASIS, at);
}

function beginOver(text: string, what: RegExp, at: number): number | undefined {
  for (const { index, 0: found } of text.matchAll(what)) if (index < at && at < index + found.length) return index;
  return undefined;
}

const EMPHASIS = new RegExp(
  `(?<![\\p{L}\\p{N}*_~])([*_~])(?=\\S)[^\\n]{0,${LONGEST_EMPHASIS}}?(?<=\\S)\\1(?![\\p{L}\\p{N}])`,
  'gu',
);

/** Chinese and Japanese put no space behind an address. */
const INSIDE = '[^\\s\\u3000-\\u303f\\uff00-\\uffef\\p{sc=Han}\\p{sc=Hiragana}\\p{sc=Katakana}]';
/** With a scheme, `wa.me/15550100` or `ana@example.com`. */
const ADDRESS = new RegExp(
  `(?:https?://|www\\.)${INSIDE}+|(?<![\\w.+-])[\\w.+-]{1,64}@[\\w-]+(?:\\.[\\w-]+)+|(?<![\\w.-])(?:[\\w-]{1,63}\\.){1,4}[a-z]{2,24}/${INSIDE}*`,
  'giu',
);
