import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isNothing } from '../../../app/llm/openai/silence.ts';

describe('a transcript', () => {
  test('of silence says nothing, in the words of any server and language', () => {
    for (const words of [
      '',
      '.',
      '… … …',
      '♪',
      '[BLANK_AUDIO]',
      '[BLANK_AUDIO] [BLANK_AUDIO]',
      '[ Silence ]',
      '（音楽）',
      '(música de fondo).',
      '*sighs*',
      '♪ la la la ♪',
      'Thanks for watching!',
      'Thanks for watching! Thanks for watching!',
      '[Music] Thank you for watching.',
      'Please like and subscribe.',
      'Subtitles by the Amara.org community',
      'Subtítulos realizados por la comunidad de Amara.org',
      'Untertitel im Auftrag des ZDF für funk 2017',
      'Untertitelung des ZDF, 2020',
      "Sous-titres réalisés par la communauté d'Amara.org",
      'ご視聴ありがとうございました',
      '시청해주셔서 감사합니다.',
      '请不吝点赞 订阅 转发 打赏支持明镜与点点栏目',
      'Продолжение следует...',
      'Субтитры сделал DimaTorzok',
      'ترجمة نانسي قنقر',
    ]) {
      assert.equal(isNothing(words), true, words);
    }
  });

  test('of words keeps them, also when they sound alike', () => {
    for (const words of [
      'Thank you.',
      'Thanks!',
      '7',
      'نعم',
      '[coughs] I would like a table for two.',
      'Is there silence (music) in the room?',
      'Thanks for watching my dog yesterday.',
      'I want to subscribe to the newsletter.',
      'See you on Tuesday.',
      'See you next time!',
      'Subscribe.',
      'Gracias por ver mi mensaje',
      '谢谢你',
    ]) {
      assert.equal(isNothing(words), false, words);
    }
  });
});
