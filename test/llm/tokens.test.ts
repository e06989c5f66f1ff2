import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { countTokens as countReference, decode, encode } from 'gpt-tokenizer/encoding/o200k_base';
import { countMessageTokens, countTokens } from '../../app/llm/tokens.ts';
import { scrub } from '../../app/privacy/scrub.ts';

const LETTER = 'Dear Ana, the bakery opens at nine. ¿Quieres pan? Ja, zwölf Brötchen; 你好，朋友 🥖 42.50 €\n';

describe('counting tokens', () => {
  test('is exact for what people write', () => {
    for (const text of ['', 'Hello', LETTER, LETTER.repeat(50), 'https://example.com/a?b=c', '   \n\n\t'])
      assert.equal(countTokens(text), encode(text).length, JSON.stringify(text.slice(0, 40)));
  });

  test('is exact for any mixture of scripts, marks and spaces, as the package counts them', () => {
    const scripts = [
      'abc XYZ',
      "'s'LL've don't",
      'áéñçß',
      'привет',
      '你好朋友',
      'สวัสดี',
      'مرحبا שלום',
      'e\u0301ǅʰ',
      '\n\r\n\t \u00a0',
      '!?/\\<>|#',
      '0123456789.,-',
      '🥖👩‍👩‍👧🏳️‍🌈',
      '\u200b\u2028\u0085',
    ];
    const character = fc.oneof(
      ...scripts.map((script) => fc.constantFrom(...script)),
      // The package takes U+FEFF out of the middle of a token, which OpenAI's own tokenizer does not.
      fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }).filter((one) => one !== '\ufeff'),
    );
    fc.assert(
      fc.property(fc.string({ unit: character, maxLength: 60 }), (text) => {
        assert.equal(countTokens(text), countReference(text, { disallowedSpecial: new Set() }));
      }),
      { numRuns: 3_000 },
    );
  });

  test('knows every token of the encoding', () => {
    for (let rank = 0; rank < 199_998; rank += 7) {
      const text = decode([rank]);
      if (!text.includes('\ufffd') && !text.includes('\ufeff') && text.length < 64)
        assert.equal(countTokens(text), encode(text, { disallowedSpecial: new Set() }).length, JSON.stringify(text));
    }
  });

  test('counts a mark of the byte order as OpenAI does', () => {
    assert.equal(countTokens('\ufeffHello'), 2);
  });

  test("takes the tokenizer's own marks for words", () => {
    assert.equal(countTokens('<|endoftext|>'), encode('<|endoftext|>', { disallowedSpecial: new Set() }).length);
    assert.ok(countTokens('<|endoftext|>') > 1);
  });

  test('is close for words without a break', () => {
    for (const text of ['สวัสดีครับร้านเปิดกี่โมง'.repeat(20), 'x9Kq'.repeat(100), 'a'.repeat(1_000)]) {
      const exact = encode(text).length;
      assert.ok(Math.abs(countTokens(text) - exact) <= exact * 0.15 + 2, `${countTokens(text)} for ${exact}`);
    }
  });

  test('is close for long texts, also when their parts differ', () => {
    for (const text of [LETTER.repeat(2_000), 'a '.repeat(50_000) + '你好朋友。'.repeat(20_000)]) {
      const exact = encode(text).length;
      assert.ok(Math.abs(countTokens(text) - exact) <= exact * 0.1, `${countTokens(text)} for ${exact}`);
    }
  });

  // Without the bounds each of these takes from minutes to days, and the runner would end it.
  for (const [name, unit] of [
    ['one letter', 'a'],
    ['spaces', ' '],
    ['line breaks', '\n'],
    ['exclamation marks', '!'],
    ['Thai', 'กขคงจฉ'],
    ['emoji', '🥖🍞'],
    ['half characters', '\ud800'],
  ] as const)
    test(`ends with a megabyte of ${name}`, { timeout: 120_000 }, () => {
      const text = unit.repeat(1_000_000 / unit.length);
      const tokens = countTokens(text);
      assert.ok(tokens > 1_000 && tokens < 4_000_000, String(tokens));
    });
});

describe('counting a prompt', () => {
  test('adds what each message costs beside its words', () => {
    const messages = [
      { role: 'system' as const, content: scrub('Be kind.') },
      { role: 'user' as const, content: scrub('Hello') },
    ];
    assert.equal(countMessageTokens(messages), countTokens('Be kind.') + countTokens('Hello') + 2 * 4 + 3);
  });

  test('counts pictures by how closely they are looked at', () => {
    const picture = (detail: 'low' | 'high') => [
      { role: 'user' as const, content: [{ kind: 'image' as const, url: 'data:image/jpeg;base64,/9j/', detail }] },
    ];
    assert.ok(countMessageTokens(picture('high')) > 4 * countMessageTokens(picture('low')));
  });
});
