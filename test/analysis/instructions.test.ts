import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DEFAULT_PROMPT, readInstructions } from '../../app/analysis/instructions.ts';
import { DEFAULT_CATEGORIES } from '../../app/analysis/schema.ts';
import { SettingsError } from '../../app/errors.ts';

describe('Instructions for the analysis', () => {
  test('come with the program', () => {
    assert.deepEqual(readInstructions(undefined), { prompt: DEFAULT_PROMPT, ...DEFAULT_CATEGORIES });
  });

  test('may be a prompt alone', () => {
    const { prompt, ...categories } = readInstructions('\uFEFF# Hotel\n\nYou read what guests write.\n');
    assert.equal(prompt, '# Hotel\n\nYou read what guests write.');
    assert.deepEqual(categories, DEFAULT_CATEGORIES);
  });

  test('may be lists and a prompt', () => {
    const file = `---
# what guests want
intents: booking, "late checkout", other
sentiments: happy, unhappy, urgent
entities: people, room_numbers
task_category: guests
task_types:
  - call
  - 'room_service'
---
You read what guests write.

---
This line is still the prompt.`;
    assert.deepEqual(readInstructions(file.replaceAll('\n', '\r\n')), {
      prompt: 'You read what guests write.\n\n---\nThis line is still the prompt.',
      sentiments: ['happy', 'unhappy', 'urgent'],
      intents: ['booking', 'late checkout', 'other'],
      entities: ['people', 'room_numbers'],
      taskCategory: 'guests',
      taskTypes: ['call', 'room_service'],
    });
  });

  test('may be lists alone', () => {
    const { prompt, intents } = readInstructions('---\nintents: [booking, other]\n---\n');
    assert.equal(prompt, DEFAULT_PROMPT);
    assert.deepEqual(intents, ['booking', 'other']);
  });

  const WRONG: Record<string, [string, RegExp]> = {
    'a list without an end': ['---\nintents: a, b\nYou read.', /have no end/],
    'a list that nobody reads': ['---\nmoods: a, b\n---\n', /does not understand the line "moods: a, b".*sentiments/],
    'a sentiment that is too long': [`---\nsentiments: ${'x'.repeat(21)}\n---\n`, /longer than 20/],
    'two categories': ['---\ntask_category: a, b\n---\n', /task_category has more than 1 name/],
    'an empty list': ['---\nintents:\n---\n', /list intents is empty/],
    'a name that stands twice': ['---\nintents: a, a\n---\n', /occurs twice/],
    'a name that is too long': [`---\ntask_types: ${'x'.repeat(51)}\n---\n`, /longer than 50/],
  };
  for (const [what, [file, expected]] of Object.entries(WRONG))
    test(`say what is wrong with ${what}`, () => {
      assert.throws(
        () => readInstructions(file),
        (error) => error instanceof SettingsError && expected.test(error.problems[0] ?? ''),
      );
    });
});
