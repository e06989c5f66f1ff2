/** Who owns a thread: over the real scripts and a real Redis, in any order of what is told. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { createAliases } from '../../app/memory/aliases.ts';
import { createDeadLetters, type DeadLetters } from '../../app/memory/dead-letters.ts';
import { createDesk } from '../../app/memory/desk.ts';
import { createKeys } from '../../app/memory/keys.ts';
import { createMailbox, type Held, type Mailbox } from '../../app/memory/mailbox.ts';
import { createRedis, createScripts, type RedisClient } from '../../app/memory/redis.ts';
import { createThreads, isOther, markOf, type Threads } from '../../app/memory/threads.ts';
import { conversationId, type Line, type Route } from '../../app/message.ts';
import { createLogger } from '../../app/ops/logger.ts';
import { scrub } from '../../app/privacy/scrub.ts';
import { ANA, inboundMessage } from '../support/message.ts';
import { startTestRedis } from '../support/redis.ts';

const BUSINESS = '15550783881';
const log = createLogger({ level: 'error', format: 'json' });
const keys = createKeys(1);

let server: Awaited<ReturnType<typeof startTestRedis>>;
let redis: RedisClient;
let mailbox: Mailbox;
let threads: Threads;
let desk: ReturnType<typeof createDesk>;
let aliases: ReturnType<typeof createAliases>;
let letters: DeadLetters;

before(async () => {
  server = await startTestRedis();
  redis = createRedis({ kind: 'url', url: server.url }, log);
  await redis.connect();
  const tools = { redis, run: createScripts(redis), keys, historyTtlMs: 86_400_000 };
  aliases = createAliases(tools);
  mailbox = createMailbox({ ...tools, leaseMs: 30_000, historyTokens: 1_000, processId: 'process' });
  threads = createThreads({ ...tools, aliases, now: Date.now });
  desk = createDesk({ ...tools, aliases });
  letters = createDeadLetters({ ...tools, aliases });
});

after(async () => {
  redis.disconnect();
  await server.stop();
});

beforeEach(() => redis.flushall());

function conversationWith(contact: string): string {
  return conversationId({ channel: 'meta', business: BUSINESS, contact });
}

let ids = 0;
function write(from: string, route: Route, turn: string | null) {
  const answered = route.owner === 'other' ? { answered: true as const } : {};
  const message = inboundMessage({
    id: `wamid.${ids++}`,
    channel: 'meta',
    business: BUSINESS,
    from,
    route,
    ...answered,
  });
  return mailbox.accept(message, turn, '{}');
}

function handOver(contact: string, route: Route, id = `handover-${ids++}`, line: Line | null = null) {
  return threads.keep(conversationWith(contact), { id, mark: markOf(route, true), line, event: '{}' });
}

function answer(held: Held) {
  const { contact, turn, conversation } = held;
  const reply = { id: turn, conversation, to: contact, parts: [scrub('hello')], via: 'call' as const, at: Date.now() };
  return mailbox.commit(held, { mayTakeMore: false, lines: [], reply, event: '{}' });
}

async function isOthers(contact: string): Promise<boolean> {
  return (await desk.state(conversationWith(contact))).isOthers;
}

describe('a thread', () => {
  const [T1, T2, T3] = [1_790_000_000_000, 1_790_000_060_000, 1_790_000_120_000];

  test('is ours while nothing is known, and whose the field of the first message says', async () => {
    assert.equal(await isOthers(ANA), false);
    await write(ANA, { owner: 'other', at: T1 }, null);
    assert.equal(await isOthers(ANA), true);
    await redis.flushall();
    await write(ANA, { owner: 'us', at: T1 }, null);
    assert.equal(await isOthers(ANA), false);
  });

  test('belongs to whom the newest word names, in whatever order the words come', async () => {
    await handOver(ANA, { owner: 'other', at: T2 });
    await handOver(ANA, { owner: 'us', at: T1 });
    await write(ANA, { owner: 'us', at: T1 }, null);
    assert.equal(await isOthers(ANA), true, 'what is older changes nothing');
    await write(ANA, { owner: 'us', at: T3 }, null);
    assert.equal(await isOthers(ANA), false);
  });

  test('in the same second belongs to whom a handover names, and of two like words to the other one', () => {
    const both = [T1, T1 + 900].map((at) => markOf({ owner: 'us', at }, true));
    assert.equal(both[0], both[1], 'stamps of the provider are whole seconds');
    assert.ok(markOf({ owner: 'us', at: T1 }, true) > markOf({ owner: 'other', at: T1 + 500 }));
    assert.ok(markOf({ owner: 'other', at: T1 }, true) > markOf({ owner: 'us', at: T1 + 500 }, true));
    assert.ok(markOf({ owner: 'other', at: T1 }) > markOf({ owner: 'us', at: T1 }));
    assert.deepEqual([null, undefined, '0', '7160000000', '7160000001'].map(isOther), [
      false,
      false,
      false,
      false,
      true,
    ]);
  });

  test('that was taken while an answer was made gets none, and the messages are taken in', async () => {
    const accepted = await write(ANA, { owner: 'us', at: T1 }, 'turn');
    assert.ok(accepted.kind === 'turn' && !accepted.held.isOthers);
    await handOver(ANA, { owner: 'other', at: T2 });
    assert.deepEqual(await answer(accepted.held), { kind: 'quiet', why: 'standby' });
    const quiet = await mailbox.commit(accepted.held, { mayTakeMore: false, lines: [], reply: null, event: '{}' });
    assert.equal(quiet.kind, 'committed');
    assert.deepEqual(await mailbox.finish(accepted.held, '', 'next', ''), { kind: 'done' });
  });

  test('keeps what another responder says once, for the next answer, and opens no 24 hours', async () => {
    const line: Line = {
      role: 'user',
      text: scrub(''),
      notes: [scrub('they want a cake')],
      at: T1,
      id: 'h',
      tokens: 5,
    };
    assert.equal(await handOver(ANA, { owner: 'us', at: T1 }, 'h', line), true);
    assert.equal(await handOver(ANA, { owner: 'us', at: T1 }, 'h', line), false);
    assert.equal((await desk.state(conversationWith(ANA))).lastInboundAt, 0);
    const accepted = await write(ANA, { owner: 'us', at: T2 }, 'turn');
    assert.ok(accepted.kind === 'turn');
    assert.deepEqual(
      accepted.held.history.map(({ notes }) => notes),
      [['they want a cake']],
    );
    assert.equal(await redis.xlen('recado:{0}:events'), 2);
  });

  test('goes along when two contacts turn out to be one', async () => {
    await handOver('US.ana', { owner: 'other', at: T2 });
    await write(ANA, { owner: 'us', at: T1 }, null);
    await aliases.link('US.ana', ANA);
    assert.equal(await isOthers(ANA), true);
    assert.equal(await isOthers('US.ana'), true);
  });

  test('that another responder owns gets no reply that was left behind, and no dead letter', async () => {
    const accepted = await write(ANA, { owner: 'us', at: T1 }, 'turn');
    assert.ok(accepted.kind === 'turn');
    assert.equal((await answer(accepted.held)).kind, 'committed');
    await mailbox.release(ANA, 'turn', 0);
    await handOver(ANA, { owner: 'other', at: T2 });
    const claimed = await mailbox.claim(ANA, 'again');
    assert.ok(claimed.kind === 'turn' && claimed.held.pending && claimed.held.isOthers);
    assert.equal(await mailbox.bury(claimed.held, 0, { code: 'turn.overtaken', reason: 'taken' }, '{}'), true);
    const [letter] = (await letters.list(1)).items;
    assert.ok(letter);
    assert.equal(await letters.replay(letter.id), 'busy');
    await handOver(ANA, { owner: 'us', at: T2 + 1_000 });
    assert.equal(await letters.replay(letter.id), 'replayed');
  });

  test('that we took or gave away is what we made it, however far the provider’s clock is from ours', async () => {
    const later = Date.now() + 3_600_000;
    await handOver(ANA, { owner: 'other', at: later });
    await threads.own(conversationWith(ANA), 'us');
    assert.equal(await isOthers(ANA), false);
    await threads.own(conversationWith(ANA), 'other');
    assert.equal(await isOthers(ANA), true);
    await write(ANA, { owner: 'us', at: later + 1_000 }, null);
    assert.equal(await isOthers(ANA), false, 'what the provider says afterwards counts');
  });
});

describe('a contact with a new number', () => {
  test('brings memory and block along, and the old number is nobody’s', async () => {
    const to = '15550100199';
    await write(ANA, { owner: 'us', at: Date.now() }, null);
    await write(to, { owner: 'us', at: Date.now() }, null);
    await desk.block(ANA, true);
    assert.equal(await aliases.renumber(ANA, to), true);
    assert.equal(await aliases.rootOf(ANA), ANA, 'no alias stays');
    const { state, history, mailbox: waiting, seen, alias } = keys.of(ANA);
    assert.equal(await redis.exists(state, history, waiting, seen, alias), 0);
    const { blocked, address } = await desk.state(conversationWith(to));
    assert.deepEqual([blocked, address], [true, to]);
    const claimed = await mailbox.claim(to, 'turn');
    assert.ok(claimed.kind === 'turn');
    assert.deepEqual(
      claimed.held.messages.map(({ from }) => from),
      [to, to],
      'answers go to the new number',
    );
    assert.equal(
      (await desk.state(conversationWith(ANA))).blocked,
      false,
      'the next owner of the old number is somebody else',
    );
  });

  test('waits while an answer to the old one is under way', async () => {
    await write(ANA, { owner: 'us', at: Date.now() }, 'turn');
    assert.equal(await aliases.renumber(ANA, '15550100199'), false);
    await mailbox.release(ANA, 'turn', 0);
    assert.equal(await aliases.renumber(ANA, '15550100199'), true);
  });
});

const INTERLEAVINGS = 10_000;
const AT_ONCE = 250;

test(`over ${INTERLEAVINGS} random interleavings, nothing is sent while another responder owns the thread`, async () => {
  let sent = 0;
  let withheld = 0;
  for (let begin = 0; begin < INTERLEAVINGS; begin += AT_ONCE) {
    const outcomes = await Promise.all(Array.from({ length: AT_ONCE }, (_, i) => interleave(begin + i)));
    sent += outcomes.reduce((sum, outcome) => sum + outcome.sent, 0);
    withheld += outcomes.reduce((sum, outcome) => sum + outcome.withheld, 0);
    await redis.flushall();
  }
  assert.ok(
    sent > INTERLEAVINGS / 4 && withheld > INTERLEAVINGS / 4,
    `${sent} sent, ${withheld} withheld: both are tried`,
  );
});

/** One contact: messages of both fields, handovers with shuffled stamps, turns that answer, are killed, and are taken over. */
async function interleave(seed: number): Promise<{ sent: number; withheld: number }> {
  const random = randomFrom(seed);
  const contact = `1555${String(1_000_000 + seed)}`;
  const owner = () => (random() < 0.5 ? 'us' : ('other' as const));
  // Stamps repeat and go back: events come late.
  const stamp = () => 1_790_000_000_000 + Math.floor(random() * 12) * 1_000;
  let newest = 0;
  let turn = 0;
  let held: Held | null = null;
  const count = { sent: 0, withheld: 0 };
  for (let step = 0; step < 9; step++) {
    const dice = random();
    if (dice < 0.3) {
      const route: Route = { owner: owner(), at: stamp() };
      newest = Math.max(newest, markOf(route));
      const accepted = await write(contact, route, `turn-${turn++}`);
      if (accepted.kind === 'turn') held = accepted.held;
    } else if (dice < 0.5) {
      const route: Route = { owner: owner(), at: stamp() };
      newest = Math.max(newest, markOf(route, true));
      await handOver(contact, route);
    } else if (dice < 0.6) {
      // A kill: the lease is free, and what waits is taken over by somebody who knows nothing.
      if (held) await mailbox.release(contact, held.turn, 0);
      const claimed = await mailbox.claim(contact, `turn-${turn++}`);
      held = claimed.kind === 'turn' ? claimed.held : null;
    } else if (held) {
      held = held.pending ? await deliver(held) : await answerOnce(held);
    }
  }
  return count;

  async function answerOnce(taken: Held): Promise<Held | null> {
    const isOurs = newest % 2 === 0;
    const committed = await answer(taken);
    assert.equal(committed.kind, isOurs ? 'committed' : 'quiet', `seed ${seed}`);
    if (isOurs) count.sent++;
    else count.withheld++;
    // Taken in without an answer.
    if (!isOurs) await mailbox.commit(taken, { mayTakeMore: false, lines: [], reply: null, event: '{}' });
    // Killed between the commit and the delivery, now and then.
    if (isOurs && random() < 0.3) {
      await mailbox.release(contact, taken.turn, 0);
      return null;
    }
    const finished = await mailbox.finish(taken, isOurs ? taken.turn : '', `turn-${turn++}`, '');
    return finished.kind === 'turn' ? finished.held : null;
  }

  /** A reply that was left: whoever takes it over knows whether the thread is still ours. */
  async function deliver(taken: Held): Promise<Held | null> {
    const { isOthers } = await desk.state(conversationWith(contact));
    assert.equal(isOthers, newest % 2 === 1, `seed ${seed}`);
    const finished = await mailbox.finish(taken, taken.pending?.id ?? '', `turn-${turn++}`, '');
    return finished.kind === 'turn' ? finished.held : null;
  }
}

/** mulberry32: the same numbers for the same seed. https://gist.github.com/tommyettinger/46a874533244883189143505d203312c */
function randomFrom(seed: number): () => number {
  let state = seed + 0x6d2b79f5;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 4_294_967_296;
  };
}
