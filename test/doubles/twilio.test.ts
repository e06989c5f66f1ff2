import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { isSigned } from '../../app/channels/twilio/signature.ts';
import { startTwilioDouble, type TwilioDouble } from './twilio.ts';

const ACCOUNT_SID = 'AC00000000000000000000000000000000';
const AUTH_TOKEN = 'test-auth-token-0123456789abcdef';
const authorization = `Basic ${Buffer.from(`${ACCOUNT_SID}:${AUTH_TOKEN}`).toString('base64')}`;

let twilio: TwilioDouble;
beforeEach(async () => {
  twilio = await startTwilioDouble({ accountSid: ACCOUNT_SID, authToken: AUTH_TOKEN });
});
afterEach(() => twilio.close());

const messagesUrl = () => `${twilio.url}/2010-04-01/Accounts/${ACCOUNT_SID}/Messages.json`;

function create(fields: Record<string, string>): Promise<Response> {
  return fetch(messagesUrl(), { method: 'POST', headers: { authorization }, body: new URLSearchParams(fields) });
}

const GOOD = { To: 'whatsapp:+15550100123', From: 'whatsapp:+14155238886', Body: 'hello' };

describe('files', () => {
  const get = (url: string, headers: Record<string, string> = { authorization }) =>
    fetch(url, { headers, redirect: 'manual' });

  test('are redirected to another host, which gives them to whoever comes without credentials', async () => {
    const redirect = await get(twilio.addMedia(Buffer.from('bytes'), 'image/png'));
    assert.equal(redirect.status, 307);
    const location = redirect.headers.get('location') ?? '';
    assert.notEqual(new URL(location).origin, new URL(twilio.url).origin);
    const file = await get(location, {});
    assert.deepEqual([file.headers.get('content-type'), await file.text()], ['image/png', 'bytes']);
    assert.equal((await get(location)).status, 400);
    assert.deepEqual(
      twilio.fileRequests.map(({ headers }) => headers.authorization),
      [undefined, authorization],
    );
  });

  test('are not for strangers, and may take a moment to be there', async () => {
    const url = twilio.addMedia(Buffer.from('bytes'), 'image/png');
    assert.equal((await get(url, {})).status, 401);
    twilio.faults.push({ kind: 'status', status: 404, on: 'media' });
    assert.deepEqual([(await get(url)).status, (await get(url)).status], [404, 307]);
  });
});

interface Page {
  messages: { body: string }[];
  next_page_uri: string | null;
}

async function pageAt(url: string): Promise<Page> {
  const response = await fetch(url, { headers: { authorization } });
  return (await response.json()) as Page; // what Twilio documents; the test fails where it is not so
}

describe('messages', () => {
  test('are refused in Twilio’s words', async () => {
    const wrong: [fields: object, code: number][] = [
      [{ To: '' }, 21604],
      [{ To: 'whatsapp:nobody' }, 21211],
      [{ From: '' }, 21603],
      [{ From: 'whatsapp:+15550100111' }, 63007],
      [{ Body: '' }, 21602],
      [{ Body: 'x'.repeat(1_601) }, 21617],
      [{ StatusCallback: 'nonsense' }, 21609],
    ];
    for (const [fields, code] of wrong) {
      const response = await create({ ...GOOD, ...fields });
      assert.equal(response.status, 400);
      assert.match(await response.text(), new RegExp(`^{"code":${code},.*"status":400}$`));
    }
    assert.deepEqual(twilio.sent, []);
  });

  test('are listed in pages', async () => {
    for (const Body of ['one', 'two', 'three']) await create({ ...GOOD, Body });
    const bodies: string[][] = [];
    for (let next: string | null = `${messagesUrl()}?PageSize=2`; next; ) {
      const page: Page = await pageAt(next);
      bodies.push(page.messages.map(({ body }) => body));
      next = page.next_page_uri === null ? null : twilio.url + page.next_page_uri;
    }
    assert.deepEqual(
      bodies.map(({ length }) => length),
      [2, 1],
    );
    assert.deepEqual(bodies.flat().sort(), ['one', 'three', 'two']);
  });
});

test('a fault waits for the kind of request it is meant for', async () => {
  twilio.faults.push(
    { kind: 'status', status: 500, on: 'list', done: true },
    { kind: 'rate-limited', retryAfterSeconds: 7 },
  );
  const limited = await create(GOOD);
  assert.deepEqual([limited.status, limited.headers.get('retry-after')], [429, '7']);
  assert.equal((await create(GOOD)).status, 201);
  assert.equal((await fetch(messagesUrl(), { headers: { authorization } })).status, 500);
});

test('what becomes of a message is reported with a signature', async () => {
  const received: { signature: string; form: URLSearchParams; url: string }[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const signature = String(request.headers['x-twilio-signature']);
    received.push({ signature, form: new URLSearchParams(body), url: `http://${request.headers.host}${request.url}` });
    response.writeHead(204).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // A TCP server's address is an object once it listens.
  const statusCallback = `http://127.0.0.1:${(server.address() as AddressInfo).port}/twilio/status?reply=1`;
  try {
    const message = twilio.addReply({ to: GOOD.To, from: GOOD.From, body: 'hello', statusCallback });
    assert.equal((await twilio.report(message, 'failed', 63016))?.status, 204);
    const [{ signature, form, url } = assert.fail('nothing was reported')] = received;
    assert.ok(isSigned({ tokens: [AUTH_TOKEN], signature, url, pairs: form }));
    assert.deepEqual(
      [form.get('MessageStatus'), form.get('ErrorCode'), form.get('MessageSid')],
      ['failed', '63016', message.sid],
    );
    assert.equal(await twilio.report({ ...message, statusCallback: null }, 'read'), null);
  } finally {
    server.close();
    server.closeAllConnections();
  }
});
