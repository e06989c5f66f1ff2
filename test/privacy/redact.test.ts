import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Failure } from '../../app/errors.ts';
import { REDACTED, redact, redactText } from '../../app/privacy/redact.ts';
import { LEAK_EXAMPLES, PLACEHOLDER } from '../../app/privacy/scrub.ts';

const UUID = '550e8400-e29b-41d4-a716-446655440000';

describe('in a text', () => {
  const cases: [text: string, expected: string][] = [
    ['from whatsapp:+15550100123', 'from whatsapp:***0123'],
    ['14155238886:15550100123', '***8886:***0123'],
    ['recado:{3}:c:14155238886:15550100123:history', 'recado:{3}:c:***8886:***0123:history'],
    ['call +1 (555) 010-0123 or (555) 010-0123', 'call ***0123 or ***0123'],
    ['+44 7700 900123, 07700 900123, 44 7700 900123', '***0123, ***0123, ***0123'],
    ['glued+15550100123on', 'glued***0123on'],
    ['Authorization: Basic dXNlcjpwYXNz', `Authorization: ${REDACTED}`],
    ['sent Bearer abc.def_1', `sent Bearer ${REDACTED}`],
    ['with Basic dXNlcjpwYXNz', `with Basic ${REDACTED}`],
    ['Set-Cookie: session=abc; Path=/', `Set-Cookie: ${REDACTED}`],
    ['Incorrect API key provided: sk-ab********cd.', `Incorrect API key provided: ${REDACTED}.`],
    ['?access_token=abc&page=2', `?access_token=${REDACTED}&page=2`],
    ['{"password": "hunter2", "n": 1}', `{"password": "${REDACTED}", "n": 1}`],
    ['the token 0123456789abcdef0123456789abcdef is wrong', `the token ${REDACTED} is wrong`],
    ['eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln', REDACTED],
    [`signed ${Buffer.from('twenty bytes, hashed').toString('base64')} today`, `signed ${REDACTED} today`],
    [`got ${'A+/b'.repeat(20)}==`, `got ${REDACTED}`],
    ['data:image/jpeg;base64,/9j/4AAQSkZJRg==', `data:${REDACTED}`],
    ['redis://:hunter2@redis:6379', 'redis://redis:6379'],
    ['postgres://me:p/w#1@db/x', 'postgres://db/x'],
  ];
  for (const [text, expected] of cases) {
    test(text, () => assert.equal(redactText(text), expected));
  }

  const harmless = [
    'The turn was committed',
    'basic authentication failed',
    'token: expired',
    'OPENAI_API_KEY: not given',
    'at 2024-05-05T12:00:00.000Z and 2024-05-05 12:00',
    UUID,
    `${UUID}-1`,
    '192.168.100.200:6379',
    'stream entry 1718000000000-0',
    'http://localhost:3002/p?e=a@example',
    'at file:///app/node_modules/koa/lib/application.js:120:33',
    'answered in 1234 ms with 12 345 tokens, error 63016',
  ];
  for (const text of harmless) {
    test(`stays: ${text}`, () => assert.equal(redactText(text), text));
  }

  for (const { name, sample } of LEAK_EXAMPLES) {
    test(`${name} goes`, () => assert.equal(redactText(`see ${sample} there`), `see ${PLACEHOLDER} there`));
  }

  test('no phone number survives anywhere in a text', () => {
    const number = fc
      .tuple(fc.constantFrom('1555', '44770'), fc.nat(9_999_999))
      .map(([a, b]) => `${a}${String(b).padStart(7, '0')}`);
    const near = fc.constantFrom(' ', ':', '/', '"', '(', '_', '.', ',', '=', '\n', 'é', '');
    fc.assert(
      fc.property(
        fc.lorem(),
        near,
        number,
        near,
        fc.lorem(),
        fc.boolean(),
        (before, left, digits, right, after, plus) => {
          const text = `${before} ${left}${plus ? '+' : ''}${digits}${right} ${after}`;
          const shown = redactText(text);
          assert.ok(!shown.includes(digits.slice(0, -4)), shown);
          assert.ok(shown.includes(`***${digits.slice(-4)}`), shown);
        },
      ),
    );
  });

  test('a long text is cut, and no half of a secret shows at the cut', () => {
    const long = redactText(`${'word '.repeat(3_190)}${'s3cret'.repeat(100)}`);
    assert.match(long, /^word .*… \(16550 characters\)$/);
    assert.ok(long.length < 2_050);
    assert.equal(redactText('x'.repeat(100_000)), '… (100000 characters)');
    assert.equal(redactText(`${'-'.repeat(1_990)} 15550100123 and more ${'-'.repeat(100)}`).includes('1555'), false);
  });
});

describe('in a value', () => {
  test('goes by the names of fields', () => {
    const value = {
      authorization: 'a',
      accessToken: 'b',
      TWILIO_AUTH_TOKEN: 'c',
      'x-api-key': 'd',
      password: 1,
      cookie: ['e'],
      signature: 'f',
      body: { a: 1 },
      text: 'hi',
      content: 'hi',
      rawBody: 'a=b',
      profileName: 'Sheena',
    };
    assert.deepEqual(redact(value), Object.fromEntries(Object.keys(value).map((key) => [key, REDACTED])));
    assert.equal(redact('hunter2', 'password'), REDACTED);
  });

  test('shows figures, flags and what is missing', () => {
    const value = {
      maxTokens: 800,
      prompt: 120,
      tokens: 3,
      text: null,
      hasToken: true,
      token: undefined,
      ms: 1718000000000,
    };
    assert.deepEqual(redact(value), value);
  });

  test('treats a number as a phone number when its name says so', () => {
    assert.deepEqual(redact({ from: 15550100123, phone_number: 15550100123, bytes: 15550100123 }), {
      from: '***0123',
      phone_number: '***0123',
      bytes: 15550100123,
    });
  });

  test('looks into keys, arrays, maps and sets', () => {
    const value = { 'whatsapp:+15550100123': [{ at: new Map([['+15550100123', new Set(['twilio.com'])]]) }] };
    assert.deepEqual(redact(value), { 'whatsapp:***0123': [{ at: { '***0123': [PLACEHOLDER] } }] });
  });

  test('bounds depth, width and size', () => {
    const deep = { a: { a: { a: { a: { a: { a: 1 } } } } } };
    assert.equal(JSON.stringify(redact(deep)), '{"a":{"a":{"a":{"a":{"a":"[too deep]"}}}}}');
    assert.deepEqual((redact(Array.from({ length: 100 }, (_, i) => i)) as unknown[]).slice(19), [19, '… 80 more']);
    const wide = redact(Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`k${i}`, i])));
    assert.equal(Object.keys(wide as object).length, 51);
    const grid = Array.from({ length: 20 }, () =>
      Array.from({ length: 20 }, () => Array.from({ length: 20 }, () => 'x')),
    );
    assert.ok(JSON.stringify(redact(grid)).length < 20_000);
  });

  test('survives whatever it is given', () => {
    const circle: Record<string, unknown> = { name: 'circle' };
    circle.self = circle;
    const trap = {
      get boom() {
        throw new Error('boom');
      },
      fine: 1,
    };
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    assert.deepEqual(redact({ circle, trap, proxy }), {
      circle: { name: 'circle', self: '[circular]' },
      trap: { boom: '[unreadable]', fine: 1 },
      proxy: '[unreadable]',
    });
    assert.deepEqual(
      redact([10n, Symbol('twilio.com'), () => 1, new Date(0), new Date(Number.NaN), Buffer.from('abc'), Number.NaN]),
      [
        '10',
        `Symbol(${PLACEHOLDER})`,
        '[function]',
        '1970-01-01T00:00:00.000Z',
        '[invalid date]',
        '[3 bytes]',
        Number.NaN,
      ],
    );
    fc.assert(
      fc.property(
        fc.anything({ withBigInt: true, withNullPrototype: true, withMap: true }),
        (value) => void JSON.stringify(redact({ value })),
      ),
    );
  });

  test('shows the same object twice when it is no circle', () => {
    const same = { a: 1 };
    assert.deepEqual(redact([same, same]), [same, same]);
  });
});

describe('an error', () => {
  const cause = Object.assign(new TypeError('connect ECONNREFUSED for +15550100123'), {
    code: 'ECONNREFUSED',
    config: { headers: { authorization: 'Basic abc' } },
  });
  const error = new Failure('channel.unreachable', 'No answer from https://api.twilio.com/x', {
    cause,
    providerCode: '20500',
  });

  test('keeps its message, code and causes, and nothing else', () => {
    assert.deepEqual(redact({ error }), {
      error: {
        name: 'Failure',
        message: `No answer from ${PLACEHOLDER}`,
        code: 'channel.unreachable',
        providerCode: '20500',
        status: 502,
        cause: { name: 'TypeError', message: 'connect ECONNREFUSED for ***0123', code: 'ECONNREFUSED' },
      },
    });
  });

  test('shows where it comes from only when asked, without its message again', () => {
    const { stack } = redact(error, '', { stacks: true }) as { stack: string[] };
    assert.ok(stack.length > 0 && stack.length <= 12);
    assert.match(stack[0] ?? '', /^at .*redact\.test/);
    assert.ok(!stack.join('\n').includes('twilio.com'));
  });

  test('with many errors inside, or with itself as its cause, is bounded', () => {
    const many = new AggregateError(
      Array.from({ length: 30 }, () => new Error('x')),
      'many',
    );
    assert.equal((redact(many) as { errors: unknown[] }).errors.length, 21);
    const own = new Error('own');
    own.cause = own;
    assert.deepEqual(redact(own), { message: 'own', cause: '[circular]' });
  });
});

describe('secrets of other services, cards and username ids', () => {
  const gone: [text: string, becomes: string][] = [
    ['key ghp_16C7e42F292c6912E7710c838347Ae178B4a', 'key [redacted]'],
    ['github_pat_11AAAAAAA0abcdefghij_x', '[redacted]_x'],
    ['aws AKIAIOSFODNN7EXAMPLE end', 'aws [redacted] end'],
    ['hf_aBcDeFgHiJ1234567890', '[redacted]'],
    ['xoxb-123456789012-abcdef', '[redacted]'],
    ['AIzaSyA1234567890abcdefghijklmnopqrstuv', '[redacted]'],
    ['token of a server: Zk3vQ9xLw2TbN8mRcY5uHdPe', 'token of a server: [redacted]'],
    ['x-api-key: letters', 'x-api-key: [redacted]'],
    ['"x-auth-token":"abc"', '"x-auth-token":"[redacted]"'],
    ['card 4111111111111111 used', 'card ***1111 used'],
    ['card 4111 1111 1111 1111 used', 'card ***1111 used'],
    ['contact US.1A2B3C4D5E', 'contact US.***4D5E'],
    ['twilio:14155238886:US.ENT.9f8e7d6c5b4a', 'twilio:***8886:US.ENT.***5b4a'],
  ];
  for (const [text, becomes] of gone) test(text, () => assert.equal(redactText(text), becomes));

  test('ordinary words stay', () => {
    for (const text of [
      'the api key: missing',
      'message_received twice in tool_call_start',
      'No. US.A. is a country, PS.please read on',
      'app/conversation/turn.ts:120:15',
      'order 1234567',
      'x-request-id is set',
      'recado_history_lines_damaged_total',
    ])
      assert.equal(redactText(text), text);
  });
});
