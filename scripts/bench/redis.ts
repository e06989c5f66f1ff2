/** What a Redis was asked to do. */
import type { RedisConnection } from './thin-clients.ts';

export interface RedisFigures {
  /** How often it was called, by name; scripts' inner calls count. Without our own asking. */
  commands: Record<string, number>;
  /** How often there was something to read from a client: with one message at a time, the round trips. */
  reads: number;
}

export async function redisFigures(redis: RedisConnection): Promise<RedisFigures> {
  const [stats, commands] = await Promise.all([redis.text('INFO', 'stats'), redis.text('INFO', 'commandstats')]);
  const counted = [...commands.matchAll(/^cmdstat_(\S+?):calls=(\d+)/gm)].map(
    ([, name = '', calls]) => [name, Number(calls)] as const,
  );
  return {
    commands: Object.fromEntries(counted.filter(([name]) => name !== 'info')),
    reads: Number(/total_reads_processed:(\d+)/.exec(stats)?.[1]),
  };
}

export function subtract(after: RedisFigures, before: RedisFigures): RedisFigures {
  const commands = Object.entries(after.commands).map(
    ([name, calls]) => [name, calls - (before.commands[name] ?? 0)] as const,
  );
  // Our own asking was one read.
  return {
    commands: Object.fromEntries(commands.filter(([, calls]) => calls > 0)),
    reads: after.reads - before.reads - 1,
  };
}

/** Commands for one message, the most frequent first. */
export function perMessage({ commands }: RedisFigures, messages: number): Record<string, number> {
  const often = Object.entries(commands).sort(([, a], [, b]) => b - a);
  return Object.fromEntries(
    often.map(([name, calls]) => [name, calls / messages]).filter(([, calls]) => Number(calls) >= 0.005),
  );
}
