import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { type EmbeddedRedis, startEmbeddedRedis } from '../../app/embedded/redis.ts';
import { isFailure } from '../../app/errors.ts';
import { createLogger } from '../../app/ops/logger.ts';

const root = mkdtempSync(join(tmpdir(), 'recado-test-'));
after(() => rmSync(root, { recursive: true, force: true }));

let dataDir: string;
let lines: string[];
const started: EmbeddedRedis[] = [];
const bots: ChildProcess[] = [];
const redisPids: number[] = [];

beforeEach(() => {
  dataDir = mkdtempSync(join(root, 'data-'));
  lines = [];
});

afterEach(async () => {
  for (const bot of bots.splice(0)) bot.kill('SIGKILL');
  for (const redis of started.splice(0)) await redis.stop();
  for (const pid of redisPids.splice(0)) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
});

describe('the private Redis', () => {
  test('keeps its data over stop and start', async () => {
    const first = await start();
    await withClient(first.path, (client) => client.set('greeting', 'hello'));
    await first.stop();
    const second = await start();
    assert.equal(await withClient(second.path, (client) => client.get('greeting')), 'hello');
  });

  test('starts after a power cut that left zeros at the end of its file, with all that was whole, and keeps a copy', async () => {
    const first = await start();
    await withClient(first.path, async (client) => {
      for (let i = 0; i < 50; i++) await client.set(`key ${i}`, 'x'.repeat(100));
    });
    await first.stop();
    const folder = join(dataDir, 'redis', 'appendonlydir');
    const file = readdirSync(folder).find((name) => name.endsWith('.incr.aof')) ?? '';
    const whole = statSync(join(folder, file)).size;
    // Half a command, then zeros over more than one block.
    appendFileSync(join(folder, file), Buffer.concat([Buffer.from('*3\r\n$3\r\nSET\r\n$1'), Buffer.alloc(100_000)]));
    const second = await start();
    assert.equal(await withClient(second.path, (client) => client.dbsize()), 50);
    const copy = readdirSync(folder).find((name) => name.includes('.before-repair-')) ?? '';
    assert.ok(statSync(join(folder, copy)).size > whole + 100_000, 'the file as it was');
    assert.match(lines.join('\n'), /ended in zeros[^\n]*zeros=100000/);
  });

  test('is for this user alone, has no port, and forgets nothing to make room', async () => {
    const redis = await start();
    const settings = await withClient(redis.path, async (client) => {
      await client.set('a', '1');
      const names = ['port', 'appendonly', 'appendfsync', 'maxmemory-policy', 'save'];
      return Promise.all(names.map(async (name) => (await client.config('GET', name)) as string[]));
    });
    assert.deepEqual(
      settings.map(([, value]) => value),
      ['0', 'yes', 'everysec', 'noeviction', ''],
    );
    assert.equal(statSync(join(dataDir, 'redis')).mode & 0o777, 0o700);
    assert.equal(statSync(redis.path).mode & 0o077, 0);
  });

  test('leaves neither a process nor a socket behind', async () => {
    const redis = await start();
    const pid = await pidOf(redis.path);
    await redis.stop();
    assert.equal(isAlive(pid), false);
    assert.deepEqual(
      readdirSync(join(dataDir, 'redis')).filter((name) => !name.startsWith('appendonly')),
      [],
    );
  });

  test('may be stopped twice', async () => {
    const redis = await start();
    await Promise.all([redis.stop(), redis.stop()]);
    await redis.stop();
    assert.equal(await withClient(redis.path, (client) => client.ping()).catch(() => 'gone'), 'gone');
  });

  test('is started again when it dies, at the same place and with its data', async () => {
    const redis = await start();
    const pid = await pidOf(redis.path);
    await withClient(redis.path, (client) => client.set('greeting', 'hello'));
    process.kill(pid, 'SIGKILL');
    assert.equal(await eventually(() => withClient(redis.path, (client) => client.get('greeting'))), 'hello');
    assert.notEqual(await pidOf(redis.path), pid);
    assert.match(lines.join('\n'), /ended unexpectedly; starting it again.*SIGKILL/);
  });

  test('finds another place for its socket when the folder has too long a name, and cleans it up', async () => {
    dataDir = join(dataDir, 'a-folder-with-a-long-name-'.repeat(5));
    mkdirSync(dataDir);
    const first = await start();
    assert.ok(Buffer.byteLength(first.path) < 104, first.path);
    await withClient(first.path, (client) => client.set('greeting', 'hello'));
    await assert.rejects(start(), /Another Recado/);
    await first.stop();
    assert.throws(() => statSync(join(first.path, '..')), { code: 'ENOENT' });
    const second = await start();
    assert.equal(await withClient(second.path, (client) => client.get('greeting')), 'hello');
  });
});

describe('a second bot', () => {
  test('is refused the folder of one that runs, and told what to do', async () => {
    await startBot();
    await assert.rejects(start(), (error) => {
      assert.ok(isFailure(error) && error.code === 'store.unavailable');
      assert.match(error.message, new RegExp(`process ${bots[0]?.pid}\\).*Stop it.*DATA_DIR.*REDIS_URL`));
      return true;
    });
  });

  test('does not disturb the first', async () => {
    const first = await start();
    await assert.rejects(start(), /Another Recado/);
    assert.equal(await withClient(first.path, (client) => client.ping()), 'PONG');
  });

  test('gets it when both start at once over what a killed one left: exactly one of them', async () => {
    const bot = await startBot();
    await kill(bot);
    const outcomes = await Promise.allSettled([start(), start(), start()]);
    assert.deepEqual(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected', 'rejected']);
  });
});

describe('after a bot was killed', () => {
  test('the Redis it left is shut down, its data stay, and a new one starts', async () => {
    const bot = await startBot();
    const path = join(dataDir, 'redis', 'redis.sock');
    const orphan = await pidOf(path);
    await withClient(path, (client) => client.set('greeting', 'hello'));
    await kill(bot);
    assert.equal(isAlive(orphan), true);

    const redis = await start();
    assert.equal(await withClient(redis.path, (client) => client.get('greeting')), 'hello');
    assert.notEqual(await pidOf(redis.path), orphan);
    assert.equal(await eventually(() => (isAlive(orphan) ? null : 'gone')), 'gone');
    assert.match(lines.join('\n'), /left from a run that was killed/);
  });

  test('a start works also when its Redis is gone, too', async () => {
    const bot = await startBot();
    const orphan = await pidOf(join(dataDir, 'redis', 'redis.sock'));
    await kill(bot);
    process.kill(orphan, 'SIGKILL');
    const redis = await start();
    assert.equal(await withClient(redis.path, (client) => client.ping()), 'PONG');
  });

  test('a long folder name leads to the same orphan', async () => {
    dataDir = join(dataDir, 'a-folder-with-a-long-name-'.repeat(5));
    const bot = await startBot();
    await kill(bot);
    const redis = await start();
    assert.match(lines.join('\n'), /left from a run that was killed/);
    assert.equal(await withClient(redis.path, (client) => client.ping()), 'PONG');
  });
});

describe('a bot', () => {
  test('that ends without stopping its Redis takes it along', async () => {
    const bot = await startBot();
    const pid = await pidOf(join(dataDir, 'redis', 'redis.sock'));
    bot.stdin?.end(); // it calls process.exit
    await once(bot, 'exit');
    assert.equal(await eventually(() => (isAlive(pid) ? null : 'gone')), 'gone');
  });

  test('has its Redis in another process group, so that Ctrl-C does not reach it', async () => {
    const bot = await startBot({ detached: true });
    assert.ok(bot.pid);
    const path = join(dataDir, 'redis', 'redis.sock');
    const pid = await pidOf(path);
    process.kill(-bot.pid, 'SIGINT'); // what a terminal does: to the whole group
    await once(bot, 'exit');
    assert.equal(isAlive(pid), true);
  });
});

describe('when it cannot start', () => {
  test('says what to install when there is no server', async () => {
    const path = process.env.PATH;
    process.env.PATH = dataDir;
    try {
      await assert.rejects(start(), /neither redis-server nor valkey-server is installed. Install one .*REDIS_URL/);
    } finally {
      process.env.PATH = path;
    }
  });

  test('says what is wrong with its data, and lets the folder go', async () => {
    mkdirSync(join(dataDir, 'redis', 'appendonlydir'), { recursive: true });
    const manifest = join(dataDir, 'redis', 'appendonlydir', 'appendonly.aof.manifest');
    writeFileSync(manifest, 'this is no manifest\n');
    await assert.rejects(start(), (error) => {
      assert.ok(isFailure(error) && error.code === 'store.unavailable');
      assert.match(error.message, /does not start: exit code 1; last words: .*manifest/i);
      return true;
    });
    rmSync(manifest);
    const redis = await start();
    assert.equal(await withClient(redis.path, (client) => client.ping()), 'PONG');
  });

  test('leaves a Redis of an earlier run alone that cannot be ended, and tells where it is', {
    timeout: 600_000,
  }, async () => {
    const bot = await startBot();
    const path = join(dataDir, 'redis', 'redis.sock');
    const orphan = await pidOf(path);
    await kill(bot);
    process.kill(orphan, 'SIGSTOP');
    try {
      await assert.rejects(start(), /does not end\. End the redis-server that listens on .*redis\.sock/);
    } finally {
      process.kill(orphan, 'SIGCONT');
    }
    const redis = await start();
    assert.equal(await withClient(redis.path, (client) => client.ping()), 'PONG');
  });

  test('says so when the folder cannot be made', async () => {
    writeFileSync(join(dataDir, 'redis'), 'a file is in the way');
    await assert.rejects(start(), /redis cannot be used \(EEXIST\)\. Set DATA_DIR/);
  });
});

async function start(): Promise<EmbeddedRedis> {
  const log = createLogger({ level: 'debug', format: 'text', write: (line) => lines.push(line) });
  const redis = await startEmbeddedRedis({ dataDir, log });
  started.push(redis);
  redisPids.push(await pidOf(redis.path));
  return redis;
}

/** Another process with a private Redis in `dataDir`. It ends, without stopping it, when its standard input ends. */
async function startBot({ detached = false } = {}): Promise<ChildProcess> {
  const source = `
    import { startEmbeddedRedis } from ${JSON.stringify(new URL('../../app/embedded/redis.ts', import.meta.url).href)};
    const log = { debug() {}, info() {}, warn() {}, error() {}, child: () => log };
    const { path } = await startEmbeddedRedis({ dataDir: ${JSON.stringify(dataDir)}, log });
    console.log(path);
    process.stdin.on('end', () => process.exit(0)).resume();
  `;
  const bot = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', source], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    stdio: ['pipe', 'pipe', 'inherit'],
    detached,
  });
  bots.push(bot);
  const [path] = await once(bot.stdout, 'data');
  redisPids.push(await pidOf(String(path).trim()));
  return bot;
}

async function kill(bot: ChildProcess): Promise<void> {
  const exited = once(bot, 'exit');
  bot.kill('SIGKILL');
  await exited;
}

async function withClient<Result>(path: string, use: (client: Redis) => Promise<Result>): Promise<Result> {
  const client = new Redis(path, { lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0 });
  client.on('error', () => {});
  try {
    await client.connect();
    return await use(client);
  } finally {
    client.disconnect();
  }
}

async function pidOf(path: string): Promise<number> {
  const info = await withClient(path, (client) => client.info('server'));
  return Number(/process_id:(\d+)/.exec(info)?.[1]);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Tries until it gets something, at most a minute. */
async function eventually<Result>(attempt: () => Promise<Result | null> | Result | null): Promise<Result> {
  for (const deadline = Date.now() + 60_000; ; await sleep(20)) {
    try {
      const result = await attempt();
      if (result !== null) return result;
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
    if (Date.now() > deadline) throw new Error('it never happened');
  }
}
