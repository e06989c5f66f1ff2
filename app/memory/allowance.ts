/** How much a contact may write in a minute, and how many model tokens they may use in a day. Counted in Redis, for all processes. */
import { RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import type { ConversationId } from '../message.ts';
import type { Keys } from './keys.ts';
import { type RedisClient, unavailable } from './redis.ts';

/** May this person be answered? 'slow-down' and 'used-up' are told once in a window; after that there is 'silence'. */
export type Admission = 'welcome' | 'slow-down' | 'used-up' | 'silence';

export interface Allowance {
  /** Counts one message. Rejects with `store.unavailable`. */
  admit(conversation: ConversationId): Promise<Admission>;
  /** As `admit`, for messages that were counted before. */
  look(conversation: ConversationId): Promise<Admission>;
  /** Counts what an answer has cost. */
  spend(conversation: ConversationId, tokens: number): Promise<void>;
}

export interface AllowanceOptions {
  redis: RedisClient;
  keys: Keys;
  messagesPerMinute: number;
  /** Undefined = no limit. */
  tokensPerDay: number | undefined;
}

const DAY_S = 86_400;

export function createAllowance({ redis, keys, messagesPerMinute, tokensPerDay }: AllowanceOptions): Allowance {
  const limiter = (points: number, duration: number) =>
    new RateLimiterRedis({ storeClient: redis, keyPrefix: '', points, duration });
  const messages = limiter(messagesPerMinute, 60);
  const slowDownNotices = limiter(1, 60);
  const tokens = tokensPerDay === undefined ? null : limiter(tokensPerDay, DAY_S);
  const usedUpNotices = limiter(1, DAY_S);

  async function judge(conversation: ConversationId, tooFast: Promise<boolean>): Promise<Admission> {
    const key = keys.of(conversation);
    try {
      const [fast, used] = await Promise.all([tooFast, tokens?.get(key.tokens)]);
      if (used && used.remainingPoints <= 0) {
        return (await exceeds(usedUpNotices, `${key.tokens}:told`)) ? 'silence' : 'used-up';
      }
      if (fast) return (await exceeds(slowDownNotices, `${key.rate}:told`)) ? 'silence' : 'slow-down';
      return 'welcome';
    } catch (error) {
      throw unavailable(error);
    }
  }

  return {
    admit(conversation) {
      return judge(conversation, exceeds(messages, keys.of(conversation).rate));
    },
    look(conversation) {
      const counted = messages.get(keys.of(conversation).rate);
      return judge(
        conversation,
        counted.then((found) => found !== null && found.consumedPoints > messagesPerMinute),
      );
    },
    async spend(conversation, used) {
      await tokens?.penalty(keys.of(conversation).tokens, used);
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
