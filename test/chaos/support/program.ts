/** The program as people run it, in a process of its own that can be killed and started again at the same address. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { ACCOUNT_SID, AUTH_TOKEN } from '../../support/bot.ts';
import { freePort } from '../../support/ports.ts';
import { argumentsFor } from '../../support/program.ts';

export interface Program {
  readonly url: string;
  /** Does it answer webhooks? */
  readonly isUp: boolean;
  /** What it logged, over all its lives. */
  readonly logs: string[];
  /** Starts it and resolves when it is ready to work. */
  start(): Promise<void>;
  /** Ends it as a crash would, before this returns. */
  kill(): void;
  /** Stops it in the middle of whatever it does, until `wake`. */
  freeze(): void;
  wake(): void;
  /** Ends it in order. */
  stop(): Promise<void>;
}

/**
 * @param environment its settings; CLOCK_AHEAD_MS sets the clock of its machine
 * @param nodeArguments for Node itself, before the program's name
 */
export async function createProgram(
  environment: Record<string, string>,
  nodeArguments: readonly string[] = [],
): Promise<Program> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  let child: ChildProcess | null = null;
  let isUp = false;
  let isOver = false;
  const logs: string[] = [];
  const clock = environment.CLOCK_AHEAD_MS ? ['--import', import.meta.resolve('../../support/shifted-clock.ts')] : [];
  const kill = () => {
    isUp = false;
    child?.kill('SIGKILL');
  };
  // A test that fails on its way, or is told to end, leaves nothing behind.
  process.once('exit', kill);
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));

  return {
    url,
    get isUp() {
      return isUp;
    },
    logs,
    async start() {
      if (isOver) throw new Error('the program was stopped for good');
      if (child && child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      const started = spawn(process.execPath, argumentsFor('app/main.ts', [...clock, ...nodeArguments]), {
        cwd: tmpdir(),
        env: { ...USUAL, PATH: process.env.PATH, ...environment, PORT: String(port) },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      child = started;
      createInterface(started.stdout).on('line', (line) => logs.push(line));
      await ready(url, started);
      isUp = true;
    },
    kill,
    freeze: () => void child?.kill('SIGSTOP'),
    wake: () => void child?.kill('SIGCONT'),
    async stop() {
      process.off('exit', kill);
      isUp = false;
      isOver = true;
      if (!child || child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
    },
  };
}

/**
 * What every process under test is told, unless it is told otherwise. There is no Postgres at that address: people are
 * answered all the same.
 */
const USUAL = {
  DATABASE_URL: 'postgres://nobody:nothing@127.0.0.1:9/nowhere',
  TWILIO_ACCOUNT_SID: ACCOUNT_SID,
  TWILIO_AUTH_TOKEN: AUTH_TOKEN,
  OPENAI_API_KEY: 'test-key',
  ADMIN_PASSWORD: 'of no use to anybody',
  ROLE: 'bot',
  // Answers are compared as a whole.
  AI_DISCLOSURE: '',
  LOG_LEVEL: 'error',
};

async function ready(url: string, child: ChildProcess): Promise<void> {
  for (let waitedMs = 0; waitedMs < 120_000; waitedMs += 20) {
    if (child.exitCode !== null) throw new Error(`the program ended with exit code ${child.exitCode}`);
    const answer = await fetch(`${url}/healthz`).catch(() => null);
    await answer?.text();
    if (answer?.status === 200) return;
    await sleep(20);
  }
  throw new Error('the program was not ready within two minutes');
}
