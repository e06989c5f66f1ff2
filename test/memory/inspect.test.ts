import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createMemoryInspector, type MemoryInspector } from '../../app/memory/inspect.ts';
import { createKeys } from '../../app/memory/keys.ts';
import { startTestRedis, type TestRedis } from '../support/redis.ts';

const ANA = '14155238886:15550100123';
const BEN = '14155238886:15550100145';

describe('the memory inspector', () => {
  const keys = createKeys(1);
  let redis: TestRedis;
  let inspector: MemoryInspector;

  before(async () => {
    redis = await startTestRedis();
    inspector = createMemoryInspector({ redis: redis.client(), keys });
  });
  after(() => redis.stop());

  async function remember(conversation: string) {
    const key = keys.of(conversation);
    const client = redis.client();
    await client.rpush(key.history, JSON.stringify({ role: 'user', text: 'hello' }), 'not JSON');
    await client.hset(key.state, 'summary', 'short', 'version', '2');
    await client.zadd(key.seen, 7, 'SM1');
    await client.set(key.lease, 'turn', 'PX', 60_000);
    await client.zadd(key.due, 1, conversation);
  }

  it('shows every key of a conversation as it is', async () => {
    await remember(ANA);
    const { keys: found } = await inspector.memoryOf(ANA);
    const byName = Object.fromEntries(found.map((key) => [key.name, key]));
    assert.deepEqual(Object.keys(byName).sort(), ['history', 'lease', 'seen', 'state']);
    assert.deepEqual(byName.history?.value, [{ role: 'user', text: 'hello' }, 'not JSON']);
    assert.deepEqual(byName.state?.value, { summary: 'short', version: '2' });
    assert.deepEqual(byName.seen?.value, { SM1: 7 });
    assert.equal(byName.lease?.value, 'turn');
    assert.equal(byName.history?.ttlMs, null);
    assert.ok((byName.lease?.ttlMs ?? 0) > 50_000);
  });

  it('is empty for somebody who never wrote', async () => {
    assert.deepEqual(await inspector.memoryOf('14155238886:15550100199'), { keys: [] });
  });

  it('forgets one conversation and leaves the others, and what belongs to all', async () => {
    await Promise.all([remember(ANA), remember(BEN)]);
    await redis.client().xadd(keys.of(ANA).events, '*', 'event', '{}');
    await redis.client().zadd(keys.of(ANA).processes, 1, 'process');
    await redis.client().hset(keys.of(ANA).texts, 'text', 1);
    await inspector.forget(ANA);
    assert.deepEqual(await inspector.memoryOf(ANA), { keys: [] });
    assert.equal((await inspector.memoryOf(BEN)).keys.length, 4);
    assert.deepEqual(await redis.client().zrange(keys.of(ANA).due, 0, '-1'), [BEN]);
    assert.equal(await redis.client().xlen(keys.of(ANA).events), 1);
    assert.equal(await redis.client().exists(keys.of(ANA).processes, keys.of(ANA).texts), 2);
  });

  it('says so when the store cannot be asked', async () => {
    const gone = await startTestRedis();
    const client = gone.client();
    await client.ping();
    const asks = createMemoryInspector({ redis: client, keys });
    await gone.stop();
    await assert.rejects(asks.memoryOf(ANA), { code: 'store.unavailable' });
    await assert.rejects(asks.forget(ANA), { code: 'store.unavailable' });
  });
});
