import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { addressOf, contactIdOf, phoneOf, readAddress } from '../../app/contacts/addresses.ts';
import { conversationId, conversationOf, keySafe } from '../../app/message.ts';

describe('two spellings of one line', () => {
  const pairs = [
    ['5215512345678', '525512345678', 'Mexico'],
    ['5491123456789', '541123456789', 'Argentina'],
    ['556181234567', '5561981234567', 'Brazil, a mobile number'],
  ];
  for (const [one = '', other = '', country] of pairs) {
    test(`are one contact: ${country}`, () => {
      assert.equal(contactIdOf(one), contactIdOf(other));
    });
  }

  test('are only those of mobile numbers', () => {
    assert.equal(contactIdOf('556132345678'), '556132345678', 'a landline in Brazil');
    assert.notEqual(contactIdOf('556132345678'), contactIdOf('5561932345678'));
    assert.equal(contactIdOf('5215512'), '5215512', 'too short');
    assert.equal(contactIdOf('15550100101'), '15550100101');
  });

  test('of a username id there is one, letter by letter', () => {
    assert.notEqual(contactIdOf('US.1a2B'), contactIdOf('US.1A2B'));
  });

  test('end in one that stays as it is', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^\d{6,15}$/), (digits) => {
        assert.equal(contactIdOf(contactIdOf(digits)), contactIdOf(digits));
      }),
    );
  });
});

describe('an address', () => {
  test('reads as people write it', () => {
    assert.equal(readAddress(' whatsapp:+1 (555) 010-0123 '), '15550100123');
    assert.equal(readAddress('US.1A2b'), 'US.1A2b');
    assert.equal(phoneOf('15550100123'), '+15550100123');
    assert.equal(phoneOf('US.1A2b'), 'US.1A2b');
    assert.equal(addressOf('+15550100123'), '15550100123');
  });
});

describe('the name of a conversation', () => {
  test('is read back whatever the addresses have in them, and is safe in a key', () => {
    const part = fc.string({ unit: 'binary', maxLength: 160 }).map((text) => text.replace(/\p{Surrogate}/gu, '?'));
    fc.assert(
      fc.property(part, part, part, (channel, business, contact) => {
        const id = conversationId({ channel, business, contact });
        assert.deepEqual(conversationOf(id), { channel, business, contact });
        assert.match(id, /^[\w.~%!'()*:-]*$/);
      }),
    );
  });

  test('is short and plain for what addresses usually are', () => {
    const plain = { channel: 'twilio', business: '14155238886', contact: 'US.1A2b' };
    assert.equal(conversationId(plain), 'twilio:14155238886:US.1A2b');
    assert.equal(keySafe('half \ud800'), 'half%20%EF%BF%BD');
  });
});
