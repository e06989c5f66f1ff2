/** A server of our own: a child process that is started again when it ends unexpectedly. */
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { getPriority, setPriority } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure, type FailureCode } from '../errors.ts';
import type { Log } from '../ops/logger.ts';
import { codeOf } from './folder.ts';

export interface ChildOptions {
  /** As logs and errors call it, e.g. `The private Redis`. */
  name: string;
  binary: string;
  args: readonly string[];
  /** Whose process it is, when not ours. */
  owner?: { uid: number; gid: number } | undefined;
  /** Open files that it inherits, from number 3 on. */
  files?: readonly number[];
  /** Its environment, when not ours. */
  environment?: Record<string, string | undefined>;
  /** It is a program of ours: it writes its own log. Its standard input closes when this process ends, even when that was killed. */
  isOurs?: boolean;
  /** By how much it gives way to this process when the machine has too much to do, 0 to 19; see setpriority(2). Default: 0. */
  niceness?: number;
  /** Ends it in order. */
  stopSignal: NodeJS.Signals;
  /** Whether the process with this id answers. */
  answers: (pid: number) => Promise<boolean>;
  /** A line of its output without what we log ourselves, such as the time. */
  lineOf: (line: string) => string;
  /** Of the error when it does not start, and what to do about it. */
  code: FailureCode;
  remedy: string;
  log: Log;
}

export interface Child {
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

/**
 * Resolves when it answers for the first time; rejects with `code` when it ends before that. One that is ours is not waited for: it is
 * started again then, too.
 */
export async function keepRunning(options: ChildOptions): Promise<Child> {
  const { name, isOurs = false, stopSignal, log } = options;
  const stopping = new AbortController();
  let run = launch(options);
  if (isOurs) run.ready.catch(() => {});
  else await run.ready;

  const watch = async (): Promise<void> => {
    for (let waitMs = LEAST_WAIT_MS; ; ) {
      const startedAt = Date.now();
      const end = await run.ended;
      if (stopping.signal.aborted) return;
      if (Date.now() - startedAt > A_WHILE_MS) waitMs = LEAST_WAIT_MS;
      log.error(`${name} ended unexpectedly; starting it again`, { end, waitMs });
      await sleep(waitMs, undefined, { signal: stopping.signal }).catch(() => {});
      if (stopping.signal.aborted) return;
      waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS);
      run = launch(options);
      run.ready.then(
        () => log.info(`${name} answers again`),
        () => {}, // it ended again: the next round reports it
      );
    }
  };
  const watched = watch();

  return {
    signal: (signal) => run.child.kill(signal),
    async stop() {
      stopping.abort();
      run.child.kill(stopSignal);
      const patience = setTimeout(() => {
        log.warn(`${name} did not end within ${STOP_MS / 1000} s; ending it at once`);
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

function launch(options: ChildOptions): Run {
  const { name, binary, args, owner, files = [], environment, isOurs = false, niceness = 0, lineOf, log } = options;
  const stdio: StdioOptions = isOurs ? ['pipe', 'inherit', 'inherit'] : ['ignore', 'pipe', 'pipe', ...files];
  // A separate session: Ctrl-C in the terminal must not end it, it is still needed to finish turns.
  const child = spawn(binary, args, {
    ...owner,
    detached: true,
    stdio,
    ...(environment && { env: environment }),
    ...(!isOurs && { cwd: '/' }),
  });
  child.on('error', () => {}); // `endOf` reports it
  if (niceness > 0) giveWay(child, niceness);
  const said: string[] = [];
  for (const output of [child.stdout, child.stderr]) {
    output?.setEncoding('utf8').on('data', (chunk: string) => {
      const lines = chunk.split('\n').filter((line) => line !== '');
      said.push(...lines.map(lineOf));
      said.splice(0, said.length - 3);
      for (const line of lines) log.debug(`${name} says`, { line });
    });
  }
  const ended = endOf(child).then((end) => (said.length === 0 ? end : `${end}; last words: ${said.join(' / ')}`));
  return { child, ended, ready: untilReady(child, ended, options) };
}

/** From where this process stands itself: nobody but root may raise a priority again. */
function giveWay({ pid }: ChildProcess, niceness: number): void {
  try {
    if (pid !== undefined) setPriority(pid, Math.min(19, getPriority() + niceness));
  } catch {
    // It has ended already, or may not be changed: then it runs as it is.
  }
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

/** What people do not wait for gives way to what they wait for. */
export const GIVES_WAY = 5;

/** A large file takes long to load; that is no reason to give up as long as it lives. */
async function untilReady(child: ChildProcess, ended: Promise<string>, options: ChildOptions): Promise<void> {
  const { name, isOurs = false, answers, code, remedy, log } = options;
  const startedAt = Date.now();
  for (let told = isOurs; isRunning(child); await sleep(10)) {
    if (await answers(child.pid ?? 0)) return;
    if (told || Date.now() - startedAt < LONG_LOAD_MS) continue;
    log.info(`${name} is loading its data`);
    told = true;
  }
  throw new Failure(code, `${name} does not start: ${await ended}. ${remedy}`);
}

function isRunning(child: ChildProcess): boolean {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null;
}

/** Runs a program to its end. Rejects with its last words when it fails. */
export async function finished(
  binary: string,
  args: readonly string[],
  { owner, files = [] }: Pick<ChildOptions, 'owner' | 'files'>,
): Promise<void> {
  const child = spawn(binary, args, { ...owner, stdio: ['ignore', 'pipe', 'pipe', ...files], cwd: '/' });
  child.on('error', () => {}); // `endOf` reports it
  let said = '';
  for (const output of [child.stdout, child.stderr])
    output?.setEncoding('utf8').on('data', (chunk: string) => {
      said = (said + chunk).slice(-500);
    });
  const end = await endOf(child);
  if (end !== 'exit code 0') throw new Error(`${binary}: ${end}; last words: ${said.trim()}`);
}
