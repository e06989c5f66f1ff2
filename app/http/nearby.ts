/** Where a request comes from, and what is open to this machine or to our own network without a sign-in. */
import Router from '@koa/router';
import type { Context, Next } from 'koa';
import { Failure } from '../errors.ts';

/** Headers that proxies add: then the other end of the connection is not where the request comes from. */
const OF_PROXIES = ['x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'forwarded', 'via', 'cf-connecting-ip'];

export function isThroughProxy(ctx: Context): boolean {
  return OF_PROXIES.some((name) => ctx.get(name) !== '');
}

/** The host is looked at, too: the name of another site may lead to this machine, or a proxy here may add no header. */
export function isFromHere(ctx: Context): boolean {
  const address = ctx.req.socket.remoteAddress ?? '';
  const isLoopback = /^(::ffff:)?127\./.test(address) || address === '::1';
  return isLoopback && isLocalName(ctx.hostname) && !isThroughProxy(ctx);
}

function isLocalName(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/i.test(host);
}

export interface FiguresGateOptions {
  /** Somebody signed in to the inbox, or a program with a key. */
  isSignedIn: (ctx: Context) => Promise<boolean>;
  isPublicAddress: (address: string) => boolean;
}

/**
 * Stands before `/metrics`: Prometheus in our own network needs nothing; a request through a proxy or from a public address needs a
 * key. The figures tell how many people write, and when.
 */
export function createFiguresGate({ isSignedIn, isPublicAddress }: FiguresGateOptions): Router {
  const router = new Router();
  router.get('/metrics', async (ctx: Context, next: Next) => {
    const address = (ctx.req.socket.remoteAddress ?? '').replace(/^::ffff:(?=\d+\.)/, '');
    const isNearby = !isThroughProxy(ctx) && address !== '' && !isPublicAddress(address);
    if (isNearby || (await isSignedIn(ctx))) return next();
    throw new Failure(
      'request.unauthorized',
      'The figures are open to our own network. From elsewhere send one of API_KEYS: Authorization: Bearer …, or x-api-key.',
    );
  });
  return router;
}
