/** Ten thousand made-up messages whose statuses come in any order and repeatedly: the ledger equals a sum that shares no code with it. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createDatabase, type Database } from '../../app/archive/engine/database.ts';
import { createCosts, type Expenses } from '../../app/archive/read/costs.ts';
import { createStandings } from '../../app/archive/read/standing.ts';
import type { MessagePrice } from '../../app/archive/write/costs.ts';
import { createDeskWriter } from '../../app/archive/write/desk.ts';
import { mergeArchive } from '../../app/archive/write/merge.ts';
import { record } from '../../app/archive/write/record.ts';
import type { Event, EventOf, ModelUse } from '../../app/events.ts';
import { conversationId, type DeliveryStatus, type Pricing } from '../../app/message.ts';
import { scrub } from '../../app/privacy/scrub.ts';
import { createTestDatabase } from '../support/postgres.ts';
import { query, quiet } from './engines.ts';

const MESSAGES = 10_000;
const DAYS = 10;
const DAY_MS = 86_400_000;
const BATCH = 500;
/** Midnight before the first day. */
const BEGIN = (Math.floor(Date.now() / DAY_MS) - DAYS) * DAY_MS;
const CURRENCIES = ['USD', 'EUR', 'JPY'] as const;
const STATES = ['queued', 'sent', 'failed', 'delivered', 'read'] as const;

const PRICES: MessagePrice[] = [
  { channel: 'twilio', category: null, cost: { billionths: 5_000_000, currency: 'USD' } },
  { channel: 'meta', category: 'utility', cost: { billionths: 8_500_000, currency: 'USD' } },
];

/** By chance, but always the same. */
let seed = 7;
function random(n: number): number {
  seed = (seed * 48_271) % 2_147_483_647;
  return seed % n;
}
const chance = (percent: number) => random(100) < percent;
const oneOf = <Item>(items: readonly Item[]) => items[random(items.length)] as Item; // the index is in the list

/** Day, purpose and currency → billionths; and how many entries have no price, by purpose. */
const expected = { sums: new Map<string, bigint>(), unpriced: new Map<string, number>() };

function expect(at: number, purpose: string, cost: { billionths: number; currency: string } | null): void {
  if (cost === null) {
    expected.unpriced.set(purpose, (expected.unpriced.get(purpose) ?? 0) + 1);
    return;
  }
  if (cost.billionths === 0) return;
  const key = `${new Date(at).toISOString().slice(0, 10)} ${purpose} ${cost.currency}`;
  expected.sums.set(key, (expected.sums.get(key) ?? 0n) + BigInt(cost.billionths));
}

interface Story {
  /** In this order. */
  told: Event[];
  /** In any order, also before the others. */
  reported: EventOf<'delivery.changed'>[];
}

/** One reply: what models cost for it, how its parts are sent, what the provider says of each. */
function story(n: number): Story {
  const channel = oneOf(['twilio', 'meta', 'courier']);
  const contact = String(15_550_100_100 + random(50));
  const conversation = conversationId({ channel, business: '14155238886', contact });
  const turn = `turn${n}`;
  const at = BEGIN + random(DAYS * DAY_MS - 3_600_000);
  const parts = Array.from({ length: 1 + random(3) }, (_, i) => scrub(`part ${i}`));
  const isCall = chance(50);
  const leftAt = at + random(2_000);
  const sids = parts.map((_, i) => `SM${n}-${i}`);
  const uses = Array.from({ length: random(4) }, (_, i) => usage(`${turn}-${i}`, at));
  const reported = sids.flatMap((sid, part) =>
    statusesOf({ channel, sid, business: '14155238886', to: contact, replyId: turn, part }, leftAt, isCall),
  );
  const made: Event = {
    type: 'reply.made',
    conversation,
    turn,
    at,
    answers: [],
    reply: { to: contact, parts, via: isCall ? 'call' : 'response' },
    heard: [],
    spent: uses,
  };
  const sent: Event = {
    type: 'reply.sent',
    conversation,
    turn,
    at: leftAt,
    via: isCall ? 'call' : 'response',
    sids: isCall ? sids : [],
  };
  const late = usage(`${turn}-late`, at + random(3_600_000));
  const used: Event = { type: 'models.used', conversation, turn, at: late.at, uses: [late] };
  return { told: [made, sent, used], reported };
}

function usage(id: string, at: number): ModelUse {
  const purpose = oneOf(['answer', 'summary', 'analysis', 'transcription'] as const);
  const cost = chance(10) ? null : { billionths: random(50_000_000), currency: oneOf(CURRENCIES) };
  expect(at, purpose, cost);
  return {
    id,
    at,
    purpose,
    model: cost ? 'gpt-5.4-mini' : 'llama3',
    tokens: { prompt: 9, completion: 1, cached: 0 },
    cost,
  };
}

type About = Omit<DeliveryStatus, 'state'>;

/** What the provider says of one part, and what the ledger is to have of it in the end. */
function statusesOf(about: About, leftAt: number, isCall: boolean): EventOf<'delivery.changed'>[] {
  const statuses = Array.from({ length: random(5) }, () => ({
    at: leftAt + random(60_000),
    state: oneOf(STATES),
    pricing: undefined as Pricing | undefined,
  }));
  const [first] = statuses;
  const category = first && about.channel === 'meta' && chance(50) ? oneOf(['utility', 'service']) : undefined;
  if (first && category) first.pricing = { category };
  const price = first && chance(70) ? oneOf<Pricing>([{ free: true }, cost(), cost(), cost()]) : undefined;
  if (first && price) {
    // An earlier word, then the last one, hours later.
    if (chance(20)) statuses.push({ at: leftAt + 100_000, state: first.state, pricing: cost() });
    statuses.push({ at: leftAt + 200_000 + random(1_000_000), state: first.state, pricing: price });
  }
  const furthest = Math.max(...statuses.map(({ state }) => STATES.indexOf(state)));
  const firstAt = Math.min(isCall ? leftAt : Number.POSITIVE_INFINITY, ...statuses.map(({ at }) => at));
  const table = PRICES.find((one) => one.channel === about.channel && (one.category ?? category) === category);
  const isFailed = STATES[Math.max(furthest, isCall ? STATES.indexOf('sent') : 0)] === 'failed';
  const known = price?.free || (isFailed && !price) ? { billionths: 0, currency: 'USD' } : price?.cost;
  expect(statuses.length === 0 ? leftAt : firstAt, 'message', known ?? table?.cost ?? null);
  return statuses.map(({ at, state, pricing }) => ({
    type: 'delivery.changed',
    conversation: conversationId({ ...about, contact: about.to }),
    at,
    status: { ...about, state, ...(pricing ? { pricing } : {}) },
  }));

  function cost(): Pricing {
    return { cost: { billionths: random(90_000_000), currency: oneOf(CURRENCIES) } };
  }
}

/** The stories one after the other, each with its statuses somewhere, a third of everything twice. */
function shuffled(stories: readonly Story[]): Event[] {
  const placed = stories.flatMap(({ told, reported }, i) => [
    ...told.map((event, step) => ({ event, place: i + step / 10 })),
    ...reported.map((event) => ({ event, place: i + random(800) - 300 })),
  ]);
  const repeats = placed.filter(() => chance(33)).map(({ event, place }) => ({ event, place: place + random(2_000) }));
  return [...placed, ...repeats].sort((a, b) => a.place - b.place).map(({ event }) => event);
}

let database: Database;
let other: Database;
before(async () => {
  [database, other] = await Promise.all([openDatabase(), openDatabase()]);
});
after(() => Promise.all([database.close(), other.close()]));

async function openDatabase(): Promise<Database> {
  const opened = createDatabase({ url: await createTestDatabase(), log: quiet, patienceMs: 0 });
  await opened.migrate();
  return opened;
}

test(`the ledger of ${MESSAGES} messages equals an independent sum`, async () => {
  const stories: Story[] = [];
  for (let parts = 0; parts < MESSAGES; ) {
    const next = story(stories.length);
    stories.push(next);
    const [made] = next.told;
    parts += made?.type === 'reply.made' ? (made.reply?.parts.length ?? 0) : 0;
  }
  const events = shuffled(stories);
  for (let i = 0; i < events.length; i += BATCH) {
    await database.recording((db) => record(db, events.slice(i, i + BATCH), false, PRICES));
  }
  const report = await createCosts(database).report({ days: DAYS + 1, timeZone: 'UTC', currency: 'USD' });
  const found = new Map(
    report.days.flatMap(({ day, purposes }) =>
      purposes.flatMap(({ purpose, sums }) =>
        sums
          .filter(({ billionths }) => billionths > 0n)
          .map(({ currency, billionths }) => [`${day} ${purpose} ${currency}`, billionths] as const),
      ),
    ),
  );
  assert.ok(expected.sums.size > DAYS * CURRENCIES.length, 'something was made up for every day');
  assert.deepEqual(new Map([...found].sort()), new Map([...expected.sums].sort()));
  const unpriced = new Map(report.purposes.map((one: Expenses & { purpose: string }) => [one.purpose, one.unpriced]));
  assert.deepEqual(new Map([...unpriced].sort()), new Map([...expected.unpriced].sort()));
});

test('the ledger of another archive is added once', async () => {
  const here = await sumsIn(database);
  const told = story(MESSAGES * 2).told;
  await other.transaction((db) => record(db, told, false));
  await database.transaction((db) => record(db, told.slice(0, 1), false));
  for (let times = 0; times < 2; times++) await other.run((from) => mergeArchive({ from, into: database }));
  const [both, theirs] = [await sumsIn(database), await sumsIn(other)];
  for (const currency of CURRENCIES) {
    assert.equal(both.get(currency), (here.get(currency) ?? 0n) + (theirs.get(currency) ?? 0n), currency);
  }
  const [lost] = await query(database, 'select count(*) as entries from whatsapp_costs where conversation_id is null');
  assert.equal(lost?.entries, 0, 'every entry has its conversation here');
});

test('what people agreed to in another archive holds here, by the time at which they said it', async () => {
  const other = createDatabase({ url: await createTestDatabase(), log: quiet });
  await other.migrate();
  const [ana, ben] = ['15550100901', '15550100902'];
  const said = (contact: string, consent: 'opt-out' | 'opt-in', at: number) => (archive: Database) =>
    createDeskWriter(archive).consent(contact, { consent, source: 'a letter', cause: 'desk' }, at);
  await said(ana, 'opt-out', BEGIN)(other);
  await said(ben, 'opt-out', BEGIN)(other);
  await said(ben, 'opt-in', BEGIN + DAY_MS)(database);
  try {
    for (let times = 0; times < 2; times++) await other.run((from) => mergeArchive({ from, into: database }));
  } finally {
    await other.close();
  }
  const standings = await createStandings(database).of([ana, ben]);
  assert.deepEqual([standings.get(ana)?.optedOutAt, standings.get(ben)?.optedOutAt], [BEGIN, 0]);
  const [entries] = await query(database, 'select count(*) as entries from whatsapp_consents');
  assert.equal(Number(entries?.entries), 3);
});

async function sumsIn(archive: Database): Promise<Map<string, bigint>> {
  const rows = await query(archive, 'select currency, sum(amount)::text as sum from whatsapp_costs group by 1');
  return new Map(rows.map(({ currency, sum }) => [String(currency), BigInt(String(sum ?? 0))]));
}
