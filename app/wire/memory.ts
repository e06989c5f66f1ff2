/** Joins what Redis remembers. */
import type { Config } from '../config.ts';
import { type Aliases, createAliases } from '../memory/aliases.ts';
import { type Allowance, createAllowance } from '../memory/allowance.ts';
import { type Clock, createClock } from '../memory/clock.ts';
import { createDesk, type Desk } from '../memory/desk.ts';
import { createExports, type Exports } from '../memory/exports.ts';
import { createFormat, type Format } from '../memory/format.ts';
import { createHandoffs, type Handoffs } from '../memory/handoffs.ts';
import { createKeys, type Keys } from '../memory/keys.ts';
import { createMailbox, type Mailbox } from '../memory/mailbox.ts';
import { createProcesses, type Processes } from '../memory/processes.ts';
import { createPublish, type Publish } from '../memory/publish.ts';
import { createRedis, createScripts, type RedisAddress, type RedisClient, type RunScript } from '../memory/redis.ts';
import { createSpending, type Spending } from '../memory/spending.ts';
import { createSummaryStore, type SummaryStore } from '../memory/summary.ts';
import { createSuspects, type Suspects } from '../memory/suspects.ts';
import type { ContactId } from '../message.ts';
import type { Log } from '../ops/logger.ts';
import type { Metrics } from '../ops/metrics.ts';
import { buildProviderMemory, type ProviderMemory } from './providers.ts';

export interface MemoryParts extends ProviderMemory {
  redis: RedisClient;
  run: RunScript;
  keys: Keys;
  clock: Clock;
  processes: Processes;
  format: Format;
  mailbox: Mailbox;
  aliases: Aliases;
  desk: Desk;
  handoffs: Handoffs;
  exports: Exports;
  summaries: SummaryStore;
  allowance: Allowance;
  spending: Spending;
  suspects: Suspects;
  publish: Publish;
}

/** Builds it; nothing is connected. */
export function buildMemory(config: Config, address: RedisAddress, metrics: Metrics, log: Log): MemoryParts {
  const { historyTtlMs, historyTokens, leaseMs } = config;
  const redis = createRedis(address, log);
  const run = createScripts(redis, metrics.redisTook);
  const keys = createKeys(config.redisShards);
  const clock = createClock();
  const processes = createProcesses({ redis, run, keys, clock, log });
  const processId = processes.id;
  const aliases = createAliases({ redis, run, keys, historyTtlMs, processId });
  const onDamaged = (contact: ContactId, lines: number): void => {
    metrics.damagedLines(lines);
    log.error('Lines of a history cannot be read and are left out', { contact, lines });
  };
  return {
    redis,
    run,
    keys,
    clock,
    processes,
    aliases,
    format: createFormat({ redis, keys }),
    mailbox: createMailbox({ redis, run, keys, leaseMs, historyTtlMs, historyTokens, processId, onDamaged }),
    desk: createDesk({ redis, run, keys, aliases, historyTtlMs }),
    exports: createExports({ redis, keys }),
    handoffs: createHandoffs({ redis, run, keys, aliases }),
    summaries: createSummaryStore({ redis, run, keys, historyTtlMs, onDamaged }),
    allowance: createAllowance({
      redis,
      keys,
      messagesPerMinute: config.rateLimitPerMinute,
      tokensPerDay: config.dailyTokensPerContact,
    }),
    spending: createSpending({ redis, run, keys }),
    suspects: createSuspects({ run, keys }),
    publish: createPublish({ redis, keys }),
    ...buildProviderMemory({ redis, run, keys, aliases, historyTtlMs, now: clock.now }),
  };
}
