/** The door to Redis: how we connect, and how a script runs. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Cluster, Redis } from 'ioredis';
import { Failure } from '../errors.ts';
import type { Log } from '../ops/logger.ts';

export type RedisClient = Redis | Cluster;

/** Where a Redis is: the same shapes as in the settings, the embedded one by its socket. */
export type RedisAddress =
  | { kind: 'socket'; path: string }
  | { kind: 'url'; url: string }
  | { kind: 'host'; host: string; port: number; password: string | undefined }
  | { kind: 'cluster'; nodes: { host: string; port: number }[]; password: string | undefined };

/**
 * How long a command may take, ms: the webhook has to say "503" within 2 s when Redis hangs, so that nothing pretends to be
 * stored. A healthy Redis answers in well under a millisecond; one on a machine that is short of time, in some hundred.
 */
const COMMAND_TIMEOUT_MS = 1_500;
/** With auto-pipelining, a command may first have to wait for the bundle before it to run out of time. */
const PIPELINED_TIMEOUT_MS = 800;

/**
 * How long a connection may be silent while an answer is expected, ms, before it is replaced. A machine that disappeared closes
 * nothing, and the operating system would wait for it for a quarter of an hour.
 */
const SILENCE_MS = 3_000;

/**
 * Builds a client; nothing is connected until `connect()`.
 *
 * A command fails at once while there is no connection (no offline queue: memory stays bounded, nothing runs late), and
 * one that was under way when the connection broke is never sent again by the client, because it may have been carried
 * out. Callers get `store.unavailable` and decide. Scripts of one tick travel together.
 */
export function createRedis(address: RedisAddress, log: Log): RedisClient {
  const redis = build(address, PEOPLE);
  redis.on('error', (error: Error) => log.warn('Redis connection trouble', { reason: error.message }));
  redis.on('ready', () => log.debug('Redis is ready'));
  return redis;
}

/**
 * A client for BullMQ: commands wait for the connection instead of failing. Nothing that a person waits for may use it.
 */
export function createQueueRedis(address: RedisAddress, log: Log): RedisClient {
  const redis = build(address, QUEUE);
  redis.on('error', (error: Error) => log.debug('Redis connection trouble of the queue', { reason: error.message }));
  return redis;
}

function build(address: RedisAddress, { connection, patience, cluster }: typeof PEOPLE | typeof QUEUE): RedisClient {
  const options = { ...connection, ...patience };
  switch (address.kind) {
    case 'socket':
      return new Redis({ ...options, path: address.path });
    case 'url':
      return new Redis(address.url.replace(/^unix:\/\//, ''), options);
    case 'host':
      return new Redis({ ...options, host: address.host, port: address.port, ...given(address.password) });
    case 'cluster':
      return new Cluster(address.nodes, {
        ...patience,
        ...cluster.patience,
        redisOptions: { ...connection, ...cluster.connection, ...given(address.password) },
      });
  }
}

function retryStrategy(times: number): number {
  return Math.min(50 * 2 ** Math.min(times, 6), 2_000) + Math.random() * 50;
}

/**
 * After a failover the address leads to the new primary, but an open connection still to the old one, which refuses to write from
 * now on: only a new connection finds the other.
 */
function reconnectOnError({ message }: Error): boolean {
  return message.includes('READONLY');
}

/** A person waits for the answer. */
const PEOPLE = {
  connection: {
    commandTimeout: COMMAND_TIMEOUT_MS,
    socketTimeout: SILENCE_MS,
    connectTimeout: 5_000,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    reconnectOnError,
    connectionName: 'recado',
  },
  patience: { lazyConnect: true, enableOfflineQueue: false, retryStrategy },
  cluster: { connection: { commandTimeout: PIPELINED_TIMEOUT_MS }, patience: { enableAutoPipelining: true } },
};

/** No person waits. */
const QUEUE = {
  connection: { connectTimeout: 5_000, maxRetriesPerRequest: null, reconnectOnError, connectionName: 'recado-queue' },
  patience: { lazyConnect: true, retryStrategy },
  cluster: { connection: {}, patience: {} },
};

function given(password: string | undefined): { password?: string } {
  return password === undefined ? {} : { password };
}

/** The scripts, one file each in `scripts/`: its head comment is the manual. */
const SCRIPTS = [
  'accept',
  'claim',
  'commit',
  'finish',
  'extend',
  'release',
  'bury',
  'replay',
  'due',
  'backlog',
  'block',
  'beat',
  'free',
  'forget',
  'roll',
  'unroll',
  'desk',
  'keep',
  'news',
  'unsay',
  'restore',
  'depart',
  'arrive',
  'waiting',
  'over',
  'raise',
  'suspect',
  'excuse',
  'alarms',
] as const;

export type ScriptName = (typeof SCRIPTS)[number];

/**
 * Runs a script in one round trip.
 * Rejects with `store.unavailable` when Redis cannot be asked; the script may have run.
 */
export type RunScript = (name: ScriptName, keys: string[], args: (string | number)[]) => Promise<unknown>;

/** @param onRun called with the duration of each round trip, ms. */
export function createScripts(
  redis: RedisClient,
  onRun: (script: ScriptName, ms: number) => void = () => {},
): RunScript {
  const scripts = new Map<ScriptName, { lua: string; sha: string }>(
    SCRIPTS.map((name) => {
      const lua = readFileSync(new URL(`./scripts/${name}.lua`, import.meta.url), 'utf8');
      return [name, { lua, sha: createHash('sha1').update(lua).digest('hex') }];
    }),
  );
  // Else the first of each would take two round trips, and what was sent behind it would overtake it.
  if (redis instanceof Redis) {
    redis.on('ready', () => {
      for (const { lua } of scripts.values()) redis.script('LOAD', lua).catch(() => {}); // then `eval` loads it
    });
  }
  const send = createSend(redis);
  return async function run(name, keys, args) {
    const script = scripts.get(name);
    if (!script) throw new RangeError(`there is no script ${name}`);
    const startedAt = performance.now();
    try {
      const result = await send(() => redis.evalsha(script.sha, keys.length, ...keys, ...args));
      onRun(name, performance.now() - startedAt);
      return result;
    } catch (error) {
      if (!isNoScript(error)) throw unavailable(error);
    }
    // A Redis without the script answers so before it does anything.
    try {
      return await send(() => redis.eval(script.lua, keys.length, ...keys, ...args));
    } catch (error) {
      throw unavailable(error);
    }
  };
}

/** Sends a command, and resolves with its answer. */
type Send = (command: () => Promise<unknown>) => Promise<unknown>;

/**
 * The commands of one round of the event loop are made at its end and leave in one system call, so that their time starts
 * when they are sent, however long the round was. ioredis's own way to that, auto-pipelining, is dearer by a twentieth of all
 * work of a message and lets each bundle wait for the answers to the one before; a cluster, with its many sockets, needs it.
 */
function createSend(redis: RedisClient): Send {
  if (redis instanceof Cluster) return (command) => command();
  const single = redis;
  let waiting: (() => void)[] = [];
  function flush(): void {
    // There is none before the first connection, whatever its type says.
    const stream: Redis['stream'] | undefined = single.stream;
    const commands = waiting;
    waiting = [];
    stream?.cork();
    for (const command of commands) command();
    stream?.uncork();
  }
  return (command) =>
    new Promise((resolve, reject) => {
      if (waiting.length === 0) setImmediate(flush);
      waiting.push(() => command().then(resolve, reject));
    });
}

/** Turns what the client threw into a failure that says what to do. */
export function unavailable(error: unknown): Failure<'store.unavailable'> {
  const reason = error instanceof Error ? error.message : String(error);
  return new Failure('store.unavailable', `Redis did not answer: ${reason}. Check that it runs and is reachable.`, {
    cause: error,
  });
}

/** The same as a rejection: `command.catch(rejectUnavailable)`. */
export function rejectUnavailable(error: unknown): Promise<never> {
  return Promise.reject(unavailable(error));
}

/** Waits before the 2nd, 3rd … try, ms: a restart of Redis is over by then. */
const REPEAT_WAITS_MS = [500, 1_500, 4_000];

/** Repeats a call while it rejects. Only for calls that have the same effect when they are made twice. */
export async function repeated<Result>(call: () => Promise<Result>): Promise<Result> {
  for (const waitMs of REPEAT_WAITS_MS) {
    try {
      return await call();
    } catch {
      await sleep(waitMs);
    }
  }
  return call();
}

function isNoScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOSCRIPT');
}
