import assert from 'node:assert/strict';
import { createServer as createHttpServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import Router from '@koa/router';
import { createServer } from '../../app/http/server.ts';
import { createLogger } from '../../app/ops/logger.ts';
import { createGate, type GateOptions } from '../../app/simulator/gate.ts';

const servers: Server[] = [];

after(() => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
});

async function open(options: Partial<GateOptions> = {}) {
  const gate = createGate({
    isSignedIn: async (ctx) => ctx.get('cookie') === 'signed-in',
    publicUrl: undefined,
    ...options,
  });
  const behind = new Router();
  behind.all('/simulator/{*rest}', (ctx) => {
    ctx.body = 'memories';
  });
  behind.get('/simulator', (ctx) => {
    ctx.body = 'a phone';
  });
  const log = createLogger({ level: 'error', format: 'json', write: () => {} });
  const koa = createServer({ routers: [gate, behind], log, isStopping: () => false });
  const server = createHttpServer(koa.callback());
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // of a TCP server
  return (path: string, headers: Record<string, string> = {}, method = 'GET') =>
    new Promise<number>((resolve, reject) => {
      // Not fetch, which does not let the host be chosen.
      const asked = request({
        host: '127.0.0.1',
        port,
        path,
        method,
        headers: { host: `localhost:${port}`, ...headers },
      });
      asked.on('response', (response) => resolve(response.resume().statusCode ?? 0)).on('error', reject);
      asked.end();
    });
}

const PATHS = [
  '/simulator/api/events',
  '/simulator/api/memory/15550100',
  '/simulator/stream?contact=1',
  '/SIMULATOR/api/people',
];

test('whoever sits at the machine may use it', async () => {
  const ask = await open();
  for (const path of [...PATHS, '/simulator', '/simulator/as/ana']) {
    assert.equal(await ask(path), 200, path);
    assert.equal(await ask(path, { host: '127.0.0.1:3002' }), 200, path);
    assert.equal(await ask(path, { host: '[::1]:3002' }), 200, path);
  }
});

test('who comes from elsewhere may not: by a proxy on this machine, by another name', async () => {
  const ask = await open();
  const elsewhere: Record<string, string>[] = [
    { 'x-forwarded-for': '203.0.113.7' },
    { 'x-real-ip': '203.0.113.7' },
    { forwarded: 'for=203.0.113.7' },
    { via: '1.1 proxy' },
    { host: 'bot.example.com' },
    { host: 'localhost.evil.example' },
  ];
  for (const headers of elsewhere) {
    for (const path of PATHS) assert.equal(await ask(path, headers), 401, `${path} ${JSON.stringify(headers)}`);
    assert.equal(await ask('/simulator/api/messages', headers, 'POST'), 401);
    assert.equal(await ask('/simulator', headers), 302, 'the page leads to the sign-in');
    assert.equal(await ask('/simulator/as/ana', headers), 302);
    assert.equal(await ask('/simulator/api/events', { ...headers, cookie: 'signed-in' }), 200);
  }
});

test('with a public address nobody sits at the machine', async () => {
  const ask = await open({ publicUrl: 'https://bot.example.com' });
  assert.equal(await ask('/simulator/api/events'), 401);
  assert.equal(await ask('/simulator/api/events', { cookie: 'signed-in' }), 200);
});
