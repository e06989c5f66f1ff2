/** A private PostgreSQL when none is configured: a child process on a unix socket, with its data in `DATA_DIR/postgres`. */
import { rmSync } from 'node:fs';
import { chown, lchown, mkdir, open, readdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure, isFailure } from '../errors.ts';
import type { Log } from '../ops/logger.ts';
import { type Child, finished, GIVES_WAY, keepRunning } from './child.ts';
import { claim, codeOf, listens, makePrivate, removeSocketFolder, socketFolder } from './folder.ts';
import { findServer, type Server, type User, unprivileged, unusable } from './postgres-programs.ts';

export interface EmbeddedPostgresOptions {
  /** The data are in its subfolder `postgres`, which is made when it is not there. */
  dataDir: string;
  log: Log;
  /** Which programs to use for files of a version. Default: `findServer`. */
  find?: typeof findServer;
}

export interface EmbeddedPostgres {
  /** The address of its database. Before it has started, connections are refused, as by a server that is down. */
  url: string;
  /**
   * Starts it, the first time after making its files (some seconds). Resolves when it answers. When it crashes it is started again; when this
   * process ends, it ends, too. One that a killed process left behind is shut down first.
   *
   * Rejects with `archive.unavailable` and a message that says what to do: no PostgreSQL is installed, or none of the version that made
   * the data; another process uses the folder; the folder cannot be written to; the data cannot be read.
   */
  start(): Promise<void>;
  /** Ends it in order, and waits for a start that is under way. Neither a process nor a socket is left. It can be started again. */
  stop(): Promise<void>;
}

/** Finds the place for its files; nothing is started yet. */
export async function createEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { dataDir, log, find = findServer } = options;
  const folder = resolve(dataDir, 'postgres');
  const data = join(folder, 'data');
  await makePrivate(folder);
  const sockets = await socketFolder(folder);
  const host = sockets === folder ? data : join(sockets, 'data');
  let running: Promise<() => Promise<void>> | undefined;
  return {
    url: `postgres:///postgres?user=${USER}&host=${encodeURIComponent(host)}`,
    async start() {
      running ??= startIn({ folder, data, sockets, host, log, find });
      await running;
    },
    async stop() {
      const stop = await running?.catch(() => undefined);
      running = undefined;
      await stop?.();
    },
  };
}

/** The database's own user: nobody else can reach the socket. */
const USER = 'recado';

interface Place {
  folder: string;
  /** PostgreSQL's own folder, with the socket. */
  data: string;
  /** Where a socket may be, see `socketFolder`. */
  sockets: string;
  /** By which path clients find the socket: `data`, or a link to it. */
  host: string;
  log: Log;
  find: typeof findServer;
}

/** @returns how to stop it */
async function startIn({ folder, data, sockets, host, log, find }: Place): Promise<() => Promise<void>> {
  const owner = join(sockets, 'owner.sock');
  const claimed = await claim(owner);
  if ('owner' in claimed) throw inUse(folder, claimed.owner);
  const leave = async () => {
    if (host !== data) await rm(host, { force: true });
    await claimed.release();
    await removeSocketFolder(folder, sockets);
  };
  try {
    if (host !== data)
      await symlink(data, host).catch((error) => (codeOf(error) === 'EEXIST' ? null : Promise.reject(error)));
    const server = await find(await majorOf(data));
    await endOrphan(data, log);
    const user = await userOf(data);
    await makeData(server, data, user, log);
    const child = await run(server, data, user, log);
    const leaveAtOnce = () => {
      child.signal('SIGINT');
      rmSync(owner, { force: true });
    };
    process.once('exit', leaveAtOnce); // an exit handler cannot wait; PostgreSQL ends alone
    return async () => {
      await child.stop();
      process.off('exit', leaveAtOnce);
      await leave();
    };
  } catch (error) {
    await leave();
    throw isFailure(error) ? error : unusable(`its files in ${folder} cannot be used (${codeOf(error)})`, error);
  }
}

/** Memory for one busy desk; an index that does not fit is in the system's cache. */
const SETTINGS = {
  listen_addresses: '',
  unix_socket_directories: '.',
  unix_socket_permissions: '0700',
  max_connections: 40,
  shared_buffers: '32MB',
  wal_level: 'minimal',
  max_wal_senders: 0,
  max_wal_size: '256MB',
  max_parallel_workers_per_gather: 0,
  jit: 'off',
  log_line_prefix: '',
  log_timezone: 'UTC',
  timezone: 'UTC',
};

async function run(server: Server, data: string, user: User | undefined, log: Log): Promise<Child> {
  const settings = Object.entries(SETTINGS).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const folder = await open(data, 'r');
  try {
    const child = await keepRunning({
      name: 'The private PostgreSQL',
      binary: join(server.bin, 'postgres'),
      args: ['-D', user ? INHERITED : data, ...settings],
      owner: user,
      files: user ? [folder.fd] : [],
      niceness: GIVES_WAY,
      stopSignal: 'SIGINT', // cuts connections; SIGTERM would wait for them
      answers: async (pid) => {
        const { owner, state } = await pidFile(data);
        return owner === pid && state === 'ready';
      },
      lineOf: (line) => line,
      code: 'archive.unavailable',
      remedy: 'Its data are under DATA_DIR; DATABASE_URL would use another one.',
      log,
    });
    return { ...child, stop: () => child.stop().finally(() => folder.close()) };
  } catch (error) {
    await folder.close();
    throw error;
  }
}

/** As whom PostgreSQL runs: as ourselves, but never as root. Files that root copied, as from a backup, are given to its user. */
async function userOf(data: string): Promise<User | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const found = await stat(data).catch(() => null);
  if (found && found.uid !== 0) return found;
  const user = await unprivileged();
  const names = found && user ? ['', ...(await readdir(data, { recursive: true }))] : [];
  for (const name of names) await lchown(join(data, name), user?.uid ?? 0, user?.gid ?? 0);
  return user;
}

/** The folder of the data for a process that inherited it as its file number 3. */
const INHERITED = '/proc/self/fd/3';

/** Makes the files of a new database, once. One that was interrupted is begun again. */
async function makeData({ bin, major }: Server, data: string, user: User | undefined, log: Log): Promise<void> {
  if ((await majorOf(data)) !== null) return;
  log.info('Making the files of the archive; this takes some seconds, once');
  const fresh = `${data}.new`;
  await rm(fresh, { recursive: true, force: true });
  await mkdir(fresh, { mode: 0o700 });
  if (user) await chown(fresh, user.uid, user.gid);
  const folder = await open(fresh, 'r');
  const args = ['-D', user ? INHERITED : fresh, '-U', USER, '--auth=trust', '--encoding=UTF8', ...localeFor(major)];
  try {
    await finished(join(bin, 'initdb'), args, { owner: user, files: [folder.fd] });
  } finally {
    await folder.close();
  }
  await rm(data, { recursive: true, force: true }); // without PG_VERSION it holds nothing
  await rename(fresh, data);
}

/** Capitals and accents of every script are known, on every system. */
export function localeFor(major: number): string[] {
  if (major >= 17) return ['--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C'];
  return [`--locale=${process.platform === 'darwin' ? 'en_US.UTF-8' : 'C.UTF-8'}`];
}

/** Which version made the files; null when there are none. */
async function majorOf(data: string): Promise<number | null> {
  const version = await readFile(join(data, 'PG_VERSION'), 'utf8').catch(() => null);
  return version === null ? null : Number.parseInt(version, 10);
}

/** How long an orphan may take to go, ms. */
const ORPHAN_MS = 20_000;

/** Shuts down the server that a killed process left behind: two cannot have one folder. Its data stay. */
async function endOrphan(data: string, log: Log): Promise<void> {
  const { owner } = await pidFile(data);
  if (owner === null || !(await listens(join(data, '.s.PGSQL.5432')))) return;
  log.warn('A private PostgreSQL is left from a run that was killed: shutting it down, its data stay');
  for (const deadline = Date.now() + ORPHAN_MS; Date.now() < deadline; await sleep(20)) {
    if (!signal(owner, 'SIGINT')) return;
  }
  throw unusable(`one that an earlier run left behind does not end. End the process ${owner}, then start again`);
}

/** @returns false when there is no such process */
function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name);
  } catch (error) {
    if (codeOf(error) === 'ESRCH') return false;
    throw error;
  }
}

/**
 * Whether a server takes connections in a folder. The private one says there when it is still starting; that of the system has its socket
 * there and nothing else.
 */
export async function isReady(folder: string): Promise<boolean> {
  const { owner, state } = await pidFile(folder);
  return (owner === null || state === 'ready') && (await listens(join(folder, '.s.PGSQL.5432')));
}

/** What a running server says of itself: https://www.postgresql.org/docs/current/storage-file-layout.html */
async function pidFile(data: string): Promise<{ owner: number | null; state: string }> {
  const lines = (await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n');
  const owner = Number(lines[0] || Number.NaN);
  return { owner: Number.isInteger(owner) ? owner : null, state: lines[7]?.trim() ?? '' };
}

function inUse(folder: string, owner: string): Failure {
  const message = `Another Recado (process ${owner}) uses the archive in ${folder}. Set another DATA_DIR for this one, or a DATABASE_URL for both.`;
  return new Failure('archive.unavailable', message);
}
