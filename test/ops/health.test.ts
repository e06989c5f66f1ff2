import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import Koa from 'koa';
import { createHealth, type HealthOptions } from '../../app/ops/health.ts';
import { eventually } from '../support/bot.ts';

const stops: (() => void)[] = [];
after(() => {
  for (const stop of stops) stop();
});

async function serve(options: HealthOptions): Promise<string> {
  const server = createServer(new Koa().use(createHealth(options).routes()).callback());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stops.push(() => server.close());
  // A TCP server has an address of this shape.
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('is alive whatever it depends on', async () => {
  const url = await serve({ checks: { redis: () => Promise.reject(new Error('gone')) }, isStopping: () => true });
  assert.equal((await fetch(`${url}/healthz`)).status, 200);
});

test('is ready when every part is, and names the one that is not', async () => {
  let up = true;
  const redis = () => (up ? Promise.resolve() : Promise.reject(new Error('redis://secret@host is down')));
  const url = await serve({ checks: { redis, model: async () => {} }, isStopping: () => false, rememberMs: 0 });
  assert.equal((await fetch(`${url}/readyz`)).status, 200);
  up = false;
  const away = await fetch(`${url}/readyz`);
  assert.equal(away.status, 503);
  assert.deepEqual(await away.json(), { status: 'not ready', parts: { redis: 'unreachable', model: 'ok' } });
});

test('does not wait for a part that hangs', async () => {
  const hangs = () => new Promise(() => {});
  const url = await serve({ checks: { model: hangs }, isStopping: () => false, timeoutMs: 20 });
  assert.equal((await fetch(`${url}/readyz`)).status, 503);
});

test('is degraded, and ready, while a state is not ok', async () => {
  const extras = { desk: async () => {} };
  const url = await serve({ checks: {}, extras, states: { purpose: 'not set' }, isStopping: () => false });
  const answer = await fetch(`${url}/readyz`);
  assert.equal(answer.status, 200);
  assert.deepEqual(await answer.json(), { status: 'degraded', parts: { desk: 'ok', purpose: 'not set' } });
});

test('is not ready while it stops', async () => {
  const url = await serve({ checks: {}, isStopping: () => true });
  const stopping = await fetch(`${url}/readyz`);
  assert.equal(stopping.status, 503);
  assert.deepEqual(await stopping.json(), { status: 'stopping', parts: {} });
});

test('asks its parts once, however often strangers ask it', async () => {
  let asked = 0;
  const model = async () => {
    asked++;
  };
  const url = await serve({ checks: { model }, isStopping: () => false });
  await Promise.all(Array.from({ length: 20 }, () => fetch(`${url}/readyz`)));
  assert.equal(asked, 1);
});

test('notices soon that a part is there', async () => {
  let isThere = false;
  const archive = async () => {
    if (!isThere) throw new Error('starting');
  };
  const url = await serve({ checks: {}, extras: { archive }, isStopping: () => false, rememberMs: 600_000 });
  const statusOf = async () => ((await (await fetch(`${url}/readyz`)).json()) as { status: string }).status;
  assert.equal(await statusOf(), 'degraded');
  isThere = true;
  await eventually('it is ready', async () => (await statusOf()) === 'ready');
  isThere = false;
  assert.equal(await statusOf(), 'ready', 'that it was there is remembered');
});

test('is degraded, but ready, without something that people are answered without', async () => {
  const archive = () => Promise.reject(new Error('away'));
  const url = await serve({ checks: {}, extras: { archive }, isStopping: () => false });
  const degraded = await fetch(`${url}/readyz`);
  assert.equal(degraded.status, 200);
  assert.deepEqual(await degraded.json(), { status: 'degraded', parts: { archive: 'unreachable' } });
});
