/** What stands around the bot: a Redis, the model server, Twilio, the floor, and the people. All on this machine. */
import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Children, Talking } from './children.ts';
import type { FloorOptions } from './floor.ts';
import { connectRedis, type RedisConnection } from './thin-clients.ts';
import { AUTH_TOKEN, PUBLIC_URL } from './webhooks.ts';

/** One of those that are compared. */
export interface Contestant {
  name: string;
  port: number;
  pid: number;
}

export interface Stage {
  /** For everything that is written; removed by `clear`. */
  directory: string;
  floor: Contestant;
  model: Talking;
  people: Talking;
  twilio: Talking;
  redis: RedisConnection;
  /** Where a bot finds them. */
  places: Places;
  /** Stops everything in order. */
  stop(): Promise<void>;
  /** Removes all files. Called at the end in every case. */
  clear(): void;
}

export interface Places {
  redisSocket: string;
  /** On the loopback. */
  modelPort: number;
  twilioPort: number;
}

/** How long one part may take to start. */
const START_MS = 120_000;

export async function setStage(children: Children): Promise<Stage> {
  const directory = mkdtempSync(join(tmpdir(), `recado-bench-${process.pid}-`));
  const clear = () => rmSync(directory, { recursive: true, force: true });
  // Also when the bench is interrupted.
  process.once('exit', clear);
  try {
    return { ...(await start(directory, children)), clear };
  } catch (error) {
    children.killAll();
    clear();
    throw error;
  }
}

async function start(directory: string, children: Children): Promise<Omit<Stage, 'clear'>> {
  const redisSocket = join(directory, 'redis.sock');
  const redisServer = startRedis(directory, redisSocket, children);
  const redis = await untilStarted('Redis', () => connectRedis(redisSocket));
  const model = children.fork('model', []);
  const modelPort = await portOf(model);
  const floorOptions: FloorOptions = { authToken: AUTH_TOKEN, publicUrl: PUBLIC_URL, redisSocket, modelPort };
  const floor = children.fork('floor', [JSON.stringify(floorOptions)]);
  const floorPort = await portOf(floor);
  const twilio = children.fork('twilio', []);
  const twilioPort = await portOf(twilio);
  const people = children.fork('load', []);
  return {
    directory,
    floor: { name: 'floor', port: floorPort, pid: floor.child.pid ?? 0 },
    model,
    people,
    twilio,
    redis,
    places: { redisSocket, modelPort, twilioPort },
    async stop() {
      await Promise.all([model, floor, people, twilio].map(({ child }) => children.end(child)));
      redis.close();
      await children.end(redisServer);
    },
  };
}

/** What the servers say first. */
async function portOf(server: Talking): Promise<number> {
  const { port } = (await server.ask()) as { port: number };
  return port;
}

/** As docker-compose runs it: append-only file, no eviction. */
function startRedis(directory: string, socket: string, children: Children) {
  const args = ['--port', '0', '--unixsocket', socket, '--dir', directory, '--appendonly', 'yes', '--save', ''];
  const output = openSync(join(directory, 'redis.log'), 'a');
  const child = children.spawn(redisCommand(), args, { cwd: directory, env: {}, output });
  closeSync(output);
  return child;
}

function redisCommand(): string {
  for (const command of ['redis-server', 'valkey-server']) {
    try {
      execFileSync(command, ['--version'], { stdio: 'ignore' });
      return command;
    } catch {
      // The next one may be there.
    }
  }
  throw new Error('The bench needs redis-server (or valkey-server) on the PATH: install it with your package manager.');
}

/** A failure that waiting does not mend. */
export class StoppedError extends Error {}

/** Tries until it works; what it tries has `everyMs` between two tries. */
export async function untilStarted<Result>(
  what: string,
  attempt: () => Promise<Result>,
  everyMs = 50,
): Promise<Result> {
  for (const deadline = Date.now() + START_MS; ; ) {
    try {
      return await attempt();
    } catch (error) {
      if (error instanceof StoppedError) throw error;
      if (Date.now() > deadline)
        throw new Error(`${what} did not start within ${START_MS / 1_000} s`, { cause: error });
      await sleep(everyMs);
    }
  }
}
