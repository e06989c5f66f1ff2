/** Stores of other versions: an older one is recognised and left alone, one of a version that is supported is read. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { sql } from 'kysely';
import { createDatabase, type Database } from '../app/archive/engine/database.ts';
import { warnOfFormerArchive } from '../app/embedded/former-archive.ts';
import { createFormat, FORMAT } from '../app/memory/format.ts';
import { createKeys } from '../app/memory/keys.ts';
import { createRedis } from '../app/memory/redis.ts';
import { createLogger } from '../app/ops/logger.ts';
import { type Doubles, eventually, startBot, startDoubles } from './support/bot.ts';
import { createTestDatabase } from './support/postgres.ts';
import { loadArchive, loadRedis, recordedArchive, recordedRedis, recordedSchema } from './support/stores.ts';

const quiet = createLogger({ level: 'error', format: 'json', write: () => {} });
const API_KEY = 'a-key-of-a-test-0123456789abcdef';

let doubles: Doubles;
before(async () => {
  doubles = await startDoubles();
});
beforeEach(() => doubles.redis.client().flushall());
after(() => doubles.stop());

describe('a Redis', () => {
  async function check(shards = 1): Promise<void> {
    const redis = createRedis({ kind: 'url', url: doubles.redis.url }, quiet);
    await redis.connect();
    await createFormat({ redis, keys: createKeys(shards) })
      .check('simulator')
      .finally(() => redis.disconnect());
  }

  test('that is new gets the format and the number of shards', async () => {
    await check(4);
    assert.deepEqual(await doubles.redis.client().hgetall('recado:format'), { format: String(FORMAT), shards: '4' });
    await check(4);
  });

  test('of version 0.1 is refused, and left as it was', async () => {
    await loadRedis(doubles.redis.client(), recordedRedis('0.1'));
    const before = (await doubles.redis.client().keys('*')).sort();
    await assert.rejects(startBot(doubles), { code: 'store.format', message: /0\.1.*Nothing was changed/ });
    assert.deepEqual((await doubles.redis.client().keys('*')).sort(), before);
  });

  test('of a newer version, or with other shards, is refused, and says what to do', async () => {
    await doubles.redis.client().hset('recado:format', { format: String(FORMAT + 1), shards: '1' });
    await assert.rejects(check(), { code: 'store.format', message: /newer Recado/ });
    await doubles.redis.client().hset('recado:format', { format: String(FORMAT), shards: '32' });
    await assert.rejects(check(), { code: 'store.format', message: /REDIS_SHARDS=32/ });
  });

  test('where a provider was used is refused to the simulator, which would take the place of real people', async () => {
    const asked = async (provider: 'real' | 'simulator') => {
      const redis = createRedis({ kind: 'url', url: doubles.redis.url }, quiet);
      await redis.connect();
      const format = createFormat({ redis, keys: createKeys(1) });
      await format.check(provider).finally(() => redis.disconnect());
    };
    await asked('simulator');
    await asked('simulator');
    await asked('real');
    await assert.rejects(asked('simulator'), { code: 'store.format', message: /Is the \.env file missing\?/ });
    await asked('real');
  });

  test('that lost its data while we ran is taken as new', async () => {
    const bot = await startBot(doubles);
    await doubles.redis.client().flushall();
    await bot.say('15550100101', 'hello');
    await eventually('the turn is over', async () => (await doubles.redis.client().keys('*:lease')).length === 0);
    await bot.stop();
    await check();
  });
});

test('an embedded archive of up to 0.2.0 is left alone, and the log says how to keep what it holds', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'recado-stores-'));
  const logs: string[] = [];
  const log = createLogger({ level: 'warn', format: 'json', write: (line) => logs.push(line) });
  await warnOfFormerArchive(dataDir, log);
  assert.deepEqual(logs, []);
  const version = join(dataDir, 'archive', 'data', 'PG_VERSION');
  mkdirSync(dirname(version), { recursive: true });
  writeFileSync(version, '17\n');
  await warnOfFormerArchive(dataDir, log);
  assert.match(logs.join(), /npm run move-archive/);
  assert.equal(readFileSync(version, 'utf8'), '17\n');
  rmSync(dataDir, { recursive: true });
});

describe('with PostgreSQL', () => {
  async function open(): Promise<{ url: string; database: Database }> {
    const url = await createTestDatabase();
    return { url, database: createDatabase({ url, log: quiet }) };
  }

  test('an archive of version 0.1 is refused, and left as it was', async () => {
    const { url, database } = await open();
    await database.run((db) => sql.raw(recordedSchema('0.1')).execute(db));
    const refused = { code: 'archive.format', message: /0\.1.*Nothing was changed/ };
    await assert.rejects(database.checkFormat(), refused);
    await assert.rejects(database.migrate(), refused);
    await assert.rejects(startBot(doubles, { DATABASE_URL: url }), refused);
    const { rows } = await database.run((db) =>
      sql<{ name: string }>`select contact_name as name from whatsapp_conversations`.execute(db),
    );
    assert.deepEqual(rows, [{ name: 'Ana' }]);
    await database.close();
  });

  test('an archive of a newer version is refused', async () => {
    const { database } = await open();
    await database.migrate();
    await database.run((db) => sql`insert into kysely_migration values ('9999-later', '2030')`.execute(db));
    await assert.rejects(database.checkFormat(), { code: 'archive.format', message: /newer Recado/ });
    await database.close();
  });

  test('what version 0.2.0 left is read: memory, block, takeover, messages, tasks', async () => {
    const { url, database } = await open();
    await loadArchive(database, recordedSchema('0.2.0'), recordedArchive('0.2.0'));
    await database.close();
    await loadRedis(doubles.redis.client(), recordedRedis('0.2.0'));
    doubles.model.requests.length = 0;
    const bot = await startBot(doubles, { DATABASE_URL: url, API_KEYS: API_KEY });
    // biome-ignore lint/suspicious/noExplicitAny: the answers of the API are JSON of any shape
    const ask = async (path: string): Promise<any> =>
      (await fetch(`${bot.url}/api/whatsapp/${path}`, { headers: { 'x-api-key': API_KEY } })).json();
    try {
      const { texts } = await bot.tell('15550100101', 'What is my name?');
      assert.equal(texts.length, 1);
      const shown = JSON.stringify(doubles.model.requests.at(-1)?.chat.messages);
      assert.match(shown, /My name is Ana\./);
      assert.match(shown, /And to your other number\./);
      assert.deepEqual((await bot.tell('15550100102', 'Buy more!')).texts, [], 'blocked');
      assert.deepEqual((await bot.tell('15550100103', 'Is a person there?')).texts, [], 'taken over');

      await eventually('it is recorded', async () => {
        const { messages = [] } = await ask('conversation/15550100103');
        return messages[0]?.message_body === 'Is a person there?';
      });
      const { conversations } = await ask('conversations');
      assert.equal(conversations.length, 5, 'one person wrote to two numbers');
      const { messages } = await ask('conversation/15550100104');
      assert.match(messages[0].message_body, /^\*Bold\* words/);
      const { tasks } = await ask('tasks');
      assert.deepEqual(
        tasks.map(({ title, phone_number }: { title: string; phone_number: string }) => [title, phone_number]),
        [['Call Cleo', '+15550100103']],
      );
    } finally {
      await bot.stop();
    }
  });
});
