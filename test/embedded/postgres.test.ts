import assert from 'node:assert/strict';
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chownSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, afterEach, beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { createEmbeddedPostgres, type EmbeddedPostgres, isReady } from '../../app/embedded/postgres.ts';
import { findServer, packaged } from '../../app/embedded/postgres-programs.ts';
import { createLogger } from '../../app/ops/logger.ts';
import { argumentsFor } from '../support/program.ts';

const root = mkdtempSync(join(tmpdir(), 'recado-test-'));
after(() => rmSync(root, { recursive: true, force: true }));

let dataDir: string;
let lines: string[];
const started: EmbeddedPostgres[] = [];
const holders: ChildProcess[] = [];

beforeEach(() => {
  dataDir = mkdtempSync(join(root, 'data-'));
  lines = [];
});

afterEach(async () => {
  for (const holder of holders.splice(0)) holder.kill('SIGKILL');
  for (const postgres of started.splice(0)) await postgres.stop();
  const left = serverPid();
  if (left > 0 && isAlive(left)) process.kill(left, 'SIGQUIT'); // one that a holder left behind
});

describe('the private PostgreSQL', () => {
  test('keeps its data over stop and start, is for this user alone, has no port, and leaves nothing behind', async () => {
    const postgres = await start();
    await ask(postgres.url, 'create table greetings (text text)');
    await ask(postgres.url, "insert into greetings values ('hello')");
    const [settings] = await ask(
      postgres.url,
      "select current_setting('listen_addresses') as port, current_setting('fsync') as fsync, current_setting('synchronous_commit') as waits",
    );
    assert.deepEqual(settings, { port: '', fsync: 'on', waits: 'on' });
    assert.equal(statSync(join(dataDir, 'postgres')).mode & 0o777, 0o700);
    const pid = serverPid();
    await Promise.all([postgres.stop(), postgres.stop()]);
    assert.equal(isAlive(pid), false);
    assert.deepEqual(readdirSync(join(dataDir, 'postgres')), ['data']);
    assert.ok(!readdirSync(join(dataDir, 'postgres', 'data')).some((name) => /PGSQL|\.pid$/.test(name)));

    await postgres.start();
    assert.deepEqual(await ask(postgres.url, 'select text from greetings'), [{ text: 'hello' }]);
  });

  test('killed in the middle of writing, it starts again with everything it had acknowledged', async () => {
    const postgres = await start();
    await ask(postgres.url, 'create table numbers (n int)');
    const client = await connect(postgres.url);
    let acknowledged = 0;
    const writing = (async () => {
      for (;;) {
        await client.query('insert into numbers values ($1)', [acknowledged + 1]);
        acknowledged++;
      }
    })().catch(() => {});
    while (acknowledged < 50) await sleep(1);
    process.kill(serverPid(), 'SIGKILL');
    await writing;
    const [row] = await eventually(() =>
      ask(postgres.url, 'select count(*)::int as count, max(n) as last from numbers'),
    );
    assert.ok(
      row?.count === row?.last && Number(row?.last) >= acknowledged,
      `${JSON.stringify(row)} of ${acknowledged}`,
    );
    assert.match(lines.join('\n'), /private PostgreSQL ended unexpectedly; starting it again.*SIGKILL/);
  });

  test('one that a killed process left behind is shut down, and its data are there', async () => {
    const { holder, url } = await hold();
    await ask(url, "create table greetings as select 'hello' as text");
    const pid = serverPid();
    const ended = once(holder, 'exit');
    holder.kill('SIGKILL');
    await ended;
    assert.ok(isAlive(pid), 'it did not notice');
    const postgres = await start();
    assert.ok(!isAlive(pid));
    assert.deepEqual(await ask(postgres.url, 'select text from greetings'), [{ text: 'hello' }]);
    assert.match(lines.join('\n'), /left from a run that was killed/);
  });

  test('belongs to one process at a time', async () => {
    const { holder } = await hold();
    await assert.rejects(start(), {
      code: 'archive.unavailable',
      message: new RegExp(`process ${holder.pid}\\).*DATA_DIR.*DATABASE_URL`),
    });
    const ended = once(holder, 'exit');
    holder.kill('SIGTERM');
    await ended;
    await start();
  });

  test('stops also while it is starting', async () => {
    const postgres = await start({ wait: false });
    const starting = postgres.start();
    await postgres.stop();
    await starting;
    assert.equal(readdirSync(join(dataDir, 'postgres')).join(), 'data');
  });

  test('begins again with files that were not finished', async () => {
    const unfinished = join(dataDir, 'postgres', 'data.new', 'base');
    mkdirSync(unfinished, { recursive: true });
    writeFileSync(join(unfinished, '1'), 'half');
    const postgres = await start();
    assert.equal((await ask(postgres.url, 'select 1 as one')).length, 1);
    assert.equal(readdirSync(join(dataDir, 'postgres')).includes('data.new'), false);
  });

  test('reads files that were copied by somebody else', {
    skip: process.getuid?.() !== 0 && 'nobody else may',
  }, async () => {
    const first = await start();
    await ask(first.url, "create table greetings as select 'hello' as text");
    await first.stop();
    for (const name of ['', ...readdirSync(join(dataDir, 'postgres'), { recursive: true })])
      lchownSync(join(dataDir, 'postgres', String(name)), 0, 0);
    const second = await start();
    assert.deepEqual(await ask(second.url, 'select text from greetings'), [{ text: 'hello' }]);
  });

  test('works in a folder whose name is too long for sockets', async () => {
    dataDir = join(dataDir, 'a-folder-with-a-long-name-'.repeat(5));
    mkdirSync(dataDir);
    const postgres = await start();
    assert.equal((await ask(postgres.url, 'select 1 as one')).length, 1);
    await postgres.stop();
    assert.equal(readdirSync(join(dataDir, 'postgres')).join(), 'data');
  });

  test('knows capitals and accents of every script', async () => {
    const postgres = await start();
    const [row] = await ask(postgres.url, "select lower('ÀÉÜ ПРИВЕТ ΚΑΛΗΜΈΡΑ') as text");
    assert.deepEqual(row, { text: 'àéü привет καλημέρα' });
  });

  test('runs from the package when the system has none', async () => {
    const postgres = await start({ find: async () => (await packaged())[0] ?? assert.fail('npm ci installs it') });
    const [row] = await ask(postgres.url, 'show server_version');
    assert.match(String(row?.server_version), /^18\./);
    assert.equal((await ask(postgres.url, 'create extension pg_trgm')).length, 0);
    await postgres.stop();
    assert.match(readFileSync(join(dataDir, 'postgres', 'data', 'PG_VERSION'), 'utf8'), /^18/);
    await start(); // of several that are installed, the one that made the files
  });

  test('is ready when it takes connections, also one of the system, which has a socket there alone', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(join(dataDir, '.s.PGSQL.5432'), resolve));
    assert.equal(await isReady(dataDir), true);
    writeFileSync(join(dataDir, 'postmaster.pid'), ['1', '', '', '', '', '', '', 'starting'].join('\n'));
    assert.equal(await isReady(dataDir), false);
    writeFileSync(join(dataDir, 'postmaster.pid'), ['1', '', '', '', '', '', '', 'ready   '].join('\n'));
    assert.equal(await isReady(dataDir), true);
    await new Promise((resolve) => server.close(resolve));
    assert.equal(await isReady(dataDir), false, 'killed, it has left its file behind');
  });

  test('says which version is missing', async () => {
    await assert.rejects(findServer(99), {
      code: 'archive.unavailable',
      message: /made by PostgreSQL 99.*installed here is: \d/,
    });
  });

  test('says what to do when its folder cannot be used', async () => {
    writeFileSync(join(dataDir, 'postgres'), 'a file');
    await assert.rejects(start(), { message: /postgres cannot be used \(EEXIST\)\. Set DATA_DIR/ });
  });

  test('runs for an ordinary user, too', { skip: process.getuid?.() !== 0 && 'all of these tests did' }, async () => {
    const nobody = 65_534;
    for (let folder = root; folder !== dirname(root); folder = dirname(folder)) chownSync(folder, nobody, nobody);
    chownSync(dataDir, nobody, nobody);
    const { holder, url } = await hold({ uid: nobody, gid: nobody });
    const [row] = await ask(url, "select 'hello' as text");
    assert.deepEqual(row, { text: 'hello' });
    assert.equal(statSync(join(dataDir, 'postgres', 'data')).uid, nobody);
    const ended = once(holder, 'exit');
    holder.kill('SIGTERM');
    await ended;
  });
});

async function start({
  wait = true,
  find,
}: {
  wait?: boolean;
  find?: typeof findServer;
} = {}): Promise<EmbeddedPostgres> {
  const log = createLogger({ level: 'info', format: 'text', write: (line) => lines.push(line) });
  const postgres = await createEmbeddedPostgres({ dataDir, log, ...(find && { find }) });
  started.push(postgres);
  if (wait) await postgres.start();
  return postgres;
}

/** Another process has it. */
async function hold(user: Pick<SpawnOptions, 'uid' | 'gid'> = {}): Promise<{ holder: ChildProcess; url: string }> {
  const args = [...argumentsFor('test/embedded/postgres-holder.ts'), dataDir];
  const holder = spawn(process.execPath, args, { ...user, cwd: '/', stdio: ['ignore', 'pipe', 'inherit'] });
  holders.push(holder);
  const [said] = await Promise.race([once(holder.stdout, 'data'), once(holder, 'exit').then(() => [''])]);
  const { url, error } = JSON.parse(String(said) || '{"error": "it ended"}') as { url?: string; error?: string };
  return { holder, url: url ?? assert.fail(error) };
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client(url);
  client.on('error', () => {}); // the server may be killed
  await client.connect();
  return client;
}

async function ask(url: string, statement: string): Promise<Record<string, unknown>[]> {
  const client = await connect(url);
  try {
    return (await client.query(statement)).rows;
  } finally {
    await client.end().catch(() => {});
  }
}

/** 0 when none runs. */
function serverPid(): number {
  try {
    return Number(readFileSync(join(dataDir, 'postgres', 'data', 'postmaster.pid'), 'utf8').split('\n', 1)[0]);
  } catch {
    return 0;
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function eventually<T>(look: () => Promise<T>): Promise<T> {
  for (const givenUpAt = performance.now() + 60_000; ; await sleep(20)) {
    try {
      return await look();
    } catch (error) {
      if (performance.now() > givenUpAt) throw error;
    }
  }
}
