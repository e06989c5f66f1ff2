/** Who may see the inbox: people with the password (a session cookie), programs with a key. Nobody else gets an answer. */
import { createHmac, randomBytes, scryptSync, timingSafeEqual } from 'node:crypto';
import { Readable } from 'node:stream';
import Router from '@koa/router';
import type { Context, Middleware, Next } from 'koa';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { Failure } from '../errors.ts';
import { createGate, type Gate } from '../ops/gate.ts';
import type { Log } from '../ops/logger.ts';
import { requests } from './contract.ts';
import { explain } from './explain.ts';
import { OPERATIONS, type Operation, SESSION_OPERATIONS } from './operations.ts';

/** Paths that are asked by POST, and change nothing. */
const QUESTIONS: ReadonlySet<string> = new Set(
  Object.values<Operation>(OPERATIONS).flatMap(({ streams, path }) => (streams ? [path] : [])),
);

export interface Auth {
  /** `POST /api/session` signs in, `DELETE` out, `GET` returns the session, if there is one. */
  router: Router;
  /** Lets signed-in people and programs with a key through; `request.unauthorized` or `request.forbidden` for all others. */
  guard: Middleware;
  /** The same question, without an answer to the request. Changes nothing. */
  isSignedIn(ctx: Context): Promise<boolean>;
}

/** See `memory/sessions.ts`. */
export interface Sessions {
  begin(id: string, ms: number): Promise<void>;
  isOpen(id: string): Promise<boolean>;
  end(id: string): Promise<void>;
}

export interface AuthOptions {
  password: string;
  /** For programs, sent as `x-api-key` or as a bearer token. */
  apiKeys: readonly string[];
  /** Our public address: when it is https, the cookie never travels in the clear. */
  publicUrl: string | undefined;
  /** A proxy stands before us: `X-Forwarded-Proto` and the last of `X-Forwarded-For` are its word. */
  trustProxy: boolean;
  now: () => number;
  /** Shared by all processes. */
  sessions: Sessions;
  log: Pick<Log, 'warn'>;
  /**
   * Wrong passwords that one address may send in 15 minutes, and three times as many wrong keys; all addresses together may send twenty
   * times as many passwords.
   */
  attempts?: number;
}

const COOKIE = 'recado_session';
/** Tells a browser that somebody signed in with before: guesses of others, behind the same proxy, do not keep it out. */
const DEVICE_COOKIE = 'recado_device';
/** A working day with some room. */
const SESSION_MS = 12 * 3_600_000;
const DEVICE_MS = 365 * 86_400_000;
const WINDOW_S = 15 * 60;
/** Keys are long: more of them may be tried than passwords, so that a program with an old key says so in the log for a while. */
const KEYS_PER_PASSWORD = 3;
const UNSAFE = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);
/** How many questions of one key or session are worked at together. */
const AT_ONCE = 4;
const SESSION_PATH = SESSION_OPERATIONS.session.path;

export function createAuth(options: AuthOptions): Auth {
  const { password, apiKeys, publicUrl, trustProxy, now, sessions, log, attempts = 10 } = options;
  let key: Buffer | undefined;
  const perAddress = new RateLimiterMemory({ points: attempts, duration: WINDOW_S });
  const everybody = new RateLimiterMemory({ points: attempts * 20, duration: WINDOW_S });
  const perKeySender = new RateLimiterMemory({ points: attempts * KEYS_PER_PASSWORD, duration: WINDOW_S });
  const gates = new Map<string, Gate>();
  const router = new Router();
  router.use(explain, noStore);
  router.post(SESSION_PATH, signIn);
  router.get(SESSION_PATH, showSession);
  router.delete(SESSION_PATH, signOut);
  return { router, guard, isSignedIn };

  async function signIn(ctx: Context): Promise<void> {
    refuseStrangeSites(ctx);
    const asked = ctx.is('json') ? requests.signIn.safeParse(ctx.request.body).data?.password : undefined;
    if (asked === undefined) throw new Failure('request.unauthorized', 'The password is missing: send it as JSON.');
    const forgive = await countAttempt(ctx);
    if (!same(asked, password)) throw new Failure('request.unauthorized', 'The password is wrong.');
    await forgive();
    await endSession(ctx);
    ctx.body = { success: true, csrf: csrfOf(await openSession(ctx)) };
  }

  async function showSession(ctx: Context): Promise<void> {
    const session = await sessionOf(ctx);
    ctx.body = { success: true, csrf: session && csrfOf(session) };
  }

  async function signOut(ctx: Context): Promise<void> {
    await endSession(ctx);
    setCookie(ctx, COOKIE, null, 0);
    ctx.body = { success: true };
  }

  async function guard(ctx: Context, next: Next): Promise<void> {
    ctx.set('Cache-Control', 'no-store');
    const given = keyIn(ctx);
    if (given !== '') {
      await checkKey(ctx, given);
      return inTurn(ctx, given, next);
    }
    const session = await sessionOf(ctx);
    if (!session) throw new Failure('request.unauthorized', 'Sign in at /whatsapp-inbox, or send an x-api-key.');
    if (UNSAFE.has(ctx.method) && !same(ctx.get('x-csrf-token'), csrfOf(session))) {
      throw new Failure('request.forbidden', 'The x-csrf-token of the session is missing or wrong.');
    }
    ctx.state.isSignedIn = () => sessions.isOpen(session);
    return inTurn(ctx, session, next);
  }

  /**
   * One program, or one person with many pages, does not take all connections to the archive: further questions of theirs wait. What changes
   * something does not, nor do files and streams, which ask the archive for next to nothing.
   */
  async function inTurn(ctx: Context, caller: string, next: Next): Promise<void> {
    const isQuestion = ctx.method === 'GET' || QUESTIONS.has(ctx.path.toLowerCase().replace(/\/$/, ''));
    if (!isQuestion || /\/(media|events)(\/|$)/.test(ctx.path)) return next();
    const gate = gates.get(caller) ?? createGate(AT_ONCE);
    gates.set(caller, gate);
    const leaveGate = await gate.enter(1);
    const leave = () => {
      leaveGate();
      if (gate.isIdle) gates.delete(caller);
    };
    try {
      await next();
    } catch (error) {
      leave();
      throw error;
    }
    // What is written while it is read asks until its end.
    if (ctx.body instanceof Readable) ctx.res.once('close', leave);
    else leave();
  }

  async function isSignedIn(ctx: Context): Promise<boolean> {
    const given = keyIn(ctx);
    if (apiKeys.filter((apiKey) => same(given, apiKey)).length > 0) return true;
    return (await sessionOf(ctx)) !== null;
  }

  /** Wrong keys are logged, and end in 429; a right one is never asked to wait. */
  async function checkKey(ctx: Context, given: string): Promise<void> {
    // All keys are compared, so that the time reveals nothing.
    if (apiKeys.filter((apiKey) => same(given, apiKey)).length > 0) return;
    await perKeySender.consume(networkOf(ctx, trustProxy)).catch((refusal) => tooMany(ctx, refusal));
    log.warn('A program sent a wrong x-api-key', { address: networkOf(ctx, trustProxy), path: ctx.path });
    throw new Failure('request.unauthorized', 'The x-api-key is wrong.');
  }

  /** A page of another site could have a browser of ours guess, and lock it out. */
  function refuseStrangeSites(ctx: Context): void {
    const site = ctx.get('Sec-Fetch-Site');
    const origin = ctx.get('Origin');
    const isStrange = site === '' ? origin !== '' && !isOurs(ctx, origin) : site === 'cross-site';
    if (isStrange)
      throw new Failure('request.forbidden', 'Sign in on our own page: this request comes from another site.');
  }

  function isOurs(ctx: Context, origin: string): boolean {
    const host = URL.canParse(origin) ? new URL(origin).host : origin;
    const forwarded = trustProxy ? ctx.get('X-Forwarded-Host').split(',').at(-1)?.trim() : undefined;
    return [ctx.host, forwarded, publicUrl && new URL(publicUrl).host].includes(host);
  }

  /** One address alone does not use up what everybody has. @returns takes it back. */
  async function countAttempt(ctx: Context): Promise<() => Promise<unknown>> {
    const device = deviceOf(ctx);
    const who = device === null ? networkOf(ctx, trustProxy) : `device ${device}`;
    await perAddress.consume(who).catch((refusal) => tooMany(ctx, refusal));
    if (device === null) await everybody.consume('all').catch((refusal) => tooMany(ctx, refusal));
    return () => Promise.all([perAddress.delete(who), device === null ? everybody.reward('all') : null]);
  }

  async function openSession(ctx: Context): Promise<string> {
    const session = `${now() + SESSION_MS}.${randomBytes(18).toString('base64url')}`;
    await sessions.begin(session, SESSION_MS);
    setCookie(ctx, COOKIE, `${session}.${sign(session)}`, SESSION_MS);
    const device = deviceOf(ctx) ?? randomBytes(12).toString('base64url');
    setCookie(ctx, DEVICE_COOKIE, `${device}.${sign(`device ${device}`)}`, DEVICE_MS);
    return session;
  }

  async function sessionOf(ctx: Context): Promise<string | null> {
    const [expires, id, signature] = cookieOf(ctx, COOKIE)?.split('.') ?? [];
    if (!expires || !id || !signature) return null;
    const session = `${expires}.${id}`;
    if (!same(signature, sign(session)) || Number(expires) <= now()) return null;
    return (await sessions.isOpen(session)) ? session : null;
  }

  async function endSession(ctx: Context): Promise<void> {
    const session = await sessionOf(ctx);
    if (session) await sessions.end(session);
  }

  function deviceOf(ctx: Context): string | null {
    const [device, signature] = cookieOf(ctx, DEVICE_COOKIE)?.split('.') ?? [];
    return device && signature && same(signature, sign(`device ${device}`)) ? device : null;
  }

  /** @param ms how long the browser keeps it */
  function setCookie(ctx: Context, name: string, value: string | null, ms: number): void {
    const secure = isSecure(ctx);
    // Else Koa, which sees the plain connection to the proxy, refuses to set a secure one.
    ctx.cookies.secure = secure;
    const lifetime = value === null ? {} : { maxAge: ms };
    ctx.cookies.set(secure ? `__Host-${name}` : name, value, {
      httpOnly: true,
      sameSite: 'strict',
      secure,
      overwrite: true,
      ...lifetime,
    });
    if (secure) ctx.set('Strict-Transport-Security', `max-age=${DEVICE_MS / 1_000}`);
  }

  function isSecure(ctx: Context): boolean {
    const forwarded = trustProxy && ctx.get('X-Forwarded-Proto').split(',').at(-1)?.trim() === 'https';
    return forwarded || ctx.secure || publicUrl?.startsWith('https:') === true;
  }

  function sign(text: string): string {
    // A new password ends all sessions. Slow, so that a cookie does not tell the password; so it waits for the first session.
    key ??= scryptSync(password, 'recado inbox session', 32);
    return createHmac('sha256', key).update(text).digest('base64url');
  }

  /** What a page must send along with everything that changes something; a strange site cannot know it. */
  function csrfOf(session: string): string {
    return sign(`csrf ${session}`);
  }
}

function cookieOf(ctx: Context, name: string): string | undefined {
  return ctx.cookies.get(`__Host-${name}`) ?? ctx.cookies.get(name);
}

/** Responses of the inbox are not cached. */
export const noStore: Middleware = async (ctx, next) => {
  ctx.set({ 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' });
  await next();
};

/** Compares in a time that does not depend on where the two differ. */
function same(given: string, expected: string): boolean {
  const digest = (text: string) => createHmac('sha256', 'compare').update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}

/** Where a request comes from: of IPv6 the first half, which one connection has all addresses of. */
function networkOf(ctx: Context, trustProxy: boolean): string {
  const forwarded = trustProxy ? ctx.get('X-Forwarded-For').split(',').at(-1)?.trim() : '';
  const address = forwarded || String(ctx.state.from);
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
  throw new Failure('request.too_many', `Too many wrong passwords or keys. Try again in ${minutes} min.`);
}

/** Programs such as Prometheus can send a bearer token, and no other header. '' when there is no key. */
function keyIn(ctx: Context): string {
  return ctx.get('x-api-key') || (/^Bearer\s+(\S+)$/i.exec(ctx.get('authorization'))?.[1] ?? '');
}
