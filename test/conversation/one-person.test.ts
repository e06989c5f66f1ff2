/**
 * One person with three addresses, two numbers of ours, two processes, a real archive: whatever happens in whatever order, memory, block,
 * takeover, window and inbox agree with a model of what should be.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { createDatabase, type Database } from '../../app/archive/engine/database.ts';
import { createConversations } from '../../app/archive/read/conversations.ts';
import { createMessages } from '../../app/archive/read/messages.ts';
import { allRecorded, type Bot, type Doubles, startBot, startDoubles } from '../support/bot.ts';
import { createTestDatabase } from '../support/postgres.ts';

const NUMBERS = ['14155238886', '447700900001'] as const;

/** How a message names the person: what it comes from, and what else is in the webhook. */
interface Address {
  From: string;
  ExternalUserId: string;
  ParentExternalUserId: string;
  WaId: string;
}

type Step =
  | { kind: 'write'; address: number; number: number }
  | { kind: 'stop' | 'start'; address: number; number: number }
  | { kind: 'answer'; number: number }
  | { kind: 'take over'; number: number }
  | { kind: 'hand back'; number: number }
  | { kind: 'block'; blocked: boolean }
  | { kind: 'lose Redis' };

const number = fc.nat(1);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('write' as const), address: fc.nat(2), number }) },
  fc.record({ kind: fc.constantFrom('stop' as const, 'start' as const), address: fc.nat(2), number }),
  fc.record({ kind: fc.constant('answer' as const), number }),
  fc.record({ kind: fc.constant('take over' as const), number }),
  fc.record({ kind: fc.constant('hand back' as const), number }),
  fc.record({ kind: fc.constant('block' as const), blocked: fc.boolean() }),
  fc.record({ kind: fc.constant('lose Redis' as const) }),
);

let doubles: Doubles;
let database: Database;
let bots: [Bot, Bot];
let people = 0;

before(async () => {
  doubles = await startDoubles();
  for (const one of NUMBERS) doubles.twilio.senders.add(`whatsapp:+${one}`);
  const url = await createTestDatabase();
  database = createDatabase({ url, log: { debug() {}, info() {}, warn() {}, error() {}, child: () => assert.fail() } });
  await database.migrate();
  const settings = { DATABASE_URL: url, API_KEYS: 'a-key-of-a-test-0123456789abcdef', ANALYSIS: 'off' };
  bots = [await startBot(doubles, settings), await startBot(doubles, settings)];
});

after(async () => {
  for (const bot of bots) await bot.stop();
  await database.close();
  await doubles.stop();
});

/** What should be so, after the steps so far. */
class Expected {
  blocked = false;
  optedOut = false;
  readonly takenOver = [false, false];
  readonly inbound = [0, 0];
  /** Texts that the person wrote while they were not blocked, in order, since Redis was lost. */
  remembered: string[] = [];
}

test('one person is one person, in every order', { timeout: 240_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 6, maxLength: 14 }),
      fc.infiniteStream(fc.nat(1)),
      async (steps, which) => {
        const phone = `155501${String(10_000 + people++).slice(-5)}`;
        const id = `US.${phone}${'x'.repeat(117)}`;
        const known = { ExternalUserId: `whatsapp:${id}`, ParentExternalUserId: `whatsapp:US.ENT.${phone}` };
        const addresses: Address[] = [
          { ...known, From: `whatsapp:+${phone}`, WaId: phone },
          { ...known, From: `whatsapp:${id}`, WaId: '' },
          { ...known, From: `whatsapp:US.ENT.${phone}`, WaId: '' },
        ];
        const expected = new Expected();
        // The number is told once, as the first message of a person does.
        const all: Step[] = [{ kind: 'write', address: 0, number: 0 }, ...steps];
        for (const [i, one] of all.entries()) {
          const bot = bots[which.next().value ?? 0] ?? bots[0];
          await run(one, { bot, phone, addresses, expected, text: `text ${i} of ${phone}` }).catch((error) => {
            process.stderr.write(`${JSON.stringify(one)} ${error.stack}\n`);
            throw error;
          });
        }
      },
    ),
    { numRuns: 12, endOnFailure: true },
  );
});

interface Scene {
  bot: Bot;
  phone: string;
  addresses: Address[];
  expected: Expected;
  text: string;
}

async function run(step: Step, scene: Scene): Promise<void> {
  const { bot, phone, expected } = scene;
  switch (step.kind) {
    case 'write':
      return write(step, scene);
    case 'stop':
    case 'start':
      return consent(step, scene);
    case 'answer': {
      if (expected.inbound[step.number] === 0) return;
      const answer = await ask(bot, 'send', { ...place(phone, step.number, 'to_number'), message: scene.text });
      const isRefused = expected.blocked || expected.optedOut;
      assert.equal(answer.status, expected.blocked ? 409 : isRefused ? 422 : 200, JSON.stringify(answer.body));
      if (isRefused) return;
      expected.takenOver[step.number] = true;
      expected.remembered.push(scene.text);
      return;
    }
    case 'take over':
    case 'hand back': {
      if (expected.inbound[step.number] === 0) return;
      const active = step.kind === 'take over';
      await ask(bot, 'takeover', { ...place(phone, step.number), active, minutes: 5 });
      expected.takenOver[step.number] = active;
      return;
    }
    case 'block': {
      await ask(bot, 'conversation-status', { phone_number: phone, status: step.blocked ? 'blocked' : 'active' });
      expected.blocked = step.blocked;
      return;
    }
    case 'lose Redis':
      await allRecorded(doubles.redis.client());
      await doubles.redis.client().flushall();
      expected.remembered = [];
  }
}

async function write({ address, number }: Extract<Step, { kind: 'write' }>, scene: Scene): Promise<void> {
  const { bot, phone, addresses, expected, text } = scene;
  doubles.model.requests.length = 0;
  doubles.twilio.sent.length = 0;
  const To = `whatsapp:+${NUMBERS[number]}`;
  const response = await bot.say(phone, text, { ...addresses[address], To });
  await allRecorded(doubles.redis.client());
  // By a call when the sweep of either process was quicker than the turn that moved the person to their other id.
  const texts = [...response.texts, ...doubles.twilio.sent.map(({ body }) => body)];
  expected.inbound[number] = (expected.inbound[number] ?? 0) + 1;
  const isQuiet = expected.blocked || expected.optedOut || expected.takenOver[number] === true;
  assert.equal(texts.length, isQuiet ? 0 : 1, `answered: ${texts}`);
  // The model also answers what it was not asked before.
  assert.ok(isQuiet || texts[0]?.endsWith(text), texts[0]);
  if (!isQuiet) {
    const shown = JSON.stringify(doubles.model.requests.at(-1)?.chat.messages);
    for (const earlier of expected.remembered) assert.ok(shown.includes(earlier), `"${earlier}" is remembered`);
  }
  if (!expected.blocked) expected.remembered.push(text);
  await checkInbox(scene);
}

/** Whoever is blocked says nothing of it here: what is confirmed once the block is lifted has a test of its own. */
async function consent(
  { kind, address, number }: Extract<Step, { kind: 'stop' | 'start' }>,
  scene: Scene,
): Promise<void> {
  const { bot, phone, addresses, expected } = scene;
  if (expected.blocked) return;
  doubles.twilio.sent.length = 0;
  const To = `whatsapp:+${NUMBERS[number]}`;
  const response = await bot.say(phone, kind.toUpperCase(), { ...addresses[address], To });
  expected.inbound[number] = (expected.inbound[number] ?? 0) + 1;
  await allRecorded(doubles.redis.client());
  const texts = [...response.texts, ...doubles.twilio.sent.map(({ body }) => body)];
  const isChange = expected.optedOut !== (kind === 'stop');
  expected.optedOut = kind === 'stop';
  // Who was not out and writes START is answered like everybody else.
  const isAnswered = kind === 'stop' ? isChange : expected.takenOver[number] !== true;
  assert.equal(texts.length, isAnswered ? 1 : 0, `${kind}: ${texts}`);
  assert.equal(/no more messages/.test(texts.join()), kind === 'stop' && isChange);
  await checkInbox(scene);
}

/** What the inbox shows agrees with what happened, by any address. */
async function checkInbox({ phone, addresses, expected }: Scene): Promise<void> {
  const conversations = createConversations(database);
  for (const [i, business] of NUMBERS.entries()) {
    const from = addresses[i]?.From.replace(/^whatsapp:\+?/, '') ?? phone;
    const found = await conversations.find({ phone: from, business });
    const { items } = await createMessages(database).thread({ phone: from, business }, { limit: 200 });
    const inbound = items.filter(({ direction }) => direction === 'inbound').length;
    assert.equal(inbound, expected.inbound[i], `messages to ${business}`);
    if (!found) continue;
    assert.equal(found.phone, `+${phone}`);
    assert.equal(found.status, expected.blocked ? 'blocked' : 'active');
    assert.equal((found.takeoverUntil ?? 0) > Date.now(), expected.takenOver[i]);
    assert.equal(found.optedOutAt !== null, expected.optedOut);
    assert.ok(Date.now() - (found.lastInboundAt ?? 0) < 60_000, 'the window is open');
  }
}

function place(phone: string, number: number, name = 'phone_number') {
  return { [name]: phone, business_number: NUMBERS[number] };
}

async function ask(bot: Bot, path: string, body: object): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`${bot.url}/api/whatsapp/${path}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'x-api-key': 'a-key-of-a-test-0123456789abcdef' },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: await response.json() };
}
