/** Everything a chaos test needs: a Redis that survives, the doubles, and processes of the program with a proxy on each of their lines. */
import { type ModelDouble, startModelDouble } from '../../doubles/model.ts';
import { startTestRedis, type TestRedis } from '../../support/redis.ts';
import { type Answer, type HttpProxy, letThrough, type Passing, startHttpProxy } from './http-proxy.ts';
import { createProgram, type Program } from './program.ts';
import { type Provider, startProvider } from './provider.ts';
import { type RedisProxy, startRedisProxy } from './redis-proxy.ts';
import { CLOCKS } from './size.ts';

/** A process, and the lines it has to the world. */
export interface Actor {
  program: Program;
  redis: RedisProxy;
  model: HttpProxy;
  provider: HttpProxy;
  /** Lets everything through again. */
  letGo(): void;
}

export interface Stage {
  redis: TestRedis;
  model: ModelDouble;
  provider: Provider;
  actors: Actor[];
  /** A process that takes webhooks now, in turns; null when none does. */
  route: () => string | null;
  stop(): Promise<void>;
}

/**
 * Starts everything; resolves when the processes take webhooks.
 * @param clocks how far their clocks are ahead of this machine's, ms, in turns
 */
export async function setStage(
  count: number,
  environment: Record<string, string> = {},
  clocks: readonly number[] = CLOCKS,
): Promise<Stage> {
  const [redis, model, provider] = await Promise.all([
    startTestRedis({ appendOnly: true }),
    startModelDouble(),
    startProvider(),
  ]);
  const actors = await Promise.all(
    Array.from({ length: count }, (_, i) =>
      createActor({ redis, model, provider }, { ...clockSettings(clocks[i % clocks.length]), ...environment }),
    ),
  );
  await Promise.all(actors.map(({ program }) => program.start()));
  let turn = 0;
  provider.reportTo(route);
  return {
    redis,
    model,
    provider,
    actors,
    route,
    async stop() {
      await Promise.all(actors.map(({ program }) => program.stop()));
      const lines = actors.flatMap(({ redis, model, provider }) => [redis.close(), model.close(), provider.close()]);
      await Promise.all([...lines, model.close(), provider.close()]);
      await redis.stop();
    },
  };

  function route(): string | null {
    for (let i = 0; i < actors.length; i++) {
      const actor = actors[turn++ % actors.length];
      if (actor?.program.isUp) return actor.program.url;
    }
    return null;
  }
}

function clockSettings(aheadMs = 0): Record<string, string> {
  return aheadMs === 0 ? {} : { CLOCK_AHEAD_MS: String(aheadMs) };
}

async function createActor(
  { redis, model, provider }: Pick<Stage, 'redis' | 'model' | 'provider'>,
  environment: Record<string, string>,
): Promise<Actor> {
  const lines = {
    redis: await startRedisProxy(redis.port),
    model: await startHttpProxy(new URL(model.url).origin),
    provider: await startHttpProxy(provider.origin),
  };
  lines.provider.handle = asUsual;
  const program = await createProgram({
    REDIS_URL: lines.redis.url,
    DATABASE_URL: 'postgres://nobody@127.0.0.1:9/nothing', // people are answered without the archive
    OPENAI_BASE_URL: `${lines.model.url}/v1`,
    ...provider.settings(lines.provider.url),
    // People here write faster than people do, and no history is folded: it is compared with what arrived.
    RATE_LIMIT_PER_MINUTE: '100000',
    HISTORY_TOKENS: '200000',
    ...environment,
  });
  return {
    program,
    ...lines,
    letGo() {
      lines.redis.onCommand = () => 'pass';
      lines.model.handle = letThrough;
      lines.provider.handle = asUsual;
    },
  };

  async function asUsual(request: Passing, forward: () => Promise<Answer>): Promise<Answer> {
    return provider.passOn(request, await forward());
  }
}
