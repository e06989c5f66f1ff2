import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { imageTokens, visionOf } from '../../../app/llm/openai/vision.ts';

const fit = (model: string, width: number, height: number) => {
  const size = visionOf(model).fit({ width, height });
  return `${size.width}x${size.height}`;
};

describe('what models look at', () => {
  test("is the guide's own example: 1800 × 2400 with 1,536 patches", () => {
    assert.equal(fit('gpt-4.1-mini', 1800, 2400), '1056x1408');
    assert.equal(imageTokens('gpt-5.2', 1800, 2400), 1_452);
    assert.equal(imageTokens('gpt-4.1-mini', 1024, 1024), Math.ceil(1_024 * 1.62));
  });

  test('is more for models with a larger budget', () => {
    assert.equal(fit('gpt-5.4', 3000, 4000), '1368x1824');
    assert.equal(imageTokens('gpt-5.4', 3000, 4000), 43 * 57);
    assert.equal(fit('gpt-5.4-mini', 3000, 4000), '1056x1408');
  });

  test('is tiles of 512 pixels for others', () => {
    assert.equal(fit('gpt-4o', 3000, 4000), '768x1024');
    assert.equal(imageTokens('gpt-4o', 3000, 4000), 85 + 4 * 170);
    assert.equal(imageTokens('gpt-5', 3000, 4000), 70 + 4 * 140);
    assert.equal(imageTokens('o3', 512, 512), 75 + 150);
    assert.equal(fit('gpt-4o', 2000, 20_000), '205x2048');
  });

  test('is less for gpt-4o-mini, whose tiles are dear', () => {
    assert.equal(fit('gpt-4o-mini', 3000, 4000), '512x683');
    assert.equal(imageTokens('gpt-4o-mini', 512, 512), 8_500);
  });

  test('is known by the name with a date, a vendor or capitals', () => {
    const same: [string, string][] = [
      ['gpt-5.4-mini', 'gpt-5.4-mini-2026-03-17'],
      ['gpt-4o', 'openai/gpt-4o-2024-11-20'],
      ['gpt-5.4', 'GPT-5.4'],
      ['gpt-5.6-luna', 'gpt-6-sol'],
      ['llama3.2-vision', 'google/gemini-3-flash'],
    ];
    for (const [a, b] of same) assert.equal(visionOf(a), visionOf(b), `${a}, ${b}`);
    assert.notEqual(visionOf('gpt-5'), visionOf('gpt-5.4'));
    assert.notEqual(visionOf('gpt-5.1'), visionOf('gpt-4o'));
  });

  const models = ['gpt-5.4-mini', 'gpt-5.4', 'gpt-5.6', 'gpt-4o', 'gpt-4o-mini', 'gpt-5', 'o4-mini', 'somebody-elses'];
  const sides = fc.integer({ min: 1, max: 20_000 });

  test('is never larger than the picture, keeps its shape, and is what fits at the second look', () => {
    fc.assert(
      fc.property(fc.constantFrom(...models), sides, sides, (model, width, height) => {
        const vision = visionOf(model);
        const size = vision.fit({ width, height });
        assert.ok(size.width >= 1 && size.width <= width && size.height >= 1 && size.height <= height);
        assert.ok(Number.isInteger(size.width) && Number.isInteger(size.height));
        // A pixel is the least that a side can be off by.
        const scale = width > height ? size.width / width : size.height / height;
        assert.ok(Math.abs(size.width - width * scale) <= 1 && Math.abs(size.height - height * scale) <= 1);
        assert.equal(vision.detail, 'high');
        assert.equal(vision.tokens({ width, height }), vision.tokens(size));
      }),
    );
  });

  test('stays within the budget', () => {
    fc.assert(
      fc.property(sides, sides, (width, height) => {
        const size = visionOf('gpt-5.4-mini').fit({ width, height });
        assert.ok(Math.ceil(size.width / 32) * Math.ceil(size.height / 32) <= 1_536, `${size.width}x${size.height}`);
        assert.ok(Math.max(size.width, size.height) <= 2_048);
      }),
    );
  });
});
