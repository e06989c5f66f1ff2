/** Joins this process and a Redis: connects, makes sure that what it holds is ours, and takes part among the processes there. */
import { Failure, isFailure } from '../errors.ts';
import type { Log } from '../ops/logger.ts';
import type { MemoryParts } from './memory.ts';

export interface JoinOptions {
  memory: MemoryParts;
  provider: 'real' | 'simulator';
  /** Called when work of a process that is gone is due. */
  look: () => void;
  /** Called when a Redis that came later than we did holds data of another version. */
  onRefused: () => void;
  isStopping: () => boolean;
  log: Log;
}

export interface Join {
  /**
   * Resolves also when Redis is not there yet: the client keeps trying, and webhooks get 503 meanwhile.
   * Rejects with `store.format` for a store of another version.
   */
  connect(): Promise<void>;
  /** Redis holds data of another version: it is not touched, and every request gets 503. */
  isRefused(): boolean;
  /** Takes in what comes for a store of ours. */
  ifOurs<Input extends unknown[]>(take: (...input: Input) => Promise<void>): (...input: Input) => Promise<void>;
}

/** When a Redis that did not say what it holds is asked again, ms. */
const CHECK_AGAIN_MS = 1_000;

export function createJoin({ memory, provider, look, onRefused, isStopping, log }: JoinOptions): Join {
  let refused = false;
  return { connect, isRefused: () => refused, ifOurs };

  async function connect(): Promise<void> {
    try {
      await memory.redis.connect();
      await memory.format.check(provider);
      await joinProcesses();
    } catch (error) {
      if (isFailure(error) && error.code === 'store.format') throw error;
      const reason = error instanceof Error ? error.message : String(error);
      log.error('Redis cannot be reached; trying again. Webhooks get 503 meanwhile.', { reason });
      checkSoon();
    }
  }

  async function checkLater(): Promise<void> {
    try {
      await memory.format.check(provider);
      await joinProcesses();
    } catch (error) {
      if (!isFailure(error) || error.code !== 'store.format') return checkSoon();
      log.error(error.message, { code: error.code });
      refused = true;
      onRefused();
    }
  }

  function checkSoon(): void {
    if (!isStopping()) setTimeout(() => void checkLater(), CHECK_AGAIN_MS).unref();
  }

  async function joinProcesses(): Promise<void> {
    // Also to a Redis that was away, or that is another one by now.
    memory.redis.on('ready', () => void memory.processes.beat());
    await memory.processes.start(look);
  }

  function ifOurs<Input extends unknown[]>(take: (...input: Input) => Promise<void>) {
    return async function takeIfOurs(...input: Input): Promise<void> {
      if (refused) throw new Failure('server.stopping', 'Redis holds data of another version, see the log.');
      await take(...input);
    };
  }
}
