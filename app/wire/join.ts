/** Joins this process and a Redis: connects, makes sure that what it holds is ours, and takes part among the processes there. */
import { Failure, isFailure } from '../errors.ts';
import type { Log } from '../ops/logger.ts';
import type { MemoryParts } from './memory.ts';

export interface JoinOptions {
  memory: MemoryParts;
  provider: 'real' | 'simulator';
  /** Called when work of a process that is gone is due. */
  look: () => void;
  /** Called when it is known that what Redis holds is ours: from then on it is used. */
  onOurs: () => void;
  isStopping: () => boolean;
  log: Log;
}

export interface Join {
  /**
   * Resolves also when Redis is not there yet: the client keeps trying, and webhooks get 503 meanwhile.
   * Rejects with `store.format` for a store of another version.
   */
  connect(): Promise<void>;
  /** Whether the data in Redis are of this version; null while that is not known. Others are not touched, and every request gets 503. */
  isOurs(): boolean | null;
  /** Takes in what comes for a store of ours. */
  ifOurs<Input extends unknown[]>(take: (...input: Input) => Promise<void>): (...input: Input) => Promise<void>;
}

/** When a Redis that did not say what it holds is asked again, ms. */
const CHECK_AGAIN_MS = 1_000;

export function createJoin({ memory, provider, look, onOurs, isStopping, log }: JoinOptions): Join {
  let isOurs: boolean | null = null;
  return { connect, isOurs: () => isOurs, ifOurs };

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
      isOurs = false;
    }
  }

  function checkSoon(): void {
    if (!isStopping()) setTimeout(() => void checkLater(), CHECK_AGAIN_MS).unref();
  }

  async function joinProcesses(): Promise<void> {
    // Also to a Redis that was away, or that is another one by now.
    memory.redis.on('ready', () => void memory.processes.beat());
    await memory.processes.start(look);
    isOurs = true;
    onOurs();
  }

  function ifOurs<Input extends unknown[]>(take: (...input: Input) => Promise<void>) {
    return async function takeIfOurs(...input: Input): Promise<void> {
      if (isOurs === false) throw new Failure('server.stopping', 'Redis holds data of another version, see the log.');
      if (isOurs === null) throw new Failure('store.unavailable', 'Redis was not reached yet.');
      await take(...input);
    };
  }
}
