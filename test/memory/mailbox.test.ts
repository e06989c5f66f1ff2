import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { createAliases } from '../../app/memory/aliases.ts';
import { createDeadLetters } from '../../app/memory/dead-letters.ts';
import { createDesk } from '../../app/memory/desk.ts';
import { createKeys } from '../../app/memory/keys.ts';
import {
  addMessages,
  createMailbox,
  type Held,
  type Mailbox,
  type MailboxOptions,
  MOST_MESSAGES,
  readLines,
} from '../../app/memory/mailbox.ts';
import { createRedis, createScripts, type RedisClient } from '../../app/memory/redis.ts';
import { createSummaryStore } from '../../app/memory/summary.ts';
import type { InboundMessage, Line, Reply } from '../../app/message.ts';
import { createLogger } from '../../app/ops/logger.ts';
import { scrub } from '../../app/privacy/scrub.ts';
import { ANA, BUSINESS, inboundMessage } from '../support/message.ts';
import { startTestRedis } from '../support/redis.ts';

const CONVERSATION = `twilio:${BUSINESS}:${ANA}`;
const log = createLogger({ level: 'error', format: 'json' });
const keys = createKeys(1);

let server: Awaited<ReturnType<typeof startTestRedis>>;
let redis: RedisClient;
let mailbox: Mailbox;

before(async () => {
  server = await startTestRedis();
  redis = createRedis({ kind: 'url', url: server.url }, log);
  await redis.connect();
  mailbox = mailboxOf({});
});

after(async () => {
  redis.disconnect();
  await server.stop();
});

beforeEach(async () => {
  await redis.flushall();
});

function mailboxOf(
  overrides: Partial<Pick<MailboxOptions, 'leaseMs' | 'historyTokens' | 'onDamaged' | 'processId'>>,
): Mailbox {
  return createMailbox({
    redis,
    run: createScripts(redis),
    keys,
    leaseMs: 30_000,
    historyTtlMs: 86_400_000,
    historyTokens: 1_000,
    processId: 'process',
    ...overrides,
  });
}

function message(id: string, overrides: Partial<InboundMessage> = {}): InboundMessage {
  return inboundMessage({
    id,
    profileName: scrub('Ana'),
    receivedAt: Date.now(),
    text: scrub(`text of ${id}`),
    ...overrides,
  });
}

function line(role: Line['role'], text: string, tokens = 5): Line {
  return { role, text: scrub(text), at: Date.now(), id: text, tokens };
}

function answerTo(held: Held, overrides: Partial<Parameters<Mailbox['commit']>[1]> = {}) {
  const lines = [...held.messages.map(({ text }) => line('user', text)), line('assistant', 'an answer')];
  const { turn: id, conversation } = held;
  const reply: Reply = { id, conversation, to: ANA, parts: [scrub('an answer')], via: 'call', at: Date.now() };
  return { mayTakeMore: true, lines, reply, event: '{}', ...overrides };
}

/** What is due some time later is due now. */
async function waitUntilDue(): Promise<void> {
  await redis.zadd(keys.of(ANA).due, 'XX', Date.now() - 1_000, ANA);
}

async function begin(id: string, turn: string): Promise<Held> {
  const accepted = await mailbox.accept(message(id), turn, '{}');
  assert.equal(accepted.kind, 'turn');
  if (accepted.kind !== 'turn') throw new Error('unreachable');
  return accepted.held;
}

/** A message that was answered; the reply is still to be delivered. */
async function answered(id: string, turn: string): Promise<Held> {
  const held = await begin(id, turn);
  await mailbox.commit(held, answerTo(held));
  return held;
}

describe('accept', () => {
  test('stores the message and hands the contact over with all that is known', async () => {
    const held = await begin('SM1', 'turn-a');
    assert.deepEqual(
      held.messages.map(({ id }) => id),
      ['SM1'],
    );
    assert.deepEqual(
      [held.summary, held.version, held.profileName, held.pending, held.attempts],
      ['', '0', 'Ana', null, 0],
    );
  });

  test('keeps later messages for the running turn', async () => {
    await begin('SM1', 'turn-a');
    assert.equal((await mailbox.accept(message('SM2'), 'turn-b', '{}')).kind, 'waiting');
    assert.equal(await redis.llen(keys.of(ANA).mailbox), 2);
  });

  test('knows an id again, also after it was answered', async () => {
    const held = await begin('SM1', 'turn-a');
    assert.deepEqual(await mailbox.accept(message('SM1'), 'turn-b', '{}'), { kind: 'known' });
    await mailbox.commit(held, answerTo(held));
    await mailbox.finish(held, 'turn-a', 'next', '{}');
    assert.deepEqual(await mailbox.accept(message('SM1'), 'turn-c', '{}'), { kind: 'known' });
    assert.equal(await redis.llen(keys.of(ANA).mailbox), 0);
  });

  test('forgets ids after eight days', async () => {
    await begin('SM1', 'turn-a');
    await redis.zadd(keys.of(ANA).seen, Date.now() - 9 * 86_400_000, 'SM1');
    await mailbox.accept(message('SM2'), 'turn-b', '{}');
    assert.deepEqual(await redis.zrangebyscore(keys.of(ANA).seen, '-inf', '+inf'), ['SM2']);
  });

  test('starts a turn for a repeat of a message that still waits while none is running', async () => {
    await begin('SM1', 'turn-a');
    await mailbox.release(ANA, 'turn-a', 60_000);
    const held = await begin('SM1', 'turn-b');
    assert.deepEqual(
      held.messages.map(({ id }) => id),
      ['SM1'],
    );
  });

  test('counts what a contact writes in a minute, repeats not', async () => {
    await begin('SM1', 'turn-a');
    await mailbox.accept(message('SM2'), 'turn-b', '{}');
    await mailbox.accept(message('SM2'), 'turn-b', '{}');
    await mailbox.release(ANA, 'turn-a', 60_000);
    const nudged = await mailbox.accept(message('SM2'), 'turn-c', '{}');
    assert.equal(nudged.kind === 'turn' && nudged.counts.minute, 2);
    const left = await redis.pttl(keys.of(ANA).rate);
    assert.ok(left > 50_000 && left <= 60_000, `${left} ms`);
  });

  test('keeps the events of 300 messages within its bound', async () => {
    for (let i = 0; i < 300; i++) await mailbox.accept(message(`SM${i}`), 'turn', '{}');
    assert.equal(await redis.xlen(keys.shardOf(ANA).events), 300);
  });
});

describe('accept without a turn', () => {
  test('stores, and leaves the work to whoever looks for it', async () => {
    assert.equal((await mailbox.accept(message('SM1'), null, '{}')).kind, 'waiting');
    assert.deepEqual(await mailbox.due(10), [ANA]);
    assert.deepEqual(await mailbox.accept(message('SM1'), null, '{}'), { kind: 'known' });
    const claimed = await mailbox.claim(ANA, 'turn-a');
    assert.ok(claimed.kind === 'turn' && claimed.held.messages.length === 1);
  });

  test('leaves what comes in during a turn to that turn', async () => {
    await begin('SM1', 'turn-a');
    assert.equal((await mailbox.accept(message('SM2'), null, '{}')).kind, 'waiting');
    assert.deepEqual(await mailbox.due(10), []);
  });
});

describe('commit', () => {
  test('changes history, mailbox and reply record together', async () => {
    const held = await begin('SM1', 'turn-a');
    assert.deepEqual(await mailbox.commit(held, answerTo(held)), { kind: 'committed', roll: false });
    assert.equal(await redis.llen(keys.of(ANA).history), 2);
    assert.equal(await redis.llen(keys.of(ANA).mailbox), 0);
    assert.equal(await redis.hget(keys.of(ANA).reply, 'parts'), '["an answer"]');
  });

  test('returns what came in meanwhile instead, and changes nothing', async () => {
    const held = await begin('SM1', 'turn-a');
    await mailbox.accept(message('SM2'), 'turn-b', '{}');
    const more = await mailbox.commit(held, answerTo(held));
    assert.ok(more.kind === 'more' && more.messages[0]?.id === 'SM2');
    assert.equal(await redis.llen(keys.of(ANA).history), 0);
  });

  test('of a turn that may not take more leaves them for the next turn, which finish hands over', async () => {
    const held = await begin('SM1', 'turn-a');
    await mailbox.accept(message('SM2'), 'turn-b', '{}');
    await mailbox.commit(held, answerTo(held, { mayTakeMore: false }));
    const finished = await mailbox.finish(held, 'turn-a', 'turn-c', '{}');
    assert.ok(finished.kind === 'turn');
    assert.deepEqual(
      finished.held.messages.map(({ id }) => id),
      ['SM2'],
    );
    assert.equal(finished.held.history.length, 2);
    assert.equal(await redis.get(keys.of(ANA).lease), 'process turn-c');
  });

  test('by a turn that lost its lease changes nothing', async () => {
    const held = await begin('SM1', 'turn-a');
    await redis.set(keys.of(ANA).lease, 'another turn');
    assert.deepEqual(await mailbox.commit(held, answerTo(held)), { kind: 'lost' });
    assert.equal(await redis.llen(keys.of(ANA).history), 0);
  });

  test('asks for one roll when the history grows too long', async () => {
    const held = await begin('SM1', 'turn-a');
    const long = { lines: [line('user', 'x', 600), line('assistant', 'y', 600)] };
    assert.deepEqual(await mailbox.commit(held, answerTo(held, long)), { kind: 'committed', roll: true });
    await mailbox.finish(held, 'turn-a', 'next', '{}');
    const again = await begin('SM2', 'turn-b');
    assert.deepEqual(await mailbox.commit(again, answerTo(again)), { kind: 'committed', roll: false }, 'one is enough');
  });
});

describe('a lease', () => {
  test('is kept by its turn alone', async () => {
    await begin('SM1', 'turn-a');
    assert.equal(await mailbox.extend(ANA, 'turn-a'), true);
    assert.equal(await mailbox.extend(ANA, 'turn-b'), false);
  });

  test('that ran out lets another process claim, with the reply that was left', async () => {
    const held = await begin('SM1', 'turn-a');
    await mailbox.commit(held, answerTo(held));
    assert.deepEqual(await mailbox.claim(ANA, 'turn-b'), { kind: 'busy' });
    await redis.del(keys.of(ANA).lease);
    await waitUntilDue();
    assert.deepEqual(await mailbox.due(10), [ANA]);
    const claimed = await mailbox.claim(ANA, 'turn-b');
    assert.ok(claimed.kind === 'turn');
    const { at = 0, ...pending } = claimed.held.pending ?? {};
    assert.ok(Math.abs(Date.now() - at) < 60_000, 'by Redis’ clock');
    assert.deepEqual(pending, {
      id: 'turn-a',
      conversation: CONVERSATION,
      to: ANA,
      parts: ['an answer'],
      via: 'call',
    });
    assert.equal(claimed.held.attempts, 1);
  });

  test('of a conversation with nothing to do is not given, and it is not due any more', async () => {
    const held = await begin('SM1', 'turn-a');
    await mailbox.commit(held, answerTo(held));
    await mailbox.finish(held, 'turn-a', 'next', '{}');
    assert.deepEqual(await mailbox.claim(ANA, 'turn-b'), { kind: 'idle' });
    assert.equal(await redis.zscore(keys.of(ANA).due, ANA), null);
    assert.deepEqual(await mailbox.due(10), []);
  });
});

describe('more messages than one turn answers', () => {
  const ids = (messages: InboundMessage[]) => messages.map(({ id }) => id);
  const numbered = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `SM${from + i}`);

  test('are taken in up to the bound, and the rest is handed over', async () => {
    const held = await begin('SM0', 'turn-a');
    for (const id of numbered(1, MOST_MESSAGES + 5)) await mailbox.accept(message(id), 'turn-b', '{}');
    const more = await mailbox.commit(held, answerTo(held));
    assert.ok(more.kind === 'more');
    assert.deepEqual(ids(more.messages), numbered(1, MOST_MESSAGES));
    addMessages(held, more.messages);
    await mailbox.takeMore(held);
    assert.equal(held.messages.length, MOST_MESSAGES);
    assert.deepEqual(await mailbox.commit(held, answerTo(held)), { kind: 'committed', roll: false });
    const finished = await mailbox.finish(held, 'turn-a', 'turn-c', '{}');
    assert.ok(finished.kind === 'turn');
    assert.deepEqual(ids(finished.held.messages), numbered(MOST_MESSAGES, MOST_MESSAGES + 5));
  });

  test('are claimed up to the bound', async () => {
    await begin('SM0', 'turn-a');
    for (const id of numbered(1, MOST_MESSAGES + 5)) await mailbox.accept(message(id), 'turn-b', '{}');
    await redis.del(keys.of(ANA).lease);
    const claimed = await mailbox.claim(ANA, 'turn-c');
    assert.ok(claimed.kind === 'turn');
    assert.deepEqual(ids(claimed.held.messages), numbered(0, MOST_MESSAGES));
    await mailbox.release(ANA, 'turn-c', 0);
    const nudged = await begin('SM0', 'turn-d');
    assert.deepEqual(ids(nudged.messages), numbered(0, MOST_MESSAGES));
  });
});

describe('crashes', () => {
  const processes: Record<string, Mailbox> = {};

  before(() => {
    for (const processId of ['one', 'two', 'three']) processes[processId] = mailboxOf({ processId });
  });

  /** The running turn loses its lease, and this process takes over. */
  async function takeOver(processId: string): Promise<Held> {
    await redis.del(keys.of(ANA).lease);
    const claimed = await processes[processId]?.claim(ANA, `turn-${processId}`);
    assert.ok(claimed?.kind === 'turn');
    return claimed.held;
  }

  test('in a row are counted, and one that gives back in order ends the row', async () => {
    assert.equal((await begin('SM1', 'turn-a')).crashes, 0);
    assert.equal((await takeOver('one')).crashes, 1);
    assert.equal((await takeOver('two')).crashes, 2);
    await processes.two?.release(ANA, 'turn-two', 0);
    const held = await takeOver('three');
    assert.deepEqual([held.crashes, held.attempts], [0, 3]);
    assert.equal((await takeOver('one')).crashes, 1);
  });

  test('are not what a process had that lives: on a machine that stood still, it lost its lease again and again', async () => {
    await redis.zadd(keys.of(ANA).processes, Date.now(), 'one');
    await begin('SM1', 'turn-a');
    await takeOver('one');
    for (let lost = 0; lost < 20; lost++) assert.equal((await takeOver('one')).crashes, 1, 'that of the first');
    assert.equal((await takeOver('two')).crashes, 1);
    await redis.zadd(keys.of(ANA).processes, 0, 'one');
    assert.equal((await takeOver('three')).crashes, 3, 'now it is gone, too');
  });

  test('are not counted when a new message finds the turn gone: only when a sweep does', async () => {
    await begin('SM1', 'turn-a');
    await takeOver('one');
    await redis.del(keys.of(ANA).lease);
    const accepted = await processes.three?.accept(message('SM2'), 'turn-c', '{}');
    assert.ok(accepted?.kind === 'turn');
    assert.deepEqual([accepted.held.crashes, accepted.counts.minute], [1, 2]);
    assert.equal((await takeOver('two')).crashes, 2);
  });

  test('are forgotten with the answer', async () => {
    await begin('SM1', 'turn-a');
    const held = await takeOver('one');
    await processes.one?.commit(held, answerTo(held));
    const sending = await takeOver('two');
    assert.equal(sending.crashes, 1, 'of the sending alone');
    await processes.two?.finish(sending, 'turn-one', 'next', '{}');
    assert.equal((await begin('SM2', 'turn-d')).crashes, 0);
  });
});

test('the backlog counts what is in work, what is due, and what was given up', async () => {
  assert.deepEqual(await mailbox.backlog(), { unfinished: 0, due: 0, dead: 0 });
  const held = await begin('SM1', 'turn-a');
  assert.deepEqual(await mailbox.backlog(), { unfinished: 1, due: 0, dead: 0 });
  await waitUntilDue();
  assert.deepEqual(await mailbox.backlog(), { unfinished: 1, due: 1, dead: 0 });
  await mailbox.bury(held, 1, { code: 'model.quota', reason: 'no credit' }, '{}');
  assert.deepEqual(await mailbox.backlog(), { unfinished: 0, due: 0, dead: 1 });
});

test('a turn that finishes late hands over the reply that another turn left', async () => {
  const held = await answered('SM1', 'turn-a');
  await redis.del(keys.of(ANA).lease);
  await mailbox.claim(ANA, 'turn-b');
  await mailbox.finish({ ...held, turn: 'turn-b' }, 'turn-a', 'next', '{}');
  await answered('SM2', 'turn-c');
  await redis.del(keys.of(ANA).lease);
  const late = await mailbox.finish(held, 'turn-a', 'turn-d', '{}');
  assert.ok(late.kind === 'turn');
  assert.equal(late.held.pending?.id, 'turn-c');
  assert.notEqual(await redis.zscore(keys.shardOf(ANA).due, ANA), null);
});

describe('a history with lines that cannot be read', () => {
  const whole = JSON.stringify(line('user', 'first, {"role":"user"} "x"}, y'));
  const other = JSON.stringify(line('assistant', 'second'));
  const damages = [
    'garbage',
    '{"role":"user","text":"cut',
    '{"role":"user"}',
    'null',
    '{"role":"user","text":7}',
    '{}',
    '"}',
  ];

  for (const damage of damages) {
    test(`keeps the others and their places: ${damage}`, () => {
      for (const place of [0, 1, 2]) {
        const stored = [whole, other];
        stored.splice(place, 0, damage);
        let reported = 0;
        const lines = readLines(`[${stored.join(',')}]`, (count) => {
          reported = count;
        });
        assert.equal(lines.length, 3);
        assert.equal(reported, 1);
        assert.deepEqual([lines[place]?.text, lines[place]?.apology], ['', true]);
        const rest = lines.filter((_, i) => i !== place);
        assert.deepEqual(rest, [JSON.parse(whole), JSON.parse(other)]);
      }
    });
  }

  test('is answered from, and the loss is told', async () => {
    await mailbox.finish(await answered('SM1', 'turn-a'), 'turn-a', 'next', '{}');
    await redis.rpush(keys.of(ANA).history, '{"role":"user","te');
    const told: unknown[] = [];
    const box = mailboxOf({ onDamaged: (...what) => told.push(what) });
    const accepted = await box.accept(message('SM2'), 'turn-b', '{}');
    assert.ok(accepted.kind === 'turn');
    assert.deepEqual(
      accepted.held.history.map(({ text }) => text),
      ['text of SM1', 'an answer', ''],
    );
    assert.deepEqual(told, [[ANA, 1]]);
  });
});

describe('what is damaged in the store', () => {
  test('of a line is left out or found again, and its words stay', () => {
    const stored = { role: 'user', text: 'hello', at: 'x', id: 7, tokens: null, notes: 'picture', hides: {}, desk: 1 };
    const [line] = readLines(JSON.stringify([stored]), () => assert.fail('its words can be read'));
    assert.deepEqual(line, { role: 'user', text: 'hello', at: 0, id: '', tokens: 3 });
  });

  for (const damage of ['{"id":"SM7","te', 'null', '[]', '"text"', '{"id":"SM7","from":1}'])
    test(`a message that waits keeps its place, and is told of: ${damage}`, async () => {
      await mailbox.accept(message('SM1'), 'turn-a', '{}');
      await redis.rpush(keys.of(ANA).mailbox, damage);
      await redis.del(keys.of(ANA).lease);
      const told: unknown[] = [];
      const box = mailboxOf({ onDamaged: (...what) => told.push(what) });
      const claimed = await box.claim(ANA, 'turn-b');
      assert.ok(claimed.kind === 'turn');
      const [first, second] = claimed.held.messages;
      assert.equal(first?.text, 'text of SM1');
      assert.deepEqual(second?.unread, { kind: 'unknown', isUpdate: false });
      assert.equal(claimed.held.messages.length, 2);
      assert.deepEqual(told, [[ANA, 1]]);
    });

  test('a message that waits alone is answered, too', async () => {
    await mailbox.accept(message('SM1'), 'turn-a', '{}');
    await redis.lset(keys.of(ANA).mailbox, 0, 'damaged');
    await redis.del(keys.of(ANA).lease);
    const claimed = await mailbox.claim(ANA, 'turn-b');
    assert.ok(claimed.kind === 'turn');
    assert.equal(claimed.held.messages.length, 1);
    assert.equal(claimed.held.messages[0]?.contact, ANA);
  });

  test('a reply that was not sent is none', async () => {
    const held = await answered('SM1', 'turn-a');
    assert.ok(held);
    const [field] =
      Object.entries(await redis.hgetall(keys.of(ANA).reply)).find(([, value]) => value.startsWith('[')) ?? [];
    assert.ok(field, 'the reply is recorded');
    await redis.hset(keys.of(ANA).reply, field, '["cut');
    await redis.del(keys.of(ANA).lease);
    const told: unknown[] = [];
    const claimed = await mailboxOf({ onDamaged: (...what) => told.push(what) }).claim(ANA, 'turn-b');
    assert.ok(claimed.kind !== 'turn' || claimed.held.pending === null);
    assert.deepEqual(told, [[ANA, 1]]);
  });
});

const EXPIRES_AS_A_WHOLE = { state: true, history: true, seen: true, waiting: undefined, reply: undefined };

describe('the memory of a contact', () => {
  const LIFE_MS = 86_400_000;
  const desk = () => {
    const tools = { redis, run: createScripts(redis), keys, historyTtlMs: LIFE_MS };
    return createDesk({ ...tools, aliases: createAliases(tools) });
  };
  const [thread, pause] = [`twilio:14155238886:${ANA}`, { until: 0, pauseMs: 0 }] as const;

  test('expires as a whole: what prolongs one part prolongs the others', async () => {
    const prolonging: [string, () => Promise<unknown>][] = [
      ['a person takes over', () => desk().takeOver(thread, { until: Date.now() + 60_000, pauseMs: 60_000 }, '{}')],
      ['a block is lifted', () => desk().block(ANA, false)],
      [
        'what the archive knows',
        () => desk().restore(ANA, { blocked: false, optedOutAt: 0, excusedUntil: 0, conversations: [] }, null),
      ],
    ];
    await mailbox.finish(await answered('SM1', 'turn-a'), 'turn-a', 'next', '{}');
    for (const [what, act] of prolonging) {
      for (const key of [keys.of(ANA).state, keys.of(ANA).history]) await redis.pexpire(key, 60_000);
      await act();
      for (const key of [keys.of(ANA).state, keys.of(ANA).history])
        assert.ok((await redis.pttl(key)) > LIFE_MS - 60_000, `${what}: ${key}`);
    }
  });

  const expiring = async () => {
    const own = await redis.keys('recado:*:c:*');
    const left = await Promise.all(own.map((key) => redis.pttl(key)));
    return Object.fromEntries(own.map((key, i) => [key.split(':').at(-1), (left[i] ?? -1) > 0]));
  };

  test('does not expire while there is work, whatever happens meanwhile', async () => {
    await mailbox.finish(await answered('SM0', 'turn-0'), 'turn-0', 'next', '{}');
    const held = await begin('SM1', 'turn-a');
    const kept = async (when: string, names: string[]) => {
      const found = await expiring();
      for (const name of names) assert.equal(found[name], false, `${name} ${when}`);
    };
    await kept('while a message waits', ['mailbox', 'state', 'history']);
    await desk().takeOver(thread, pause, '{}');
    await desk().block(ANA, true);
    await desk().block(ANA, false);
    await desk().restore(ANA, { blocked: false, optedOutAt: 0, excusedUntil: 0, conversations: [] }, null);
    await kept('after something happened at the desk', ['mailbox', 'state', 'history']);
    await mailbox.commit(held, answerTo(held));
    await kept('while a reply waits', ['reply', 'state', 'history']);
    await mailbox.release(ANA, 'turn-a', 60_000);
    await kept('while it is tried again later', ['reply', 'state', 'history']);
    await mailbox.claim(ANA, 'turn-b');
    await mailbox.finish({ ...held, turn: 'turn-b' }, 'turn-a', 'next', '{}');
    const { state, history, seen, mailbox: waiting, reply } = await expiring();
    assert.deepEqual({ state, history, seen, waiting, reply }, EXPIRES_AS_A_WHOLE);
  });

  test('expires again when what waited was given up, or was nothing', async () => {
    const held = await begin('SM1', 'turn-a');
    await mailbox.bury(held, 1, { code: 'model.quota', reason: 'no credit' }, '{}');
    assert.equal((await expiring()).state, true);
    const other = await begin('SM2', 'turn-b');
    await mailbox.commit(other, answerTo(other, { reply: null }));
    await redis.del(keys.of(ANA).lease);
    assert.deepEqual(await mailbox.claim(ANA, 'turn-c'), { kind: 'idle' });
    const { state, history } = await expiring();
    assert.deepEqual([state, history], [true, true]);
  });

  test('that version 0.2.0 let expire is kept once a turn works at it', async () => {
    await begin('SM1', 'turn-a');
    for (const name of ['mailbox', 'state'] as const) await redis.pexpire(keys.of(ANA)[name], 60_000);
    await redis.del(keys.of(ANA).lease);
    await mailbox.claim(ANA, 'turn-b');
    assert.deepEqual(await redis.pttl(keys.of(ANA).mailbox), -1);
    assert.deepEqual(await redis.pttl(keys.of(ANA).state), -1);
  });

  test('counts the tokens of the lines that are there, after the history has expired', async () => {
    const tokens = () => redis.hget(keys.of(ANA).state, 'tokens');
    await mailbox.finish(await answered('SM1', 'turn-a'), 'turn-a', 'next', '{}');
    assert.equal(await tokens(), '10');
    await redis.del(keys.of(ANA).history);
    await mailbox.finish(await answered('SM2', 'turn-b'), 'turn-b', 'next', '{}');
    assert.equal(await tokens(), '10', 'those of the new lines alone');
    await redis.del(keys.of(ANA).history);
    await desk().said(thread, line('assistant', 'a person writes'), pause, '{}');
    assert.equal(await tokens(), '5');
  });
});

describe('a roll', () => {
  const store = () => createSummaryStore({ redis, run: createScripts(redis), keys, historyTtlMs: 86_400_000 });

  test('swaps the summary in for the lines it was made from', async () => {
    await answered('SM1', 'turn-a');
    const { version, history } = await store().load(ANA);
    assert.equal(await store().swap(ANA, version, scrub('notes'), history.slice(0, 1)), true);
    const after = await store().load(ANA);
    assert.deepEqual([after.summary, after.version, after.history.length], ['notes', '1', 1]);
    assert.equal(await redis.hget(keys.of(ANA).state, 'tokens'), '5');
  });

  test('lets a block stand that came meanwhile', async () => {
    await answered('SM1', 'turn-a');
    const { version, history } = await store().load(ANA);
    await redis.hset(keys.of(ANA).state, 'blocked', '1');
    await redis.persist(keys.of(ANA).state);
    assert.equal(await store().swap(ANA, version, scrub('notes'), history.slice(0, 1)), true);
    assert.equal(await redis.pttl(keys.of(ANA).state), -1, 'it does not expire');
  });

  test('that comes second changes nothing', async () => {
    await answered('SM1', 'turn-a');
    const { version, history } = await store().load(ANA);
    await store().swap(ANA, version, scrub('first'), history.slice(0, 1));
    assert.equal(await store().swap(ANA, version, scrub('second'), history), false);
    const after = await store().load(ANA);
    assert.deepEqual([after.summary, after.history.length], ['first', 1]);
  });
});

describe('a dead letter', () => {
  const letters = () => createDeadLetters({ ...tools(), aliases: createAliases(tools()) });
  const tools = () => ({ redis, run: createScripts(redis), keys, historyTtlMs: 86_400_000 });
  const why = { code: 'model.quota', reason: 'no credit' };

  test('takes the messages out of the mailbox, and a replay puts them back to work', async () => {
    const held = await begin('SM1', 'turn-a');
    assert.equal(await mailbox.bury(held, 1, why, '{}'), true);
    assert.equal(await redis.llen(keys.of(ANA).mailbox), 0);
    const [letter] = (await letters().list(10)).items;
    assert.ok(letter);
    assert.deepEqual([letter.code, letter.conversation, letter.messages[0]?.id], ['model.quota', CONVERSATION, 'SM1']);

    assert.equal(await letters().replay(letter.id), 'replayed');
    assert.equal(await letters().replay(letter.id), 'unknown', 'once');
    assert.deepEqual(await mailbox.due(10), [ANA]);
    const claimed = await mailbox.claim(ANA, 'turn-b');
    assert.ok(claimed.kind === 'turn' && claimed.held.messages[0]?.id === 'SM1');
  });

  test('is no crash for what waits behind it, nor for itself when it is put back', async () => {
    const held = await begin('SM1', 'turn-a');
    await mailbox.accept(message('SM2'), 'turn-b', '{}');
    await mailbox.bury(held, 1, why, '{}');
    const behind = await mailbox.claim(ANA, 'turn-c');
    assert.ok(behind.kind === 'turn' && behind.held.messages[0]?.id === 'SM2');
    assert.equal(behind.held.crashes, 0);
    await mailbox.release(ANA, 'turn-c', 0);
    const [letter] = (await letters().list(10)).items;
    assert.equal(await letters().replay(letter?.id ?? ''), 'replayed');
    const again = await mailbox.claim(ANA, 'turn-d');
    assert.ok(again.kind === 'turn' && again.held.messages[0]?.id === 'SM1');
    assert.equal(again.held.crashes, 0);
  });

  test('is not put back while a person answers, or the contact is blocked', async () => {
    const held = await begin('SM1', 'turn-a');
    await mailbox.bury(held, 1, why, '{}');
    const [letter] = (await letters().list(10)).items;
    assert.ok(letter);
    const { state } = keys.of(ANA);
    await redis.hset(state, `takeover@twilio:${BUSINESS}`, Date.now() + 60_000);
    assert.equal(await letters().replay(letter.id), 'busy');
    await redis.hset(state, `takeover@twilio:${BUSINESS}`, Date.now(), 'blocked', '1');
    assert.equal(await letters().replay(letter.id), 'busy');
    await redis.hdel(state, 'blocked');
    assert.equal(await letters().replay(letter.id), 'replayed');
  });

  test('of a reply brings the reply back, under its own name', async () => {
    const held = await answered('SM1', 'turn-a');
    await mailbox.bury(held, 0, { code: 'channel.window', reason: 'late' }, '{}');
    const [letter] = (await letters().list(10)).items;
    assert.ok(letter);
    assert.equal(letter.reply, 'an answer');
    assert.equal(await letters().replay(letter.id), 'replayed');
    const claimed = await mailbox.claim(ANA, 'turn-b');
    assert.ok(claimed.kind === 'turn');
    assert.deepEqual([claimed.held.pending?.id, claimed.held.pending?.parts], ['turn-a', ['an answer']]);
  });

  test('can be dropped', async () => {
    const held = await begin('SM1', 'turn-a');
    await mailbox.bury(held, 1, why, '{}');
    const [letter] = (await letters().list(10)).items;
    assert.equal(await letters().drop(letter?.id ?? ''), true);
    assert.deepEqual((await letters().list(10)).items, []);
    assert.equal(await letters().drop('0-1-1'), false);
  });
});

describe('Redis away', () => {
  test('is a failure that says so, at once', async () => {
    const gone = createRedis(
      { kind: 'url', url: 'redis://127.0.0.1:1' },
      createLogger({ level: 'error', format: 'json', write: () => {} }),
    );
    await gone.connect().catch(() => {});
    await assert.rejects(createScripts(gone)('extend', ['a', 'b'], []), { code: 'store.unavailable' });
    gone.disconnect();
  });
});
