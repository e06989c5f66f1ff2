import assert from 'node:assert/strict';
import { createServer as createHttpServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import Router from '@koa/router';
import { createServer } from '../../app/http/server.ts';
import { createLive, type Live, type LiveOptions } from '../../app/inbox/live.ts';
import { createKeys } from '../../app/memory/keys.ts';
import { createNews } from '../../app/memory/news.ts';
import { createRedis, type RedisClient } from '../../app/memory/redis.ts';
import { createLogger } from '../../app/ops/logger.ts';
import { eventually } from '../support/bot.ts';
import { startTestRedis, type TestRedis } from '../support/redis.ts';

const ANA = '+15550100101';
const BEN = '+15550100102';
const log = createLogger({ level: 'error', format: 'json', write: () => {} });

let testRedis: TestRedis;
let redis: RedisClient;
const opened: { stop(): void }[] = [];

before(async () => {
  testRedis = await startTestRedis();
  redis = createRedis({ kind: 'url', url: testRedis.url }, log);
  await redis.connect();
});
after(async () => {
  redis.disconnect();
  await testRedis.stop();
});
beforeEach(() => redis.flushall());
afterEach(() => {
  for (const one of opened.splice(0)) one.stop();
});

/** One process of several. */
async function process(options: Partial<LiveOptions> = {}, isSignedIn?: () => Promise<boolean>) {
  const live = createLive({ news: createNews({ redis, keys: createKeys(1) }), log, lookMs: 10, ...options });
  const router = new Router();
  router.get('/events', (ctx) => {
    ctx.state.isSignedIn = isSignedIn;
    return live.open(ctx);
  });
  const server = createHttpServer(createServer({ routers: [router], log, isStopping: () => false }).callback());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  opened.push({ stop: () => close(live, server) });
  return { live, server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/events` }; // of a TCP server
}

function close(live: Live, server: Server): void {
  live.end();
  server.closeAllConnections();
  server.close();
}

interface Heard {
  id: string;
  event: string;
  data: { kind?: string; phone_number?: string | null };
}

/** An open page. */
async function page(url: string, lastEventId?: string) {
  const stopped = new AbortController();
  opened.push({ stop: () => stopped.abort() });
  const headers = lastEventId === undefined ? {} : { 'Last-Event-ID': lastEventId };
  const response = await fetch(url, { headers, signal: stopped.signal });
  const heard: Heard[] = [];
  const state = { raw: '', ended: false };
  const read = async () => {
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      state.raw += decoder.decode(chunk, { stream: true });
      heard.splice(0, heard.length, ...eventsIn(state.raw));
    }
  };
  const done = read()
    .catch(() => {})
    .then(() => {
      state.ended = true;
    });
  const named = (event: string) => heard.filter((one) => one.event === event);
  const isReady = () => named('ready').length > 0 || named('reset').length > 0 || state.ended;
  if (response.ok) await eventually('the page is ready', isReady);
  return { response, heard, named, state, done, leave: () => stopped.abort() };
}

function eventsIn(raw: string): Heard[] {
  return raw
    .split('\n\n')
    .slice(0, -1)
    .flatMap((block) => {
      const field = (name: string) =>
        block
          .split('\n')
          .find((line) => line.startsWith(`${name}:`))
          ?.slice(name.length + 1) ?? '';
      return field('event') === '' ? [] : [{ id: field('id'), event: field('event'), data: JSON.parse(field('data')) }];
    });
}

test('a page hears what changes, at once', async () => {
  const { live, url } = await process();
  const { named, response } = await page(url);
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('content-type'), 'text/event-stream');
  live.tell([
    { kind: 'message', phone_number: ANA },
    { kind: 'task', phone_number: null },
  ]);
  await eventually('both are heard', () => named('change').length === 2);
  assert.deepEqual(
    named('change').map(({ data }) => data),
    [
      { kind: 'message', phone_number: ANA },
      { kind: 'task', phone_number: null },
    ],
  );
});

test('what one process tells, the pages of all others hear', async () => {
  const [one, other] = [await process(), await process()];
  const pages = [await page(one.url), await page(other.url), await page(other.url)];
  one.live.tell([{ kind: 'message', phone_number: ANA }]);
  other.live.tell([{ kind: 'message', phone_number: BEN }]);
  await eventually('all have heard both', () => pages.every(({ named }) => named('change').length === 2));
  for (const { named } of pages) {
    assert.deepEqual(new Set(named('change').map(({ data }) => data.phone_number)), new Set([ANA, BEN]));
  }
});

test('a page that was away is told what it missed, in order, once, also by another process', async () => {
  const [one, other] = [await process(), await process()];
  const first = await page(one.url);
  one.live.tell([{ kind: 'message', phone_number: ANA }]);
  await eventually('it is heard', () => first.named('change').length === 1);
  const lastId = first.heard.at(-1)?.id ?? '';
  first.leave();
  await first.done;
  for (let n = 0; n < 5; n++) one.live.tell([{ kind: 'analysis', phone_number: `+1555010011${n}` }]);
  await eventually('all five are told', async () => (await redis.xlen('recado:news')) === 6);

  const again = await page(other.url, lastId);
  await eventually('it knows all', () => again.named('change').length === 5);
  one.live.tell([{ kind: 'message', phone_number: BEN }]);
  await eventually('and hears the rest', () => again.named('change').length === 6);
  assert.deepEqual(
    again.named('change').map(({ data }) => data.phone_number),
    ['+15550100110', '+15550100111', '+15550100112', '+15550100113', '+15550100114', BEN],
  );
  assert.equal(again.named('reset').length, 0);
});

test('a page that was gone before anything was told misses nothing either', async () => {
  const { live, url } = await process();
  const first = await page(url);
  const [ready] = first.named('ready');
  assert.equal(ready?.id, '0-0');
  first.leave();
  live.tell([{ kind: 'message', phone_number: ANA }]);
  await eventually('it is told', async () => (await redis.xlen('recado:news')) === 1);
  const again = await page(url, ready?.id);
  await eventually('it is heard', () => again.named('change').length === 1);
});

test('a page that was away too long, or says something strange, is told to ask for everything', async () => {
  const { live, url } = await process();
  live.tell([{ kind: 'message', phone_number: ANA }]);
  await eventually('it is told', async () => (await redis.xlen('recado:news')) === 1);
  for (const strange of ['1-1', 'x', '<script>', '9'.repeat(300)]) {
    const { named } = await page(url, strange);
    assert.equal(named('reset').length, 1, strange);
    await eventually('it is ready all the same', () => named('ready').length === 1);
  }
});

test('when what the pages were told is gone from Redis, they ask for everything', async () => {
  const { live, url } = await process();
  live.tell([{ kind: 'message', phone_number: ANA }]);
  await eventually('it is told', async () => (await redis.xlen('recado:news')) === 1);
  const { named } = await page(url);
  await redis.flushall();
  await eventually('it is told to ask', () => named('reset').length === 1);
  live.tell([{ kind: 'message', phone_number: BEN }]);
  await eventually('and hears on', () => named('change').length === 1);
  assert.equal(named('reset').length, 1);
});

test('very many changes at once are told as one', async () => {
  const { live, url } = await process();
  const { named } = await page(url);
  live.tell(Array.from({ length: 400 }, (_, n) => ({ kind: 'message' as const, phone_number: `+1555010${n}` })));
  live.tell([]);
  live.tell([{ kind: 'conversation', phone_number: ANA }]);
  await eventually('all is heard', () => named('change').some(({ data }) => data.kind === 'conversation'));
  assert.deepEqual(named('change')[0]?.data, { kind: 'message', phone_number: null });
  assert.equal(named('change').length, 2);
});

test('what is told does not pile up in Redis', async () => {
  const { live } = await process();
  for (let n = 0; n < 60; n++) {
    live.tell(Array.from({ length: 50 }, () => ({ kind: 'message' as const, phone_number: ANA })));
  }
  await eventually('the last is told', async () => {
    const facts = await redis.xinfo('STREAM', 'recado:news');
    return Array.isArray(facts) && facts.includes(3_000);
  });
  assert.ok((await redis.xlen('recado:news')) <= 1_200);
});

test('whoever leaves before the stream has begun leaves nothing behind', async () => {
  let asked = 0;
  let answer: () => void = () => {};
  const known = new Promise<void>((resolve) => {
    answer = resolve;
  });
  const live = createLive({ news: createNews({ redis, keys: createKeys(1) }), log, mostStreams: 1 });
  const router = new Router();
  router.get('/events', async (ctx) => {
    asked += 1;
    if (asked === 1) await known;
    await live.open(ctx);
  });
  const server = createHttpServer(createServer({ routers: [router], log, isStopping: () => false }).callback());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  opened.push({ stop: () => close(live, server) });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/events`; // of a TCP server
  const leaving = new AbortController();
  const left = fetch(url, { signal: leaving.signal });
  await eventually('it is looked up who asks', () => asked === 1);
  leaving.abort();
  await assert.rejects(left);
  await eventually('the connection is gone', async () => {
    const count = await new Promise<number>((resolve) => server.getConnections((_, count) => resolve(count)));
    return count === 0;
  });
  const timers = () => globalThis.process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = timers();
  answer();
  const { heard } = await page(url);
  await eventually('there is room for another one', () => heard.some(({ event }) => event === 'ready'));
  assert.ok(timers() <= before, 'no timer keeps the process');
});

test('a silent stream says now and then that it is still there', async () => {
  const { url } = await process({ heartbeatMs: 15 });
  const { state } = await page(url);
  await eventually('there are heartbeats', () => (state.raw.match(/^:\s*$/gm) ?? []).length >= 3);
});

test('a stream ends after its time, so that who signed out hears nothing more', async () => {
  const { url } = await process({ longestMs: 30 });
  const { done, state } = await page(url);
  await done;
  assert.ok(state.ended);
});

test('only so many pages may be open, and places are free again when they close', async () => {
  const { url } = await process({ mostStreams: 2 });
  const pages = [await page(url), await page(url)];
  const refused = await page(url);
  assert.equal(refused.response.status, 503);
  pages[0]?.leave();
  await eventually('a place is free', async () => {
    const { response, leave } = await page(url);
    leave();
    return response.ok;
  });
});

test('whoever asks for the head alone is not kept waiting', async () => {
  const { url } = await process();
  assert.equal((await fetch(url, { method: 'HEAD' })).status, 200);
});

test('a stream ends soon after its session', async () => {
  let isSignedIn = true;
  const signedIn = () => Promise.resolve(isSignedIn);
  const { url } = await process({ checkMs: 10 }, signedIn);
  const { done, state } = await page(url);
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal(state.ended, false);
  isSignedIn = false;
  await done;
});

test('when the program stops, the streams end and no new ones open', async () => {
  const { live, url } = await process();
  const { done } = await page(url);
  live.end();
  await done;
  assert.equal((await page(url)).response.status, 503);
});

test('while Redis is away nothing breaks, and afterwards the pages are told', async () => {
  const { live, url } = await process();
  live.tell([{ kind: 'message', phone_number: ANA }]);
  await eventually('it is told', async () => (await redis.xlen('recado:news')) === 1);
  const { named } = await page(url);
  await testRedis.kill();
  live.tell([{ kind: 'message', phone_number: ANA }]);
  const meanwhile = await page(url);
  assert.equal(meanwhile.named('reset').length, 1, 'it cannot know what it missed');
  await testRedis.restart();
  await eventually('Redis is back', () =>
    redis.ping().then(
      () => true,
      () => false,
    ),
  );
  live.tell([{ kind: 'message', phone_number: BEN }]);
  const knows = (one: typeof named) =>
    one('reset').length > 0 || one('change').some(({ data }) => data.phone_number === BEN);
  await eventually('both pages know', () => knows(named) && knows(meanwhile.named));
});
