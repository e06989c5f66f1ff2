/** A real PostgreSQL of a test's own: Debian's binaries, a cluster in a temporary folder, a free loopback port; gone with `stop`. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { freePort } from './ports.ts';

export type TestPostgres = Awaited<ReturnType<typeof startTestPostgres>>;

/** Where PostgreSQL is installed, the newest one; null when it is not. */
export function findPostgres(): string | null {
  const root = '/usr/lib/postgresql';
  const versions = existsSync(root) ? readdirSync(root).sort((a, b) => Number(b) - Number(a)) : [];
  return versions.map((version) => join(root, version, 'bin')).find((bin) => existsSync(join(bin, 'initdb'))) ?? null;
}

/** Why tests that need one are skipped; false when they are not. */
export const NO_POSTGRES = findPostgres() === null && 'PostgreSQL is not installed (apt-get install postgresql)';

/** Starts one and resolves when it answers. Whoever starts it calls `stop`, e.g. in `after`. */
export async function startTestPostgres() {
  const bin = findPostgres();
  if (bin === null) throw new Error(String(NO_POSTGRES));
  const user = unprivileged();
  const folder = mkdtempSync(join(tmpdir(), 'recado-postgres-'));
  if (user) chownSync(folder, user.uid, user.gid);
  const data = join(folder, 'data');
  const setUp = ['--auth', 'trust', '--username', 'recado', '--encoding', 'UTF8', '--locale', 'C.UTF-8', '--no-sync'];
  execFileSync(join(bin, 'initdb'), ['--pgdata', data, ...setUp], { ...user, cwd: folder, stdio: 'ignore' });
  const port = await freePort();
  const address = (database: string) => `postgres://recado@127.0.0.1:${port}/${database}`;
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
    });
    const args = settings.flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const started = spawn(join(bin ?? '', 'postgres'), ['-D', data, ...args], {
      ...user,
      cwd: folder,
      stdio: 'ignore',
    });
    try {
      await answers(address('postgres'), started);
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
    /** Makes an empty database. @returns its address. */
    async createDatabase(): Promise<string> {
      const name = `test_${randomUUID().replaceAll('-', '')}`;
      const client = new pg.Client(address('postgres'));
      await client.connect();
      await client.query(`create database ${name}`);
      await client.end();
      return address(name);
    },
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

/** PostgreSQL refuses to run as root: then it runs as the user its package made, or as nobody. */
function unprivileged(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const users = readFileSync('/etc/passwd', 'utf8').split('\n');
  const fields = ['postgres', 'nobody'].map((name) => users.find((line) => line.startsWith(`${name}:`))?.split(':'));
  const [, , uid, gid] = fields.find(Boolean) ?? [];
  return { uid: Number(uid ?? 65534), gid: Number(gid ?? 65534) };
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
