/** How much a contact may write in a minute, and how many model tokens they may use in a day. Counted in Redis, for all processes. */
import { RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import type { ContactId } from '../message.ts';
import type { ContactKeys, Keys } from './keys.ts';
import { type RedisClient, rejectUnavailable } from './redis.ts';

/** What the counters say of a person, or that what they write looks like spam; `paused`: nobody is answered, because the month's budget is used up. */
export type Usage = 'within' | 'too-fast' | 'used-up' | 'paused' | 'suspect';

/** May this person be answered? All but 'welcome' and 'silence' are notices, each returned once in a window; after that 'silence'. */
export type Admission = 'welcome' | 'slow-down' | 'used-up' | 'paused' | 'suspect' | 'silence';

/** Everything rejects with `store.unavailable`. */
export interface Allowance {
  /**
   * What the counters say of a contact who writes now.
   * @param written how many messages there are of them in this minute: `Mailbox.accept` counts them.
   */
  of(contact: ContactId, written: Promise<number>): Promise<Usage>;
  /** The same of a contact whose messages were counted before. */
  look(contact: ContactId): Promise<Usage>;
  /** Uses up the one notice of the window, if there is one: so only for a contact who is answered now. */
  judge(contact: ContactId, usage: Usage): Promise<Admission>;
  /** Counts what an answer has cost. */
  spend(contact: ContactId, tokens: number): Promise<void>;
}

export interface AllowanceOptions {
  redis: RedisClient;
  keys: Keys;
  messagesPerMinute: number;
  /** Undefined = no limit. */
  tokensPerDay: number | undefined;
}

/** How long a contact's messages are counted together, ms. */
export const MINUTE_MS = 60_000;
const DAY_S = 86_400;

export function createAllowance({ redis, keys, messagesPerMinute, tokensPerDay }: AllowanceOptions): Allowance {
  const limiter = (points: number, duration: number) =>
    new RateLimiterRedis({ storeClient: redis, keyPrefix: '', points, duration });
  const messages = limiter(messagesPerMinute, MINUTE_MS / 1_000);
  const slowDownNotices = limiter(1, MINUTE_MS / 1_000);
  const tokens = tokensPerDay === undefined ? null : limiter(tokensPerDay, DAY_S);
  const dailyNotices = limiter(1, DAY_S);

  async function usage(contact: ContactId, written: Promise<number>): Promise<Usage> {
    const [count, used] = await Promise.all([written, spent(contact)]);
    if (used && used.remainingPoints <= 0) return 'used-up';
    return count > messagesPerMinute ? 'too-fast' : 'within';
  }

  async function spent(contact: ContactId): Promise<RateLimiterRes | null> {
    return tokens ? tokens.get(keys.of(contact).tokens).catch(rejectUnavailable) : null;
  }

  async function counted(contact: ContactId): Promise<number> {
    const found = await messages.get(keys.of(contact).rate).catch(rejectUnavailable);
    return found?.consumedPoints ?? 0;
  }

  /** What is said, and what counts how often. */
  function noticeOf(usage: Exclude<Usage, 'within'>, { tokens, rate, spam }: ContactKeys) {
    switch (usage) {
      case 'too-fast':
        return { notice: 'slow-down', limiter: slowDownNotices, key: `${rate}:told` } as const;
      case 'used-up':
        return { notice: 'used-up', limiter: dailyNotices, key: `${tokens}:told` } as const;
      case 'paused':
        return { notice: 'paused', limiter: dailyNotices, key: `${tokens}:paused` } as const;
      case 'suspect':
        return { notice: 'suspect', limiter: dailyNotices, key: `${spam}:told` } as const;
    }
  }

  return {
    of: usage,
    look: (contact) => usage(contact, counted(contact)),
    async judge(contact, usage) {
      if (usage === 'within') return 'welcome';
      const { notice, limiter, key } = noticeOf(usage, keys.of(contact));
      return (await exceeds(limiter, key).catch(rejectUnavailable)) ? 'silence' : notice;
    },
    async spend(contact, used) {
      await tokens?.penalty(keys.of(contact).tokens, used);
    },
  };
}

/** Takes one point; true when there was none left. */
async function exceeds(limiter: RateLimiterRedis, key: string): Promise<boolean> {
  try {
    await limiter.consume(key);
    return false;
  } catch (refusal) {
    // The library rejects with its figures when the limit is passed, and with an Error when Redis failed.
    if (refusal instanceof RateLimiterRes) return true;
    throw refusal;
  }
}
