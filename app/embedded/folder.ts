/** A private folder that one process at a time uses, with a place for unix sockets and a mark of its owner. */
import { chmod, lstat, mkdir, mkdtemp, readlink, rename, rm, rmdir, symlink } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Failure } from '../errors.ts';

/**
 * Makes a folder that only this user can look into.
 * @throws Failure `store.unavailable` that says what to do when it cannot be made.
 */
export async function makePrivate(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await chmod(folder, 0o700);
  } catch (error) {
    const message = `${folder} cannot be used (${codeOf(error)}). Set DATA_DIR to a folder this user can write to, or set REDIS_URL.`;
    throw new Failure('store.unavailable', message, { cause: error });
  }
}

/** The longest path of a unix socket, in bytes, that Linux (107) and macOS (103) both take. */
const LONGEST_SOCKET_PATH = 103;
/** Room for the names of sockets in a folder, in bytes: `/owner.` and a process id. */
const ROOM_FOR_A_NAME = 20;

/**
 * Where the sockets of a folder are: in it, or, when its path is too long for sockets, in a private temporary folder that a
 * link in it (`sockets`) leads to. Every start finds the same place, so that it finds what an earlier one left behind.
 */
export async function socketFolder(folder: string): Promise<string> {
  if (fits(folder)) return folder;
  const link = join(folder, 'sockets');
  const earlier = await readlink(link).catch(() => null);
  if (earlier !== null && (await isOurs(earlier))) return earlier;
  await rm(link, { force: true });
  const made = await mkdtemp(join(fits(join(tmpdir(), 'recado-')) ? tmpdir() : '/tmp', 'recado-'));
  await symlink(made, link);
  return made;
}

/** Removes what `socketFolder` made elsewhere, unless there is a socket in it. */
export async function removeSocketFolder(folder: string, sockets: string): Promise<void> {
  if (sockets === folder) return;
  const isRemoved = await rmdir(sockets).then(
    () => true,
    () => false,
  );
  if (isRemoved) await rm(join(folder, 'sockets'), { force: true });
}

/** A folder's owner; there is one at a time. */
export interface Claim {
  release(): Promise<void>;
}

/**
 * Claims a folder for as long as this process lives, by listening on a unix socket that answers with the process's id. The kernel closes it
 * with the process, however that ends; a pid in a file would have to be believed, though it may be another program's by now.
 * @returns the claim, or the id of the process that has it (`unknown` when it does not answer in time).
 */
export async function claim(path: string): Promise<Claim | { owner: string }> {
  for (;;) {
    const server = await listen(path);
    if (server) return { release: () => new Promise((done) => server.close(() => done())) };
    const owner = await ownerOf(path);
    if (owner !== null) return { owner };
    const quicker = await removeStale(path);
    if (quicker !== null) return { owner: quicker };
  }
}

/** Null when the path is there already: two processes cannot make the same socket. */
function listen(path: string): Promise<Server | null> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.end(`${process.pid}\n`, () => socket.destroy());
    });
    server.unref();
    server.once('error', (error) => (codeOf(error) === 'EADDRINUSE' ? resolve(null) : reject(noSockets(path, error))));
    server.listen(path, () => resolve(server));
  });
}

/** Some shared and network folders hold files but no sockets. */
function noSockets(path: string, cause: Error): Failure {
  const message = `No socket can be made in ${dirname(path)} (${codeOf(cause)}). Set DATA_DIR to a folder on a local disk, or set REDIS_URL.`;
  return new Failure('store.unavailable', message, { cause });
}

/** Null when nothing listens there: then the socket belongs to a process that ended. */
function ownerOf(path: string): Promise<string | null> {
  return new Promise((resolve) => {
    let said = '';
    const socket = connect(path);
    socket.setTimeout(1_000, () => socket.destroy()); // it lives but is busy, or stopped
    socket.on('data', (chunk) => {
      said += chunk;
    });
    socket.on('error', (error) => resolve(isGone(error) ? null : 'unknown'));
    socket.on('close', () => resolve(said.trim() || 'unknown'));
  });
}

/**
 * Removes the socket of a process that ended. Two processes may do so at the same time, so the socket is moved aside and asked again: it
 * may be the new socket of a faster process, which is returned then and gets it back.
 */
async function removeStale(path: string): Promise<string | null> {
  const aside = join(dirname(path), `owner.${process.pid}`);
  try {
    await rename(path, aside);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
  const owner = await ownerOf(aside);
  if (owner === null) await rm(aside, { force: true });
  else await rename(aside, path);
  return owner;
}

/** Does somebody listen at a unix socket? */
export function listens(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.on('connect', () => resolve(true));
    socket.on('error', (error) => resolve(!isGone(error)));
    socket.on('close', () => resolve(false));
    socket.setTimeout(1_000, () => socket.destroy());
    socket.on('connect', () => socket.destroy());
  });
}

/** Does an error of `connect` mean that nothing listens there? */
export function isGone(error: unknown): boolean {
  return ['ENOENT', 'ECONNREFUSED'].includes(codeOf(error));
}

export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
}

function fits(folder: string): boolean {
  return Buffer.byteLength(folder) + ROOM_FOR_A_NAME <= LONGEST_SOCKET_PATH;
}

/** A temporary folder may have been removed, and made again by another user. */
async function isOurs(folder: string): Promise<boolean> {
  const found = await lstat(folder).catch(() => null);
  return found?.isDirectory() === true && found.uid === process.getuid?.() && (found.mode & 0o077) === 0;
}
