/** A real Redis of a test's own: on a free loopback port and a unix socket in a temporary folder, gone with `stop`. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { freePort } from './ports.ts';

export type TestRedis = Awaited<ReturnType<typeof startTestRedis>>;

export interface TestRedisOptions {
  /** Keeps what it was told over `kill` and `restart`, each write on disk before it is answered. Default: nothing is kept. */
  appendOnly?: boolean;
}

/** Starts a Redis and resolves when it answers. Whoever starts it calls `stop`, e.g. in `after`. */
export async function startTestRedis({ appendOnly = false }: TestRedisOptions = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'recado-test-'));
  const path = join(folder, 'redis.sock');
  const clients: Redis[] = [];
  let { child, port } = await startOnFreePort({ folder, path, appendOnly });
  const remove = () => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  };
  process.once('exit', remove); // a test that fails before its `after` leaves nothing behind either

  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  };
  return {
    /** Where it is, for settings and for other processes. The same after a restart. */
    url: `redis://127.0.0.1:${port}`,
    host: '127.0.0.1',
    port,
    /** Its unix socket. */
    path,
    /** A client of its own connection, closed by `stop`. */
    client(): Redis {
      const client = new Redis(path);
      client.on('error', () => {}); // a test that kills its Redis knows; commands reject all the same
      clients.push(client);
      return client;
    },
    /** Ends it as a crash would. */
    kill: () => end('SIGKILL'),
    /** Starts it again, at the same address; ends it first, in order, when it still runs. */
    async restart(): Promise<void> {
      await end('SIGTERM');
      child = await start({ folder, path, appendOnly, port });
    },
    /** Ends it and removes what it wrote. */
    async stop(): Promise<void> {
      for (const client of clients) client.disconnect();
      await end('SIGKILL');
      process.off('exit', remove);
      remove();
    },
  };
}

interface Place {
  folder: string;
  path: string;
  appendOnly: boolean;
}

/** A port that was free a moment ago may be taken by now: then another one will do. */
async function startOnFreePort(place: Place): Promise<{ child: ChildProcess; port: number }> {
  for (let tries = 1; ; tries++) {
    const port = await freePort();
    try {
      return { child: await start({ ...place, port }), port };
    } catch (error) {
      if (tries === 5) throw error;
    }
  }
}

async function start({ folder, path, appendOnly, port }: Place & { port: number }): Promise<ChildProcess> {
  const durable = appendOnly ? ['--appendonly', 'yes', '--appendfsync', 'always'] : [];
  const child = await spawned([
    ...['--bind', '127.0.0.1', '--port', String(port), '--unixsocket', path, '--dir', folder],
    ...['--save', '', '--maxmemory-policy', 'noeviction', '--daemonize', 'no', ...durable],
  ]);
  let said = '';
  child.stdout?.on('data', (chunk) => {
    said += chunk;
  });
  for (let waitedMs = 0; waitedMs < 120_000; waitedMs += 5) {
    if (child.exitCode !== null) throw new Error(`Redis did not start:\n${said}`);
    if (await answersPing(path)) return child;
    await sleep(5);
  }
  child.kill('SIGKILL');
  throw new Error(`Redis did not answer within two minutes:\n${said}`);
}

async function spawned(args: string[]): Promise<ChildProcess> {
  for (const server of ['redis-server', 'valkey-server']) {
    const child = spawn(server, args, { stdio: ['ignore', 'pipe', 'ignore'] });
    const found = await once(child, 'spawn').then(
      () => true,
      () => false,
    );
    if (found) return child;
  }
  throw new Error('the tests need redis-server or valkey-server in the PATH; npm test installs one');
}

function answersPing(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path, () => socket.write('PING\r\n'));
    socket.on('data', (chunk) => {
      socket.destroy();
      resolve(chunk.toString().startsWith('+PONG'));
    });
    socket.on('error', () => resolve(false));
    socket.on('close', () => resolve(false));
  });
}
