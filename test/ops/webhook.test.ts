import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { createLogger } from '../../app/ops/logger.ts';
import { createWebhook, signatureOf, type Webhook, type WebhookOptions } from '../../app/ops/webhook.ts';
import { eventually } from '../support/bot.ts';

const KEY = Buffer.alloc(32, 7);
const SECRET = `whsec_${KEY.toString('base64')}`;

interface Received {
  url: string | undefined;
  method: string | undefined;
  headers: IncomingHttpHeaders;
  body: string;
}

const received: Received[] = [];
let logs: string[] = [];
/** What the receiver answers, request by request; after the last one always 204. */
let answers: RequestListener[] = [];
let receiver: Awaited<ReturnType<typeof startReceiver>>;
const open: Webhook[] = [];

beforeEach(async () => {
  received.length = 0;
  logs = [];
  answers = [];
  receiver = await startReceiver();
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((webhook) => webhook.close()));
  await receiver.close();
});

async function startReceiver() {
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const { url, method, headers } = request;
    received.push({ url, method, headers, body });
    const answer = answers.shift();
    if (answer) answer(request, response);
    else response.writeHead(204).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // a TCP server has an address of this shape
  return {
    host: `127.0.0.1:${port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function webhookTo(path: string, options: Partial<WebhookOptions> = {}): Webhook {
  const log = createLogger({ level: 'debug', format: 'json', write: (line) => logs.push(line) });
  const webhook = createWebhook({
    url: `http://${receiver.host}${path}`,
    secret: SECRET,
    log,
    pausesMs: [5, 5, 5],
    ...options,
  });
  open.push(webhook);
  return webhook;
}

const status =
  (code: number, headers: Record<string, string> = {}): RequestListener =>
  (_, response) =>
    response.writeHead(code, headers).end();

const hasArrived = (count: number) => eventually(`${count} requests arrived`, () => received.length >= count);
const isLogged = (words: string) => eventually(words, () => logs.some((line) => line.includes(words)));

describe('a message', () => {
  test('is a signed JSON body with id and time', async () => {
    const at = Date.UTC(2026, 10, 28, 1, 2, 3, 456);
    webhookTo('/alarms?team=1', { now: () => at }).send('alarm.firing', { text: 'Zwölf', count: 12 });
    await hasArrived(1);
    const [one] = received;
    assert.ok(one);
    assert.equal(one.method, 'POST');
    assert.equal(one.url, '/alarms?team=1');
    assert.equal(one.headers['content-type'], 'application/json');
    assert.deepEqual(JSON.parse(one.body), {
      type: 'alarm.firing',
      timestamp: '2026-11-28T01:02:03.456Z',
      text: 'Zwölf',
      data: { text: 'Zwölf', count: 12 },
    });
    const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature } = one.headers;
    assert.match(String(id), /^msg_[a-zA-Z]{18}$/);
    assert.equal(timestamp, String(Math.floor(at / 1_000)));
    const expected = createHmac('sha256', KEY).update(`${id}.${timestamp}.${one.body}`).digest('base64');
    assert.equal(signature, `v1,${expected}`);
  });

  test('is signed as other programs check it', () => {
    // An example of the reference implementation, https://github.com/standard-webhooks/standard-webhooks (MIT), webhook.test.ts.
    const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
    const signature = signatureOf(secret, 'msg_p5jXN8AQM9LWM0D4loKWxJek', 1614265330, '{"test": 2432232314}');
    assert.equal(signature, 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
  });

  test('is not signed without a secret, and has no text when there is none', async () => {
    webhookTo('/', { secret: undefined }).send('handoff.started', { conversation: 'one' });
    await hasArrived(1);
    assert.equal(received[0]?.headers['webhook-signature'], undefined);
    assert.match(String(received[0]?.headers['webhook-id']), /^msg_/);
    assert.equal('text' in JSON.parse(received[0]?.body ?? ''), false);
  });

  test('carries user and password of the address as a header', async () => {
    webhookTo('/', { url: `http://ops:p%40ss@${receiver.host}/` }).send('x', {});
    await hasArrived(1);
    assert.equal(received[0]?.headers.authorization, `Basic ${Buffer.from('ops:p@ss').toString('base64')}`);
  });
});

describe('a receiver that fails', () => {
  for (const code of [408, 429, 500, 503])
    test(`with ${code} is asked again, with the same id`, async () => {
      answers = [status(code), status(code)];
      webhookTo('/').send('x', {});
      await hasArrived(3);
      assert.equal(new Set(received.map(({ headers }) => headers['webhook-id'])).size, 1);
      assert.ok(!logs.some((line) => line.includes('not delivered')));
    });

  for (const code of [301, 307, 400, 401, 404, 410])
    test(`with ${code} is not, and no redirect is followed`, async () => {
      answers = [status(code, { location: `http://${receiver.host}/elsewhere` })];
      webhookTo('/').send('x', {});
      await isLogged('not delivered');
      assert.equal(received.length, 1);
      assert.ok(logs.some((line) => line.includes(`status ${code}`)));
    });

  test('by closing the connection is asked again', async () => {
    answers = [(request) => request.socket.destroy()];
    webhookTo('/').send('x', {});
    await hasArrived(2);
  });

  test('by saying nothing is asked again after the time limit', async () => {
    answers = [() => {}];
    webhookTo('/', { timeoutMs: 30 }).send('x', {});
    await hasArrived(2);
    assert.ok(logs.some((line) => line.includes('no answer within 30 ms')));
  });

  test('for good is given up after the last pause', async () => {
    answers = Array.from({ length: 9 }, () => status(500));
    webhookTo('/').send('x', {});
    await isLogged('not delivered');
    assert.equal(received.length, 4);
  });

  test('is left alone as long as it asks', async () => {
    answers = [status(503, { 'retry-after': '1' })];
    const startedAt = performance.now();
    webhookTo('/').send('x', {});
    await hasArrived(2);
    assert.ok(performance.now() - startedAt >= 990, 'the second try came after the second that was asked for');
  });

  test('that asks for longer than a message is worth is not asked again', async () => {
    answers = [status(429, { 'retry-after': '3600' })];
    webhookTo('/').send('x', {});
    await isLogged('not delivered');
    assert.equal(received.length, 1);
  });

  test('is named by its host, and neither address nor secret is logged', async () => {
    answers = Array.from({ length: 9 }, () => status(500));
    webhookTo('/services/T000/hunter2').send('x', {});
    await isLogged('not delivered');
    webhookTo('/', { url: 'http://ops:hunter2@127.0.0.1:9/hunter2' }).send('x', {});
    await isLogged('ECONNREFUSED');
    assert.ok(logs.some((line) => line.includes(receiver.host)));
    assert.doesNotMatch(logs.join('\n'), /hunter2|whsec|BwcHBw/);
  });
});

describe('the queue', () => {
  test('keeps the order, also when the first message fails once', async () => {
    answers = [status(500)];
    const webhook = webhookTo('/');
    for (const n of [1, 2, 3]) webhook.send('x', { n });
    await hasArrived(4);
    assert.deepEqual(
      received.map(({ body }) => JSON.parse(body).data.n),
      [1, 1, 2, 3],
    );
  });

  test('goes on after it was empty', async () => {
    const webhook = webhookTo('/');
    webhook.send('x', {});
    await hasArrived(1);
    webhook.send('x', {});
    await hasArrived(2);
  });

  test('is bounded: the oldest that wait are dropped, which is an error in the log', async () => {
    let release = () => {};
    answers = [
      (_, response) => {
        release = () => response.end();
      },
    ];
    const webhook = webhookTo('/');
    for (let n = 0; n < 150; n++) webhook.send('x', { n });
    await hasArrived(1);
    release();
    await hasArrived(101);
    const numbers = received.map(({ body }) => JSON.parse(body).data.n);
    assert.deepEqual(numbers, [0, ...Array.from({ length: 100 }, (_, i) => 50 + i)]);
    assert.equal(logs.filter((line) => line.includes('more than 100 messages wait')).length, 49);
  });
});

describe('closing', () => {
  test('tries once more what waits, without a pause', async () => {
    answers = [status(500)];
    const webhook = webhookTo('/', { pausesMs: [600_000] });
    webhook.send('x', { n: 1 });
    webhook.send('x', { n: 2 });
    await isLogged('trying again');
    await webhook.close();
    assert.deepEqual(
      received.map(({ body }) => JSON.parse(body).data.n),
      [1, 1, 2],
    );
  });

  test('does not wait for a receiver that says nothing, and takes no more', async () => {
    answers = [() => {}];
    const webhook = webhookTo('/', { lastMs: 20 });
    webhook.send('x', {});
    await hasArrived(1);
    await webhook.close();
    webhook.send('x', {});
    assert.equal(logs.filter((line) => line.includes('the process is ending')).length, 2);
    assert.equal(received.length, 1);
  });
});
