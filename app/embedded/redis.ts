/** A private Redis when none is configured: a child process on a unix socket, with its data in `DATA_DIR/redis`. */
import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Failure } from '../errors.ts';
import type { Log } from '../ops/logger.ts';
import { cutZeros } from './append-only.ts';
import { keepRunning } from './child.ts';
import { claim, codeOf, isGone, makePrivate, removeSocketFolder, socketFolder } from './folder.ts';

export interface EmbeddedRedisOptions {
  /** The data are in its subfolder `redis`, which is made when it is not there. */
  dataDir: string;
  log: Log;
}

export interface EmbeddedRedis {
  /** The unix socket it listens on; the same for as long as this process lives, also when Redis had to be started again. */
  path: string;
  /** Ends it in order: everything it has accepted is on disk then, and neither a process nor a socket is left. */
  stop(): Promise<void>;
}

/**
 * Starts a `redis-server` (or `valkey-server`) and resolves when it has loaded its data and answers. It writes an append-only file, on
 * disk every second, and evicts nothing. When it crashes it is started again. When this process ends, it ends, too.
 *
 * A process that was killed could not do so: the Redis it left behind is shut down first.
 *
 * Rejects with `store.unavailable` and a message that says what to do: no server is installed, another process uses the folder, the
 * folder cannot be written to, the data cannot be read.
 */
export async function startEmbeddedRedis({ dataDir, log }: EmbeddedRedisOptions): Promise<EmbeddedRedis> {
  const binary = await findServer();
  const folder = resolve(dataDir, 'redis');
  await makePrivate(folder);
  const sockets = await socketFolder(folder);
  const path = join(sockets, 'redis.sock');
  const owner = join(sockets, 'owner.sock');
  const claimed = await claim(owner);
  if ('owner' in claimed) throw inUse(folder, claimed.owner);
  const leave = async () => {
    await claimed.release();
    await removeSocketFolder(folder, sockets);
  };
  try {
    await endOrphan(path, log);
    await cutZeros(join(folder, 'appendonlydir'), log);
    const child = await keepRunning({
      name: 'The private Redis',
      binary,
      args: argumentsFor(folder, path),
      stopSignal: 'SIGTERM',
      answers: async () => (await ask(path, 'PING')) === '+PONG',
      lineOf: (line) => line.replace(/^.*? [*#.-] /, ''), // process id, time and severity
      code: 'store.unavailable',
      remedy: 'Its data are under DATA_DIR; REDIS_URL would use another one.',
      log,
    });
    const leaveAtOnce = () => {
      child.signal('SIGTERM');
      rmSync(owner, { force: true });
    };
    process.once('exit', leaveAtOnce); // an exit handler cannot wait; Redis finishes its file alone
    let stopped: Promise<void> | undefined;
    const stop = async () => {
      await child.stop();
      process.off('exit', leaveAtOnce);
      await rm(path, { force: true }); // while the folder is still ours: the next one's socket has the same name
      await leave();
    };
    return { path, stop: () => (stopped ??= stop()) };
  } catch (error) {
    await leave();
    throw error;
  }
}

function argumentsFor(folder: string, path: string): string[] {
  return [
    ...['--port', '0', '--unixsocket', path, '--unixsocketperm', '700', '--dir', folder, '--daemonize', 'no'],
    ...['--appendonly', 'yes', '--appendfsync', 'everysec', '--save', '', '--maxmemory-policy', 'noeviction'],
  ];
}

const SERVERS = ['redis-server', 'valkey-server'];

/** The first server that is installed. */
async function findServer(): Promise<string> {
  for (const name of SERVERS) {
    try {
      await promisify(execFile)(name, ['--version']);
      return name;
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw unusable(`${name} does not run (${codeOf(error)}). Mend it`, error);
    }
  }
  const remedy = 'Install one (`apt-get install redis-server`, `brew install redis`)';
  throw unusable(`neither ${SERVERS.join(' nor ')} is installed. ${remedy}`);
}

function unusable(trouble: string, cause?: unknown): Failure {
  return new Failure('store.unavailable', `There is no Redis: ${trouble}, or set REDIS_URL.`, { cause });
}

function inUse(folder: string, owner: string): Failure {
  const message = `Another Recado (process ${owner}) uses ${folder}. Stop it, or set another DATA_DIR or a REDIS_URL for this one.`;
  return new Failure('store.unavailable', message);
}

/** How long an orphan may take to write its file and go, ms. */
const ORPHAN_MS = 10_000;

/** Shuts down the Redis that a killed process left behind, so that two never write to one file. Its data stay. */
async function endOrphan(path: string, log: Log): Promise<void> {
  if ((await ask(path, 'PING')) === GONE) return;
  log.warn('A private Redis is left from a run that was killed: shutting it down, its data stay');
  for (const deadline = Date.now() + ORPHAN_MS; Date.now() < deadline; await sleep(20)) {
    if ((await ask(path, 'SHUTDOWN')) === GONE) return;
  }
  const message = `A Redis that an earlier run left behind does not end. End the redis-server that listens on ${path}, then start again.`;
  throw new Failure('store.unavailable', message);
}

/** What `ask` returns when nothing listens. */
const GONE = 'gone';

/** Sends one command and resolves with the first line of the answer, with its RESP type; '' when none came within a second. */
function ask(path: string, command: string): Promise<string> {
  return new Promise((resolve) => {
    let said = '';
    const socket = connect(path, () => socket.write(`${command}\r\n`));
    socket.setTimeout(1_000, () => socket.destroy());
    socket.on('data', (chunk) => {
      said += chunk;
      if (said.includes('\r\n')) socket.destroy();
    });
    socket.on('error', (error) => resolve(isGone(error) ? GONE : ''));
    socket.on('close', () => resolve(said.split('\r\n', 1)[0] ?? ''));
  });
}
