/** Everything a chaos test needs: a Redis that survives, the doubles, and processes of the program with a proxy on each of their lines. */
import { type ModelDouble, startModelDouble } from '../../doubles/model.ts';
import { startTwilioDouble, type TwilioDouble } from '../../doubles/twilio.ts';
import { ACCOUNT_SID, AUTH_TOKEN } from '../../support/bot.ts';
import { startTestRedis, type TestRedis } from '../../support/redis.ts';
import { type Handle, type HttpProxy, letThrough, startHttpProxy } from './http-proxy.ts';
import { createProgram, type Program } from './program.ts';
import { type RedisProxy, startRedisProxy } from './redis-proxy.ts';
import { CLOCKS } from './size.ts';

/** A process, and the lines it has to the world. */
export interface Actor {
  program: Program;
  redis: RedisProxy;
  model: HttpProxy;
  twilio: HttpProxy;
  /** Lets everything through again. */
  letGo(): void;
}

export interface Stage {
  redis: TestRedis;
  model: ModelDouble;
  twilio: TwilioDouble;
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
  const [redis, model, twilio] = await Promise.all([
    startTestRedis({ appendOnly: true }),
    startModelDouble(),
    startTwilioDouble({ accountSid: ACCOUNT_SID, authToken: AUTH_TOKEN }),
  ]);
  const actors = await Promise.all(
    Array.from({ length: count }, (_, i) =>
      createActor({ redis, model, twilio }, { ...clockSettings(clocks[i % clocks.length]), ...environment }),
    ),
  );
  await Promise.all(actors.map(({ program }) => program.start()));
  let turn = 0;
  return {
    redis,
    model,
    twilio,
    actors,
    route() {
      for (let i = 0; i < actors.length; i++) {
        const actor = actors[turn++ % actors.length];
        if (actor?.program.isUp) return actor.program.url;
      }
      return null;
    },
    async stop() {
      await Promise.all(actors.map(({ program }) => program.stop()));
      const lines = actors.flatMap(({ redis, model, twilio }) => [redis.close(), model.close(), twilio.close()]);
      await Promise.all([...lines, model.close(), twilio.close()]);
      await redis.stop();
    },
  };
}

function clockSettings(aheadMs = 0): Record<string, string> {
  return aheadMs === 0 ? {} : { CLOCK_AHEAD_MS: String(aheadMs) };
}

async function createActor(
  { redis, model, twilio }: Pick<Stage, 'redis' | 'model' | 'twilio'>,
  environment: Record<string, string>,
): Promise<Actor> {
  const lines = {
    redis: await startRedisProxy(redis.port),
    model: await startHttpProxy(new URL(model.url).origin),
    twilio: await startHttpProxy(twilio.url),
  };
  lines.twilio.handle = asTwilio;
  const program = await createProgram({
    REDIS_URL: lines.redis.url,
    DATABASE_URL: 'postgres://nobody@127.0.0.1:9/nothing', // people are answered without the archive
    OPENAI_BASE_URL: `${lines.model.url}/v1`,
    TWILIO_API_BASE_URL: lines.twilio.url,
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
      lines.twilio.handle = asTwilio;
    },
  };
}

/** Lets everything through, and fetches files itself: the host that Twilio sends people to is a private address here. */
export const asTwilio: Handle = async (_request, forward) => {
  const answer = await forward();
  const elsewhere = answer.status === 307 ? answer.headers.location : undefined;
  if (typeof elsewhere !== 'string') return answer;
  const file = await fetch(elsewhere);
  return {
    status: file.status,
    headers: { 'content-type': file.headers.get('content-type') ?? '' },
    body: Buffer.from(await file.arrayBuffer()),
  };
};
