/** Hostile requests, made up by fast-check: whatever has broken servers before, in every mixture. */
import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { newSid } from '../../doubles/twilio.ts';
import { AUTH_TOKEN } from '../../support/bot.ts';
import type { RawRequest } from './wire.ts';

/** A request and what may come of it. */
export interface Case {
  kind: string;
  request: RawRequest;
  /** It is signed with the account's token: then it may be taken for a message. */
  signed: boolean;
}

export const WEBHOOKS = ['/whatsapp', '/whatsapp-endpoint', '/api/whatsapp', '/api/whatsapp/webhook', '/twilio/status'];
const FORM = 'application/x-www-form-urlencoded';

type Pairs = [string, string][];

function encode(pairs: Pairs): Buffer {
  return Buffer.from(new URLSearchParams(pairs).toString());
}

export function post(target: string, body: Buffer, headers: [string, string][] = []): RawRequest {
  const hasType = headers.some(([name]) => name.toLowerCase() === 'content-type');
  const usual: [string, string][] = hasType ? [] : [['Content-Type', FORM]];
  return { method: 'POST', target, headers: [['Content-Length', String(body.length)], ...usual, ...headers], body };
}

/** The request as it goes to a bot at this port: with a host, and with a signature if it is to have a right one. */
export function addressed({ request, signed }: Pick<Case, 'request' | 'signed'>, port: number): RawRequest {
  const host = `127.0.0.1:${port}`;
  const signature: [string, string][] = signed
    ? [['X-Twilio-Signature', signatureOf(`http://${host}${request.target}`, request.body)]]
    : [];
  return { ...request, headers: [['Host', host], ...request.headers, ...signature] };
}

/** As Twilio signs, over decoded values; a name that comes twice counts its different values in order. */
function signatureOf(url: string, body: Buffer): string {
  const values = new Map<string, Set<string>>();
  for (const [name, value] of new URLSearchParams(body.toString())) {
    values.set(name, (values.get(name) ?? new Set()).add(value));
  }
  const words = [...values]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, all]) => [...all].sort().map((v) => name + v));
  return createHmac('sha1', AUTH_TOKEN)
    .update(url + words.flat().join(''), 'utf8')
    .digest('base64');
}

const target = fc.constantFrom(...WEBHOOKS);
const someone = fc.integer({ min: 0, max: 9_999 }).map((n) => `whatsapp:+1555020${String(n).padStart(4, '0')}`);

/** Text with everything that has ever broken a parser. */
const nasty = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.constantFrom(
    '\u0000',
    '\u0007\u001b[31m',
    '\u202e\u202dgnirts',
    '\u200b\u200e\u2066',
    '\ufeff',
    '\ufffe',
    '$\u{7b}jndi:ldap://x}',
  ),
  fc.constantFrom(
    '__proto__',
    'constructor',
    'toString',
    '<Response><Message>hi</Message></Response>',
    ']]>',
    '%00%ff',
  ),
  fc.constantFrom(
    '{{7*7}}',
    "'; DROP TABLE messages; --",
    '../../../../etc/passwd',
    '\r\nSet-Cookie: a=b',
    'A'.repeat(5_000),
  ),
);

const message = fc.record({ from: someone, body: nasty, extra: fc.array(fc.tuple(nasty, nasty), { maxLength: 8 }) });

function fields({ from, body, extra }: { from: string; body: string; extra: Pairs }): Pairs {
  const sid = newSid('SM');
  return [
    ['From', from],
    ['To', 'whatsapp:+14155238886'],
    ['MessageSid', sid],
    ['Body', body],
    ['NumMedia', '0'],
    ...extra,
  ];
}

/** Bytes that no encoder would make: halves of characters, broken percent signs, NUL. */
const brokenForm = fc
  .array(
    fc.constantFrom(
      'Body=',
      '%',
      '%E0%A4',
      '%ED%A0%80',
      '%00',
      '&',
      '=',
      '&&==',
      'From=%FF',
      '\u0000',
      'a[b]',
      '+',
      ';',
    ),
    {
      maxLength: 60,
    },
  )
  .map((parts) => Buffer.from(parts.join(''), 'latin1'));

const headerValue = fc.oneof(
  fc.string({ unit: 'grapheme-ascii', maxLength: 60 }),
  fc.constantFrom('é'.repeat(50), 'x'.repeat(3_000), '../..', '%0d%0a', 'null'),
);

/** Everything that has ever broken a server of this kind, each kind as often as the others. */
export const hostile: fc.Arbitrary<Case> = fc.oneof(
  unsigned(
    'nasty texts without a signature',
    fc.tuple(target, message).map(([at, one]) => post(at, encode(fields(one)))),
  ),
  unsigned(
    'a forged sender with a made-up signature',
    fc
      .tuple(target, message, fc.base64String({ maxLength: 40 }))
      .map(([at, one, signature]) => post(at, encode(fields(one)), [['X-Twilio-Signature', signature]])),
  ),
  signed(
    'nasty texts with a signature',
    fc.tuple(fc.constantFrom(...WEBHOOKS.slice(0, 4)), message).map(([at, one]) => post(at, encode(fields(one)))),
  ),
  signed(
    'broken forms with a signature',
    fc.tuple(target, brokenForm).map(([at, body]) => post(at, body)),
  ),
  unsigned(
    'a body that is too large',
    fc
      .tuple(target, fc.integer({ min: 163_841, max: 400_000 }))
      .map(([at, size]) => post(at, Buffer.alloc(size, 'Body=a&'))),
  ),
  unsigned(
    '1,000 and more parameters',
    fc.tuple(target, fc.integer({ min: 1_000, max: 6_000 })).map(([at, many]) => {
      return post(at, encode(Array.from({ length: many }, (_, i) => [`p${i}`, 'x'])));
    }),
  ),
  unsigned(
    'deep brackets',
    fc.tuple(target, fc.integer({ min: 1, max: 9_000 })).map(([at, depth]) => {
      return post(at, Buffer.from(`Body${'[a]'.repeat(depth)}=x&From${'.b'.repeat(depth)}=y`));
    }),
  ),
  unsigned(
    'JSON instead of a form',
    fc.tuple(target, fc.json(), fc.integer({ min: 0, max: 30_000 })).map(([at, json, depth]) => {
      const body = depth % 2 === 0 ? json : `${'['.repeat(depth)}${']'.repeat(depth)}`;
      return post(at, Buffer.from(body), [['Content-Type', 'application/json']]);
    }),
  ),
  unsigned(
    'a wrong content type',
    fc
      .tuple(
        target,
        message,
        fc.constantFrom(
          'text/plain',
          'multipart/form-data; boundary=x',
          'application/xml',
          'text/html',
          'a',
          '/',
          '',
          'application/x-www-form-urlencoded2',
        ),
      )
      .map(([at, one, type]) => post(at, encode(fields(one)), [['Content-Type', type]])),
  ),
  unsigned(
    'a body that is not what its encoding says',
    fc
      .tuple(
        target,
        fc.constantFrom('gzip', 'deflate', 'br', 'compress', 'x', 'gzip, gzip'),
        fc.uint8Array({ maxLength: 300 }),
      )
      .map(([at, encoding, bytes]) => post(at, Buffer.from(bytes), [['Content-Encoding', encoding]])),
  ),
  unsigned(
    'a wrong method',
    fc
      .tuple(
        target,
        fc.constantFrom('GET', 'PUT', 'DELETE', 'PATCH', 'PROPFIND', 'TRACE', 'LINK', 'M-SEARCH', 'QUERY'),
        message,
      )
      .map(([at, method, one]) => ({ ...post(at, encode(fields(one))), method })),
  ),
  unsigned(
    'absurd headers',
    fc
      .tuple(
        target,
        message,
        fc.array(
          fc.tuple(
            fc.constantFrom(
              'X-Forwarded-For',
              'X-Forwarded-Host',
              'Cookie',
              'Accept',
              'X-Twilio-Signature',
              'Expect',
              'Range',
              'Upgrade',
            ),
            headerValue,
          ),
          { maxLength: 40 },
        ),
      )
      .map(([at, one, headers]) => post(at, encode(fields(one)), headers)),
  ),
  unsigned(
    'absurd addresses',
    fc
      .tuple(
        fc.constantFrom(
          '//whatsapp',
          '/whatsapp/%E0%A4%A',
          '/whatsapp?%',
          '/%00',
          '/../whatsapp',
          'http://evil.example/whatsapp',
          '*',
          '/whatsapp#a',
          '/api//whatsapp',
          '/whatsapp;a=b',
          '/__proto__',
          '/whatsapp/%2e%2e/metrics',
        ),
        message,
      )
      .map(([at, one]) => post(at, encode(fields(one)))),
  ),
);

function signed(kind: string, requests: fc.Arbitrary<RawRequest>): fc.Arbitrary<Case> {
  return requests.map((request) => ({ kind, request, signed: true }));
}

function unsigned(kind: string, requests: fc.Arbitrary<RawRequest>): fc.Arbitrary<Case> {
  return requests.map((request) => ({ kind, request, signed: false }));
}
