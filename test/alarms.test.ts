/** The operator hears of what is wrong: two bots on one Redis, and a receiver of webhooks. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { createKeys } from '../app/memory/keys.ts';
import { eventually, startBot, startDoubles } from './support/bot.ts';

const KEY = Buffer.alloc(32, 3);

async function startReceiver() {
  const received: { headers: IncomingHttpHeaders; text: string; body: { type: string; data: { alarm: string } } }[] =
    [];
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    received.push({ headers: request.headers, text, body: JSON.parse(text) });
    response.end('ok');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    received,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks`, // a TCP server has an address of this shape
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test('a dead letter is told by one of two bots, signed, and so is that it is over', async () => {
  const [doubles, receiver] = await Promise.all([startDoubles(), startReceiver()]);
  const redis = doubles.redis.client();
  const { dead } = createKeys(1).shardOf('15550100101');
  const settings = { ALERT_WEBHOOK_URL: receiver.url, WEBHOOK_SECRET: `whsec_${KEY.toString('base64')}` };
  const bots = await Promise.all([startBot(doubles, settings), startBot(doubles, settings)]);
  try {
    const id = await redis.xadd(dead, '*', 'code', 'turn.crashed');
    const ofDead = () => receiver.received.filter(({ body }) => body.data.alarm === 'dead_letters');
    await eventually('it is told', () => ofDead().length > 0);
    await redis.xdel(dead, id ?? '');
    await eventually('it is over', () => ofDead().length > 1);
    assert.deepEqual(
      ofDead().map(({ body }) => body.type),
      ['alarm.firing', 'alarm.resolved'],
    );
    const [first] = ofDead();
    assert.ok(first);
    assert.match(
      JSON.parse(first.text).text,
      /^Recado \(Bakery Aurora\): 1 dead letter: .*\(Alarm: dead letters above 0\)$/,
    );
    const { 'webhook-id': name, 'webhook-timestamp': at, 'webhook-signature': signature } = first.headers;
    const expected = createHmac('sha256', KEY).update(`${name}.${at}.${first.text}`).digest('base64');
    assert.equal(signature, `v1,${expected}`);
  } finally {
    await Promise.all(bots.map((bot) => bot.stop()));
    await receiver.close();
    await doubles.stop();
  }
});
