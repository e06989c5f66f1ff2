/** The HTTP server: request id, one error exit, access log, body limits. It mounts the routers it is given and knows no route. */
import { createServer as createHttpServer, type Server } from 'node:http';
import type Router from '@koa/router';
import Koa from 'koa';
import bodyParser from 'koa-bodyparser';
import readRaw from 'raw-body';
import { Failure, type FailureCode, isFailure } from '../errors.ts';
import { newId } from '../ops/id.ts';
import type { Log } from '../ops/logger.ts';

/** What every middleware finds in `ctx.state`. */
export interface RequestState {
  /** Follows a request through the log, from the webhook to the reply. */
  requestId: string;
  /** The address it comes from: the other end of the connection, or what a process of ours that handed it on says. */
  from: string;
  /** What a router wants to be answered when a request is refused, instead of our JSON. */
  refusal?: Refusal;
}

/** What a process of ours says of a request that it hands on. It counts over a unix socket alone, whose other end has no address. */
export const FROM = 'x-recado-from';
export const REQUEST_ID = 'x-request-id';

export interface Refusal {
  type: string;
  body: string;
}

export interface ServerOptions {
  routers: Router[];
  /** Comes before all else, and before bodies are read. */
  before?: Koa.Middleware | null;
  /** The routers of webhooks: first, and served until the port closes. What a provider brings is stored also while we stop. */
  webhooks?: Router[];
  /** Path → what is answered there when a request is refused, also before a router has seen it. */
  refusals?: ReadonlyMap<string, Refusal>;
  /** Paths whose bodies stay as they were sent, because a signature is over the bytes → the largest, bytes. They become a `Buffer`. */
  rawBodies?: ReadonlyMap<string, number>;
  /** Paths whose bodies are left to their router: it reads them once it knows who sends them. */
  unreadBodies?: ReadonlySet<string>;
  log: Log;
  /** True once the process has begun to stop: what changes something, but for webhooks, gets 503 then. */
  isStopping: () => boolean;
}

/**
 * The longest body that is read: a webhook whose text has 10,000 characters of any script (nine bytes each when percent-encoded,
 * twelve for the rarest), with all its other fields, one of which may be the answers of a form, as long again.
 */
const BODY_LIMIT = '256kb';

/**
 * How long a request may take to arrive, ms, for Node's HTTP server; its own limits are minutes, and looked at twice a minute.
 * The longest body is a list of 10 MB that somebody uploads; all others have `SOON_MS`.
 */
const ARRIVAL = { headersTimeout: 10_000, requestTimeout: 60_000, connectionsCheckingInterval: 1_000 };

/**
 * How long a connection without a request stays open, ms: longer than the minute for which load balancers keep theirs. Otherwise they
 * could send a request into a connection that we are just closing.
 */
const KEEP_ALIVE = { keepAliveTimeout: 75_000 };

/** The server of Node for an application; it listens nowhere yet. */
export function listenerFor(app: Koa): Server {
  return createHttpServer({ ...ARRIVAL, ...KEEP_ALIVE }, app.callback());
}

/** Builds the application; it listens nowhere. */
export function createServer(options: ServerOptions): Koa {
  const { routers, webhooks = [], before, refusals = new Map(), rawBodies = new Map(), log, isStopping } = options;
  const { unreadBodies = new Set() } = options;
  const app = new Koa();
  app.on('error', (error: unknown) => {
    if (isGoneClient(error)) log.debug('A client left before its answer was written');
    else log.error('The server failed outside a request', { error });
  });
  app.use(requestLog(log, isStopping));
  app.use((ctx, next) => {
    const refusal = refusals.get(placeOf(ctx));
    if (refusal) ctx.state.refusal = refusal;
    return next();
  });
  app.use(cutOffLate(unreadBodies));
  if (before) app.use(before);
  if (rawBodies.size > 0) app.use(keepRaw(rawBodies));
  app.use((ctx, next) => {
    if (unreadBodies.has(placeOf(ctx))) ctx.disableBodyParser = true;
    return next();
  });
  app.use(readBody());
  for (const router of webhooks) app.use(router.routes()).use(router.allowedMethods());
  app.use(async (ctx, next) => {
    if (isStopping() && ctx.method !== 'GET') refuse(ctx, 503, 'server.stopping');
    else await next();
  });
  for (const router of routers) app.use(router.routes()).use(router.allowedMethods());
  return app;
}

/** Twilio gives up after 15 s; a body of 256 KB that takes longer cannot be answered in time. */
const SOON_MS = 15_000;

/** Nobody keeps a connection by a body that trickles in. @param uploads paths whose bodies may take as long as Node allows */
function cutOffLate(uploads: ReadonlySet<string>): Koa.Middleware {
  return function arrivesSoon(ctx, next) {
    const { req, res } = ctx;
    const hasBody = req.headers['content-length'] !== undefined || req.headers['transfer-encoding'] !== undefined;
    if (!hasBody || uploads.has(placeOf(ctx))) return next();
    const timer = setTimeout(() => {
      if (!req.complete)
        req.socket.end('HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n', () => req.socket.destroy());
    }, SOON_MS);
    res.once('close', () => clearTimeout(timer));
    return next();
  };
}

/** As the routers see a path: in any case, with or without a slash at the end. */
function placeOf({ path }: Koa.Context): string {
  return path.toLowerCase().replace(/\/$/, '');
}

/** People close pages and connections break: that is not an error. */
function isGoneClient(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : '';
  return code === 'ERR_STREAM_PREMATURE_CLOSE' || code === 'ECONNRESET' || code === 'EPIPE';
}

/** Gives the request its id, turns what was thrown into an answer, and logs how it went. */
function requestLog(log: Log, isStopping: () => boolean): Koa.Middleware {
  return async function logRequest(ctx, next) {
    const startedAt = performance.now();
    const { remoteAddress } = ctx.req.socket;
    ctx.state.requestId = (remoteAddress === undefined && ctx.get(REQUEST_ID)) || newId();
    ctx.state.from = remoteAddress ?? ctx.get(FROM);
    ctx.set(REQUEST_ID, ctx.state.requestId);
    let problem: unknown;
    try {
      await next();
      if (ctx.status === 404 && ctx.body == null) refuse(ctx, 404, 'request.not_found');
      // The routers set no body; and an unknown method (501) is not an error of ours.
      if (ctx.status === 405 || ctx.status === 501) refuse(ctx, 405, 'request.method');
    } catch (error) {
      problem = error;
      const { status, code } = answerTo(error);
      refuse(ctx, status, code);
    }
    // Also for a request that came in before: its connection would be cut when the process ends.
    if (isStopping()) ctx.set('Connection', 'close');
    const level = ctx.status >= 500 ? 'error' : ctx.status >= 400 ? 'warn' : 'debug';
    log[level]('Request', {
      requestId: ctx.state.requestId,
      method: ctx.method,
      path: ctx.path,
      status: ctx.status,
      ms: Math.round(performance.now() - startedAt),
      ...(problem === undefined ? {} : { error: problem }),
    });
  };
}

/** The one place where an error becomes a response. It contains the code and nothing else of the error. */
function answerTo(error: unknown): { status: number; code: FailureCode } {
  if (isFailure(error)) return { status: error.status, code: error.code };
  // http-errors, as Koa and the body parser throw them: 4xx is caused by the client, the rest by us.
  const status = error instanceof Error && 'status' in error ? Number(error.status) : 500;
  if (status === 413) return { status, code: 'request.too_large' };
  if (status === 415) return { status, code: 'request.type' };
  if (status >= 400 && status < 500) return { status, code: 'request.invalid' };
  return { status: 500, code: 'server.error' };
}

function refuse(ctx: Koa.Context, status: number, code: FailureCode): void {
  ctx.status = status;
  // Set by a router of our own, see RequestState.
  const { refusal } = ctx.state as RequestState;
  if (refusal) {
    ctx.type = refusal.type;
    ctx.body = refusal.body;
    return;
  }
  ctx.body = { success: false, error: SENTENCES[status] ?? 'The request could not be handled.', code };
}

const SENTENCES: Record<number, string> = {
  400: 'The request is not valid.',
  401: 'Sign in first.',
  403: 'The signature is missing or wrong.',
  404: 'Not found.',
  405: 'This address does not take this method.',
  413: 'The request is too large.',
  415: 'The content type is not supported.',
  429: 'Too many requests. Try again later.',
  500: 'Internal error.',
  503: 'The service is not available right now.',
};

/** The bytes of a body that is signed as a whole. What is larger gets 413. */
function keepRaw(largest: ReadonlyMap<string, number>): Koa.Middleware {
  return async function keep(ctx, next) {
    const limit = largest.get(placeOf(ctx));
    if (limit !== undefined && ctx.method === 'POST') {
      ctx.request.body = await readRaw(ctx.req, { limit, length: ctx.request.length ?? null });
      ctx.disableBodyParser = true;
    }
    return next();
  };
}

/**
 * Reads bodies with a limit. A form is left as text: what a provider signs are its raw pairs, which a parser that nests
 * brackets and dots, drops `__proto__` and stops at 1,000 fields would break.
 */
function readBody(): Koa.Middleware {
  return bodyParser({
    enableTypes: ['json', 'text'],
    jsonLimit: BODY_LIMIT,
    textLimit: BODY_LIMIT,
    extendTypes: { text: ['application/x-www-form-urlencoded'] },
    onerror(error) {
      // Bytes that are not compressed as the header says fail without a status.
      if ('status' in error) throw error;
      throw new Failure('request.invalid', 'The body cannot be read.', { cause: error });
    },
  });
}
