/** The whole bot in this process: the same `build` as in production, over working doubles and a real Redis. */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Redis } from 'ioredis';
import { type Environment, readConfig } from '../../app/config.ts';
import { createEmbeddedPostgres } from '../../app/embedded/postgres.ts';
import { createLogger } from '../../app/ops/logger.ts';
import { type App, build } from '../../app/wire/app.ts';
import type { BuildChannel } from '../../app/wire/channels.ts';
import { startModelDouble } from '../doubles/model.ts';
import { startTwilioDouble } from '../doubles/twilio.ts';
import { startTestRedis } from './redis.ts';
import { deliverWebhook, type Fields, postWebhook, textMessage } from './webhook.ts';

export const ACCOUNT_SID = 'AC00000000000000000000000000000000';
export const AUTH_TOKEN = 'test-auth-token-0123456789abcdef';
/** Opens the inbox; without one each bot would print one that it made up. */
export const ADMIN_PASSWORD = 'correct horse battery staple';

/** A Postgres that is away. */
export const NO_ARCHIVE = 'postgres://nobody@127.0.0.1:9/nothing';

export type Doubles = Awaited<ReturnType<typeof startDoubles>>;
export type Bot = Awaited<ReturnType<typeof startBot>>;

/** What the bot talks to. Several bots may share one set, as several processes share a Redis. */
export async function startDoubles() {
  const [redis, model, twilio] = await Promise.all([
    startTestRedis(),
    startModelDouble(),
    startTwilioDouble({ accountSid: ACCOUNT_SID, authToken: AUTH_TOKEN }),
  ]);
  return {
    redis,
    model,
    twilio,
    async stop() {
      await Promise.all([model.close(), twilio.close()]);
      await redis.stop();
    },
  };
}

/** What leads a bot to the doubles. */
export function settingsFor(doubles: Doubles) {
  return {
    TWILIO_ACCOUNT_SID: ACCOUNT_SID,
    TWILIO_AUTH_TOKEN: AUTH_TOKEN,
    TWILIO_API_BASE_URL: doubles.twilio.url,
    OPENAI_API_KEY: 'test-key',
    OPENAI_BASE_URL: doubles.model.url,
    REDIS_URL: doubles.redis.url,
    // People are answered without the archive, and most tests are about that: nobody listens there.
    DATABASE_URL: NO_ARCHIVE,
    ADMIN_PASSWORD,
    // Most tests compare whole answers.
    AI_DISCLOSURE: '',
    BUSINESS_NAME: 'Bakery Aurora',
    BUSINESS_PURPOSE: 'A bakery. Helps with opening hours and orders.',
  };
}

/** Builds the bot over the doubles and listens on a free port. Every log line is kept in `logs`. @param channels beside Twilio */
export async function startBot(
  doubles: Doubles,
  environment: Environment = {},
  channels: readonly BuildChannel[] = [],
) {
  const logs: string[] = [];
  const config = readConfig({
    ...settingsFor(doubles),
    LOG_LEVEL: 'debug',
    ...environment,
  });
  if (!config.twilio || !config.model) throw new RangeError('a bot under test needs a provider and a model');
  const log = createLogger({ level: config.logLevel, format: 'json', write: (line) => logs.push(line) });
  const redis = config.redis.kind === 'embedded' ? { kind: 'url' as const, url: doubles.redis.url } : config.redis;
  const postgres = config.databaseUrl ? null : await createEmbeddedPostgres({ dataDir: config.dataDir, log });
  const standIns = {
    redis,
    database: postgres ?? { url: config.databaseUrl ?? '', start: async () => {} },
    twilio: config.twilio,
    meta: config.meta,
    model: config.model,
    isSimulated: false,
    simulator: null,
    trustedOrigins: [doubles.twilio.filesUrl],
    stop: async () => postgres?.stop(),
  };
  const app = build(config, standIns, log, { channels });
  await app.connect().catch(async (error) => {
    await app.close();
    throw error;
  });
  const { server } = app;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // A TCP server has an address of this shape.
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    logs,
    app,
    /** A person writes; resolves with what the webhook answered, in the end: a provider repeats what got 503, which a busy machine may give. */
    say: (from: string, body: string, overrides: Record<string, string> = {}) =>
      deliverWebhook(`${url}/whatsapp`, AUTH_TOKEN, textFrom(from, body, overrides)),
    /** The same without repeats, where a 503 is what is expected. */
    sayOnce: (from: string, body: string) => postWebhook(`${url}/whatsapp`, AUTH_TOKEN, textFrom(from, body)),
    /** The same as `say`. It was taken when this resolves. */
    async tell(from: string, body: string, overrides: Record<string, string> = {}) {
      const answer = await deliverWebhook(`${url}/whatsapp`, AUTH_TOKEN, textFrom(from, body, overrides));
      if (answer.status !== 200) throw new Error(`a message was not taken: ${answer.status}`);
      return answer;
    },
    async stop() {
      await stop(app, server);
      await standIns.stop();
    },
  };
}

function textFrom(from: string, body: string, overrides: Record<string, string> = {}): Fields {
  return textMessage({ From: `whatsapp:+${from}`, Body: body, ...overrides });
}

async function stop(app: App, server: Server): Promise<void> {
  await app.drain();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await app.close();
}

/** Waits until something holds, about two minutes: a machine that is busy needs long. `what` names it when it never does. */
export async function eventually(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const givenUpAt = performance.now() + 120_000; performance.now() < givenUpAt; ) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`never happened: ${what}`);
}

/** All turns are over, and the archive has all that happened. */
export async function allRecorded(redis: Redis): Promise<void> {
  await eventually('everything is recorded', async () => {
    if ((await redis.zcard('recado:{0}:due')) > 0) return false;
    const groups = await redis.xinfo('GROUPS', 'recado:{0}:events').catch(() => null);
    const [group] = Array.isArray(groups) ? groups : [];
    const facts = Array.isArray(group) ? group.map(String) : [];
    const fact = (name: string) => facts[facts.indexOf(name) + 1];
    return facts.length > 0 && fact('pending') === '0' && fact('lag') === '0';
  });
}
