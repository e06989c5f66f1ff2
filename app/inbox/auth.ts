/** Who may see the inbox: people with the password (a session cookie), programs with a key. Nobody else gets an answer. */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import Router from '@koa/router';
import type { Context, Middleware } from 'koa';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { Failure } from '../errors.ts';

export interface Auth {
  /** `POST /api/session` signs in, `DELETE` out, `GET` tells who one is. */
  router: Router;
  /** Lets signed-in people and programs with a key through; `request.unauthorized` or `request.forbidden` for all others. */
  guard: Middleware;
}

export interface AuthOptions {
  password: string;
  /** For programs, sent as `x-api-key`. */
  apiKeys: readonly string[];
  /** The public address is https: the cookie never travels in the clear. */
  secure: boolean;
  now: () => number;
  /** Wrong passwords that one address may send in 15 minutes. */
  attempts?: number;
}

const COOKIE = 'recado_session';
/** A working day with some room. */
const SESSION_MS = 12 * 3_600_000;
const WINDOW_S = 15 * 60;
const UNSAFE = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);

export function createAuth({ password, apiKeys, secure, now, attempts = 10 }: AuthOptions): Auth {
  // A new password ends all sessions; processes with the same one share them.
  const key = createHmac('sha256', 'recado inbox session').update(password).digest();
  const limiter = new RateLimiterMemory({ points: attempts, duration: WINDOW_S });
  const everybody = new RateLimiterMemory({ points: attempts * 20, duration: WINDOW_S });

  const sign = (text: string): string => createHmac('sha256', key).update(text).digest('base64url');
  /** What a page must send along with everything that changes something; a strange site cannot know it. */
  const csrfOf = (session: string): string => sign(`csrf ${session}`);

  function openSession(ctx: Context): string {
    const session = `${now() + SESSION_MS}.${randomBytes(18).toString('base64url')}`;
    const value = `${session}.${sign(session)}`;
    ctx.cookies.set(COOKIE, value, { httpOnly: true, sameSite: 'strict', secure, maxAge: SESSION_MS, overwrite: true });
    return session;
  }

  function sessionOf(ctx: Context): string | null {
    const [expires, id, signature] = ctx.cookies.get(COOKIE)?.split('.') ?? [];
    if (!expires || !id || !signature) return null;
    const session = `${expires}.${id}`;
    return same(signature, sign(session)) && Number(expires) > now() ? session : null;
  }

  const router = new Router();
  router.post('/api/session', async (ctx) => {
    await Promise.all([limiter.consume(ctx.ip), everybody.consume('all')]).catch((refusal) => tooMany(ctx, refusal));
    // Any JSON may have come: what is no text is no password.
    const given = (ctx.request.body as { password?: unknown } | undefined)?.password;
    if (typeof given !== 'string' || !same(given, password)) {
      throw new Failure('request.unauthorized', 'A wrong password was given at the sign-in.');
    }
    await limiter.delete(ctx.ip);
    ctx.body = { success: true, csrf: csrfOf(openSession(ctx)) };
  });
  router.get('/api/session', (ctx) => {
    const session = sessionOf(ctx);
    if (!session) throw new Failure('request.unauthorized', 'Nobody is signed in.');
    ctx.body = { success: true, csrf: csrfOf(session) };
  });
  router.delete('/api/session', (ctx) => {
    ctx.cookies.set(COOKIE, null, { httpOnly: true, sameSite: 'strict', secure, overwrite: true });
    ctx.body = { success: true };
  });

  return {
    router,
    async guard(ctx, next) {
      const given = ctx.get('x-api-key');
      if (given !== '') {
        // All keys are compared, so that the time tells nothing.
        if (apiKeys.filter((apiKey) => same(given, apiKey)).length > 0) return next();
        throw new Failure('request.unauthorized', 'A wrong x-api-key was given.');
      }
      const session = sessionOf(ctx);
      if (!session) throw new Failure('request.unauthorized', 'Sign in at /whatsapp-inbox, or send an x-api-key.');
      if (UNSAFE.has(ctx.method) && !same(ctx.get('x-csrf-token'), csrfOf(session))) {
        throw new Failure('request.forbidden', 'The x-csrf-token of the session is missing or wrong.');
      }
      return next();
    },
  };
}

/** Compares in a time that does not depend on where the two differ. */
function same(given: string, expected: string): boolean {
  const digest = (text: string) => createHmac('sha256', 'compare').update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}

function tooMany(ctx: Context, refusal: unknown): never {
  if (!(refusal instanceof RateLimiterRes)) throw refusal;
  ctx.set('Retry-After', String(Math.ceil(refusal.msBeforeNext / 1_000)));
  throw new Failure('request.too_many', 'Too many attempts to sign in from one address.');
}
