import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Template } from '../../app/inbox/contract.ts';
import {
  buttonOf,
  fileOfHeader,
  filledIn,
  found,
  languageInWords,
  numberIn,
  problemOfValue,
  reasonOf,
  templateInWords,
  variableInWords,
} from '../../app/web/inbox/templates.ts';

function template(overrides: Partial<Template>): Template {
  return {
    id: 'order_ready:en',
    channel: 'meta',
    name: 'order_ready',
    language: 'en',
    category: 'utility',
    state: 'approved',
    reason: null,
    header: null,
    body: 'Hello {{1}}',
    footer: null,
    buttons: [],
    variables: ['1'],
    ...overrides,
  };
}

test('a variable is named in words', () => {
  for (const [name, words] of [
    ['1', 'Variable 1'],
    ['first_name', 'First name'],
    ['header.1', 'Header 1'],
    ['header.first_name', 'Header first name'],
    ['header.image', 'Address of the picture'],
    ['header.document', 'Address of the document'],
    ['button.0', "End of the button's address"],
    ['code.1', 'Code'],
  ] as const)
    assert.equal(variableInWords(name), words);
});

test('a variable of a button leads to the button', () => {
  const buttons = ['Look', 'Copy code'];
  assert.deepEqual([buttonOf({ buttons }, 'button.0'), buttonOf({ buttons }, 'code.1')], ['Look', 'Copy code']);
  assert.deepEqual([buttonOf({ buttons }, '1'), buttonOf({ buttons }, 'button.7')], [null, null]);
});

test('a text is filled in with what is there, and names the places that are empty', () => {
  const values = new Map([
    ['1', 'Ana'],
    ['first_name', ' '],
  ]);
  assert.equal(
    filledIn('{{1}}, {{ first_name }}, {{constructor}} {{ no place }}', values),
    'Ana, [First name], [Constructor] {{ no place }}',
  );
  assert.equal(filledIn('{{1}}', new Map([['1', '{{2}} $& $1']])), '{{2}} $& $1', 'a value is no template');
});

test('a value that WhatsApp would refuse is explained', () => {
  assert.match(problemOfValue('1', '  ') ?? '', /^Fill this in\.$/);
  assert.match(problemOfValue('1', 'a\tb') ?? '', /no tabs/);
  assert.match(problemOfValue('1', 'a     b') ?? '', /four spaces/);
  assert.match(problemOfValue('header.image', 'menu.jpg') ?? '', /whole address/);
  for (const [name, value] of [
    ['1', 'a    b'],
    ['header.image', 'https://example.com/menu.jpg?size=2'],
    ['button.0', 'spring?x=1'],
  ] as const)
    assert.equal(problemOfValue(name, value), null);
});

test('a header is a text or a file', () => {
  assert.deepEqual(fileOfHeader({ header: '{{header.image}}' }), { variable: 'header.image', kind: 'picture' });
  assert.equal(fileOfHeader({ header: 'Hello {{header.1}}' }), null);
  assert.equal(fileOfHeader({ header: '{{header.1}}' }), null);
  assert.equal(fileOfHeader({ header: null }), null);
});

test('why one cannot be sent is a sentence', () => {
  assert.equal(reasonOf({ state: 'approved', reason: null }), '');
  assert.equal(reasonOf({ state: 'rejected', reason: 'TAG_CONTENT_MISMATCH' }), 'Tag content mismatch.');
  assert.equal(reasonOf({ state: 'rejected', reason: 'It shouts.' }), 'It shouts.');
  assert.equal(reasonOf({ state: 'pending', reason: null }), 'WhatsApp has not approved it yet.');
});

test('a search finds all its words, in names, texts and languages; what can be sent comes first', () => {
  const all = [
    template({ id: 'a', name: 'offer', state: 'paused', body: 'Come soon' }),
    template({ id: 'b', name: 'welcome', language: 'pt_BR', body: 'Bem-vindo!' }),
    template({ id: 'c', name: 'order_ready' }),
  ];
  const ids = (search: string) => found(all, search).map(({ id }) => id);
  assert.deepEqual(ids(''), ['c', 'b', 'a']);
  assert.deepEqual(ids(' Order  ready '), ['c']);
  assert.deepEqual(ids('portuguese bem'), ['b']);
  assert.deepEqual(ids('soon paused'), ['a']);
  assert.deepEqual(ids('nothing'), []);
});

test('a message says which template it was, if that is known', () => {
  assert.equal(templateInWords('order_ready:pt_BR', []), 'order_ready (pt_BR)');
  const sid = `HX${'0'.repeat(32)}`;
  assert.equal(templateInWords(sid, []), null);
  assert.equal(templateInWords(sid, [template({ id: sid, name: 'welcome' })]), 'welcome (en)');
  assert.equal(templateInWords(sid, [template({ id: sid, name: 'welcome', language: '' })]), 'welcome');
});

test('a language is named in words, whatever it is', () => {
  assert.equal(languageInWords('pt_BR'), 'Brazilian Portuguese');
  assert.equal(languageInWords('not a language'), 'not a language');
  assert.equal(languageInWords(''), '');
});

test('a number is taken as people write it, with its country code', () => {
  assert.equal(numberIn(' +1 (555) 010-0188 '), '+15550100188');
  assert.equal(numberIn('0044 7700 900123'), '+447700900123');
  for (const typed of ['', '07700 900123', '12345', 'Ana', '+1555010018812345678', 'US.1A2B'])
    assert.equal(numberIn(typed), null);
});
