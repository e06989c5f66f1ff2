/** Joins what Redis remembers of what providers tell beside messages. */
import { type Accounts, createAccounts } from '../memory/accounts.ts';
import type { Aliases } from '../memory/aliases.ts';
import type { Keys } from '../memory/keys.ts';
import type { RedisClient, RunScript } from '../memory/redis.ts';
import { createReports, type Reports } from '../memory/reports.ts';
import { createThreads, type Threads } from '../memory/threads.ts';
import type { ChannelName } from '../message.ts';

export interface ProviderMemory {
  threads: Threads;
  accounts: Accounts;
  reportsOf(channel: ChannelName): Reports;
}

export interface ProviderMemoryTools {
  redis: RedisClient;
  run: RunScript;
  keys: Keys;
  aliases: Pick<Aliases, 'rootOf'>;
  historyTtlMs: number;
  now: () => number;
}

export function buildProviderMemory(tools: ProviderMemoryTools): ProviderMemory {
  const { redis, keys, now } = tools;
  return {
    threads: createThreads(tools),
    accounts: createAccounts(tools),
    reportsOf: (channel) => createReports({ redis, keys, channel, now }),
  };
}
