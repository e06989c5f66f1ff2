import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { type ChannelUnderTest, channelContract } from '../../contracts/channel.ts';
import { type Bot, type Doubles, eventually, startBot, startDoubles } from '../../support/bot.ts';
import { buildCourier, createCourierChannel } from './channel.ts';
import { type CourierProvider, SECRET, startCourierProvider } from './provider.ts';

channelContract(
  'A channel for tests',
  async (timeoutMs): Promise<ChannelUnderTest> => {
    const provider = await startCourierProvider();
    return {
      channel: createCourierChannel(provider.url, SECRET, timeoutMs),
      to: { business: 'shop', address: 'ana@courier' },
      messageId: 'm-1',
      stored: () =>
        provider.messages.map(({ business, address, text, id }) => ({ business, contact: address, text, id })),
      backdate(at) {
        const latest = provider.messages.at(-1);
        if (latest) latest.at = at;
      },
      typing: () => provider.typing,
      fail: (fault) => provider.faults.push(fault),
      knownCode: 'E-LOST',
      ref: 'file-1',
      stopProvider: () => provider.close(),
      close: () => provider.close(),
    };
  },
  'list',
  false,
);

describe('a conversation through a channel for tests', () => {
  let doubles: Doubles;
  let provider: CourierProvider;
  let bot: Bot;

  before(async () => {
    doubles = await startDoubles();
    provider = await startCourierProvider();
    bot = await startBot(doubles, {}, [buildCourier(provider.url, SECRET)]);
  });
  beforeEach(() => {
    provider.messages.length = 0;
  });
  after(async () => {
    await bot.stop();
    await provider.close();
    await doubles.stop();
  });

  async function say(text: string, overrides: Record<string, unknown> = {}, secret = SECRET): Promise<number> {
    const form = { id: `c-${Math.random()}`, to: 'shop: north', from: 'ana@{courier}', text, ...overrides };
    const response = await fetch(`${bot.url}/courier`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'X-Courier-Secret': secret },
      body: JSON.stringify(form),
    });
    return response.status;
  }
  const answers = () => provider.messages.map(({ business, address, text }) => [business, address, text]);

  test('is answered from the address that was written to, whatever characters the addresses have', async () => {
    assert.equal(await say('hello'), 204);
    await eventually('it is answered', () => provider.messages.length === 1);
    assert.deepEqual(answers(), [['shop: north', 'ana@{courier}', 'You said: hello']]);
    assert.deepEqual(provider.typing.length, 1);
  });

  test('is remembered across numbers of ours and channels: it is the same person', async () => {
    await say('my name is Ana', { from: '15550100101', to: 'shop' });
    await eventually('it is answered', () => provider.messages.length === 1);
    doubles.model.requests.length = 0;
    assert.deepEqual((await bot.say('15550100101', 'what is my name?')).texts, ['You said: what is my name?']);
    assert.match(JSON.stringify(doubles.model.requests[0]?.chat.messages), /my name is Ana/);
  });

  test('is split at the limit of the channel, and an answer that may have been sent is not sent twice', async () => {
    provider.faults.push('server-error-after-sending');
    const text = 'words '.repeat(120).trim();
    await say(text, { from: 'ben' });
    await eventually('it is answered', () => provider.messages.length >= 2);
    await eventually('the turn is over', async () => (await doubles.redis.client().keys('*:lease')).length === 0);
    const parts = provider.messages.map((one) => one.text);
    assert.equal(parts.join(' '), `You said: ${text}`);
    assert.ok(parts.every((part) => part.length <= 500));
  });

  test('is refused without the secret, and when it cannot be read', async () => {
    assert.equal(await say('hello', {}, 'another'), 403);
    assert.equal(await say('hello', { from: '' }), 400);
    assert.deepEqual(answers(), []);
  });
});
