import assert from 'node:assert/strict';
import { createServer as createHttpServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import Router from '@koa/router';
import { createFiguresGate } from '../../app/http/nearby.ts';
import { createServer } from '../../app/http/server.ts';
import { createLogger } from '../../app/ops/logger.ts';

const servers: Server[] = [];
after(() => {
  for (const server of servers) server.close();
});

/** @param isPublic what is said of the address that asks */
async function open(isPublic: boolean) {
  const asked: string[] = [];
  const gate = createFiguresGate({
    isSignedIn: async (ctx) => ctx.get('x-api-key') === 'a key',
    isPublicAddress(address) {
      asked.push(address);
      return isPublic;
    },
  });
  const figures = new Router();
  figures.get('/metrics', (ctx) => {
    ctx.body = 'figures';
  });
  const log = createLogger({ level: 'error', format: 'json', write: () => {} });
  const server = createHttpServer(createServer({ routers: [gate, figures], log, isStopping: () => false }).callback());
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // of a TCP server
  const status = async (headers: Record<string, string> = {}) => {
    const response = await fetch(`http://127.0.0.1:${port}/metrics`, { headers: { connection: 'close', ...headers } });
    await response.arrayBuffer();
    return response.status;
  };
  return { status, asked };
}

test('the figures are open to our own network', async () => {
  const { status, asked } = await open(false);
  assert.equal(await status(), 200);
  assert.deepEqual(asked, ['127.0.0.1']);
});

for (const header of ['x-forwarded-for', 'x-real-ip', 'forwarded', 'via', 'cf-connecting-ip'])
  test(`through a proxy that says ${header} they need a key`, async () => {
    const { status } = await open(false);
    assert.equal(await status({ [header]: '10.0.0.1' }), 401);
    assert.equal(await status({ [header]: '10.0.0.1', 'x-api-key': 'a key' }), 200);
  });

test('from a public address they need a key', async () => {
  const { status } = await open(true);
  assert.equal(await status(), 401);
  assert.equal(await status({ 'x-api-key': 'wrong' }), 401);
  assert.equal(await status({ 'x-api-key': 'a key' }), 200);
});
