/** The whole bot with nothing configured, as a newcomer starts it: the simulator and the practice model, over a real Redis. */
import { type Environment, readConfig } from '../../app/config.ts';
import { createLogger } from '../../app/ops/logger.ts';
import { build } from '../../app/wire/app.ts';
import { startStandIns } from '../../app/wire/stand-ins.ts';
import { ADMIN_PASSWORD, NO_ARCHIVE } from './bot.ts';
import { freePort } from './ports.ts';
import { startTestRedis } from './redis.ts';

export type SimulatedBot = Awaited<ReturnType<typeof startSimulatedBot>>;

/** Listens on a free port. Every log line is kept in `logs`. */
export async function startSimulatedBot(environment: Environment = {}, pages?: URL) {
  const logs: string[] = [];
  const redis = await startTestRedis();
  // The simulator is told beforehand where the bot will listen.
  const port = await freePort();
  const config = readConfig({
    PORT: String(port),
    REDIS_URL: redis.url,
    DATABASE_URL: NO_ARCHIVE,
    ADMIN_PASSWORD,
    LOG_LEVEL: 'debug',
    // Most tests compare whole answers.
    AI_DISCLOSURE: '',
    ...environment,
  });
  const log = createLogger({ level: config.logLevel, format: 'json', write: (line) => logs.push(line) });
  const started = await startStandIns(config, log);
  const standIns = pages ? { ...started, pages } : started;
  const app = build(config, standIns, log);
  await app.connect();
  const { server } = app;
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${port}`,
    logs,
    redis,
    standIns,
    async stop() {
      await app.drain();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await app.close();
      await standIns.stop();
      await redis.stop();
    },
  };
}
