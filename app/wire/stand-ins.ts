/** Starts the replacements of outside parties that are not configured: the embedded Redis, the simulator. */
import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { META_PATH } from '../channels/meta/webhook.ts';
import type { Config } from '../config.ts';
import { summaryPrompt } from '../conversation/prompts.ts';
import { warnOfFormerArchive } from '../embedded/former-archive.ts';
import { createEmbeddedPostgres, isReady } from '../embedded/postgres.ts';
import { startEmbeddedRedis } from '../embedded/redis.ts';
import { countTokens } from '../llm/tokens.ts';
import { describeColors } from '../media/colors.ts';
import { recordingSeconds } from '../media/duration.ts';
import { webmSeconds } from '../media/webm.ts';
import type { RedisAddress } from '../memory/redis.ts';
import type { Log } from '../ops/logger.ts';
import { type Simulator, startSimulator } from '../simulator/simulator.ts';

export interface StandIns {
  redis: RedisAddress;
  /** Where the archive is. A PostgreSQL of our own is started by `start`, which nobody has to wait for; it rejects with `archive.unavailable`. */
  database: { url: string; start(): Promise<void> };
  /** Null when it is not configured, but another provider is. */
  twilio: Config['twilio'];
  /** Likewise. */
  meta: Config['meta'];
  model: NonNullable<Config['model']>;
  /** Origins that files may come from although they are not public: those of a replacement on this machine. */
  trustedOrigins: string[];
  /** The provider is simulated, by this process or the one that started it. */
  isSimulated: boolean;
  /** The provider that runs inside, when it does. */
  simulator: Simulator | null;
  /** Where the built pages are, when not beside the program. */
  pages?: URL;
  /** Stops what was started, the stores last. */
  stop(): Promise<void>;
}

/** Starts the embedded stores and the simulator where nothing is configured. */
export async function startStandIns(config: Config, log: Log): Promise<StandIns> {
  const redis = config.redis.kind === 'embedded' ? await startEmbeddedRedis({ dataDir: config.dataDir, log }) : null;
  const postgres = config.databaseUrl ? null : await createEmbeddedPostgres({ dataDir: config.dataDir, log });
  if (postgres) await warnOfFormerArchive(config.dataDir, log);
  const simulator =
    config.simulator || !config.model
      ? await startSimulator({
          webhookUrl: `http://127.0.0.1:${config.port}/whatsapp`,
          metaWebhookUrl: `http://127.0.0.1:${config.port}${META_PATH}`,
          publicUrl: config.publicUrl,
          model: config.model,
          tools: {
            countTokens,
            asksForSummary: (system) => system === summaryPrompt(config.summaryTokens),
            describePicture: describeColors,
            secondsOf: (bytes) => recordingSeconds(bytes) ?? webmSeconds(bytes),
          },
          log,
        })
      : null;
  if (!config.model)
    log.warn(
      'No model is configured: a practice model answers. Set OPENAI_API_KEY, OPENAI_BASE_URL or GOOGLE_API_KEY.',
    );
  const twilio = config.simulator ? (simulator?.account ?? null) : config.twilio;
  const meta = config.simulator ? (simulator?.cloudNumber ?? null) : config.meta;
  const model = simulator?.model ?? config.model;
  if (!(twilio || meta) || !model) throw new RangeError('the settings name neither a provider nor the simulator');
  return {
    redis: config.redis.kind === 'embedded' ? { kind: 'socket', path: redis?.path ?? '' } : config.redis,
    database: postgres ?? { url: config.databaseUrl ?? '', start: async () => {} },
    twilio,
    meta,
    model,
    trustedOrigins: [],
    isSimulated: config.simulator,
    simulator: config.simulator ? simulator : null,
    async stop() {
      await simulator?.stop();
      await Promise.all([postgres?.stop(), redis?.stop()]);
    },
  };
}

/** What the process beside is told by the one that starts it, as JSON in its environment. */
export interface Told extends Pick<StandIns, 'redis' | 'twilio' | 'meta' | 'model' | 'trustedOrigins' | 'isSimulated'> {
  socket: string;
  /** Address of the archive's database. */
  database: string;
}

/** What stands in for what is not configured, in a process that another one of ours started: that one keeps it running. */
export function standInsOf(told: Told): StandIns {
  const { socket, database: url, redis, twilio, meta, model, trustedOrigins, isSimulated } = told;
  const database = { url, start: () => untilReachable(url) };
  return { database, redis, twilio, meta, model, trustedOrigins, isSimulated, simulator: null, stop };

  /** Whoever started us may have been killed, and has not done it then. */
  async function stop(): Promise<void> {
    await rm(dirname(socket), { recursive: true, force: true });
  }
}

/** How long the private PostgreSQL is waited for before errors are logged, ms: the first time it makes its files. */
const DATABASE_MS = 30_000;

/** Over a network it is asked at once. The address of the private one names its folder, see `createEmbeddedPostgres`. */
async function untilReachable(url: string): Promise<void> {
  const folder = new URL(url, 'postgres:///').searchParams.get('host');
  if (!folder?.startsWith('/')) return;
  for (const givenUpAt = performance.now() + DATABASE_MS; performance.now() < givenUpAt; await sleep(50))
    if (await isReady(folder)) return;
}
