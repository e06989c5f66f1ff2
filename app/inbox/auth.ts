/** Who may see the inbox: people with the password (a session cookie), programs with a key. Nobody else gets an answer. */
import { createHmac, randomBytes, scryptSync, timingSafeEqual } from 'node:crypto';
import Router from '@koa/router';
import type { Context, Middleware } from 'koa';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { Failure } from '../errors.ts';
import { requests } from './contract.ts';
import { explain } from './explain.ts';
import { SESSION_OPERATIONS } from './operations.ts';

export interface Auth {
  /** `POST /api/session` signs in, `DELETE` out, `GET` returns the session, if there is one. */
  router: Router;
  /** Lets signed-in people and programs with a key through; `request.unauthorized` or `request.forbidden` for all others. */
  guard: Middleware;
}

export interface AuthOptions {
  password: string;
  /** For programs, sent as `x-api-key`. */
  apiKeys: readonly string[];
  /** Our public address: when it is https, the cookie never travels in the clear. */
  publicUrl: string | undefined;
  /** A proxy stands before us: `X-Forwarded-Proto` and the last of `X-Forwarded-For` are its word. */
  trustProxy: boolean;
  now: () => number;
  /** Wrong passwords that one address may send in 15 minutes; all addresses together may send twenty times as many. */
  attempts?: number;
}

const COOKIE = 'recado_session';
/** A working day with some room. */
const SESSION_MS = 12 * 3_600_000;
const WINDOW_S = 15 * 60;
const UNSAFE = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);
const SESSION_PATH = SESSION_OPERATIONS.session.path;

export function createAuth({ password, apiKeys, publicUrl, trustProxy, now, attempts = 10 }: AuthOptions): Auth {
  // A new password ends all sessions; processes with the same one share them. Slow, so that a cookie does not tell the password.
  const key = scryptSync(password, 'recado inbox session', 32);
  const perAddress = new RateLimiterMemory({ points: attempts, duration: WINDOW_S });
  const everybody = new RateLimiterMemory({ points: attempts * 20, duration: WINDOW_S });
  const signedOut = createSignedOut(now);

  const sign = (text: string): string => createHmac('sha256', key).update(text).digest('base64url');
  /** What a page must send along with everything that changes something; a strange site cannot know it. */
  const csrfOf = (session: string): string => sign(`csrf ${session}`);

  function setCookie(ctx: Context, value: string | null): void {
    const forwarded = trustProxy && ctx.get('X-Forwarded-Proto').split(',').at(-1)?.trim() === 'https';
    const secure = forwarded || ctx.secure || publicUrl?.startsWith('https:') === true;
    // Else Koa, which sees the plain connection to the proxy, refuses to set a secure one.
    ctx.cookies.secure = secure;
    const lifetime = value === null ? {} : { maxAge: SESSION_MS };
    ctx.cookies.set(COOKIE, value, { httpOnly: true, sameSite: 'strict', secure, overwrite: true, ...lifetime });
  }

  function openSession(ctx: Context): string {
    const session = `${now() + SESSION_MS}.${randomBytes(18).toString('base64url')}`;
    setCookie(ctx, `${session}.${sign(session)}`);
    return session;
  }

  function sessionOf(ctx: Context): string | null {
    const [expires, id, signature] = ctx.cookies.get(COOKIE)?.split('.') ?? [];
    if (!expires || !id || !signature) return null;
    const session = `${expires}.${id}`;
    const valid = same(signature, sign(session)) && Number(expires) > now() && !signedOut.has(session);
    return valid ? session : null;
  }

  function endSession(ctx: Context): void {
    const session = sessionOf(ctx);
    if (session) signedOut.add(session, Number(session.split('.')[0]));
  }

  /** One address alone does not use up what everybody has. */
  async function countAttempt(ctx: Context): Promise<string> {
    const address = networkOf(ctx, trustProxy);
    await perAddress.consume(address).catch((refusal) => tooMany(ctx, refusal));
    await everybody.consume('all').catch((refusal) => tooMany(ctx, refusal));
    return address;
  }

  const router = new Router();
  router.use(explain, noStore);
  router.post(SESSION_PATH, async (ctx) => {
    const address = await countAttempt(ctx);
    const given = requests.signIn.safeParse(ctx.request.body).data?.password;
    if (given === undefined || !same(given, password)) {
      throw new Failure('request.unauthorized', 'The password is wrong.');
    }
    await Promise.all([perAddress.delete(address), everybody.reward('all')]);
    endSession(ctx);
    ctx.body = { success: true, csrf: csrfOf(openSession(ctx)) };
  });
  router.get(SESSION_PATH, (ctx) => {
    const session = sessionOf(ctx);
    ctx.body = { success: true, csrf: session && csrfOf(session) };
  });
  router.delete(SESSION_PATH, (ctx) => {
    endSession(ctx);
    setCookie(ctx, null);
    ctx.body = { success: true };
  });

  return {
    router,
    async guard(ctx, next) {
      const given = ctx.get('x-api-key');
      if (given !== '') {
        // All keys are compared, so that the time reveals nothing.
        if (apiKeys.filter((apiKey) => same(given, apiKey)).length > 0) return next();
        throw new Failure('request.unauthorized', 'The x-api-key is wrong.');
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

/** Responses of the inbox are not cached. */
export const noStore: Middleware = async (ctx, next) => {
  ctx.set({ 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' });
  await next();
};

/** Sessions that were ended before their time, in this process; they run out by themselves within 12 hours. */
function createSignedOut(now: () => number) {
  const until = new Map<string, number>();
  return {
    has: (session: string) => until.has(session),
    add(session: string, expiresAt: number): void {
      for (const [old, oldExpiresAt] of until) if (oldExpiresAt <= now()) until.delete(old);
      until.set(session, expiresAt);
    },
  };
}

/** Compares in a time that does not depend on where the two differ. */
function same(given: string, expected: string): boolean {
  const digest = (text: string) => createHmac('sha256', 'compare').update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}

/** Where a request comes from: of IPv6 the first half, which one connection has all addresses of. */
function networkOf(ctx: Context, trustProxy: boolean): string {
  const forwarded = trustProxy ? ctx.get('X-Forwarded-For').split(',').at(-1)?.trim() : '';
  const address = forwarded || ctx.req.socket.remoteAddress || '';
  return address.includes(':') && !address.includes('.') ? networkOfIpv6(address) : address;
}

/** `2001:db8::1` → `2001:db8:0:0` */
function networkOfIpv6(address: string): string {
  const [left = [], right] = address.split('::').map((half) => half.split(':').filter((group) => group !== ''));
  const zeros = right === undefined ? [] : Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0');
  return [...left, ...zeros, ...(right ?? [])].slice(0, 4).join(':');
}

function tooMany(ctx: Context, refusal: unknown): never {
  if (!(refusal instanceof RateLimiterRes)) throw refusal;
  const seconds = Math.ceil(refusal.msBeforeNext / 1_000);
  ctx.set('Retry-After', String(seconds));
  const minutes = Math.ceil(seconds / 60);
  throw new Failure('request.too_many', `Too many attempts to sign in. Try again in ${minutes} min.`);
}
