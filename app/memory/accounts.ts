/** What providers tell of our accounts: the latest state of each template, number, limit and account. Whoever sends much asks here first. */
import type { AccountNews, ChannelName } from '../message.ts';
import { scrub } from '../privacy/scrub.ts';
import type { Keys } from './keys.ts';
import { type RedisClient, type RunScript, rejectUnavailable } from './redis.ts';

/** Everything rejects with `store.unavailable`. */
export interface Accounts {
  /** Keeps it, unless something newer is known of its subject. @returns whether it is news */
  note(news: AccountNews): Promise<boolean>;
  /** All that is known, the latest first. */
  all(channel: ChannelName): Promise<AccountNews[]>;
  /** The state of a template in the provider's word (`APPROVED`, `PAUSED`); null when nothing was told of it. */
  template(channel: ChannelName, name: string, language: string): Promise<string | null>;
  /**
   * With how many people conversations may be begun in 24 hours, all our numbers together. `Infinity` when there is no limit; null when
   * nothing was told.
   */
  dailyLimit(channel: ChannelName): Promise<number | null>;
  /** Why we may not begin conversations now, in the provider's word; null when we may, or nothing was told. */
  restriction(channel: ChannelName): Promise<string | null>;
}

export interface AccountsOptions {
  redis: RedisClient;
  run: RunScript;
  keys: Pick<Keys, 'account'>;
  now: () => number;
}

/** Of one channel, so that templates leave room: an account has 6,000 of them at most. What is about the account itself is always kept. */
const MOST_SUBJECTS = 20_000;
const OF_TEMPLATE = /^(template|quality|category):/;

/** In these states of the account messages can be sent. */
const MAY_SEND = new Set(['REINSTATE', 'ACCOUNT_RECONNECTED', 'SCHEDULE_FOR_DISABLE']);

/** Restrictions of it that are not about messages that we begin. */
const OTHER_RESTRICTIONS = new Set(['RESTRICTED_ADD_PHONE_NUMBER_ACTION', 'RESTRICTED_CUSTOMER_INITIATED_MESSAGING']);

export function createAccounts({ redis, run, keys, now }: AccountsOptions): Accounts {
  return { note, all, template, dailyLimit, restriction };

  async function note({ channel, subject, ...fact }: AccountNews): Promise<boolean> {
    const most = OF_TEMPLATE.test(subject) ? MOST_SUBJECTS : 0;
    const args = [subject, fact.at, JSON.stringify(fact), most];
    return (await run('news', [keys.account(channel)], args)) === 1;
  }

  async function all(channel: ChannelName): Promise<AccountNews[]> {
    const stored = await redis.hgetall(keys.account(channel)).catch(rejectUnavailable);
    return Object.entries(stored)
      .flatMap(([subject, fact]) => read(channel, subject, fact) ?? [])
      .sort((a, b) => b.at - a.at);
  }

  async function template(channel: ChannelName, name: string, language: string): Promise<string | null> {
    return (await find(channel, `template:${name}:${language}`))?.state ?? null;
  }

  async function dailyLimit(channel: ChannelName): Promise<number | null> {
    const limit = await find(channel, 'limit');
    return limit && limitIn(limit.state);
  }

  async function restriction(channel: ChannelName): Promise<string | null> {
    const known = await all(channel);
    const account = known.find(({ subject, state }) => subject === 'account' && !MAY_SEND.has(state));
    if (account) return account.state;
    const restricted = known.find(({ subject, until }) => {
      const [about, kind = ''] = subject.split(':');
      return about === 'restriction' && !OTHER_RESTRICTIONS.has(kind) && (until === undefined || until > now());
    });
    return restricted?.subject.slice('restriction:'.length) ?? null;
  }

  async function find(channel: ChannelName, subject: string): Promise<AccountNews | null> {
    const fact = await redis.hget(keys.account(channel), subject).catch(rejectUnavailable);
    return fact === null ? null : read(channel, subject, fact);
  }
}

/** `2000`, `TIER_2K`, `TIER_UNLIMITED`, `-1`. @returns null for what is no limit */
export function limitIn(state: string): number | null {
  if (state === '-1' || state === 'TIER_UNLIMITED') return Number.POSITIVE_INFINITY;
  const [, digits, thousands] = /^(?:TIER_)?(\d{1,9})(K?)$/.exec(state) ?? [];
  return digits === undefined ? null : Number(digits) * (thousands ? 1_000 : 1);
}

function read(channel: ChannelName, subject: string, fact: string): AccountNews | null {
  try {
    const { state, detail, at, until } = JSON.parse(fact);
    if (typeof state !== 'string' || typeof at !== 'number') return null;
    return { channel, subject, state, detail: scrub(String(detail ?? '')), at, ...(until > 0 && { until }) };
  } catch {
    return null;
  }
}
