/** What the scripts of an operator share: the settings as the bot reads them, and the bot's own Redis. */
import { join, resolve } from 'node:path';
import { loadEnvFile } from 'node:process';
import { type Config, readConfig } from '../app/config.ts';
import { socketFolder } from '../app/embedded/folder.ts';
import { SettingsError } from '../app/errors.ts';
import { createKeys, type Keys } from '../app/memory/keys.ts';
import { createRedis, createScripts, type RedisClient, type RunScript } from '../app/memory/redis.ts';
import { createLogger } from '../app/ops/logger.ts';

export interface Stores {
  config: Config;
  redis: RedisClient;
  run: RunScript;
  keys: Keys;
}

/** Reads the settings from the environment and `.env`; ends the script with the list of problems when they cannot be used. */
export function settings(): Config {
  try {
    loadEnvFile('.env');
  } catch {
    // No file, no settings from it.
  }
  try {
    return readConfig(process.env);
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    return fail(`The settings cannot be used:\n${error.problems.map((problem) => `  - ${problem}`).join('\n')}`);
  }
}

/** Connects to the Redis of the running bot, also to the private one it starts by itself. */
export async function openStores(): Promise<Stores> {
  const config = settings();
  const log = createLogger({ level: 'error', format: 'text', write: () => {} });
  const address =
    config.redis.kind === 'embedded'
      ? { kind: 'socket' as const, path: join(await socketFolder(resolve(config.dataDir, 'redis')), 'redis.sock') }
      : config.redis;
  const redis = createRedis(address, log);
  await redis.connect().catch(() => {
    fail(
      'Redis does not answer. Is the bot running? Its private Redis runs only with it; else check the REDIS_ settings.',
    );
  });
  return { config, redis, run: createScripts(redis), keys: createKeys(config.redisShards) };
}

/** Says what is wrong and ends the script with exit code 1. */
export function fail(sentence: string): never {
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
}
