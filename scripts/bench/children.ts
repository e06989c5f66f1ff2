/** The processes that the bench starts: each is known by its id, told to end, and gone when the bench is. */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { familyOf, isAlive, kill, type Member } from './processes.ts';

export interface Children {
  /** Starts a module beside this one (name without ending), and speaks to it by messages. */
  fork(name: string, args: string[]): Talking;
  /** Starts a program. `output` is a file descriptor that takes what it says. */
  spawn(
    command: string,
    args: string[],
    options: { cwd: string; env: NodeJS.ProcessEnv; output: number },
  ): ChildProcess;
  /** Starts a module of the project's own, with or without a build, as a program. Paths are from the project's root. */
  spawnModule(
    module: { source: string; built: string | null },
    nodeArgs: string[],
    options: { cwd: string; env: NodeJS.ProcessEnv; output: number },
  ): ChildProcess;
  /** Ends one: SIGTERM, and SIGKILL after `patienceMs`. */
  end(child: ChildProcess, patienceMs?: number): Promise<void>;
  /** Ends one as a crash does. What it has started itself may outlive it, see `leftovers`. */
  crash(child: ChildProcess): Promise<void>;
  /** What was started by those that crashed or were ended, and is still there. */
  leftovers(): Member[];
  /** Ends all that are left, with all that they started, at once. Synchronous, so that it may be the last thing that a process does. */
  killAll(): void;
}

/** A child that answers each message with one. */
export interface Talking {
  readonly child: ChildProcess;
  /** Sends a message and resolves with the answer; without one it waits for the next thing the child says. */
  ask(message?: unknown): Promise<unknown>;
}

/** The bench runs from its sources, and so do its parts. */
const LOADER = ['--import', import.meta.resolve('tsx')];

export function createChildren(): Children {
  const living = new Set<ChildProcess>();
  const descendants: Member[] = [];
  function keep<Child extends ChildProcess>(child: Child): Child {
    living.add(child);
    child.once('exit', () => living.delete(child));
    child.once('error', () => living.delete(child));
    return child;
  }
  return {
    fork(name, args) {
      const file = fileURLToPath(new URL(`./${name}.ts`, import.meta.url));
      return talking(name, keep(fork(file, args, { execArgv: LOADER, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })));
    },
    spawn: (command, args, { output, ...options }) =>
      keep(spawn(command, args, { ...options, stdio: ['ignore', output, output] })),
    spawnModule({ source, built }, nodeArgs, { output, ...options }) {
      const file = fileURLToPath(new URL(`../../${built ?? source}`, import.meta.url));
      const args = [...nodeArgs, ...(built === null ? LOADER : []), file];
      return keep(spawn(process.execPath, args, { ...options, stdio: ['ignore', output, output] }));
    },
    async end(child, patienceMs = 10_000) {
      if (!living.has(child)) return;
      const gone = once(child, 'exit');
      descendants.push(...familyOf(child.pid ?? 0).slice(1));
      child.kill('SIGTERM');
      const patience = new AbortController();
      const late = sleep(patienceMs, undefined, { signal: patience.signal }).then(
        () => child.kill('SIGKILL'),
        () => {},
      );
      await gone;
      patience.abort();
      await late;
    },
    async crash(child) {
      const gone = once(child, 'exit');
      descendants.push(...familyOf(child.pid ?? 0).slice(1));
      child.kill('SIGKILL');
      await gone;
    },
    leftovers: () => descendants.filter(isAlive),
    killAll() {
      for (const child of living) {
        descendants.push(...familyOf(child.pid ?? 0).slice(1));
        child.kill('SIGKILL');
      }
      for (const member of descendants.splice(0)) kill(member);
    },
  };
}

function talking(name: string, child: ChildProcess): Talking {
  return {
    child,
    ask: (message) =>
      new Promise((resolve, reject) => {
        const settle = (): void => {
          child.off('message', answered);
          child.off('exit', ended);
        };
        const ended = (code: number | null): void => {
          settle();
          reject(new Error(`the process ${name} ended with ${code}`));
        };
        const answered = (answer: unknown): void => {
          settle();
          if (typeof answer === 'object' && answer !== null && 'error' in answer)
            reject(new Error(String(answer.error)));
          else resolve(answer);
        };
        child.on('message', answered);
        child.on('exit', ended);
        if (message !== undefined) child.send(message as object);
      }),
  };
}
