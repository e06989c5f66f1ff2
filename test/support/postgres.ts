/** Real PostgreSQL servers of tests: the same programs that Recado would run, a cluster in a temporary folder, a free loopback port. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { chownSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { localeFor } from '../../app/embedded/postgres.ts';
import { findServer, unprivileged } from '../../app/embedded/postgres-programs.ts';
import { freePort } from './ports.ts';

export type TestPostgres = Awaited<ReturnType<typeof startTestPostgres>>;

/** Where the server is that all files of a test run share, set by `npm test`. */
const SHARED = 'TEST_POSTGRES_URL';
let shared: Promise<string> | undefined;

/** Makes an empty database in the server that all files share; a file that runs alone gets one that ends with it. @returns its address */
export async function createTestDatabase(): Promise<string> {
  shared ??= process.env[SHARED]
    ? Promise.resolve(process.env[SHARED])
    : startTestPostgres().then(({ url, unref }) => {
        unref();
        return url;
      });
  return createDatabaseAt(await shared);
}

/** Starts one that a test may take away, and resolves when it answers. It ends with `stop`, or with this process. */
export async function startTestPostgres() {
  const { bin, major } = await findServer(null);
  const user = await unprivileged();
  const folder = mkdtempSync(join(tmpdir(), 'recado-postgres-'));
  if (user) chownSync(folder, user.uid, user.gid);
  const data = join(folder, 'data');
  const setUp = ['--auth', 'trust', '--username', 'recado', '--encoding', 'UTF8', ...localeFor(major), '--no-sync'];
  execFileSync(join(bin, 'initdb'), ['--pgdata', data, ...setUp], { ...user, cwd: folder, stdio: 'ignore' });
  const port = await freePort();
  const url = `postgres://recado@127.0.0.1:${port}/postgres`;
  let child = await start();
  const remove = () => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  };
  process.once('exit', remove); // a test that fails before its `after` leaves nothing behind either

  async function start(): Promise<ChildProcess> {
    const settings = Object.entries({
      listen_addresses: '127.0.0.1',
      port,
      unix_socket_directories: folder,
      fsync: 'off',
      max_connections: 300,
    });
    const args = settings.flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const started = spawn(join(bin, 'postgres'), ['-D', data, ...args], {
      ...user,
      cwd: folder,
      stdio: 'ignore',
    });
    try {
      await answers(url, started);
    } catch (error) {
      started.kill('SIGKILL');
      throw error;
    }
    return started;
  }

  /** SIGINT: connections are cut, the data are in order. */
  async function end(signal: NodeJS.Signals): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  }
  return {
    /** Of its database `postgres`. */
    url,
    /** Makes an empty database. @returns its address. */
    createDatabase: () => createDatabaseAt(url),
    /** This process does not wait for it. */
    unref: () => child.unref(),
    /** Takes it away, as an operator's mishap would. */
    halt: () => end('SIGINT'),
    /** Brings it back, at the same address. */
    async resume(): Promise<void> {
      await end('SIGINT');
      child = await start();
    },
    async stop(): Promise<void> {
      await end('SIGINT');
      process.off('exit', remove);
      remove();
    },
  };
}

async function createDatabaseAt(server: string): Promise<string> {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  const client = new pg.Client(server);
  await client.connect();
  await client.query(`create database ${name}`);
  await client.end();
  return server.replace(/[^/]*$/, name);
}

async function answers(url: string, child: ChildProcess): Promise<void> {
  for (let waitedMs = 0; waitedMs < 120_000; waitedMs += 20) {
    if (child.exitCode !== null) throw new Error('PostgreSQL did not start');
    const client = new pg.Client(url);
    client.on('error', () => {}); // it may go away again right after
    const up = await client.connect().then(
      () => true,
      () => false,
    );
    await client.end().catch(() => {});
    if (up) return;
    await sleep(20);
  }
  throw new Error('PostgreSQL did not answer within two minutes');
}
