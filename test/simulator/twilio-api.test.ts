import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, describe, it } from 'node:test';
import twilio from 'twilio';
import { createTwilioChannel } from '../../app/channels/twilio/client.ts';
import { createLogger } from '../../app/ops/logger.ts';
import { scrub } from '../../app/privacy/scrub.ts';
import {
  newInboundSid,
  SIMULATED_ACCOUNT_SID,
  SIMULATED_AUTH_TOKEN,
  SIMULATED_NUMBER,
} from '../../app/simulator/account.ts';
import type { Outgoing } from '../../app/simulator/outgoing.ts';
import { startTwilioApi, type TwilioApi } from '../../app/simulator/twilio-api.ts';

const PATH = `/2010-04-01/Accounts/${SIMULATED_ACCOUNT_SID}/Messages.json`;
const CONTACT = '15550100123';

describe('the simulated REST API', () => {
  const log = createLogger({ level: 'error', format: 'json', write: () => {} });
  const outgoing: Outgoing[] = [];
  const callbacks: { url: string; signature: string; fields: Record<string, string> }[] = [];
  const bot = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const fields = Object.fromEntries(new URLSearchParams(body));
    callbacks.push({ url: request.url ?? '', signature: String(request.headers['x-twilio-signature']), fields });
    response.writeHead(204).end();
  });
  let api: TwilioApi;

  before(() => new Promise<void>((resolve) => bot.listen(0, '127.0.0.1', resolve)));
  beforeEach(async () => {
    await api?.stop();
    outgoing.length = 0;
    callbacks.length = 0;
    api = await startTwilioApi({
      accountSid: SIMULATED_ACCOUNT_SID,
      authToken: SIMULATED_AUTH_TOKEN,
      number: SIMULATED_NUMBER,
      botUrl: `http://127.0.0.1:${(bot.address() as AddressInfo).port}`, // a TCP server's address
      publicUrl: 'https://bot.example.com/behind',
      onOutgoing: (event) => outgoing.push(event),
      log,
    });
  });
  after(async () => {
    await api.stop();
    bot.closeAllConnections();
    await new Promise((resolve) => bot.close(resolve));
  });

  async function call(path: string, form?: Record<string, string>, token = SIMULATED_AUTH_TOKEN) {
    const authorization = `Basic ${Buffer.from(`${SIMULATED_ACCOUNT_SID}:${token}`).toString('base64')}`;
    const body = form && new URLSearchParams(form);
    const response = await fetch(api.url + path, {
      headers: { authorization },
      ...(body ? { method: 'POST', body } : {}),
    });
    // The shapes are what these tests are about.
    return { status: response.status, body: (await response.json()) as Record<string, never> & { messages: Sent[] } };
  }
  type Sent = Record<'sid' | 'to' | 'body' | 'status', string>;

  function text(changes: Record<string, string> = {}) {
    return { From: `whatsapp:+${SIMULATED_NUMBER}`, To: `whatsapp:+${CONTACT}`, Body: 'Hello', ...changes };
  }

  it('listens to this machine alone', () => {
    assert.match(api.url, /^http:\/\/127\.0\.0\.1:\d+$/);
  });

  it('takes a message as Twilio does, and tells whom it is for', async () => {
    const { status, body } = await call(PATH, text({ To: 'whatsapp:US.1A2B' }));
    assert.equal(status, 201);
    assert.match(body.sid ?? '', /^SM[0-9a-f]{32}$/);
    assert.match(body.date_created ?? '', /^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d \+0000$/);
    assert.deepEqual(
      [body.status, body.direction, body.body, body.error_code],
      ['queued', 'outbound-api', 'Hello', null],
    );
    const [event] = outgoing;
    assert.ok(event?.type === 'message');
    assert.deepEqual([event.contact, event.text, event.sid], ['US.1A2B', 'Hello', body.sid]);
  });

  it('refuses what Twilio refuses, with its codes', async () => {
    const refused: [changes: Record<string, string>, code: number][] = [
      [{ To: '' }, 21604],
      [{ To: '+15550100123' }, 21211],
      [{ From: '' }, 21603],
      [{ From: 'whatsapp:14155238886' }, 21212],
      [{ From: 'whatsapp:+15550100199' }, 63007],
      [{ Body: '' }, 21602],
      [{ Body: 'x'.repeat(1_601) }, 21617],
      [{ StatusCallback: 'here' }, 21609],
    ];
    for (const [changes, code] of refused) {
      const { status, body } = await call(PATH, text(changes));
      assert.deepEqual([status, body.code], [400, code]);
    }
    assert.equal((await call(PATH, text({ Body: 'x'.repeat(1_600) }))).status, 201);
  });

  it('lets nobody in without the token, and nobody into another account', async () => {
    const { status, body } = await call(PATH, text(), 'guess');
    assert.deepEqual([status, body.code], [401, 20003]);
    assert.equal((await call(PATH.replace('fa4e', '0000'), text())).status, 404);
    assert.equal(outgoing.length, 0);
  });

  it('lists what it took, newest first, by recipient, sender and day, in pages', async () => {
    for (const Body of ['one', 'two', 'three']) await call(PATH, text({ Body }));
    await call(PATH, text({ To: 'whatsapp:+15550100124' }));
    const today = new Date().toISOString();
    const filter = {
      To: `whatsapp:+${CONTACT}`,
      From: `whatsapp:+${SIMULATED_NUMBER}`,
      'DateSent>': today,
      PageSize: '2',
    };
    const first = await call(`${PATH}?${new URLSearchParams(filter)}`);
    assert.deepEqual(
      first.body.messages.map((message) => message.body),
      ['three', 'two'],
    );
    const second = await call(String(first.body.next_page_uri));
    assert.deepEqual(
      second.body.messages.map((message) => message.body),
      ['one'],
    );
    assert.equal(second.body.next_page_uri, null);
    const none = await call(`${PATH}?${new URLSearchParams({ 'DateSent>': '2999-01-01' })}`);
    assert.deepEqual(none.body.messages, []);
  });

  it('remembers the last 1,000 messages', async () => {
    for (let i = 0; i < 1_010; i += 10) {
      await Promise.all(Array.from({ length: 10 }, () => call(PATH, text({ Body: `message ${i}` }))));
    }
    const { body } = await call(`${PATH}?PageSize=1000`);
    assert.equal(body.messages.length, 1_000);
    assert.equal(body.next_page_uri, null);
    assert.equal(body.messages.at(-1)?.body, 'message 10');
  });

  it('says which message is being answered', async () => {
    const messageId = newInboundSid(CONTACT);
    const { status, body } = await call('/v2/Indicators/Typing.json', { messageId, channel: 'whatsapp' });
    assert.deepEqual([status, body], [200, { success: true }]);
    assert.deepEqual(
      outgoing.map((event) => event.type === 'typing' && event.messageSid),
      [messageId],
    );
    assert.equal((await call('/v2/Indicators/Typing.json', { messageId: 'SM1', channel: 'whatsapp' })).status, 400);
  });

  it('reports sent, delivered and read to this machine, signed for the address it was given', async () => {
    const address = 'https://bot.example.com/twilio/status?reply=r1';
    const { body } = await call(PATH, text({ StatusCallback: `${address}#rc=2` }));
    await until(() => callbacks.length === 3);
    assert.deepEqual(
      callbacks.map(({ fields }) => fields.MessageStatus),
      ['sent', 'delivered', 'read'],
    );
    for (const { url, signature, fields } of callbacks) {
      assert.deepEqual([url, fields.MessageSid], ['/twilio/status?reply=r1', body.sid]);
      assert.ok(twilio.validateRequest(SIMULATED_AUTH_TOKEN, signature, address, fields));
    }
  });

  it('takes off what a proxy would take off the public address', async () => {
    const address = 'https://bot.example.com/behind/twilio/status?reply=r1';
    await call(PATH, text({ StatusCallback: address }));
    await until(() => callbacks.length > 0);
    const { url, signature, fields } = callbacks[0] ?? { url: '', signature: '', fields: {} };
    assert.equal(url, '/twilio/status?reply=r1');
    assert.ok(twilio.validateRequest(SIMULATED_AUTH_TOKEN, signature, address, fields));
  });

  it('is spoken to by the bot’s own client, which finds again what it sent', async () => {
    const channel = createTwilioChannel({
      accountSid: SIMULATED_ACCOUNT_SID,
      authToken: SIMULATED_AUTH_TOKEN,
      sender: { from: SIMULATED_NUMBER },
      apiBaseUrl: api.url,
      media: { download: async () => Buffer.from('a file') },
      log,
    });
    const to = { business: SIMULATED_NUMBER, address: CONTACT };
    const since = Date.now();
    const sid = await channel.send(to, scrub('Hello'), { replyId: 'r1', part: 0 });
    await channel.send(to, scrub('Something else'), { replyId: 'r2', part: 0 });
    await channel.typing(to, newInboundSid(CONTACT));
    assert.deepEqual(await channel.findSent(to, scrub('Hello'), since), [sid]);
    assert.deepEqual(await channel.findSent({ ...to, address: 'US.1A2B' }, scrub('Hello'), since), []);
    await assert.rejects(channel.send({ ...to, address: 'nobody' }, scrub('Hello'), { replyId: 'r3', part: 0 }), {
      code: 'channel.recipient',
    });
    // What becomes of the messages is told in between, in its own time.
    const types = outgoing.map((event) => event.type).filter((type) => type !== 'status');
    assert.deepEqual(types, ['message', 'message', 'typing']);
  });

  it('tells the phone what became of a message, also when nobody asked for callbacks', async () => {
    await call(PATH, text());
    await until(() => outgoing.length === 4);
    assert.deepEqual(
      outgoing.map((event) => (event.type === 'status' ? event.state : event.type)),
      ['message', 'sent', 'delivered', 'read'],
    );
    assert.equal(callbacks.length, 0);
  });
});

/** Waits, at most about a minute. */
async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; !holds(); tries++) {
    if (tries === 3_000) assert.fail('it never happened');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
