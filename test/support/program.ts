/** The program as people run it, in a process of its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { type Doubles, eventually, settingsFor } from './bot.ts';
import { freePort } from './ports.ts';

export type Program = Awaited<ReturnType<typeof startProgram>>;

/** How Node runs a source of ours from any folder: in the project's own there may be a `.env` of whoever works on it. */
export function argumentsFor(source: string, more: readonly string[] = []): string[] {
  return ['--import', import.meta.resolve('tsx'), ...more, fileURLToPath(new URL(`../../${source}`, import.meta.url))];
}

/** Starts it over the doubles, and resolves when it is ready. Without more settings it answers people, and has no desk beside it. */
export async function startProgram(doubles: Doubles, environment: Record<string, string> = {}) {
  const port = await freePort();
  const child = spawn(process.execPath, argumentsFor('app/main.ts'), {
    cwd: tmpdir(),
    env: {
      ...settingsFor(doubles),
      ROLE: 'bot',
      PATH: process.env.PATH,
      PORT: String(port),
      LOG_LEVEL: 'warn',
      ...environment,
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const exited = once(child, 'exit');
  const url = `http://127.0.0.1:${port}`;
  await eventually('the program is ready', async () => {
    const ready = await fetch(`${url}/readyz`).catch(() => null);
    return ready?.status === 200;
  });
  return {
    url,
    pid: child.pid ?? 0,
    kill: (signal: NodeJS.Signals) => child.kill(signal),
    /** Resolves when it has ended, with its exit code; null when a signal ended it. */
    async ended(): Promise<number | null> {
      const [code] = await exited;
      return code;
    },
  };
}
