/** `GET /export/:id`: the copy of their data that a contact has asked the assistant for, as a file. The address is the permission. */
import Router from '@koa/router';
import type { ContactCopy } from '../archive/read/copy.ts';
import { Failure } from '../errors.ts';
import type { ContactId } from '../message.ts';
import { noStore } from './auth.ts';
import { explain } from './explain.ts';

export interface CopiesOptions {
  contactOf: (id: string) => Promise<ContactId | null>;
  copyOf: (contact: ContactId) => Promise<ContactCopy | null>;
  /** What the assistant remembers of the contact beside the newest messages. */
  summaryOf: (contact: ContactId) => Promise<string>;
  now: () => number;
}

export function createCopies({ contactOf, copyOf, summaryOf, now }: CopiesOptions): Router {
  const router = new Router();
  router.get('/export/:id', explain, noStore, async (ctx) => {
    const contact = await contactOf(ctx.params.id ?? '');
    const copy = contact && (await copyOf(contact));
    if (!contact || !copy)
      throw new Failure('request.not_found', 'This address has expired. Write /export again to get another one.');
    ctx.set({ 'Referrer-Policy': 'no-referrer', 'X-Robots-Tag': 'noindex' });
    ctx.attachment('my-data.json');
    const remembered = await summaryOf(contact);
    ctx.body = JSON.stringify({ exported_at: new Date(now()).toISOString(), ...copy, remembered }, null, 2);
    ctx.type = 'application/json';
  });
  return router;
}
