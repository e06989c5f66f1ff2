import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { isSigned, isSignedJson, sign, signedUrl } from '../../../app/channels/twilio/signature.ts';
import { twilioSignature } from '../../doubles/twilio.ts';

interface Vector {
  name: string;
  kind: 'form' | 'json';
  authToken: string;
  signature: string;
  url: string;
  params?: Record<string, string | string[]>;
  body?: string;
  valid: boolean;
}

// The file's shape is its own contract.
const { vectors } = JSON.parse(readFileSync('test/fixtures/twilio-signature.json', 'utf8')) as { vectors: Vector[] };

const TOKEN = 'a-token';
const URL_CALLED = 'https://bot.example.com/whatsapp';

function pairsOf(params: Record<string, string | string[]>): [string, string][] {
  return Object.entries(params).flatMap(([name, value]) => [value].flat().map((one): [string, string] => [name, one]));
}

describe('the recorded signatures', () => {
  for (const { name, kind, authToken, signature, url, params = {}, body = '', valid } of vectors) {
    test(`${name}: ${valid ? 'holds' : 'is refused'}`, () => {
      const common = { tokens: [authToken], signature, url };
      const holds =
        kind === 'json' ? isSignedJson({ ...common, body }) : isSigned({ ...common, pairs: pairsOf(params) });
      assert.equal(holds, valid);
    });
  }
});

describe('a signature', () => {
  const pairs = new URLSearchParams({
    From: 'whatsapp:+15550100123',
    Body: 'hi & bye = 100% ü 😀\nline 2',
    '': 'nameless',
  });
  const signature = sign(TOKEN, URL_CALLED, pairs);
  const good = { tokens: [TOKEN], signature, url: URL_CALLED, pairs };

  test('is the one that Twilio documents', () => {
    assert.equal(signature, twilioSignature(TOKEN, URL_CALLED, Object.fromEntries(pairs)));
    assert.ok(isSigned(good));
  });

  test('may be made with any of the tokens, but with an empty one', () => {
    assert.ok(isSigned({ ...good, tokens: ['the-new-one', TOKEN] }));
    assert.ok(!isSigned({ ...good, tokens: [] }));
    assert.ok(!isSigned({ ...good, tokens: [''], signature: sign('', URL_CALLED, pairs) }));
  });

  test('is refused when it is missing, empty, or anything else', () => {
    for (const wrong of [undefined, '', ' ', signature.toLowerCase(), `${signature},${signature}`, 'ü'.repeat(28)]) {
      assert.ok(!isSigned({ ...good, signature: wrong }), wrong);
    }
  });

  test('is refused for another path, another field, one field more or one less', () => {
    assert.ok(!isSigned({ ...good, url: 'https://bot.example.com/api/whatsapp' }));
    assert.ok(!isSigned({ ...good, pairs: [...pairs, ['X', '']] }));
    assert.ok(!isSigned({ ...good, pairs: [...pairs].slice(1) }));
  });

  test('does not cover what is behind a #, on either side', () => {
    assert.ok(isSigned({ ...good, url: `${URL_CALLED}#rc=2&rp=ct,rt,5xx` }));
    assert.equal(sign(TOKEN, `${URL_CALLED}#rc=2`, pairs), signature);
  });

  test('covers names that objects treat in ways of their own', () => {
    for (const name of ['__proto__', 'constructor', 'toString', 'a[b]', 'a.b', 'length']) {
      const odd: [string, string][] = [
        [name, 'one'],
        ['Body', 'x'],
      ];
      const signed = { ...good, pairs: odd, signature: twilioSignature(TOKEN, URL_CALLED, fieldsOf(odd)) };
      assert.ok(isSigned(signed), name);
      assert.ok(
        !isSigned({
          ...signed,
          pairs: [
            [name, 'two'],
            ['Body', 'x'],
          ],
        }),
        name,
      );
    }
  });

  test('covers every value of a repeated name', () => {
    const repeated: [string, string][] = [
      ['A', '2'],
      ['A', '1'],
      ['A', '2'],
    ];
    const signed = { ...good, pairs: repeated, signature: twilioSignature(TOKEN, URL_CALLED, { A: '1A2' }) };
    assert.ok(isSigned(signed));
    assert.ok(!isSigned({ ...signed, pairs: [['A', '1']] }));
  });

  test('of an address that is none is refused', () => {
    assert.ok(!isSigned({ ...good, url: '/whatsapp', signature: 'x'.repeat(28) }));
    assert.ok(!isSignedJson({ tokens: [TOKEN], signature, url: 'nonsense', body: '{}' }));
  });

  test('holds for its own fields and for no other token, whatever they are', () => {
    const field = fc.tuple(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }));
    fc.assert(
      fc.property(fc.array(field), (pairs) => {
        const signed = { tokens: [TOKEN], url: URL_CALLED, pairs, signature: sign(TOKEN, URL_CALLED, pairs) };
        assert.ok(isSigned(signed));
        assert.ok(!isSigned({ ...signed, tokens: ['another'] }));
      }),
    );
  });
});

describe('the address that was signed', () => {
  const nothing = { publicUrl: undefined, trustProxy: false };

  test('is the public one with path and query as they came', () => {
    const called = request('/whatsapp?tenant=a%20b&x=%2F', { host: 'localhost:3002' });
    const expected = 'https://bot.example.com/whatsapp?tenant=a%20b&x=%2F';
    for (const publicUrl of ['https://bot.example.com', 'https://bot.example.com/']) {
      assert.equal(signedUrl(called, { ...nothing, publicUrl }), expected);
    }
    const prefixed = { ...nothing, publicUrl: 'https://example.com/bots/one/' };
    assert.equal(signedUrl(called, prefixed), 'https://example.com/bots/one/whatsapp?tenant=a%20b&x=%2F');
  });

  test('is what a proxy says, if it is to be believed, and its first word counts', () => {
    const headers = {
      host: 'inside:3002',
      'x-forwarded-proto': 'https, http',
      'x-forwarded-host': 'bot.example.com, inside',
    };
    assert.equal(signedUrl(request('/whatsapp', headers), { ...nothing, trustProxy: true }), URL_CALLED);
    assert.equal(signedUrl(request('/whatsapp', headers), nothing), 'http://inside:3002/whatsapp');
    const publicUrl = 'https://other.example.com';
    assert.equal(signedUrl(request('/', headers), { publicUrl, trustProxy: true }), 'https://other.example.com/');
  });

  test('is the one that was called, when nobody says anything', () => {
    const called = request('/whatsapp', { host: 'localhost:3002' });
    assert.equal(signedUrl(called, { ...nothing, trustProxy: true }), 'http://localhost:3002/whatsapp');
    assert.equal(signedUrl(called, { ...nothing, publicUrl: '' }), 'http://localhost:3002/whatsapp');
  });

  test('may have been named as a whole', () => {
    const called = request('http://inside/whatsapp?a=b', { host: 'inside' });
    assert.equal(signedUrl(called, { ...nothing, publicUrl: 'https://x.example' }), 'https://x.example/whatsapp?a=b');
  });
});

function request(url: string, headers: Record<string, string>): IncomingMessage {
  return Object.assign(new IncomingMessage(new Socket()), { url, headers });
}

function fieldsOf(pairs: [string, string][]): Record<string, string> {
  return Object.fromEntries(pairs);
}
