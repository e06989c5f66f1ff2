/**
 * Whatever a batch of Meta is: recorded events shuffled into batches, doubled, cut, with a poisoned one inside. Each message is stored once,
 * statuses count, standby is never answered, and nothing else is lost. The same seed makes the same batches.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { sql } from 'kysely';
import { createDatabase, type Database } from '../../../app/archive/engine/database.ts';
import { type MetaDouble, newWamid, startMetaDouble, type TakenMessage } from '../../doubles/meta.ts';
import { lastUserText } from '../../doubles/model.ts';
import { allRecorded, type Bot, type Doubles, eventually, startBot, startDoubles } from '../../support/bot.ts';
import {
  ACCESS_TOKEN,
  asMetaWrites,
  batchOf,
  metaSettings,
  metaStatus,
  NUMBERS,
  postBatch,
} from '../../support/meta.ts';
import { createTestDatabase } from '../../support/postgres.ts';
import { seeded } from '../../support/seeded.ts';

const SEED = Number(process.env.BATCHES_SEED ?? Date.now() % 1_000_000);
/** How often all recorded events are mixed anew. */
const ROUNDS = process.env.CHAOS === 'long' ? 200 : 8;

/** Of the recorded payloads: two are ours, the third is somebody else's. */
const OURS = { ...NUMBERS, '000000000000000': '+1 555-000-0000' };

type Json = Record<string, unknown>;

/** One event that people or Meta caused, with nobody else in it. */
interface Unit {
  field: string;
  metadata: unknown;
  contacts: unknown[];
  /** Null for a status. */
  message: Json | null;
  status: Json | null;
  isStandby: boolean;
}

// The file's shape is its own contract.
const { samples } = JSON.parse(readFileSync('test/fixtures/meta-webhooks.json', 'utf8')) as {
  samples: { payload: { entry: { changes: { field: string; value: Json }[] }[] } }[];
};

const RECORDED = samples
  .flatMap(({ payload }) => payload.entry.flatMap(({ changes }) => changes))
  .flatMap(({ field, value }) => unitsOf(field, value));

function unitsOf(field: string, value: Json): Unit[] {
  const { metadata, contacts = [], messages = [], statuses = [] } = value as Record<string, Json[]>;
  const common = { field, metadata, contacts, isStandby: false };
  return [
    ...messages.map((message) => ({ ...common, message, status: null })),
    ...statuses.map((status) => ({ ...common, message: null, status })),
  ];
}

/** What only changes or comments on something, and what a business did itself, is not answered. */
const WITHOUT_ANSWER = new Set(['reaction', 'system']);

/** Not one of them is a message that can be kept; each is told of in the log. */
const POISONS: readonly string[] = [
  'null',
  '"text"',
  '17',
  '[]',
  '{}',
  '{"id":5,"from":[]}',
  '{"id":{"$gt":""},"from":"15550100123"}',
  '{"id":"wamid.POISON\\u0000","from":"15550100123","type":"text","text":{"body":"x"}}',
  '{"id":"wamid.POISON","from":"\\u0000","type":"text","text":{"body":"x"}}',
  '{"id":"wamid.POISON","from":"../../etc","type":"text","text":{"body":"x"}}',
  `{"id":"wamid.${'x'.repeat(300)}","from":"15550100123"}`,
  '{"__proto__":{"id":"wamid.POISON","from":"15550100123"}}',
  `{"id":"wamid.POISON","from":${'['.repeat(20_000)}${']'.repeat(20_000)}}`,
];

/** Odd, but a message of somebody: it is kept, cleaned. Without the id and whose it is. */
const ODDITIES: readonly string[] = [
  '"type":"text","text":{"body":"a\\u0000b\\ud800c\\u202e"}',
  '"type":"text","text":{"body":["not","a","text"]}',
  '"type":"text","text":null,"image":"no picture","location":[],"contacts":{"name":5}',
  '"type":"text","text":{"body":"x","__proto__":{"admin":true}},"__proto__":{"answered":true},"constructor":{"prototype":1}',
  `"type":"text","text":{"body":"deep"},"filler":${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`,
  `"type":"text","text":{"body":"${'long '.repeat(60_000)}"}`,
  '"type":{"not":"a word"},"timestamp":-1e309,"context":7',
  '"type":"interactive","interactive":{"type":"nfm_reply","nfm_reply":{"response_json":"{\\"a\\":"}}',
];

let doubles: Doubles;
let meta: MetaDouble;
let database: Database;
let bot: Bot;
let mediaId: string;
let people = 0;

before(async () => {
  [doubles, meta] = await Promise.all([startDoubles(), startMetaDouble({ accessToken: ACCESS_TOKEN, numbers: OURS })]);
  doubles.model.answer = (request) => `You said: ${lastUserText(request).slice(0, 100)}`;
  mediaId = meta.addMedia(readFileSync('test/fixtures/media/voice.ogg'));
  const url = await createTestDatabase();
  database = createDatabase({ url, log: { debug() {}, info() {}, warn() {}, error() {}, child: () => assert.fail() } });
  await database.migrate();
  bot = await startBot(doubles, {
    ...metaSettings(meta.url),
    PHONE_NUMBER_ID: Object.keys(OURS).join(','),
    DATABASE_URL: url,
    ANALYSIS: 'off',
    RATE_LIMIT_PER_MINUTE: '100000',
  });
});

after(async () => {
  await bot.stop();
  await database.close();
  await Promise.all([doubles.stop(), meta.close()]);
});

function newPerson(): string {
  return `15552${String(100_000 + people++)}`;
}

/** The unit as if it had happened to somebody else: ids and addresses are new, the same one for the same. */
function renewed(unit: Unit): Unit {
  const news = new Map<string, string>();
  const person = newPerson();
  const renew = (key: string, old: string): string => {
    if (ADDRESSES.has(key) && /^\d+$/.test(old)) return known(old, () => (news.size === 0 ? person : newPerson()));
    if (ADDRESSES.has(key)) return known(old, () => `${old.slice(0, old.lastIndexOf('.'))}.t${newPerson()}`);
    if (key === 'id' && old.startsWith('wamid.')) return known(old, newWamid);
    return key === 'id' && /^\d+$/.test(old) ? mediaId : old;
  };
  const known = (old: string, make: () => string) => news.get(old) ?? news.set(old, make()).get(old) ?? '';
  const copy = (key: string, value: unknown): unknown => {
    if (typeof value === 'string') return renew(key, value);
    if (Array.isArray(value)) return value.map((one) => copy(key, one));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, copy(name, inner)]));
  };
  const { contacts, message, status } = copy('', { ...unit, metadata: null }) as Unit;
  return { ...unit, contacts, message, status };
}

const ADDRESSES = new Set(
  'from wa_id recipient_id user_id parent_user_id from_user_id from_parent_user_id recipient_user_id'.split(' '),
);

/** Some batches with all of the units, in any order, several in one change, entry and batch. */
function mixed(units: readonly Unit[], chance: () => number): string[] {
  const changes: { head: string; unit: Unit; messages: string[]; statuses: unknown[]; contacts: unknown[] }[] = [];
  for (const unit of shuffled(units, chance)) {
    const head = JSON.stringify([unit.isStandby, unit.field, unit.metadata]);
    const open = changes.find((change) => change.head === head);
    const change = open && chance() < 0.5 ? open : { head, unit, messages: [], statuses: [], contacts: [] };
    if (change !== open) changes.unshift(change);
    if (unit.message) change.messages.push(JSON.stringify(cut(unit.message, ['timestamp', 'context'], chance)));
    if (unit.status) change.statuses.push(cut(unit.status, ['timestamp', 'pricing', 'conversation'], chance));
    change.contacts.push(...unit.contacts);
  }
  const written = shuffled(changes, chance).map(({ unit, messages, statuses, contacts }) => {
    // Among them, wherever. Beside a single contact, whoever is not named is taken for that one.
    const possible = contacts.length === 1 ? POISONS.filter((poison) => !poison.includes('"wamid.POISON"')) : POISONS;
    if (chance() < 0.6) messages.splice(Math.floor(chance() * (messages.length + 1)), 0, anyOf(possible, chance));
    const things = `"contacts":${asMetaWrites(contacts)},"messages":[${messages}],"statuses":${asMetaWrites(statuses)}`;
    const inside = unit.isStandby ? `"standby":{${things}}` : things;
    const value = `{"messaging_product":"whatsapp","metadata":${JSON.stringify(unit.metadata)},${inside}}`;
    // Without a field it is one of messages.
    const field = unit.field === 'messages' && !unit.isStandby && chance() < 0.2 ? '' : `,"field":"${unit.field}"`;
    return `{"value":${value}${field}}`;
  });
  const batches: string[] = [];
  while (written.length > 0) {
    const entries = Array.from({ length: 1 + Math.floor(chance() * 3) }, () =>
      written.splice(0, 1 + Math.floor(chance() * 3)),
    );
    batches.push(`{"entry":[${entries.map((inside) => `{"id":"1","changes":[${inside}]}`)}]}`);
  }
  return batches;
}

/** Meta's own examples leave fields out. */
function cut(thing: Json, fields: readonly string[], chance: () => number): Json {
  const gone = chance() < 0.3 ? anyOf(fields, chance) : undefined;
  return Object.fromEntries(Object.entries(thing).filter(([name]) => name !== gone));
}

function anyOf<Item>(items: readonly Item[], chance: () => number): Item {
  return items[Math.floor(chance() * items.length)] as Item;
}

function shuffled<Item>(items: readonly Item[], chance: () => number): Item[] {
  return items
    .map((item) => ({ item, at: chance() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

async function post(batch: string): Promise<void> {
  assert.equal((await postBatch(bot.url, batch)).status, 200, `seed ${SEED}: ${batch.slice(0, 500)}`);
}

/** How often each message is in the archive, by Meta's id. */
async function stored(): Promise<Map<string, number>> {
  const { rows } = await database.run((db) =>
    sql<{ sid: string; count: string }>`
      select message_sid as sid, count(*) from whatsapp_messages where direction = 'inbound' group by 1`.execute(db),
  );
  return new Map(rows.map(({ sid, count }) => [sid, Number(count)]));
}

function answersTo(units: readonly Unit[]): TakenMessage[] {
  const from = new Set(units.flatMap(({ message }) => [message?.from, message?.from_user_id]));
  return meta.sent.filter(({ to }) => from.has(to));
}

describe(`batches of recorded events, seed ${SEED}`, () => {
  const chance = seeded(SEED);
  const all: Unit[] = [];

  test('are answered with 200, whatever is in them and however they are cut', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const units = RECORDED.map(renewed).map((unit) => {
        return unit.message && chance() < 0.3 ? { ...unit, field: 'standby', isStandby: true } : unit;
      });
      all.push(...units);
      const batches = mixed(units, chance);
      const again = shuffled(batches, chance).slice(0, 3);
      // A batch that was cut on its way is none, though it is signed.
      const halves = again.map((batch) => batch.slice(0, Math.floor(chance() * batch.length)));
      await Promise.all(
        shuffled([...batches, ...again, ...mixed(units.slice(0, 6), chance), ...halves], chance).map(post),
      );
    }
    assert.equal(all.length, ROUNDS * RECORDED.length);
  });

  test('lose no message and store none twice, and what is for another number not at all', async () => {
    await allRecorded(doubles.redis.client());
    const found = await stored();
    const wrong = all.flatMap(({ message, metadata }) => {
      if (!message) return [];
      const wanted = JSON.stringify(metadata).includes('100000000000001') ? undefined : 1;
      const times = found.get(String(message.id));
      return times === wanted ? [] : [`${message.type} ${message.id} is stored ${times ?? 0} times`];
    });
    assert.deepEqual(wrong, [], `seed ${SEED}`);
    assert.equal([...found.keys()].filter((sid) => sid.includes('POISON')).length, 0);
  });

  test('get an answer to every message that wants one, and none on standby', async () => {
    const mine = all.filter(
      ({ message, metadata }) => message && !JSON.stringify(metadata).includes('100000000000001'),
    );
    const standby = mine.filter(({ isStandby }) => isStandby);
    assert.deepEqual(answersTo(standby), [], `seed ${SEED}`);
    const wanting = mine.filter(({ message, isStandby }) => !isStandby && !WITHOUT_ANSWER.has(String(message?.type)));
    const wrong = wanting.map((unit) => answersTo([unit]).length).filter((answers) => answers !== 1);
    assert.deepEqual(wrong, [], `seed ${SEED}`);
    assert.ok(standby.length > ROUNDS && wanting.length > 5 * ROUNDS);
    assert.equal(answersTo(mine).length, wanting.length, 'and nobody else got one');
  });

  test('say in the log why something was set aside, without its words', () => {
    const lines = bot.logs.filter((line) => line.includes('An event of Meta is not kept'));
    const reasons = new Set(lines.map((line) => String(JSON.parse(line).reason)));
    for (const reason of [/has no id/, /not in PHONE_NUMBER_ID/, /no batch of events/, /does not say who wrote/])
      assert.ok(
        [...reasons].some((one) => reason.test(one)),
        `${reason} in ${[...reasons].join(' | ')}`,
      );
    assert.ok(lines.every((line) => !/POISON|etc/.test(line)));
    const errors = bot.logs.filter((line) => line.includes('could not be taken in'));
    assert.deepEqual(errors, []);
  });

  test('count what became of our messages, in whatever order and however often it is told', async () => {
    const sent = answersTo(all);
    const statuses = shuffled(
      sent.flatMap((message) => ['sent', 'delivered', 'read', 'sent'].map((state) => metaStatus(message, state))),
      chance,
    );
    const poison = [null, 'delivered', { id: 5 }, { id: 'wamid.X', status: {} }, { status: 'read', recipient_id: '1' }];
    const batches: string[] = [];
    while (statuses.length > 0) {
      const some: unknown[] = statuses.splice(0, 1 + Math.floor(chance() * 20));
      some.splice(Math.floor(chance() * some.length), 0, anyOf(poison, chance));
      batches.push(asMetaWrites(batchOf({ statuses: some })));
    }
    await Promise.all(batches.map(post));
    await allRecorded(doubles.redis.client());
    const { rows } = await database.run((db) =>
      sql<{ state: string; count: string }>`
        select d.state, count(*) from whatsapp_deliveries d join whatsapp_messages m on m.id = d.message_id group by 1`.execute(
        db,
      ),
    );
    assert.deepEqual(
      rows.map(({ state, count }) => [state, Number(count)]),
      [['read', sent.length]],
      `seed ${SEED}`,
    );
  });
});

test('what is odd, but somebody’s message, is kept and answered', async () => {
  const odd = ODDITIES.map((content) => ({ id: newWamid(), from: newPerson(), content }));
  for (const { id, from, content } of odd) {
    const messages = `[${anyOf(POISONS, Math.random)},{"id":"${id}","from":"${from}",${content}}]`;
    const [before, behind] = JSON.stringify(batchOf({ messages: [] })).split('"messages":[]');
    await post(`${before}"messages":${messages}${behind}`);
  }
  await eventually('all are answered', () => odd.every(({ from }) => meta.sent.some(({ to }) => to === from)));
  await allRecorded(doubles.redis.client());
  const found = await stored();
  assert.deepEqual(
    odd.filter(({ id }) => found.get(id) !== 1).map(({ content }) => content.slice(0, 80)),
    [],
  );
  for (const { from } of odd) assert.equal(meta.sent.filter(({ to }) => to === from).length, 1);
});

test('a batch of 10 MB is refused before it is read', async () => {
  const batch = JSON.stringify(
    batchOf({ messages: [{ id: newWamid(), from: newPerson(), filler: 'x'.repeat(10e6) }] }),
  );
  const status = await postBatch(bot.url, batch).then(
    (response) => response.status,
    () => 413, // the connection may be cut before the answer is read
  );
  assert.equal(status, 413);
});
