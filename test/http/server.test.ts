import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import Router from '@koa/router';
import { createServer, listenerFor } from '../../app/http/server.ts';
import { createLogger } from '../../app/ops/logger.ts';

describe('a connection', () => {
  let server: Server;
  let url: string;
  let stopping = false;
  let arrived: () => void;
  let release: Promise<void>;

  before(async () => {
    const router = new Router();
    router.get('/', (ctx) => {
      ctx.body = 'well';
    });
    router.post('/slow', async (ctx) => {
      arrived();
      await release;
      ctx.body = 'done';
    });
    const log = createLogger({ level: 'error', format: 'json', write: () => {} });
    server = listenerFor(createServer({ routers: [router], log, isStopping: () => stopping }));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    // A TCP server has an address of this shape.
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  after(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  test('stays open longer than a load balancer keeps it, which is a minute', async () => {
    const response = await fetch(url);
    await response.text();
    assert.equal(response.headers.get('connection'), 'keep-alive');
    assert.equal(response.headers.get('keep-alive'), 'timeout=75');
  });

  test('is closed after the answer once the process stops, also for what came in before', async () => {
    let letGo = () => {};
    release = new Promise((resolve) => {
      letGo = resolve;
    });
    const inside = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const answered = fetch(`${url}/slow`, { method: 'POST' });
    await inside;
    stopping = true;
    const refused = await fetch(`${url}/slow`, { method: 'POST' });
    assert.deepEqual([refused.status, refused.headers.get('connection')], [503, 'close']);
    letGo();
    const response = await answered;
    assert.deepEqual([response.status, await response.text()], [200, 'done']);
    assert.equal(response.headers.get('connection'), 'close');
  });
});
