/** The rolling summary of the lines that are no longer in the history. */
import type { ContactId, Line } from '../message.ts';
import { type Scrubbed, scrub } from '../privacy/scrub.ts';
import type { Keys } from './keys.ts';
import { type OnDamaged, readLines } from './mailbox.ts';
import { type RedisClient, type RunScript, unavailable } from './redis.ts';

export interface SummaryMaterial {
  /** '' when there is none. */
  summary: Scrubbed;
  version: string;
  history: Line[];
  /** How many rolls in a row failed because of what they were given. */
  failures: number;
}

export interface SummaryStore {
  /** What a new summary is made from. */
  load(contact: ContactId): Promise<SummaryMaterial>;
  /**
   * Puts `summary` in the place of the oldest lines, if the version is still the one it was made from.
   * @returns false when another process was faster: nothing was changed.
   */
  swap(contact: ContactId, version: string, summary: Scrubbed, covered: Line[]): Promise<boolean>;
  /** Lets the next turn try again at once, after a roll that failed; `counts` raises `failures`. */
  giveUp(contact: ContactId, counts: boolean): Promise<void>;
}

export interface SummaryStoreOptions {
  redis: RedisClient;
  run: RunScript;
  keys: Keys;
  historyTtlMs: number;
  /** Told of lines of a history that cannot be read. */
  onDamaged?: OnDamaged;
}

export function createSummaryStore({ redis, run, keys, historyTtlMs, onDamaged }: SummaryStoreOptions): SummaryStore {
  return {
    async load(contact) {
      const key = keys.of(contact);
      const [[summary, version, failures], history] = await Promise.all([
        redis.hmget(key.state, 'summary', 'version', 'rollFailures'),
        redis.lrange(key.history, 0, -1),
      ]).catch((error) => Promise.reject(unavailable(error)));
      const lines = readLines(`[${history.join(',')}]`, (damaged) => onDamaged?.(contact, damaged));
      return {
        summary: scrub(summary ?? ''),
        version: version ?? '0',
        history: lines,
        failures: Number(failures ?? 0),
      };
    },
    async swap(contact, version, summary, covered) {
      const key = keys.of(contact);
      const tokens = covered.reduce((sum, line) => sum + line.tokens, 0);
      const args = [version, summary, covered.length, tokens, historyTtlMs, contact];
      return (await run('roll', [key.state, key.history, key.due], args)) === 1;
    },
    async giveUp(contact, counts) {
      await run('unroll', [keys.of(contact).state], [counts ? '1' : '']);
    },
  };
}
