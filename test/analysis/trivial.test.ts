import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isTrivial } from '../../app/analysis/trivial.ts';

const TRIVIAL = [
  '',
  '  \n',
  '👍',
  '👍🏽👍🏽',
  '❤️ 🙏',
  '👨‍👩‍👧',
  '…',
  '?!',
  'ok',
  'OK!',
  'Okay, thanks 🙏',
  'Thank you so much!',
  'thx',
  'Hi',
  'Good morning ☀️',
  'jajaja',
  'Muchas gracias',
  'Obrigada!',
  'Danke schön',
  'Merci beaucoup',
  'спасибо',
  'شكرا',
  'ありがとう',
  '[picture]',
  '[MEDIA_CONTENT]',
];

const WORTH_IT = [
  'Call me',
  'ok, call me tomorrow',
  'Thanks, but the lamp is broken',
  'no, I want my money back',
  '42',
  'help',
  'urgent!!',
  'Where is my order?',
  'Necesito ayuda',
  '[picture] is it still available?',
  '有货吗',
  'ok ok ok ok ok ok ok ok ok',
];

describe('What is not worth an analysis', () => {
  for (const text of TRIVIAL) test(`"${text}" is trivial`, () => assert.equal(isTrivial(text), true));
  for (const text of WORTH_IT) test(`"${text}" is worth one`, () => assert.equal(isTrivial(text), false));
});
