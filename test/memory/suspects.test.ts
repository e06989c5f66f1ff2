/** What is counted to recognise spam, and what is recorded of contacts; the rules are in `test/conversation/spam.test.ts`. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { createAliases } from '../../app/memory/aliases.ts';
import { createDesk } from '../../app/memory/desk.ts';
import { createKeys } from '../../app/memory/keys.ts';
import { type Counts, createMailbox, type Mailbox, SPAM_MS, type Traits } from '../../app/memory/mailbox.ts';
import { createRedis, createScripts, type RedisClient } from '../../app/memory/redis.ts';
import { createSuspects, type Suspects } from '../../app/memory/suspects.ts';
import { createLogger } from '../../app/ops/logger.ts';
import { ANA, inboundMessage } from '../support/message.ts';
import { startTestRedis } from '../support/redis.ts';

const log = createLogger({ level: 'error', format: 'json', write: () => {} });
const keys = createKeys(1);
const { spam, texts, blocks, state, events } = keys.of(ANA);
const HISTORY_TTL_MS = 86_400_000;

let server: Awaited<ReturnType<typeof startTestRedis>>;
let redis: RedisClient;
let mailbox: Mailbox;
let suspects: Suspects;

before(async () => {
  server = await startTestRedis();
  redis = createRedis({ kind: 'url', url: server.url }, log);
  await redis.connect();
  const tools = { redis, run: createScripts(redis), keys, historyTtlMs: HISTORY_TTL_MS };
  mailbox = createMailbox({ ...tools, leaseMs: 30_000, historyTokens: 1_000, processId: 'process' });
  suspects = createSuspects(tools);
});
after(async () => {
  redis.disconnect();
  await server.stop();
});
beforeEach(() => redis.flushall());

/** @returns what Redis counted, null for a repeat */
async function write(from: string, traits: Partial<Traits> = {}, id?: string): Promise<Counts | null> {
  const message = inboundMessage({ from, ...(id ? { id } : {}) });
  const accepted = await mailbox.accept(message, 'turn', '{}', { words: '', hasLink: false, block: '', ...traits });
  return accepted.kind === 'turn' || accepted.kind === 'waiting' ? accepted.counts : null;
}

const person = (n: number) => `1555010${String(n).padStart(4, '0')}`;

describe('what is counted', () => {
  test('are messages, those with the same words, and those with a link', async () => {
    const zero = { sameWords: 0, links: 0, writers: 0, newcomers: 0, recorded: 0 };
    assert.deepEqual(await write(ANA), { ...zero, minute: 1, messages: 1 });
    assert.deepEqual(await write(ANA, { words: 'a', hasLink: true }), {
      ...zero,
      ...{ minute: 2, messages: 2, sameWords: 1, links: 1, writers: 1 },
    });
    assert.deepEqual(await write(ANA, { words: 'a' }), {
      ...zero,
      ...{ minute: 3, messages: 3, sameWords: 2, writers: 1 },
    });
    assert.equal((await write(ANA, { words: 'b' }))?.sameWords, 1);
  });

  test('are the contacts that write the same words, each once', async () => {
    for (let n = 0; n < 5; n++) await write(person(n), { words: 'a' });
    for (let n = 0; n < 5; n++) assert.equal((await write(person(n), { words: 'a' }))?.writers, 5);
    assert.equal((await write(person(5), { words: 'a' }))?.writers, 6);
  });

  test('are of contacts from before only those with a link', async () => {
    await write(person(0));
    await redis.del(keys.of(person(0)).spam);
    await write(person(1), { words: 'a' });
    assert.equal((await write(person(0), { words: 'a' }))?.writers, 0);
    assert.equal((await write(person(0), { words: 'b', hasLink: true }))?.writers, 1);
  });

  test('are new contacts around a number; one that was there before is none of them', async () => {
    await write(person(0), { block: '' });
    await redis.del(keys.of(person(0)).spam);
    for (let n = 1; n <= 3; n++) assert.equal((await write(person(n), { block: '1555010' }))?.newcomers, n);
    assert.equal((await write(person(1), { block: '1555010' }))?.newcomers, 3, 'who was new is counted once');
    assert.equal((await write(person(0), { block: '1555010' }))?.newcomers, 0, 'a contact of before');
  });

  test('is no repeat of a webhook', async () => {
    await write(ANA, { words: 'a', hasLink: true }, 'SM1');
    assert.equal(await write(ANA, { words: 'a', hasLink: true }, 'SM1'), null);
    assert.equal((await write(ANA, { words: 'a', hasLink: true }))?.links, 2);
  });

  test('is forgotten an hour after the first of it', async () => {
    await write(ANA, { words: 'a', block: '1555010' });
    for (const key of [spam, texts, blocks]) {
      const left = await redis.pttl(key);
      assert.ok(left > SPAM_MS - 10_000 && left <= SPAM_MS, `${key}: ${left} ms`);
    }
    const first = await redis.pttl(texts);
    await redis.pexpire(texts, 1_000);
    await write(person(1), { words: 'b' });
    assert.ok((await redis.pttl(texts)) <= 1_000, 'later ones do not prolong it');
    assert.ok(first > 1_000);
  });

  test('is bounded: of more texts and numbers than that nothing is compared', async () => {
    await redis.hset(texts, Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`t${i}`, 1])));
    assert.equal((await write(ANA, { words: 'a' }))?.writers, 0);
    assert.equal((await write(ANA, { words: 't7' }))?.writers, 2, 'what is known is counted on');
    for (let i = 0; i < 100; i++) await write(ANA, { words: `w${i}` });
    assert.ok((await redis.hlen(spam)) <= 55, `${await redis.hlen(spam)} fields`);
    assert.equal(await redis.hlen(texts), 20_000);
  });
});

describe('a contact that looks like spam', () => {
  const eventsWritten = () => redis.xlen(events);

  async function writtenOne(): Promise<void> {
    await write(ANA);
    await redis.del(events);
  }

  test('is throttled in what every turn gets, and told of once', async () => {
    await writtenOne();
    const until = Date.now() + 60_000;
    assert.equal(await suspects.record(ANA, 100, until, '{}'), 'throttled');
    assert.equal(await suspects.record(ANA, 100, until + 5, '{}'), 'recorded');
    assert.equal(await eventsWritten(), 1);
    await mailbox.release(ANA, 'turn', 0);
    const accepted = await mailbox.accept(inboundMessage({ from: ANA }), 'next', '{}');
    assert.ok(accepted.kind === 'turn');
    assert.equal(accepted.held.throttledUntil, until + 5);
    assert.equal(accepted.counts.recorded, 100);
  });

  test('is told of again when it gets worse, or after a minute', async () => {
    await writtenOne();
    assert.equal(await suspects.record(ANA, 60, 0, '{}'), 'recorded');
    assert.equal(await suspects.record(ANA, 60, 0, '{}'), 'recorded');
    assert.equal(await eventsWritten(), 1);
    await suspects.record(ANA, 80, 0, '{}');
    assert.equal(await eventsWritten(), 2);
    await redis.hset(spam, 'recordedAt', Date.now() - 61_000);
    await suspects.record(ANA, 80, 0, '{}');
    assert.equal(await eventsWritten(), 3);
    assert.equal(await redis.hexists(state, 'throttled'), 0, 'it is answered');
  });

  test('stays one while it goes on: the hour begins anew', async () => {
    await writtenOne();
    await redis.pexpire(spam, 1_000);
    await suspects.record(ANA, 60, 0, '{}');
    assert.ok((await redis.pttl(spam)) > SPAM_MS - 10_000);
  });

  test('is nobody who is blocked, or not remembered', async () => {
    assert.equal(await suspects.record(ANA, 100, Date.now() + 60_000, '{}'), 'refused');
    assert.equal(await redis.exists(state), 0);
    await writtenOne();
    await redis.hset(state, 'blocked', '1');
    assert.equal(await suspects.record(ANA, 100, Date.now() + 60_000, '{}'), 'refused');
    assert.equal(await eventsWritten(), 0);
  });

  test('is none any more when the team says so, until that is over', async () => {
    const aliases = createAliases({ redis, run: createScripts(redis), keys, historyTtlMs: HISTORY_TTL_MS });
    const desk = createDesk({ redis, run: createScripts(redis), keys, aliases, historyTtlMs: HISTORY_TTL_MS });
    await writtenOne();
    await suspects.record(ANA, 100, Date.now() + 60_000, '{}');
    const until = Date.now() + 600_000;
    await desk.excuse(ANA, until);
    assert.deepEqual(await redis.hmget(state, 'throttled', 'excused'), [null, String(until)]);
    assert.equal(await redis.exists(spam), 0, 'what was counted is forgotten');
    assert.equal(await suspects.record(ANA, 100, Date.now() + 60_000, '{}'), 'refused');
    await desk.excuse(ANA, Date.now() - 1);
    assert.equal(await suspects.record(ANA, 100, Date.now() + 60_000, '{}'), 'throttled');
  });

  test('of whom nothing is remembered is excused for as long as anything is remembered', async () => {
    const aliases = createAliases({ redis, run: createScripts(redis), keys, historyTtlMs: HISTORY_TTL_MS });
    const desk = createDesk({ redis, run: createScripts(redis), keys, aliases, historyTtlMs: HISTORY_TTL_MS });
    await desk.excuse(ANA, Date.now() + 600_000);
    const left = await redis.pttl(state);
    assert.ok(left > 0 && left <= HISTORY_TTL_MS, `${left} ms`);
  });
});
