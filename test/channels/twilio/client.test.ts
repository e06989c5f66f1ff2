import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import {
  createTwilioChannel,
  isOutsideUs1,
  productBaseUrl,
  type TwilioChannelOptions,
} from '../../../app/channels/twilio/client.ts';
import { type FailureCode, isFailure } from '../../../app/errors.ts';
import { createLogger } from '../../../app/ops/logger.ts';
import { scrub } from '../../../app/privacy/scrub.ts';
import { type ChannelUnderTest, channelContract, type ProviderFault } from '../../contracts/channel.ts';
import {
  newSid,
  type SentMessage,
  startTwilioDouble,
  type TwilioDouble,
  type TwilioFault,
} from '../../doubles/twilio.ts';

import { TABLE_BOOKED_SID, TWILIO_TEMPLATES } from '../../support/templates.ts';

const ACCOUNT_SID = 'AC00000000000000000000000000000000';
const AUTH_TOKEN = 'test-auth-token-0123456789abcdef';
const TO = { business: '14155238886', address: '15550100123' };

const log = createLogger({ level: 'error', format: 'json', write: () => {} });

function channelTo(twilio: TwilioDouble, options: Partial<TwilioChannelOptions> = {}) {
  return createTwilioChannel({
    accountSid: ACCOUNT_SID,
    authToken: AUTH_TOKEN,
    sender: {},
    apiBaseUrl: twilio.url,
    media: { download: async () => Buffer.from('a file') },
    log,
    ...options,
  });
}

const FAULTS: Record<ProviderFault, TwilioFault> = {
  'rate-limited': { kind: 'rate-limited', retryAfterSeconds: 120 },
  'server-error': { kind: 'status', status: 500 },
  'server-error-after-sending': { kind: 'status', status: 503, body: '<html>busy</html>', done: true },
  reset: { kind: 'reset' },
  hang: { kind: 'hang' },
  'hang-in-the-answer': { kind: 'stall' },
  'wrong-credentials': { kind: 'status', status: 401, code: 20003 },
  'empty-error': { kind: 'status', status: 500, body: '' },
  'nonsense-after-sending': { kind: 'status', status: 201, body: 'welcome to this hotel', done: true },
};

channelContract('Twilio', async (timeoutMs): Promise<ChannelUnderTest> => {
  const twilio = await startTwilioDouble({ accountSid: ACCOUNT_SID, authToken: AUTH_TOKEN });
  twilio.templates.push(...TWILIO_TEMPLATES);
  const addressIn = (address: string) => address.replace(/^whatsapp:\+?/, '');
  return {
    channel: channelTo(twilio, { timeoutMs }),
    to: TO,
    storedExtras: () =>
      twilio.sent.flatMap(({ sid, body, mediaUrl }) => (mediaUrl ? [{ id: sid, text: body, what: [mediaUrl] }] : [])),
    template: { contentSid: TABLE_BOOKED_SID },
    storedTemplates: () =>
      twilio.sent.flatMap(({ to, from, sid, content }) => {
        if (!content) return [];
        const variables = Object.values(content.variables);
        return [{ contact: addressIn(to), business: addressIn(from), variables, id: sid }];
      }),
    messageId: newSid('SM'),
    stored: () =>
      twilio.sent.map(({ to, from, body, sid }) => ({
        contact: addressIn(to),
        business: addressIn(from),
        text: body,
        id: sid,
      })),
    backdate(at) {
      const latest = twilio.sent.at(-1);
      if (latest) latest.createdAt = at;
    },
    typing: () => twilio.typing,
    fail: (fault) => twilio.faults.push(FAULTS[fault]),
    knownCode: '63016',
    ref: 'MM1/ME1',
    stopProvider: () => twilio.close(),
    close: () => twilio.close(),
  };
});

describe('Twilio', () => {
  let twilio: TwilioDouble;
  beforeEach(async () => {
    twilio = await startTwilioDouble({ accountSid: ACCOUNT_SID, authToken: AUTH_TOKEN });
  });
  afterEach(() => twilio.close());

  const send = (options: Partial<TwilioChannelOptions> = {}, to = TO) =>
    channelTo(twilio, options).send(to, scrub('hello'), { replyId: 'reply-1', part: 0 });

  test('is asked to report what becomes of the message, under the name of the reply', async () => {
    await send({ statusCallbackUrl: 'https://bot.example.com/twilio/status' });
    assert.equal(twilio.sent[0]?.statusCallback, 'https://bot.example.com/twilio/status?reply=reply-1&part=0');
    await send();
    assert.equal(twilio.sent[1]?.statusCallback, null);
  });

  test('sends as whom the person wrote to, else as the configured number', async () => {
    twilio.senders.add('whatsapp:+15550100111');
    await send({ sender: { from: '15550100111' } });
    await send({ sender: { from: 'whatsapp:+15550100111' } }, { ...TO, business: '' });
    assert.deepEqual(
      twilio.sent.map(({ from }) => from),
      ['whatsapp:+14155238886', 'whatsapp:+15550100111'],
    );
  });

  test('sends through a Messaging Service, and its messages are found whoever sent them', async () => {
    const channel = channelTo(twilio, { sender: { from: '14155238886', messagingServiceSid: newSid('MG') } });
    twilio.senders.clear();
    twilio.senders.add('whatsapp:+15550100111');
    const sid = await channel.send(TO, scrub('hello'), { replyId: 'reply-1', part: 0 });
    assert.equal(twilio.requests[0]?.form.get('From'), null);
    assert.deepEqual(await channel.findSent(TO, scrub('hello'), Date.now()), [sid]);
  });

  test('knows what left as TwiML, but for what never arrived', async () => {
    const channel = channelTo(twilio);
    const to = 'whatsapp:+15550100123';
    const from = 'whatsapp:+14155238886';
    const { sid } = twilio.addReply({ to, from, body: 'hello' });
    for (const status of ['failed', 'undelivered', 'canceled'] as const)
      twilio.addReply({ to, from, body: 'hello', status });
    twilio.addReply({ to: 'whatsapp:+15550100199', from, body: 'hello' });
    twilio.addReply({ to, from: 'whatsapp:+15550100111', body: 'hello' });
    assert.deepEqual(await channel.findSent(TO, scrub('hello'), Date.now() - 1_000), [sid]);
  });

  test('knows what was sent also when our clock is not theirs', async () => {
    const channel = channelTo(twilio);
    for (const aheadMs of [-60_000, 60_000]) {
      twilio.aheadMs = aheadMs;
      const since = Date.now();
      const sid = await channel.send(TO, scrub(`sent ${aheadMs} ms ahead`), { replyId: 'reply-1', part: 0 });
      assert.deepEqual(await channel.findSent(TO, scrub(`sent ${aheadMs} ms ahead`), since), [sid]);
    }
  });

  for (const ours of [-300_000, -60_000, 0, 60_000, 300_000])
    test(`knows the new message from the same words 90 s before, our clock being ${ours} ms ahead of theirs`, async () => {
      const now = () => Date.now() + ours;
      const sender = channelTo(twilio, { now });
      twilio.addReply({ to: 'whatsapp:+15550100123', from: 'whatsapp:+14155238886', body: 'yes' });
      const [old] = twilio.sent;
      assert.ok(old);
      old.createdAt -= 90_000;
      const since = now();
      // Another process than the sender looks, and its first answer tells it the time.
      assert.deepEqual(await channelTo(twilio, { now }).findSent(TO, scrub('yes'), since), []);
      const sid = await sender.send(TO, scrub('yes'), { replyId: 'reply-1', part: 0 });
      assert.deepEqual(await channelTo(twilio, { now }).findSent(TO, scrub('yes'), since), [sid]);
      assert.deepEqual(await sender.findSent(TO, scrub('yes'), since), [sid]);
    });

  for (const [theirs, ours] of [
    [-120_000, 300_000],
    [120_000, -300_000],
    [-1_000, 2_000],
  ] as const)
    test(`finds what was sent around midnight, theirs ${theirs} ms from it and ours ${ours} ms ahead`, async () => {
      const midnight = Date.UTC(2026, 10, 21);
      twilio.aheadMs = midnight + theirs - Date.now();
      const channel = channelTo(twilio, { now: () => Date.now() + twilio.aheadMs + ours });
      const since = Date.now() + twilio.aheadMs + ours;
      const sid = await channel.send(TO, scrub('hello'), { replyId: 'reply-1', part: 0 });
      for (const status of ['queued', 'sent', 'read'] as const) {
        for (const message of twilio.sent) message.status = status;
        assert.deepEqual(await channel.findSent(TO, scrub('hello'), since), [sid], status);
      }
    });

  test('is asked by whole days for what was sent, and for the latest, which may have no date yet', async () => {
    const channel = channelTo(twilio);
    await channel.findSent(TO, scrub('x'), Date.UTC(2026, 10, 21, 0, 0, 1));
    const queries = twilio.requests.map(({ query }) => query);
    const days = queries.map((query) => query.get('DateSent>')?.slice(0, 10) ?? 'any');
    assert.deepEqual(days.sort(), ['2026-11-20', 'any']);
    for (const query of queries) {
      assert.equal(query.get('To'), 'whatsapp:+15550100123');
      assert.equal(query.get('From'), 'whatsapp:+14155238886');
    }
  });

  test('is told with what is sent that it may be looked for again, characters that it drops included', async () => {
    const channel = channelTo(twilio);
    const odd = scrub('good\u0000bye\r\nnow');
    const sid = await channel.send(TO, odd, { replyId: 'reply-1', part: 0 });
    assert.equal(twilio.sent[0]?.body, 'goodbye\nnow');
    assert.deepEqual(await channel.findSent(TO, odd, Date.now() - 1_000), [sid]);
  });

  test('may be behind a path of another origin', async () => {
    const channel = channelTo(twilio, { apiBaseUrl: `${twilio.url}/mock/` });
    await channel.send(TO, scrub('x'), { replyId: 'reply-1', part: 0 }).catch(() => {});
    await channel.typing(TO, newSid('SM')).catch(() => {});
    assert.deepEqual(
      twilio.requests.map(({ path }) => path),
      [`/mock/2010-04-01/Accounts/${ACCOUNT_SID}/Messages.json`, '/mock/v2/Indicators/Typing.json'],
    );
  });

  test('is called at the configured address, whatever the environment says to the SDK', async () => {
    const environment = { TWILIO_EDGE: 'sydney', TWILIO_REGION: 'au1', HTTP_PROXY: 'http://127.0.0.1:9' };
    Object.assign(process.env, environment);
    try {
      await send();
    } finally {
      for (const name of Object.keys(environment)) delete process.env[name];
    }
    assert.equal(twilio.sent.length, 1);
  });

  test('sends without a status callback when Twilio refuses its address, and says so once', async () => {
    twilio.faults.push({ kind: 'status', status: 400, code: 21609, on: 'create' });
    const warnings: string[] = [];
    const told = createLogger({ level: 'warn', format: 'json', write: (line) => warnings.push(line) });
    const channel = channelTo(twilio, { statusCallbackUrl: 'https://bot.example.com/twilio/status', log: told });
    for (const part of [0, 1]) await channel.send(TO, scrub('hello'), { replyId: 'reply-1', part });
    assert.deepEqual(
      twilio.sent.map(({ statusCallback }) => statusCallback),
      [null, null],
    );
    assert.equal(twilio.requests.length, 3, 'asked with it once');
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', /PUBLIC_URL/);
  });

  test('has the words of a message of ours', async () => {
    const { sid } = twilio.addReply({ to: `whatsapp:+${TO.address}`, from: 'whatsapp:+14155238886', body: 'A room' });
    assert.equal(await channelTo(twilio).wordsOf?.(sid), 'A room');
    await assert.rejects(channelTo(twilio).wordsOf?.(newSid('SM')) ?? Promise.resolve());
  });

  describe('is asked what became of a message of ours', () => {
    async function statusWith(overrides: Partial<SentMessage>) {
      const { sid } = twilio.addReply({
        to: `whatsapp:+${TO.address}`,
        from: `whatsapp:+${TO.business}`,
        body: 'hello',
        ...overrides,
      });
      const status = await channelTo(twilio).statusOf?.(sid);
      assert.deepEqual({ ...status, state: null, pricing: null }, { ...KNOWN, sid });
      return status;
    }
    const KNOWN = { channel: 'twilio', state: null, business: TO.business, to: TO.address, pricing: null };

    test('and has no price before Twilio has reckoned it', async () => {
      const status = await statusWith({ status: 'delivered' });
      assert.equal(status?.state, 'delivered');
      assert.ok(status && !('pricing' in status));
    });

    test('and has the price to the last decimal, whatever its sign', async () => {
      for (const [price, billionths] of [
        ['-0.00500', 5_000_000],
        ['0.00500', 5_000_000],
        ['-12.345678901', 12_345_678_901],
        ['0', 0],
      ] as const) {
        const status = await statusWith({ status: 'sent', price });
        assert.deepEqual(status?.pricing, { cost: { billionths, currency: 'USD' } }, price);
      }
    });

    test('and has no price when what Twilio says is none', async () => {
      for (const price of ['', 'free', '--1', '1e3']) assert.equal((await statusWith({ price }))?.pricing, undefined);
    });

    test('which it may not know any more', async () => {
      assert.equal(await channelTo(twilio).statusOf?.(newSid('SM')), null);
      twilio.faults.push({ kind: 'status', status: 500 });
      await assert.rejects(statusWith({}), { code: 'channel.unreachable' });
    });
  });

  describe('refuses', () => {
    const refusals: [status: number, code: number, FailureCode][] = [
      [400, 63016, 'channel.window'],
      [400, 21610, 'channel.opted_out'],
      [400, 21211, 'channel.recipient'],
      [400, 63024, 'channel.recipient'],
      [400, 63003, 'channel.recipient'],
      [400, 21614, 'channel.recipient'],
      [400, 63015, 'channel.recipient'],
      [403, 21408, 'channel.recipient'],
      [400, 21608, 'channel.recipient'],
      [400, 21212, 'channel.sender'],
      [400, 21606, 'channel.sender'],
      [400, 63007, 'channel.sender'],
      [403, 20003, 'channel.credentials'],
      [429, 20429, 'channel.rate_limited'],
      [429, 63018, 'channel.rate_limited'],
      [429, 63038, 'channel.daily_limit'],
      [400, 63038, 'channel.daily_limit'],
      [400, 21617, 'channel.rejected'],
      [400, 99999, 'channel.rejected'],
    ];
    for (const [status, code, expected] of refusals) {
      test(`${code} as ${expected}`, async () => {
        twilio.faults.push({ kind: 'status', status, code, message: `The number whatsapp:+${TO.address} is wrong` });
        await assert.rejects(send(), (error) => {
          assert.ok(isFailure(error));
          assert.deepEqual([error.code, error.providerCode], [expected, String(code)]);
          assert.doesNotMatch(error.message + error.cause, /15550100123|[A-Z]{2}[0-9a-f]{32}/);
          return true;
        });
      });
    }

    test('without a code by its status', async () => {
      for (const status of [429, 401, 404]) twilio.faults.push({ kind: 'status', status, body: '' });
      const codes = [];
      for (let i = 0; i < 3; i++) codes.push(await send().catch((error) => error.code));
      assert.deepEqual(codes, ['channel.rate_limited', 'channel.credentials', 'channel.rejected']);
    });
  });

  test('hides the credentials from whoever logs a failure', async () => {
    twilio.faults.push({ kind: 'reset' });
    await assert.rejects(send(), (error) => {
      assert.ok(isFailure(error) && error.cause instanceof Error);
      assert.deepEqual(
        Object.keys(error.cause).filter((key) => key !== 'name'),
        [],
      );
      return true;
    });
  });
});

test('responses of webhooks make messages in US1 alone', () => {
  const outside = ['https://api.ie1.twilio.com', 'https://api.dublin.ie1.twilio.com', 'https://api.au1.twilio.com'];
  const inside = ['https://api.twilio.com', 'https://api.ashburn.us1.twilio.com', 'https://api.us1.twilio.com'];
  for (const url of outside) assert.equal(isOutsideUs1(url), true, url);
  for (const url of [...inside, 'http://127.0.0.1:1', 'https://api.ie1.twilio.com.evil.example'])
    assert.equal(isOutsideUs1(url), false, url);
});

describe('the hosts', () => {
  const hosts: [apiBaseUrl: string, messaging: string][] = [
    ['https://api.twilio.com', 'https://messaging.twilio.com'],
    ['https://api.dublin.ie1.twilio.com', 'https://messaging.dublin.ie1.twilio.com'],
    ['https://api.au1.twilio.com', 'https://messaging.au1.twilio.com'],
    ['https://twilio.mock.team.svc.cluster.local/x', 'https://twilio.mock.team.svc.cluster.local/x'],
    ['https://api.eviltwilio.com', 'https://api.eviltwilio.com'],
  ];
  for (const [apiBaseUrl, messaging] of hosts) {
    test(`of ${apiBaseUrl}`, () => {
      assert.equal(productBaseUrl('messaging', apiBaseUrl), messaging);
      assert.equal(productBaseUrl('content', apiBaseUrl), messaging.replace('//messaging.', '//content.'));
    });
  }
});
