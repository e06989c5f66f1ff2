import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type Block, type Inline, readWhatsAppText } from '../../app/web/parts/whatsapp-text.ts';

/** A tree as a short text, to compare: bold is <b>, and so on. */
function drawn(text: string): string {
  return readWhatsAppText(text).map(drawBlock).join('|');
}

function drawBlock(block: Block): string {
  if (block.kind === 'code') return `[code:${block.text}]`;
  if (block.kind === 'list') return `[${block.start ?? '-'}:${block.items.map(drawLine).join(';')}]`;
  const lines = block.lines.map(drawLine).join('\n');
  return block.kind === 'quote' ? `[quote:${lines}]` : lines;
}

function drawLine(line: Inline[]): string {
  return line.map(drawInline).join('');
}

function drawInline(piece: Inline): string {
  if (piece.kind === 'text') return piece.text;
  if (piece.kind === 'code') return `<c>${piece.text}</c>`;
  if (piece.kind === 'link') return `<a>${piece.href}</a>`;
  return `<${piece.kind}>${drawLine(piece.inside)}</${piece.kind}>`;
}

/** Every character that a reader sees. */
function plain(text: string): string {
  return drawn(text).replace(/<\/?(?:bold|italic|strike|c|a)>/g, '');
}

describe('WhatsApp’s formatting', () => {
  const cases: [text: string, drawn: string][] = [
    [
      '*bold* _italic_ ~strike~ `code`',
      '<bold>bold</bold> <italic>italic</italic> <strike>strike</strike> <c>code</c>',
    ],
    ['*bold _and italic_*', '<bold>bold <italic>and italic</italic></bold>'],
    ['(*bold*), "_i_"!', '(<bold>bold</bold>), "<italic>i</italic>"!'],
    ['2*3*4 and snake_case_name', '2*3*4 and snake_case_name'],
    ['a * not bold*', 'a * not bold*'],
    ['*not bold *', '*not bold *'],
    ['** and ****', '** and ****'],
    ['*one\ntwo*', '*one\ntwo*'],
    ['`*not bold in code*`', '<c>*not bold in code*</c>'],
    ['- one\n- *two*\nthree', '[-:one;<bold>two</bold>]|three'],
    ['* one\n* two', '[-:one;two]'],
    ['3. three\n4. four', '[3:three;four]'],
    ['- one\n1. other', '[-:one]|[1:other]'],
    ['> said\n> twice\nanswered', '[quote:said\ntwice]|answered'],
    ['>', '>'],
    ['before\n```\nlet *x* = 1\n```\nafter', 'before|[code:let *x* = 1]|after'],
    ['``` and no end', '``` and no end'],
    ['see https://example.com/a_b_c?d=e.', 'see <a>https://example.com/a_b_c?d=e</a>.'],
    ['*https://example.com*', '<bold><a>https://example.com</a></bold>'],
    ['javascript:alert(1) data:text/html,x', 'javascript:alert(1) data:text/html,x'],
    ['<b>&amp;</b>', '<b>&amp;</b>'],
    ['a\n\nb', 'a\n\nb'],
  ];
  for (const [text, expected] of cases) it(`reads ${JSON.stringify(text)}`, () => assert.equal(drawn(text), expected));

  it('loses no word of any text', () => {
    const letters = (text: string) => text.replace(/[^a-z]/g, '');
    const piece = fc.constantFrom(
      'a',
      'b ',
      '*',
      '_',
      '~',
      '`',
      '```',
      '\n',
      '> ',
      '- ',
      '1. ',
      'https://x.yz/',
      '<i>',
      '😀',
    );
    const text = fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join(''));
    fc.assert(
      fc.property(text, (given) =>
        assert.equal(letters(plain(given).replace(/\[code:|\[quote:/g, '')), letters(given)),
      ),
    );
  });

  it('reads the longest message in no time, however it is made', () => {
    for (const unit of ['*', '*a ', '_*~', '`', '```', 'http://', '> ', '*a* '])
      assert.ok(readWhatsAppText(unit.repeat(4_096 / unit.length)).length > 0);
  });
});
