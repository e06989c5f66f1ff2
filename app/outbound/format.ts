/** The model's Markdown → WhatsApp's formatting: https://faq.whatsapp.com/539178204879377 */
import type { MarkedToken, Token, Tokens } from 'marked';
import { type Scrubbed, scrub } from '../privacy/scrub.ts';
import { readMarkdown, WORD_CHARACTER } from './markdown.ts';
import { LONGEST_EMPHASIS } from './split.ts';

/**
 * Writes Markdown (CommonMark with GitHub's tables, tasks and strikethrough) the way WhatsApp shows it: bold as `*b*`,
 * italic as `_i_`, struck as `~s~`, headings in bold, links as `text (address)`, tables as lines. Code, HTML, and what
 * only looks like Markdown (`2 * 3 * 4`, `snake_case_name`) stay as they are; a text without Markdown comes back as it
 * came, and so does one that is longer than anything a person reads. Never throws.
 */
export function formatForWhatsApp(markdown: Scrubbed): Scrubbed {
  if (markdown.length > LONGEST || !MAY_BE_MARKDOWN.test(markdown)) return markdown;
  try {
    // Once more, because two harmless halves with a mark between them can make an address.
    return scrub(blocks(readMarkdown(markdown), NOTHING));
  } catch {
    return markdown; // nested beyond what a parser's stack holds
  }
}

/** In UTF-16 units. The lexer's time grows faster than the text. */
const LONGEST = 50_000;

/** Broader than Markdown. Lists with `-` are missing on purpose: they are WhatsApp's own. */
const MAY_BE_MARKDOWN = /[*_~`#>|[<&\\]|^ {0,3}(?:[-=]{2}|\+ |- +-|\d+[.)] )/m;

/** The formatting that is already switched on around a token: WhatsApp does not nest the same mark. */
type Marks = ReadonlySet<string>;
const NOTHING: Marks = new Set();
const HEADING: Marks = new Set(['*']);
const LINE = '———';

/** Blocks below each other, with as many line breaks between them as they had. */
function blocks(tokens: Token[], marks: Marks): string {
  let text = '';
  let breaks = 0;
  for (const token of tokens) {
    const written = block(token, marks);
    if (written !== '') {
      if (text !== '') text += '\n'.repeat(Math.max(breaks, 1));
      text += written;
      breaks = 0;
    }
    breaks += trailingBreaks(token.raw);
  }
  return text;
}

function trailingBreaks(raw: string): number {
  return raw.slice(raw.trimEnd().length).split('\n').length - 1;
}

function block(token: Token, marks: Marks): string {
  const known = token as MarkedToken; // the lexer is given no extensions, so that there are no others
  switch (known.type) {
    case 'space':
    case 'checkbox':
      return '';
    case 'heading':
      // A line above `---` was meant to have a rule below it.
      if (/\S\n {0,3}-+\s*$/.test(known.raw)) return `${inline(known.tokens, marks)}\n${LINE}`;
      return marked('*', inline(known.tokens, HEADING));
    case 'code':
      // Some models put the whole answer into a fence.
      if (/^(?:markdown|md)$/i.test(known.lang?.trim() ?? '')) return blocks(readMarkdown(known.text), marks);
      return known.codeBlockStyle === 'indented' ? known.raw.trimEnd() : `\`\`\`\n${known.text}\n\`\`\``;
    case 'blockquote':
      // `>65: half price`
      if (/^ {0,3}>[\d=<]/.test(known.raw)) return known.raw.trimEnd();
      return quoted(blocks(known.tokens, marks));
    case 'list':
      return list(known, marks);
    case 'table':
      return table(known, marks);
    case 'hr':
      return LINE;
    case 'paragraph':
      return inline(known.tokens, marks);
    case 'text':
      return known.tokens ? inline(known.tokens, marks) : decoded(known.text);
    default:
      // HTML stays, and so does a link definition: it may be a text in brackets with a colon behind it.
      return token.raw.trimEnd();
  }
}

/** WhatsApp knows one level of quotation. */
function quoted(text: string): string {
  return text.replace(/^(?!> )/gm, '> ');
}

function list({ items, ordered, raw }: Tokens.List, marks: Marks): string {
  const markers = ordered ? numbers(items, raw) : items.map(bullet);
  let text = '';
  items.forEach((item, i) => {
    const marker = markers[i] ?? '';
    const box = item.task ? (item.checked ? '☑ ' : '☐ ') : '';
    text += marker + box + blocks(item.tokens, marks).replace(/\n(?=.)/g, `\n${' '.repeat(marker.length)}`);
    if (i < items.length - 1) text += '\n'.repeat(Math.max(trailingBreaks(item.raw), 1));
  });
  return text;
}

/** A plus in front of a digit is no bullet: it is how a phone number may begin. */
function bullet({ raw }: Tokens.ListItem): string {
  return /^\s*\+\s*\d/.test(raw) ? '+ ' : '- ';
}

/** Markdown renumbers every list. Here only a repeated digit (1. 1. 1.) is counted up; `08. März` and `2026.` stay as they were written. */
function numbers(items: Tokens.ListItem[], raw: string): string[] {
  const closing = /^\s*\d+([.)])/.exec(raw)?.[1] ?? '.';
  const written = items.map((item) => /^\s*(\d+)/.exec(item.raw)?.[1] ?? '1');
  const [first = '1', second] = written;
  const isRepeated = first === second && first.length === 1;
  return written.map((number, i) => `${isRepeated ? Number(first) + i : number}${closing} `);
}

/** A phone is too narrow for columns: one line a row, the header in bold. */
function table({ header, rows }: Tokens.Table, marks: Marks): string {
  const line = (cells: Tokens.TableCell[], around: Marks) =>
    cells.map(({ tokens }) => oneLine(inline(tokens, around))).join(' | ');
  const isNamed = header.some(({ text }) => text.trim() !== '');
  const head = isNamed ? [marked('*', line(header, HEADING))] : [];
  return [...head, ...rows.map((row) => line(row, marks))].join('\n');
}

function oneLine(text: string): string {
  if (!text.includes('\n')) return text;
  const lines = text.split('\n').map((line) => line.trim());
  return lines.filter((line) => line !== '').join(' ');
}

function inline(tokens: Token[], marks: Marks): string {
  return tokens.map((token, i) => span(token, marks, tokens[i - 1]?.raw ?? '', tokens[i + 1]?.raw ?? '')).join('');
}

/** @param before what is written in front of the token, and `after` behind it, as the model wrote it */
function span(token: Token, marks: Marks, before: string, after: string): string {
  const known = token as MarkedToken; // as in `block`
  switch (known.type) {
    case 'strong':
      return emphasis('*', known, marks, before, after);
    case 'em':
      return emphasis('_', known, marks, before, after);
    case 'del':
      return emphasis('~', known, marks, before, after);
    case 'link':
      return known.autolink ? known.text : withAddress(inline(known.tokens, marks), known.href);
    case 'image':
      return withAddress(decoded(known.text), known.href);
    case 'br':
      return '\n';
    case 'escape':
      return escaped(known.text, before, after);
    case 'text':
      return known.tokens ? inline(known.tokens, marks) : decoded(known.raw);
    case 'html':
      return /^<br\s*\/?>$/i.test(known.raw) ? '\n' : known.raw;
    default:
      return token.raw; // a code span
  }
}

function emphasis(
  mark: string,
  { raw, tokens }: Tokens.Strong | Tokens.Em | Tokens.Del,
  marks: Marks,
  before: string,
  after: string,
): string {
  if (isPartOfWord(raw, before, after)) return inline(tokens, marks);
  if (isNoEmphasis(raw, before, after)) {
    const original = /^[*_~]{1,2}/.exec(raw)?.[0] ?? '';
    return original + inline(tokens, marks) + original;
  }
  if (marks.has(mark)) return inline(tokens, marks);
  return marked(mark, inline(tokens, new Set([...marks, mark])));
}

/** `re**book**`, `**Haus**arzt`: WhatsApp would show the stars. Not `a**b**c`, which is arithmetic. */
function isPartOfWord(raw: string, before: string, after: string): boolean {
  if (!/^\*\*\p{L}[\p{L}\p{M}'’-]{2,}\*\*$/u.test(raw)) return false;
  return (
    (/\p{L}$/u.test(before) && ENDS_IN_WORD.test(before)) || (/^\p{L}/u.test(after) && BEGINS_WITH_WORD.test(after))
  );
}

/**
 * In the middle of a word or a number (`5*4*3`, `2**8**2`) marks are arithmetic, and `__init__.py` is a name. A single star that touches a
 * word on one side is part of it, too (`a*b*@example.com`, `*111*2#`). Scripts that put no spaces around words do not count.
 */
function isNoEmphasis(raw: string, before: string, after: string): boolean {
  const isBehind = ENDS_IN_WORD.test(before);
  const isInFront = BEGINS_WITH_WORD.test(after);
  if (isBehind && isInFront) return true;
  if (/^\*(?!\*)/.test(raw) && (isBehind || isInFront)) return true;
  return /^__\w+__$/.test(raw) && /^(?:\.\w|\()/.test(after);
}

const ENDS_IN_WORD = new RegExp(`(?:${WORD_CHARACTER})$`, 'u');
const BEGINS_WITH_WORD = new RegExp(`^(?:${WORD_CHARACTER})`, 'u');

/**
 * WhatsApp has no way to escape its marks. Where a star would begin or end bold, one that looks like it and is none stands in.
 */
function escaped(character: string, before: string, after: string): string {
  const touchesOneWord = /\S$/.test(before) !== /^\S/.test(after);
  return (touchesOneWord && LOOKALIKES[character]) || character;
}

const LOOKALIKES: Record<string, string> = { '*': '\u2217', '~': '\u223c' };

/**
 * Puts a mark around each line, close to its words: WhatsApp takes it for plain text otherwise. A line that may have to be cut gets none:
 * WhatsApp shows a mark whose other half is in another message.
 */
function marked(mark: string, text: string): string {
  return text.replace(/^([^\S\n]*)(\S|\S.*\S)([^\S\n]*)$/gm, (line, before, words, after) =>
    words.length > LONGEST_EMPHASIS ? line : before + mark + words + mark + after,
  );
}

function withAddress(text: string, href: string): string {
  const address = decoded(href).replace(/^(?:mailto|tel):/i, '');
  if (text === '' || address === '') return text || address;
  if (nameOf(text) === nameOf(address)) return /^https?:/i.test(address) ? address : text;
  return `${text} (${address})`;
}

/** What two ways to write one address or number have in common. */
function nameOf(address: string): string {
  if (/^\+?[\d\s().\-/]+$/.test(address)) return address.replace(/\D/g, '');
  return address.replace(/^https?:\/\/(?:www\.)?|^www\.|\/$/gi, '').toLowerCase();
}

const ENTITIES: Record<string, string> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: '\u00a0',
  hellip: '…',
  ndash: '–',
  mdash: '—',
  bull: '•',
  middot: '·',
  times: '×',
  deg: '°',
  euro: '€',
  pound: '£',
  copy: '©',
  reg: '®',
  trade: '™',
  rarr: '→',
  larr: '←',
};

/** The entities that models write; one that is not known stays. */
function decoded(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([\da-f]{1,6})|([a-z]+));/gi, (whole, decimal, hex, name) => {
    if (name !== undefined) return (Object.hasOwn(ENTITIES, name) && ENTITIES[name]) || whole;
    const code = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal);
    const lookalike = LOOKALIKES[String.fromCharCode(code)];
    if (lookalike) return lookalike; // written like this in order not to be a mark
    const isCharacter = code > 31 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
    return isCharacter ? String.fromCodePoint(code) : whole;
  });
}
