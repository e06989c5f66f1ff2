/** A private Redis when none is configured: a child process on a unix socket, with its data in `DATA_DIR/redis`. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Failure } from '../errors.ts';
import type { Log } from '../ops/logger.ts';
import { cutZeros } from './append-only.ts';
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
    const child = await keepRunning({ binary, args: argumentsFor(folder, path), path, log });
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

interface ChildOptions {
  binary: string;
  args: string[];
  path: string;
  log: Log;
}

/** A child process that is started again when it ends unexpectedly. */
interface Child {
  signal(signal: NodeJS.Signals): void;
  /** Ends it; it is not started again. */
  stop(): Promise<void>;
}

/** How long to wait before it is started again, ms: doubled each time, back to the least when it had run for a while. */
const LEAST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 5_000;
const A_WHILE_MS = 30_000;
/** How long it may take to end in order, ms. It only has to write what is not on disk yet. */
const STOP_MS = 10_000;

/** Resolves when it answers for the first time; rejects when it ends before that. */
async function keepRunning(options: ChildOptions): Promise<Child> {
  const { log } = options;
  const stopping = new AbortController();
  let run = launch(options);
  await run.ready;

  const watch = async (): Promise<void> => {
    for (let waitMs = LEAST_WAIT_MS; ; ) {
      const startedAt = Date.now();
      const end = await run.ended;
      if (stopping.signal.aborted) return;
      if (Date.now() - startedAt > A_WHILE_MS) waitMs = LEAST_WAIT_MS;
      log.error('The private Redis ended unexpectedly; starting it again', { end, waitMs });
      await sleep(waitMs, undefined, { signal: stopping.signal }).catch(() => {});
      if (stopping.signal.aborted) return;
      waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS);
      run = launch(options);
      run.ready.then(
        () => log.info('The private Redis answers again'),
        () => {}, // it ended again: the next round reports it
      );
    }
  };
  const watched = watch();

  return {
    signal: (signal) => run.child.kill(signal),
    async stop() {
      stopping.abort();
      run.child.kill('SIGTERM');
      const patience = setTimeout(() => {
        log.warn(`The private Redis did not end within ${STOP_MS / 1000} s; ending it at once`);
        run.child.kill('SIGKILL');
      }, STOP_MS);
      await watched;
      clearTimeout(patience);
    },
  };
}

interface Run {
  child: ChildProcess;
  /** Resolves when it answers; rejects when it ended before. */
  ready: Promise<void>;
  /** Resolves with how it ended, and its last words. */
  ended: Promise<string>;
}

function launch({ binary, args, path, log }: ChildOptions): Run {
  // A separate session: Ctrl-C in the terminal must not end Redis, which is still needed to finish turns.
  const child = spawn(binary, args, { detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
  child.on('error', () => {}); // `endOf` reports it
  const said: string[] = [];
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = chunk.split('\n').filter((line) => line !== '');
    said.push(...lines.map((line) => line.replace(/^.*? [*#.-] /, ''))); // process id, time and severity
    said.splice(0, said.length - 3);
    for (const line of lines) log.debug('The private Redis says', { line });
  });
  const ended = endOf(child).then((end) => (said.length === 0 ? end : `${end}; last words: ${said.join(' / ')}`));
  return { child, ended, ready: untilReady(child, ended, path, log) };
}

async function endOf(child: ChildProcess): Promise<string> {
  try {
    // A node emitter's arguments, as documented for `exit`.
    const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
    // What it said last may still be in the pipe.
    await Promise.race([once(child, 'close'), sleep(100)]);
    return signal === null ? `exit code ${code}` : `signal ${signal}`;
  } catch (error) {
    return `could not be run (${codeOf(error)})`;
  }
}

/** Loading that takes longer than this is worth a word, ms. */
const LONG_LOAD_MS = 2_000;

/** A large file takes long to load; that is no reason to give up as long as it lives. */
async function untilReady(child: ChildProcess, ended: Promise<string>, path: string, log: Log): Promise<void> {
  const startedAt = Date.now();
  for (let told = false; isRunning(child); await sleep(10)) {
    const answer = await ask(path, 'PING');
    if (answer === '+PONG') return;
    if (told || Date.now() - startedAt < LONG_LOAD_MS) continue;
    log.info('The private Redis is loading its data');
    told = true;
  }
  const message = `The private Redis does not start: ${await ended}. Its data are under DATA_DIR; REDIS_URL would use another one.`;
  throw new Failure('store.unavailable', message);
}

function isRunning(child: ChildProcess): boolean {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null;
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
