import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { createLedger, type Ledger } from '../../app/costs/ledger.ts';
import { createPrices, readPriceTable } from '../../app/costs/prices.ts';
import { Event } from '../../app/events.ts';
import type { Money } from '../../app/money.ts';
import { createLogger } from '../../app/ops/logger.ts';

const ON = { conversation: 'twilio:14155238886:15550100123', turn: 'turn' };
const TOKENS = { prompt: 1_000, completion: 100, cached: 0 };
const NOW = Date.UTC(2026, 10, 20);

let ledger: Ledger;
let published: [string, Event][];
let allowed: [string, number][];
let counted: Money[];
let logs: { level: string; message: string; model?: string }[];
let failing: boolean;

beforeEach(() => {
  [published, allowed, counted, logs, failing] = [[], [], [], [], false];
  ledger = createLedger({
    prices: createPrices(readPriceTable()),
    budget: { spend: (_at, cost) => void counted.push(cost) },
    allow: async (contact, tokens) => {
      if (failing) throw new Error('Redis is away');
      allowed.push([contact, tokens]);
    },
    publish: async (contact, event) => void published.push([contact, Event.parse(JSON.parse(event))]),
    now: () => NOW,
    log: createLogger({ level: 'debug', format: 'json', write: (line) => void logs.push(JSON.parse(line)) }),
  });
});

test('counts every call for the contact, for the budget and for the turn', () => {
  ledger.used({ on: ON, purpose: 'answer', model: 'gpt-5.4-mini', tokens: TOKENS });
  ledger.used({ on: ON, purpose: 'answer', model: 'gpt-5.4-mini', tokens: TOKENS });
  const cost = { billionths: 1_000 * 750 + 100 * 4_500, currency: 'USD' };
  assert.deepEqual(allowed, [
    ['15550100123', 1_100],
    ['15550100123', 1_100],
  ]);
  assert.deepEqual(counted, [cost, cost]);
  const uses = ledger.of('turn');
  assert.deepEqual(
    uses.map(({ id: _, ...use }) => use),
    Array(2).fill({ at: NOW, purpose: 'answer', model: 'gpt-5.4-mini', tokens: TOKENS, cost }),
  );
  assert.notEqual(uses[0]?.id, uses[1]?.id, 'each is an entry of its own');
});

test('a voice note counts by its length, and no tokens', () => {
  ledger.used({ on: ON, purpose: 'transcription', model: 'gpt-transcribe', audioMs: 60_000.4 });
  assert.deepEqual([counted, allowed], [[{ billionths: 4_500_000, currency: 'USD' }], []]);
  assert.equal(ledger.of('turn')[0]?.audioMs, 60_000);
});

test('what an event has told is not told again; what came after it is', async () => {
  ledger.used({ on: ON, purpose: 'answer', model: 'gpt-5.4-mini', tokens: TOKENS });
  const told = ledger.of('turn');
  ledger.used({ on: ON, purpose: 'summary', model: 'gpt-5.4-mini', tokens: TOKENS });
  ledger.told('turn', told);
  await ledger.end(ON);
  await ledger.end(ON);
  assert.equal(published.length, 1);
  const [contact, event] = published[0] ?? assert.fail('nothing was published');
  assert.equal(contact, '15550100123');
  assert.ok(event.type === 'models.used');
  assert.deepEqual([event.turn, event.uses.map(({ purpose }) => purpose)], ['turn', ['summary']]);
});

test('a turn that used no model publishes nothing', async () => {
  await ledger.end(ON);
  assert.deepEqual(published, []);
});

test('a model without a price costs nothing, and is named in the log once', () => {
  for (let i = 0; i < 3; i++) ledger.used({ on: ON, purpose: 'answer', model: 'llama3', tokens: TOKENS });
  assert.deepEqual(counted, []);
  assert.deepEqual(
    ledger.of('turn').map(({ cost }) => cost),
    [null, null, null],
  );
  assert.deepEqual(
    logs.map(({ level, model }) => [level, model]),
    [['warn', 'llama3']],
  );
  assert.equal(allowed.length, 3, 'its tokens count all the same');
});

test('a server that counts no tokens leaves the price open, and is no unknown model', () => {
  ledger.used({ on: ON, purpose: 'answer', model: 'gpt-5.4-mini', tokens: { prompt: 0, completion: 0, cached: 0 } });
  assert.deepEqual([ledger.of('turn')[0]?.cost, logs], [null, []]);
});

test('whatever a server counts, the event can be read', async () => {
  const odd = { prompt: 1.5, completion: -3, cached: Number.NaN };
  ledger.used({ on: ON, purpose: 'answer', model: 'gpt-5.4-mini', tokens: odd });
  ledger.used({ on: ON, purpose: 'transcription', model: 'whisper-1', audioMs: Number.POSITIVE_INFINITY });
  await ledger.end(ON);
  assert.equal(published.length, 1);
});

test('goes on when tokens cannot be counted', async () => {
  failing = true;
  ledger.used({ on: ON, purpose: 'answer', model: 'gpt-5.4-mini', tokens: TOKENS });
  await new Promise(setImmediate);
  assert.deepEqual(
    logs.map(({ message }) => message),
    ['Tokens were not counted'],
  );
});
