/**
 * A text as WhatsApp shows it: *bold*, _italic_, ~struck~, `code`, ```blocks```, lists, quotes and links, as a tree.
 * https://faq.whatsapp.com/539178204879377
 */

export type Block =
  | { kind: 'paragraph'; lines: Inline[][] }
  | { kind: 'quote'; lines: Inline[][] }
  | { kind: 'list'; start: number | null; items: Inline[][] }
  | { kind: 'code'; text: string };

export type Inline =
  | { kind: 'text'; text: string }
  | { kind: 'code'; text: string }
  | { kind: 'link'; href: string; text: string }
  | { kind: 'bold' | 'italic' | 'strike'; inside: Inline[] };

export function readWhatsAppText(text: string): Block[] {
  // The parts with an odd number stood between two ```.
  return text.split(FENCE).flatMap((part, i) => {
    if (i % 2 === 1)
      return part.includes('\n') ? [{ kind: 'code' as const, text: part.replace(/^\n|\n$/g, '') }] : [mono(part)];
    const lines = part.replace(/^\n|\n$/g, '');
    return lines === '' ? [] : blocksOf(lines.split('\n'));
  });
}

/** A pair of ```, with something between them. */
const FENCE = /```(?!```)([\s\S]+?)```/;

function mono(text: string): Block {
  return { kind: 'code', text };
}

function blocksOf(lines: readonly string[]): Block[] {
  const blocks: Block[] = [];
  for (const line of lines) {
    const block = blockOf(line);
    if (!joins(blocks.at(-1), block)) blocks.push(block);
  }
  return blocks;
}

function blockOf(line: string): Block {
  const quoted = /^> ?(?=.)(.*)$/.exec(line)?.[1];
  if (quoted !== undefined) return { kind: 'quote', lines: [inlineOf(quoted)] };
  const bullet = /^[*-] (.+)$/.exec(line)?.[1];
  if (bullet !== undefined) return { kind: 'list', start: null, items: [inlineOf(bullet)] };
  const [, number, item] = /^(\d{1,9})\. (.+)$/.exec(line) ?? [];
  if (number !== undefined && item !== undefined)
    return { kind: 'list', start: Number(number), items: [inlineOf(item)] };
  return { kind: 'paragraph', lines: [inlineOf(line)] };
}

/** Adds the next line's block to the last one when they belong together. */
function joins(last: Block | undefined, next: Block): boolean {
  if (last?.kind === 'list' && next.kind === 'list') {
    if ((last.start === null) !== (next.start === null)) return false;
    last.items.push(...next.items);
    return true;
  }
  if ((last?.kind === 'paragraph' && next.kind === 'paragraph') || (last?.kind === 'quote' && next.kind === 'quote')) {
    last.lines.push(...next.lines);
    return true;
  }
  return false;
}

const MARKS: Record<string, 'bold' | 'italic' | 'strike'> = { '*': 'bold', _: 'italic', '~': 'strike' };
const LINK = /\bhttps?:\/\/[^\s<>"']+/giy;

/** One line. `open` are the marks around it: they do not count again. */
function inlineOf(line: string, open = ''): Inline[] {
  const found: Inline[] = [];
  let plainFrom = 0;
  const take = (at: number, length: number, piece: Inline) => {
    if (at > plainFrom) found.push({ kind: 'text', text: line.slice(plainFrom, at) });
    found.push(piece);
    plainFrom = at + length;
  };
  for (let at = 0; at < line.length; at = Math.max(at + 1, plainFrom)) {
    const mark = line[at] ?? '';
    if (mark === 'h' || mark === 'H') {
      const text = linkAt(line, at);
      if (text) take(at, text.length, { kind: 'link', href: text, text });
    } else if ((mark in MARKS || mark === '`') && !open.includes(mark)) {
      const end = closing(line, at, mark);
      if (end < 0) continue;
      const inside = line.slice(at + 1, end);
      const kind = MARKS[mark];
      take(at, end + 1 - at, kind ? { kind, inside: inlineOf(inside, open + mark) } : { kind: 'code', text: inside });
    }
  }
  if (plainFrom < line.length) found.push({ kind: 'text', text: line.slice(plainFrom) });
  return found;
}

/** Where the mark ends that begins at `from`: marks are outside of words and touch what they mark. -1 when there is none. */
function closing(line: string, from: number, mark: string): number {
  if (isWordAt(line, from - 1) || isBlank(line[from + 1]) || line[from + 1] === mark) return -1;
  for (let at = line.indexOf(mark, from + 2); at > 0; at = line.indexOf(mark, at + 1)) {
    if (!isBlank(line[at - 1]) && !isWordAt(line, at + 1)) return at;
  }
  return -1;
}

function isWordAt(line: string, at: number): boolean {
  return /[\p{L}\p{N}]/u.test(line[at] ?? '');
}

function isBlank(character: string | undefined): boolean {
  return character === undefined || /\s/.test(character);
}

/** The link that begins there, without what ends the sentence. */
function linkAt(line: string, at: number): string | null {
  LINK.lastIndex = at;
  const text = LINK.exec(line)?.[0].replace(/[.,;:!?*_~`)\]}]+$/, '');
  return text && URL.canParse(text) ? text : null;
}
