/** Is the process alive, and can it work? For load balancers and containers. */
import Router from '@koa/router';
import { remember } from './remember.ts';

export interface HealthOptions {
  /** What must be reachable for messages to be stored; each rejects when it is not. */
  checks: Record<string, () => Promise<unknown>>;
  /** The other parts, reported in the body. The process stays ready without them: a load balancer that took it out would lose messages. */
  extras?: Record<string, () => Promise<unknown>>;
  /** Parts that need no check, in words: what is not 'ok' makes it `degraded`. */
  states?: Record<string, string>;
  isStopping: () => boolean;
  /** How long one check may take, ms. */
  timeoutMs?: number;
  /** How long it is good for that a check passed, ms: frequent requests cause no work elsewhere. */
  rememberMs?: number;
}

/**
 * `GET /healthz`: 200 as long as the process answers.
 * `GET /readyz`: 200 when every check passes (`degraded` when an extra does not, or a state is not ok) and the process is not stopping, else 503; the body names each part's state.
 */
export function createHealth(options: HealthOptions): Router {
  const { checks, extras = {}, states = {}, isStopping, timeoutMs = 2_000, rememberMs = 3_000 } = options;
  const router = new Router();
  const remembered = Object.entries({ ...checks, ...extras }).map(
    ([name, check]) =>
      [
        name,
        remember(
          () => stateOf(check, timeoutMs),
          (state) => (state === 'ok' ? rememberMs : AWAY_MS),
        ),
      ] as const,
  );
  router.get('/healthz', (ctx) => {
    ctx.body = { status: 'ok' };
  });
  router.get('/readyz', async (ctx) => {
    const checked = await Promise.all(remembered.map(async ([name, check]) => [name, await check()] as const));
    const parts = [...checked, ...Object.entries(states)];
    const missing = parts.filter(([, state]) => state !== 'ok').map(([name]) => name);
    const ready = missing.every((name) => !(name in checks)) && !isStopping();
    ctx.status = ready ? 200 : 503;
    ctx.body = {
      status: isStopping() ? 'stopping' : !ready ? 'not ready' : missing.length > 0 ? 'degraded' : 'ready',
      parts: Object.fromEntries(parts),
    };
  });
  return router;
}

/** A part that is away is asked again so soon: it may just be starting. */
const AWAY_MS = 500;

/** 'ok', or 'unreachable': why is for the log and the operator's own eyes, not for strangers. */
async function stateOf(check: () => Promise<unknown>, timeoutMs: number): Promise<string> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(reject, timeoutMs, new Error('the check took too long'));
  });
  try {
    await Promise.race([check(), timeout]);
    return 'ok';
  } catch {
    return 'unreachable';
  } finally {
    clearTimeout(timer);
  }
}
