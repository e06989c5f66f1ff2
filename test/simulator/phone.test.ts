import assert from 'node:assert/strict';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import twilio from 'twilio';
import { SIMULATED_ACCOUNT_SID, SIMULATED_AUTH_TOKEN, SIMULATED_NUMBER } from '../../app/simulator/account.ts';
import { createPhone, parseTwiml } from '../../app/simulator/phone.ts';
import { freePort } from '../support/ports.ts';

const ANA = { contact: '15550100123', profileName: 'Ana Núñez 😀' };

describe('the phone', () => {
  const received: { url: string; headers: IncomingHttpHeaders; fields: Record<string, string> }[] = [];
  let answer = (response: ServerResponse): unknown => response.end();
  const bot = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const fields = Object.fromEntries(new URLSearchParams(body));
    received.push({ url: request.url ?? '', headers: request.headers, fields });
    answer(response);
  });
  let origin = '';
  before(async () => {
    await new Promise<void>((resolve) => bot.listen(0, '127.0.0.1', resolve));
    origin = `http://127.0.0.1:${(bot.address() as AddressInfo).port}`; // a TCP server's address
  });
  after(() => new Promise((resolve) => bot.close(resolve)));

  function phone(changes: { webhookUrl?: string; signedUrl?: string } = {}) {
    return createPhone({
      webhookUrl: `${origin}/whatsapp`,
      authToken: SIMULATED_AUTH_TOKEN,
      accountSid: SIMULATED_ACCOUNT_SID,
      businessNumber: SIMULATED_NUMBER,
      ...changes,
    });
  }

  function lastReceived() {
    const last = received.at(-1);
    assert.ok(last);
    return last;
  }

  function respond(status: number, type: string, body: string) {
    answer = (response) => response.writeHead(status, { 'Content-Type': type }).end(body);
  }

  it('posts what Twilio posts, signed so that Twilio’s own library accepts it', async () => {
    respond(200, 'text/xml', '<Response><Message>Hi &amp; welcome</Message></Response>');
    const exchange = await phone().write(ANA, 'hi & bye = 100% + ünïcode\nline 2');
    const { headers, fields } = lastReceived();
    assertHas(fields, {
      From: 'whatsapp:+15550100123',
      To: 'whatsapp:+14155238886',
      Body: 'hi & bye = 100% + ünïcode\nline 2',
      ProfileName: 'Ana Núñez 😀',
      WaId: '15550100123',
      NumMedia: '0',
      AccountSid: SIMULATED_ACCOUNT_SID,
    });
    assert.match(fields.MessageSid ?? '', /^SM[0-9a-f]{32}$/);
    const signature = String(headers['x-twilio-signature']);
    assert.ok(twilio.validateRequest(SIMULATED_AUTH_TOKEN, signature, `${origin}/whatsapp`, fields));
    assert.deepEqual(exchange.messages, [{ text: 'Hi & welcome', mediaUrls: [] }]);
    assert.deepEqual(exchange.fields, fields);
    assert.equal(exchange.failure, null);
    assert.deepEqual([exchange.response?.status, exchange.response?.contentType], [200, 'text/xml']);
  });

  it('signs over the public address while it posts to this machine', async () => {
    await phone({ signedUrl: 'https://bot.example.com/whatsapp' }).write(ANA, 'hello');
    const { headers, fields } = lastReceived();
    const signature = String(headers['x-twilio-signature']);
    assert.ok(twilio.validateRequest(SIMULATED_AUTH_TOKEN, signature, 'https://bot.example.com/whatsapp', fields));
  });

  it('writes for somebody who has a username and no number', async () => {
    await phone().write({ contact: 'US.1A2B3C', profileName: 'Bo' }, 'hello');
    assertHas(lastReceived().fields, {
      From: 'whatsapp:US.1A2B3C',
      ExternalUserId: 'whatsapp:US.1A2B3C',
      WaId: '',
    });
  });

  it('delivers a message once more when it is given its id', async () => {
    const { fields } = await phone().write(ANA, 'hello');
    const again = await phone().write(ANA, 'hello', { MessageSid: fields.MessageSid ?? '' });
    assert.equal(again.fields.MessageSid, fields.MessageSid);
    const other = await phone().write(ANA, 'hello');
    assert.notEqual(other.fields.MessageSid, fields.MessageSid);
  });

  it('shows a plain text to the person, as Twilio would, and nothing of a refusal', async () => {
    respond(200, 'text/plain; charset=utf-8', 'Internal notes');
    assert.deepEqual((await phone().write(ANA, 'hello')).messages, [{ text: 'Internal notes', mediaUrls: [] }]);
    respond(403, 'text/xml', '<Response><Message>no</Message></Response>');
    const refused = await phone().write(ANA, 'hello');
    assert.deepEqual([refused.response?.status, refused.messages], [403, []]);
  });

  it('says why there was no response instead of failing', async () => {
    answer = (response) => response.destroy();
    assertHas(await phone().write(ANA, 'hello'), { response: null, failure: 'lost', messages: [] });
    const nobody = phone({ webhookUrl: `http://localhost:${await freePort()}/whatsapp` });
    assert.equal((await nobody.write(ANA, 'hello')).failure, 'unreachable');
  });
});

describe('TwiML, read by the phone', () => {
  const cases: [name: string, xml: string, texts: string[]][] = [
    ['no answer', '<?xml version="1.0" encoding="UTF-8"?><Response/>', []],
    ['an answer without words', '<Response><Message/></Response>', []],
    ['several messages in order', '<Response><Message>1</Message><Message>2</Message></Response>', ['1', '2']],
    [
      'attributes, bodies and comments',
      '<Response><!-- <Message>no</Message> --><Message statusCallback="https://x.example/a?b=1&amp;c=2" to="x"><Body>a</Body><Body>b</Body></Message></Response>',
      ['ab'],
    ],
    [
      'escaped characters',
      '<Response><Message>&lt;b&gt; &amp;amp; &quot;&apos; &#xD;&#128512; &nope;</Message></Response>',
      ['<b> &amp; "\' \r😀 &nope;'],
    ],
    ['unescaped sections', '<Response><Message><![CDATA[a < b & c]]></Message></Response>', ['a < b & c']],
    ['white space within a text', '<Response><Message>  two\n lines </Message></Response>', ['  two\n lines ']],
    ['something else altogether', '{"answer": "no"}', []],
    ['a character that does not exist', '<Response><Message>&#x110000;</Message></Response>', ['&#x110000;']],
  ];
  for (const [name, xml, texts] of cases) {
    it(`understands ${name}`, () => {
      assert.deepEqual(
        parseTwiml(xml).map((message) => message.text),
        texts,
      );
    });
  }

  it('finds pictures beside their caption', () => {
    const xml =
      '<Response><Message><Body>look</Body><Media>https://x.example/a.png?b=1&amp;c=2</Media></Message></Response>';
    assert.deepEqual(parseTwiml(xml), [{ text: 'look', mediaUrls: ['https://x.example/a.png?b=1&c=2'] }]);
  });

  it('gives back what Twilio’s own library wrote', () => {
    const text = 'a < b && c > d "quoted" \'single\'\n\ttab 😀';
    const response = new twilio.twiml.MessagingResponse();
    response.message(text);
    response.message({ action: 'https://x.example/?a=1&b=2' }, 'second');
    assert.deepEqual(
      parseTwiml(response.toString()).map((message) => message.text),
      [text, 'second'],
    );
  });
});

/** Looks at the named properties only. */
function assertHas<Whole extends object>(actual: Whole | undefined, expected: Partial<Whole>): void {
  assert.deepEqual(actual, { ...actual, ...expected });
}
