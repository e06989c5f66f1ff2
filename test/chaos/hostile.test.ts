/** Whatever comes over the wire: a clear 4xx, nothing stored, nothing told, nothing kept in memory, and people are answered in between. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import type { Redis } from 'ioredis';
import { startModelDouble } from '../doubles/model.ts';
import { newSid, startTwilioDouble } from '../doubles/twilio.ts';
import { ACCOUNT_SID, AUTH_TOKEN, type Doubles } from '../support/bot.ts';
import { startTestRedis } from '../support/redis.ts';
import { createPeople, type Person } from './support/people.ts';
import { createProgram, freePort, type Program } from './support/program.ts';
import { report, say, sized } from './support/size.ts';
import { figuresOf, judge, settled } from './support/verdict.ts';
import { exchange, type RawAnswer, type RawRequest, trickle } from './support/wire.ts';

const REQUESTS = sized(1_500, 20_000);
const SEED = Number(process.env.CHAOS_SEED ?? Date.now() % 1_000_000);
/** How many at a time. */
const CONCURRENT = 8;

let doubles: Doubles;
let program: Program;
let port: number;
let memoryPort: number;
let ana: Person;

before(async () => {
  const [redis, model, twilio] = await Promise.all([
    startTestRedis(),
    startModelDouble(),
    startTwilioDouble({ accountSid: ACCOUNT_SID, authToken: AUTH_TOKEN }),
  ]);
  doubles = { redis, model, twilio, stop: () => Promise.all([model.close(), twilio.close(), redis.stop()]).then() };
  memoryPort = await freePort();
  const collect = fileURLToPath(new URL('./support/collect.ts', import.meta.url));
  const environment = {
    REDIS_URL: redis.url,
    OPENAI_BASE_URL: model.url,
    TWILIO_API_BASE_URL: twilio.url,
    HISTORY_TOKENS: '200000',
    RATE_LIMIT_PER_MINUTE: '100000',
    COLLECT_PORT: String(memoryPort),
  };
  program = await createProgram(environment, ['--expose-gc', '--import', collect]);
  await program.start();
  port = Number(new URL(program.url).port);
  const [person] = createPeople(1, { twilio, route: () => program.url });
  assert.ok(person);
  ana = person;
});

after(async () => {
  await program.stop();
  await doubles.stop();
});

/** A request and what may come of it. */
interface Case {
  kind: string;
  request: RawRequest;
  /** It is signed with the account's token: then it may be taken for a message. */
  signed: boolean;
}

const WEBHOOKS = ['/whatsapp', '/whatsapp-endpoint', '/api/whatsapp', '/api/whatsapp/webhook', '/twilio/status'];
const FORM = 'application/x-www-form-urlencoded';

type Pairs = [string, string][];

function encode(pairs: Pairs): Buffer {
  return Buffer.from(new URLSearchParams(pairs).toString());
}

function post(target: string, body: Buffer, headers: [string, string][] = []): RawRequest {
  const hasType = headers.some(([name]) => name.toLowerCase() === 'content-type');
  const usual: [string, string][] = hasType ? [] : [['Content-Type', FORM]];
  return {
    method: 'POST',
    target,
    headers: [['Host', `127.0.0.1:${port}`], ['Content-Length', String(body.length)], ...usual, ...headers],
    body,
  };
}

/** As Twilio signs, over decoded values; a name that comes twice counts its different values in order. */
function signatureOf(target: string, body: Buffer): string {
  const values = new Map<string, Set<string>>();
  for (const [name, value] of new URLSearchParams(body.toString())) {
    values.set(name, (values.get(name) ?? new Set()).add(value));
  }
  const words = [...values]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, all]) => [...all].sort().map((v) => name + v));
  const signed = `http://127.0.0.1:${port}${target}${words.flat().join('')}`;
  return createHmac('sha1', AUTH_TOKEN).update(signed, 'utf8').digest('base64');
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

const hostile: fc.Arbitrary<Case> = fc.oneof(
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
  fc.tuple(fc.constantFrom(...WEBHOOKS.slice(0, 4)), message).map(([at, one]) => {
    const body = encode(fields(one));
    const request = post(at, body, [['X-Twilio-Signature', signatureOf(at, body)]]);
    return { kind: 'nasty texts with a signature', request, signed: true };
  }),
  fc.tuple(target, brokenForm).map(([at, body]) => {
    const request = post(at, body, [['X-Twilio-Signature', signatureOf(at, body)]]);
    return { kind: 'broken forms with a signature', request, signed: true };
  }),
  unsigned(
    'a body that is too large',
    fc
      .tuple(target, fc.integer({ min: 65_537, max: 200_000 }))
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

function unsigned(kind: string, requests: fc.Arbitrary<RawRequest>): fc.Arbitrary<Case> {
  return requests.map((request) => ({ kind, request, signed: false }));
}

test('thousands of hostile requests: refused clearly, nothing stored, nothing told, nothing kept', {
  timeout: sized(120_000, 1_200_000),
}, async (t) => {
  const client = doubles.redis.client();
  await ana.write();
  await settled(client);
  const slow = [false, true].map((headToo) =>
    trickle(port, post('/whatsapp', Buffer.alloc(0), [['Content-Length', '1000']]), headToo),
  );
  const cases = fc.sample(hostile, { numRuns: REQUESTS, seed: SEED });
  const answers = new Map<Case, RawAnswer>();
  // First what nobody signed, and nobody else writes: nothing may change. It warms everything up that is made once, too.
  const first = new Set(cases.slice(0, Math.ceil(REQUESTS / 5)).filter(({ signed }) => !signed));
  const stored = await everythingIn(client);
  await sendAll([...first], answers);
  assert.deepEqual(await everythingIn(client), stored);
  const before = await memory();
  await sendAll(
    cases.filter((one) => !first.has(one)),
    answers,
    () => ana.write(),
  );
  const after = await memory();
  await settled(client);
  const strangers = await strangersIn(cases);
  assert.deepEqual(strangers, [], 'only what was signed may leave a trace');
  const verdict = await judge([ana], client, doubles.twilio);
  const statuses = [...answers.values()].reduce<Record<string, number>>((counts, { status }) => {
    counts[status] = (counts[status] ?? 0) + 1;
    return counts;
  }, {});
  report(t, {
    seed: SEED,
    requests: answers.size,
    statuses: Object.entries(statuses)
      .map((pair) => pair.join('×'))
      .join(' '),
    'heap before (MB)': (before.heapUsed / 1e6).toFixed(1),
    'heap after (MB)': (after.heapUsed / 1e6).toFixed(1),
    'memory before (MB)': (before.rss / 1e6).toFixed(0),
    'memory after (MB)': (after.rss / 1e6).toFixed(0),
    ...figuresOf(verdict),
  });
  const complaints = [...answers].flatMap(([one, answer]) => complaintAbout(one, answer) ?? []);
  assert.deepEqual([...new Set(complaints)].slice(0, 20), [], `seed ${SEED}`);
  assert.deepEqual(verdict.complaints, []);
  const trickled = await Promise.all(slow);
  for (const { status, tookMs } of trickled) {
    assert.ok([0, 400, 408].includes(status), `a request that trickles in: ${status}`);
    assert.ok(tookMs < 25_000, `it was endured for ${tookMs} ms`);
  }
  assert.ok(
    ana.sent.every(({ acknowledged, tries }) => acknowledged && tries.length === 1),
    'people are answered in between',
  );
  assert.ok(
    after.heapUsed < before.heapUsed + 25e6,
    `the heap grew from ${before.heapUsed} to ${after.heapUsed} bytes`,
  );
});

async function sendAll(
  cases: readonly Case[],
  answers: Map<Case, RawAnswer>,
  inBetween: () => Promise<unknown> = async () => {},
): Promise<void> {
  const left = [...cases];
  let sent = 0;
  await Promise.all(
    Array.from({ length: CONCURRENT }, async () => {
      for (let one = left.shift(); one; one = left.shift()) {
        answers.set(one, await exchange(port, one.request));
        if (++sent % 100 === 0) await inBetween();
        if (sent % 2_000 === 0) say(`${sent} of ${cases.length} hostile requests`);
      }
    }),
  );
}

/** Statuses that our own documents name for a message (200), a status callback (204) and a refusal. */
const CLEAR = new Set([400, 403, 404, 405, 413, 415, 417, 431]);

/** What is wrong with an answer; null when nothing is. */
function complaintAbout({ kind, request, signed }: Case, { status, contentType, body }: RawAnswer): string | null {
  const what = `${kind}: ${request.method} ${request.target} → ${status} ${contentType} ${body.slice(0, 100)}`;
  const isTaken = signed && (status === 200 || status === 204);
  if (!isTaken && !CLEAR.has(status)) return `not a clear refusal: ${what}`;
  if (/Error\b|node_modules|\/app\/|at \w+ \(|redis|TOKEN|15550/.test(body)) return `it tells too much: ${what}`;
  // What is no HTTP at all is answered by Node itself, with a status and nothing else.
  if (!WEBHOOKS.includes(request.target) || contentType === '') return null;
  if (!contentType.startsWith('text/xml')) return `Twilio would send this on to a person: ${what}`;
  return status >= 400 && !body.includes('<Response/>') ? `not empty: ${what}` : null;
}

/** Contacts that Redis knows although nothing signed ever spoke for them. */
async function strangersIn(cases: readonly Case[]): Promise<string[]> {
  const signed = new Set(
    cases.filter((one) => one.signed).map(({ request }) => new URLSearchParams(request.body.toString()).get('From')),
  );
  const keys = await doubles.redis.client().keys('recado:*:c:*');
  const contacts = new Set(keys.map((key) => key.split(':').at(-2) ?? ''));
  return [...contacts].filter((contact) => contact !== ana.phone && !signed.has(`whatsapp:+${contact}`));
}

/** Key → what it holds, as Redis would save it. */
async function everythingIn(client: Redis): Promise<Record<string, string>> {
  const keys = (await client.keys('*')).sort();
  const held = await Promise.all(keys.map(async (key) => [key, (await client.dumpBuffer(key))?.toString('hex') ?? '']));
  return Object.fromEntries(held);
}

async function memory(): Promise<{ heapUsed: number; rss: number }> {
  // Twice: what the first look frees, the second one counts.
  await (await fetch(`http://127.0.0.1:${memoryPort}`)).text();
  return JSON.parse(await (await fetch(`http://127.0.0.1:${memoryPort}`)).text());
}
