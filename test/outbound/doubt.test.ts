/** A message that may have been sent: it is looked up before it is sent again, and nobody takes it for one that was not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Channel } from '../../app/channels/channel.ts';
import { createChannels } from '../../app/channels/channels.ts';
import { Failure, type FailureCode } from '../../app/errors.ts';
import { conversationId, type Reply } from '../../app/message.ts';
import { createLogger } from '../../app/ops/logger.ts';
import { createDeliver } from '../../app/outbound/deliver.ts';
import { scrub } from '../../app/privacy/scrub.ts';

const log = createLogger({ level: 'error', format: 'json', write: () => {} });
const NOW = 1_790_000_000_000;
const SITUATION = { blocked: false, optedOutAt: 0, takeoverUntil: 0, lastInboundAt: NOW - 1_000 };

/** @param sends what each try comes to, in order  @param looks likewise of each look into the provider's list */
async function deliver(sends: (FailureCode | 'sent')[], looks: (FailureCode | 'found' | 'none')[]) {
  const fail = (code: FailureCode) => Promise.reject(new Failure(code, 'as the test wants it'));
  let sent = 0;
  const channel: Channel = {
    name: 'test',
    limits: { textLength: 1_000 },
    async send() {
      sent++;
      const outcome = sends.shift() ?? assert.fail('it was sent too often');
      return outcome === 'sent' ? 'sid-1' : fail(outcome);
    },
    async findSent() {
      const found = looks.shift() ?? assert.fail('it was looked up too often');
      if (found === 'found') return ['sid-0'];
      return found === 'none' ? [] : fail(found);
    },
    typing: async () => {},
    explain: () => null,
    download: () => assert.fail('nothing is fetched'),
  };
  const reply: Reply = {
    id: 'reply-1',
    conversation: conversationId({ channel: 'test', business: 'shop', contact: '15550100101' }),
    to: '15550100101',
    parts: [scrub('hello')],
    via: 'call',
    at: NOW,
  };
  const run = createDeliver({
    channels: createChannels([channel]),
    now: () => NOW,
    settleMs: 1,
    retryWaitsMs: [1, 1, 1],
  });
  const look = async () => SITUATION;
  const delivered = await run({
    reply,
    author: 'person',
    situation: SITUATION,
    look,
    response: null,
    history: [],
    log,
  });
  return { delivered, sent };
}

test('found in the list, it is not sent again', async () => {
  const { delivered, sent } = await deliver(['channel.ambiguous'], ['found']);
  assert.deepEqual([delivered, sent], [{ kind: 'sent', sids: ['sid-0'] }, 1]);
});

test('missing in the list, it is sent again', async () => {
  const { delivered, sent } = await deliver(['channel.ambiguous', 'sent'], ['none']);
  assert.deepEqual([delivered, sent], [{ kind: 'sent', sids: ['sid-1'] }, 2]);
});

for (const away of ['channel.unreachable', 'channel.rate_limited', 'channel.credentials'] as const) {
  test(`while the list cannot be asked (${away}) it stays in doubt, and is not sent again`, async () => {
    const { delivered, sent } = await deliver(['channel.ambiguous'], [away, away, away]);
    assert.ok(delivered.kind === 'failed');
    assert.deepEqual([delivered.code, sent], ['channel.ambiguous', 1]);
  });
}

test('what was certainly not sent is no doubt', async () => {
  const { delivered } = await deliver(Array(4).fill('channel.unreachable'), []);
  assert.ok(delivered.kind === 'failed');
  assert.equal(delivered.code, 'channel.unreachable');
});
