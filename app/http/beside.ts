/** Hands requests on to another process of ours on this machine, over a unix socket that only this user can reach. */
import { type IncomingMessage, request } from 'node:http';
import type { Context, Middleware, Next } from 'koa';
import { Failure } from '../errors.ts';
import { FROM, REQUEST_ID, type RequestState } from './server.ts';

export interface BesideOptions {
  /** Where the other process listens. */
  socket: string;
  /** Paths that are its own, with all below them, in lower case. */
  paths: readonly string[];
}

/** Hop-by-hop headers are between two ends of one connection: https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1 */
const OF_ONE_CONNECTION = [
  'connection',
  'keep-alive',
  'transfer-encoding',
  'te',
  'trailer',
  'upgrade',
  'proxy-connection',
];

/** Before bodies are read: they flow through. `desk.unavailable` while the other process does not listen. */
export function createBeside({ socket, paths }: BesideOptions): Middleware {
  return async function handOn(ctx: Context, next: Next) {
    const path = ctx.path.toLowerCase();
    if (!paths.some((own) => path === own || path.startsWith(`${own}/`))) return next();
    const answer = await ask(ctx, socket);
    ctx.status = answer.statusCode ?? 502;
    for (const [name, value] of Object.entries(answer.headers))
      if (value !== undefined && !OF_ONE_CONNECTION.includes(name)) ctx.set(name, value);
    ctx.body = answer;
    if (ctx.response.is('text/event-stream')) ctx.flushHeaders(); // the first event may take long
  };
}

function ask(ctx: Context, socketPath: string): Promise<IncomingMessage> {
  const { requestId, from } = ctx.state as RequestState; // every request has it, see `createServer`
  const kept = Object.entries(ctx.req.headers).filter(([name]) => !OF_ONE_CONNECTION.includes(name));
  const headers = { ...Object.fromEntries(kept), [FROM]: from, [REQUEST_ID]: requestId };
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, method: ctx.method, path: ctx.url, headers });
    asked.once('response', resolve);
    asked.once('error', (error) =>
      reject(new Failure('desk.unavailable', 'The desk does not answer yet.', { cause: error })),
    );
    ctx.res.once('close', () => asked.destroy());
    ctx.req.pipe(asked);
  });
}
