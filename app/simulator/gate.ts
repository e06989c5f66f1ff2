/** Who may use the simulator: whoever sits at this machine, and whoever is signed in to the inbox. It shows prompts and memories. */
import Router from '@koa/router';
import type { Context, Next } from 'koa';
import { Failure } from '../errors.ts';
import { isFromHere } from '../http/nearby.ts';

export interface GateOptions {
  /** Somebody signed in to the inbox, or a program with a key. */
  isSignedIn: (ctx: Context) => Promise<boolean>;
  /** The address that the world reaches us by: then nobody counts as sitting at this machine. */
  publicUrl: string | undefined;
}

/** Stands before every path of the simulator. */
export function createGate({ isSignedIn, publicUrl }: GateOptions): Router {
  const router = new Router();
  router.all(['/simulator', '/simulator/{*rest}'], pass);
  return router;

  async function pass(ctx: Context, next: Next): Promise<void> {
    if ((publicUrl === undefined && isFromHere(ctx)) || (await isSignedIn(ctx))) return next();
    if (ctx.method === 'GET' && PAGES.test(ctx.path)) return ctx.redirect('/whatsapp-inbox');
    throw new Failure(
      'request.unauthorized',
      'The simulator is open at this machine (http://localhost), and to whoever is signed in at /whatsapp-inbox.',
    );
  }
}

const PAGES = /^\/simulator(\/as\/[^/]+)?\/?$/i;
