import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { withoutThoughts } from '../../../app/llm/openai/thoughts.ts';

const ANSWER = 'We open at nine.';

describe('thoughts', () => {
  const forms = {
    'between tags': '<think>Hm,\nopening hours?</think>\n\nWe open at nine.',
    'under another name': '<thinking>Hm</thinking>We open at nine.',
    'with attributes, in capitals': '<THINK type="x">Hm</Think> We open at nine.',
    'of a model with a prefix': '<seed:think>Hm</seed:think>We open at nine.',
    'in brackets': '[THINK]Hm[/THINK]We open at nine.',
    'in triangles': '◁think▷Hm◁/think▷We open at nine.',
    'between control tokens': '<|begin_of_thought|>Hm<|end_of_thought|>We open at nine.',
    'whose first tag is in the prompt': 'Hm, opening hours?\n</think>\n\nWe open at nine.',
    twice: '<think>Hm</think><reasoning>Hm</reasoning>We open at nine.',
    'that talk about their own tag': '<think>after <think> I write `</think>`, then</think>We open at nine.',
    'behind the answer': 'We open at nine.<think>Was that right?</think>',
    'that do not end': 'We open at nine.\n<think>Was that',
    'in a channel':
      '<|channel|>analysis<|message|>Hm<|end|><|start|>assistant<|channel|>final<|message|>We open at nine.<|return|>',
    'in a channel without its start':
      'analysis<|message|>Hm<|end|><|start|>assistant<|channel|>final <|constrain|>text<|message|>We open at nine.',
    'in a channel whose marks are gone': 'analysisThey ask for hours.assistantfinalWe open at nine.',
  };
  for (const [form, text] of Object.entries(forms)) {
    test(`${form} are left out`, () => assert.equal(withoutThoughts(text).trim(), ANSWER));
  }

  test('alone are no answer', () => {
    for (const text of ['<think>Hm', '<think>Hm</think>', 'Hm</think> ', '<|channel|>analysis<|message|>Hm<|end|>']) {
      assert.equal(withoutThoughts(text).trim(), '', text);
    }
  });

  test('are not what an answer says in such words', () => {
    for (const text of [
      ANSWER,
      'I think <b>nine</b> is right, [thinking aloud] & so on',
      'Write `<think>` and `</think>` around it.',
      'analysis of your order: two tents',
      '1 < 2 and 3 > 2',
      'x <| y |> z',
    ]) {
      assert.equal(withoutThoughts(text), text);
    }
  });

  test('leave no control token behind', () => {
    for (const end of ['<|im_end|>', '<|eot_id|>\n', '</s>', '<end_of_turn>', '<|return|><|end|>']) {
      assert.equal(withoutThoughts(`${ANSWER}${end}`), ANSWER, end);
    }
  });
});
