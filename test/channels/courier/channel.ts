/** A channel of an invented provider, Courier: the recipe of CONTRIBUTING.md followed with as little as a channel needs. */
import Router from '@koa/router';
import type { Context } from 'koa';
import { z } from 'zod';
import { type ChannelBasics, type Listing, NO_RESPONSE, type Recipient } from '../../../app/channels/channel.ts';
import { contactIdOf } from '../../../app/contacts/addresses.ts';
import { Failure, type FailureCode } from '../../../app/errors.ts';
import type { InboundMessage } from '../../../app/message.ts';
import { scrub } from '../../../app/privacy/scrub.ts';
import type { BuildChannel, Receivers } from '../../../app/wire/channels.ts';

/** Joins client and webhook, as `app/wire/channels.ts` joins those of Twilio. */
export function buildCourier(apiUrl: string, secret: string): BuildChannel {
  return ({ now }) => ({
    channel: createCourierChannel(apiUrl, secret),
    webhook: (receivers) => createCourierWebhook(secret, now, receivers),
  });
}

// client

export function createCourierChannel(apiUrl: string, secret: string, timeoutMs = 10_000): ChannelBasics & Listing {
  return {
    name: 'courier',
    limits: { textLength: 500 },
    async send(to, text, { replyId, part }, signal) {
      const sent = await call('messages', { ...to, text, tag: `${replyId}.${part}` }, false, signal);
      const id = z.object({ id: z.string() }).safeParse(sent).data?.id;
      if (!id) throw new Failure('channel.ambiguous', 'Courier answered without an id.');
      return id;
    },
    async typing(_to, messageId, signal) {
      await call('typing', { messageId }, true, signal);
    },
    async findSent(to: Recipient, text, since, signal) {
      const found = await call('search', { ...to, text, since }, true, signal);
      return z.array(z.string()).parse(found);
    },
    explain: (code) => (code === 'E-LOST' ? 'Courier lost the message.' : null),
    async download(ref) {
      const response = await fetch(`${apiUrl}/files/${encodeURIComponent(ref)}`);
      if (!response.ok) throw new Failure('media.gone', 'Courier does not have the file.');
      return Buffer.from(await response.arrayBuffer());
    },
  };

  async function call(path: string, body: object, repeatable: boolean, signal?: AbortSignal): Promise<unknown> {
    const deadline = AbortSignal.timeout(timeoutMs);
    try {
      const response = await fetch(`${apiUrl}/${path}`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'X-Courier-Secret': secret },
        body: JSON.stringify(body),
        signal: signal ? AbortSignal.any([deadline, signal]) : deadline,
      });
      if (!response.ok) throw new Failure(codeOf(response.status, repeatable), `Courier answered ${response.status}.`);
      return await response.json();
    } catch (error) {
      if (error instanceof Failure) throw error;
      const neverSent = error instanceof TypeError && String(error.cause).includes('ECONNREFUSED');
      const code = repeatable || neverSent ? 'channel.unreachable' : 'channel.ambiguous';
      throw new Failure(code, 'Courier did not answer.');
    }
  }
}

function codeOf(status: number, repeatable: boolean): Extract<FailureCode, `channel.${string}`> {
  if (status === 429) return 'channel.rate_limited';
  if (status === 401) return 'channel.credentials';
  if (status < 500) return 'channel.rejected';
  return repeatable ? 'channel.unreachable' : 'channel.ambiguous';
}

// webhook

const Form = z.object({
  id: z.string().min(1),
  to: z.string(),
  from: z.string().min(1),
  alsoKnownAs: z.array(z.string()).default([]),
  name: z.string().nullable().default(null),
  text: z.string(),
});

function createCourierWebhook(secret: string, now: () => number, { onMessage }: Receivers): Router {
  const router = new Router();
  router.post('/courier', receive);
  return router;

  async function receive(ctx: Context): Promise<void> {
    if (ctx.get('X-Courier-Secret') !== secret) throw new Failure('request.signature', 'The secret is not ours.');
    const form = Form.safeParse(ctx.request.body);
    if (!form.success) throw new Failure('request.invalid', 'A webhook of Courier has id, to, from and text.');
    await onMessage(messageIn(form.data, now(), ctx.state.requestId), NO_RESPONSE);
    ctx.status = 204;
  }
}

function messageIn(form: z.output<typeof Form>, receivedAt: number, requestId: string): InboundMessage {
  const { id, to, from, alsoKnownAs, name, text } = form;
  return {
    id,
    channel: 'courier',
    business: to,
    from,
    ...(alsoKnownAs.length > 0 ? { aliases: alsoKnownAs } : {}),
    contact: contactIdOf(from),
    profileName: name === null ? null : scrub(name),
    receivedAt,
    text: scrub(text),
    attachments: [],
    requestId,
  };
}
