import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { SHORTEST_LIMIT, splitText } from '../../app/outbound/split.ts';
import { scrub } from '../../app/privacy/scrub.ts';

function split(text: string, limit: number): string[] {
  return splitText(scrub(text), limit);
}

const words = (count: number, word = 'word') => Array.from({ length: count }, (_, i) => `${word}${i}`).join(' ');

/** What must survive: all but white space and the marks of code blocks. */
const essence = (text: string) => text.replace(/\s|```/g, '');

describe('a text that fits', () => {
  test('stays as it is', () => {
    assert.deepEqual(split(' a text \n', 20), [' a text \n']);
    assert.deepEqual(split('x'.repeat(20), 20), ['x'.repeat(20)]);
  });

  test('and says nothing makes no part', () => {
    assert.deepEqual(split('', 20), []);
    assert.deepEqual(split(' \n\n ', 20), []);
    assert.deepEqual(split(' '.repeat(100), 20), []);
  });
});

describe('a long text is cut', () => {
  test('after a paragraph', () => {
    const [one, two] = [words(8), words(8, 'other')];
    assert.deepEqual(split(`${one}\n\n${two}`, 70), [one, two]);
  });

  test('after a line when a paragraph would leave a part half empty', () => {
    assert.deepEqual(split(`Hi\n\n${words(8)}.\nx ${words(8)}`, 70), [`Hi\n\n${words(8)}.`, `x ${words(8)}`]);
  });

  test('after a sentence, but not within a number', () => {
    const parts = split('It costs about 3.5 dollars, he said. Which is not so much.', 40);
    assert.deepEqual(parts, ['It costs about 3.5 dollars, he said.', 'Which is not so much.']);
  });

  test('after a sentence that no space follows', () => {
    assert.deepEqual(split('今天天气很好我们出去走走吧好不好。明天再说', 20), [
      '今天天气很好我们出去走走吧好不好。',
      '明天再说',
    ]);
  });

  test('after a sentence of any script, with the quotation marks behind it', () => {
    for (const sentence of ['他问：“我们明天几点出发？”', 'यह एक वाक्य है।', 'هل هذا سؤال طويل؟', 'یہ ایک جملہ ہے۔'])
      assert.equal(split(`${sentence} ${'x'.repeat(8)} ${'y'.repeat(14)}`, 26)[0], sentence);
  });

  test('after a word', () => {
    assert.deepEqual(split('one two three four five six', 20), ['one two three four', 'five six']);
  });

  test('keeping the indentation of the line that begins a part', () => {
    assert.deepEqual(split('1. first thing to do\n   - and a detail', 30), [
      '1. first thing to do',
      '   - and a detail',
    ]);
  });
});

describe('what is never cut', () => {
  test('a character of several parts', () => {
    const family = '👨‍👩‍👧‍👦';
    for (const part of split(family.repeat(10), 25)) assert.equal(part.replaceAll(family, ''), '');
    for (const part of split('e\u0301'.repeat(40), 21)) assert.equal(part.replaceAll('e\u0301', ''), '');
    for (const part of split('🇵🇹'.repeat(20), 22)) assert.equal(part.replaceAll('🇵🇹', ''), '');
  });

  test('an address that fits into a part', () => {
    const link = 'https://example.com/a/long/path?with=query';
    assert.deepEqual(split(`看这里有一个很好的网址请打开${link}`, 50), ['看这里有一个很好的网址请打开', link]);
    assert.ok(split(`${words(9)} (${link}) ${words(9)}`, 60).some((part) => part.includes(link)));
  });

  test('an address without a scheme, nor a mail address', () => {
    for (const link of ['wa.me/15550100999', 'anna.maria@mail.example.com'])
      assert.deepEqual(split(`看这里有一个很好的网址请打开吧好不好呢 ${link}`, 30).at(-1), link);
    assert.deepEqual(
      split(`请打开https://example.com/a。${'然后再说'.repeat(8)}`, 30).at(0),
      '请打开https://example.com/a。',
    );
  });

  test('a phone number, also between its groups', () => {
    for (const number of ['+49 30 9018 2000', '(030) 9018 2000', '+1 (555) 010-0123'])
      assert.ok(
        split(`${words(4)} ${number} ${words(9)}`, 35).some((part) => part.includes(number)),
        number,
      );
  });

  test('words in bold, in italics or struck through, on one line', () => {
    for (const mark of ['*', '_', '~']) {
      const emphasis = `${mark}two three four five${mark}`;
      assert.deepEqual(split(`one ${emphasis} six seven`, 22), ['one', emphasis, 'six seven']);
    }
  });

  test('a code block that fits into a part', () => {
    const code = '```\nlet a = 1;\n\nlet b = 2;\n```';
    const parts = split(`${words(8)}\n\n${code}\n\n${words(8)}`, 60);
    assert.deepEqual(parts, [words(8), code, words(8)]);
  });
});

test('a longer code block is closed and opened again, between its lines', () => {
  const lines = Array.from({ length: 12 }, (_, i) => `  line ${i};`);
  const parts = split(`Look:\n\`\`\`\n${lines.join('\n')}\n\`\`\`\nDone.`, 60);
  assert.ok(parts.length > 2);
  for (const part of parts) assert.equal(part.split('```').length % 2, 1, part);
  assert.deepEqual(parts.join('\n').match(/^ {2}line \d+;$/gm), lines);
});

test('marks of code that are never closed are plain text', () => {
  assert.equal(essence(split(`\`\`\`${words(20)}`, 40).join('')), essence(words(20)));
});

test('a limit too small for anything is refused', () => {
  assert.throws(() => split('text', SHORTEST_LIMIT - 1), RangeError);
  assert.throws(() => split('text', Number.NaN), RangeError);
});

describe('whatever the text', () => {
  const pieces = fc.oneof(
    fc.lorem({ mode: 'sentences', maxCount: 3 }),
    fc.string({ unit: 'grapheme', maxLength: 60 }),
    fc.webUrl(),
    fc.constantFrom('\n', '\n\n', ' ', '```', '```\n', '。', '. ', '👨‍👩‍👧‍👦', '  - '),
  );
  const texts = fc.array(pieces, { maxLength: 25 }).map((all) => scrub(all.join('')));
  const limits = fc.integer({ min: SHORTEST_LIMIT, max: 300 });

  test('no part is too long or empty, and nothing is lost', () => {
    fc.assert(
      fc.property(texts, limits, (text, limit) => {
        const parts = splitText(text, limit);
        for (const part of parts) assert.ok(part.length <= limit && part.trim() !== '', JSON.stringify(part));
        assert.equal(essence(parts.join('')), essence(text));
      }),
      { numRuns: 500 },
    );
  });

  test('no character is cut into halves', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 30, maxLength: 300 }), limits, (text, limit) => {
        for (const part of splitText(scrub(text), limit)) assert.doesNotMatch(part, /\p{Cs}/u);
      }),
    );
  });

  test('an address shorter than a part stays whole', () => {
    fc.assert(
      fc.property(
        fc.lorem(),
        fc.webUrl({ size: 'small' }),
        fc.lorem(),
        fc.integer({ min: 100, max: 300 }),
        (a, url, b, limit) => {
          fc.pre(url.length <= limit);
          assert.ok(splitText(scrub(`${a} ${url} ${b} `.repeat(3)), limit).some((part) => part.includes(url)));
        },
      ),
    );
  });
});
