/** Whatever comes over the wire: a clear 4xx, nothing stored, nothing told, nothing kept in memory, and people are answered in between. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import type { Redis } from 'ioredis';
import { fromAddress } from '../../app/channels/twilio/address.ts';
import { contactIdOf } from '../../app/contacts/addresses.ts';
import { keySafe } from '../../app/message.ts';
import { startModelDouble } from '../doubles/model.ts';
import { startTwilioDouble } from '../doubles/twilio.ts';
import { ACCOUNT_SID, AUTH_TOKEN, type Doubles } from '../support/bot.ts';
import { freePort } from '../support/ports.ts';
import { startTestRedis } from '../support/redis.ts';
import { addressed, type Case, hostile, post, WEBHOOKS } from './support/hostile-requests.ts';
import { createPeople, type Person } from './support/people.ts';
import { createProgram, type Program } from './support/program.ts';
import { overTwilio } from './support/provider.ts';
import { report, say, sized } from './support/size.ts';
import { figuresOf, judge, settled } from './support/verdict.ts';
import { exchange, type RawAnswer, trickle } from './support/wire.ts';

const REQUESTS = sized(1_000, 20_000);
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
  const [person] = createPeople(1, { provider: overTwilio(twilio), route: () => program.url });
  assert.ok(person);
  ana = person;
});

after(async () => {
  await program.stop();
  await doubles.stop();
});

test('thousands of hostile requests: refused clearly, nothing stored, nothing told, nothing kept', {
  timeout: sized(280_000, 1_200_000),
}, async (t) => {
  const client = doubles.redis.client();
  await ana.write();
  await settled(client);
  const slow = addressed({ request: post('/whatsapp', Buffer.alloc(1_000)), signed: false }, port);
  const trickling = [trickle(port, slow, false), trickle(port, slow, true)];
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
  const verdict = await judge([ana], client, overTwilio(doubles.twilio));
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
  for (const { status, tookMs } of await Promise.all(trickling)) {
    assert.equal(status, 408, 'what trickles in is cut off');
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
        answers.set(one, await exchange(port, addressed(one, port)));
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
  const signed = cases.filter((one) => one.signed).map(({ request }) => new URLSearchParams(request.body.toString()));
  const fields = ['From', 'ExternalUserId', 'ExternalUserIdentifier', 'ParentExternalUserId', 'WaId'];
  const named = signed.flatMap((form) => fields.map((field) => fromAddress(form.get(field) ?? '')));
  const known = new Set([...named, `US.id${ana.phone}`].map((address) => keySafe(contactIdOf(address))));
  const keys = await doubles.redis.client().keys('recado:*:c:*');
  const contacts = new Set(keys.map((key) => key.split(':').at(-2) ?? ''));
  return [...contacts].filter((contact) => contact !== ana.phone && !known.has(contact));
}

/** Key → what it holds, as Redis would save it; but for the time at which the process said that it is alive. */
async function everythingIn(client: Redis): Promise<Record<string, string>> {
  const keys = (await client.keys('*')).filter((key) => !key.endsWith(':processes')).sort();
  const held = await Promise.all(keys.map(async (key) => [key, (await client.dumpBuffer(key))?.toString('hex') ?? '']));
  return Object.fromEntries(held);
}

async function memory(): Promise<{ heapUsed: number; rss: number }> {
  // Twice: what the first look frees, the second one counts.
  await (await fetch(`http://127.0.0.1:${memoryPort}`)).text();
  return JSON.parse(await (await fetch(`http://127.0.0.1:${memoryPort}`)).text());
}
