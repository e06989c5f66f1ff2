import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLatePrices, type SentMessage } from '../../app/costs/late-prices.ts';
import { Failure } from '../../app/errors.ts';
import type { DeliveryStatus } from '../../app/message.ts';
import { createLogger } from '../../app/ops/logger.ts';

function collector(due: SentMessage[], statusOf: (message: SentMessage) => Promise<DeliveryStatus | null>) {
  const reported: DeliveryStatus[] = [];
  const logs: string[] = [];
  const prices = createLatePrices({
    take: async (most) => due.splice(0, most),
    statusOf,
    report: async (status) => void reported.push(status),
    log: createLogger({ level: 'debug', format: 'json', write: (line) => void logs.push(line) }),
  });
  return { prices, reported, logs };
}

const message = (sid: string): SentMessage => ({ channel: 'twilio', sid });
const status = (sid: string): DeliveryStatus => ({
  channel: 'twilio',
  sid,
  state: 'delivered',
  business: '14155238886',
  to: '15550100123',
});
const pricing = { cost: { billionths: 5_000_000, currency: 'USD' } };

test('reports what the provider says a message costs, and nothing while it does not know that', async () => {
  const said = new Map([
    ['SM1', { ...status('SM1'), pricing }],
    ['SM2', status('SM2')],
  ]);
  const due = ['SM1', 'SM2', 'SM3'].map(message);
  const { prices, reported } = collector(due, async ({ sid }) => said.get(sid) ?? null);
  assert.equal(await prices.look(), 3);
  assert.deepEqual(reported, [{ ...status('SM1'), pricing }]);
});

test('goes on behind a message that cannot be asked for, and says so once', async () => {
  const due = ['SM1', 'SM2', 'SM3'].map(message);
  const { prices, reported, logs } = collector(due, async ({ sid }) => {
    if (sid !== 'SM1') throw new Failure('channel.rejected', 'There is no such message.');
    return { ...status(sid), pricing };
  });
  await prices.look();
  assert.deepEqual(
    reported.map(({ sid }) => sid),
    ['SM1'],
  );
  assert.equal(logs.length, 1);
});

test('asks again and again until it is stopped', async () => {
  const due = Array.from({ length: 250 }, (_, i) => message(`SM${i}`));
  const { prices, reported } = collector(due, async ({ sid }) => ({ ...status(sid), pricing }));
  prices.start();
  while (due.length > 0) await new Promise(setImmediate);
  await prices.stop();
  assert.equal(reported.length, 250);
});
