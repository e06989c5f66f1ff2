/** Where Twilio's webhooks arrive: checks the signature, parses, hands over, answers. Decides nothing. */
import Router from '@koa/router';
import type { Context } from 'koa';
import { Failure } from '../../errors.ts';
import type { DeliveryStatus, InboundMessage } from '../../message.ts';
import type { OpenResponse } from '../channel.ts';
import { parseInbound } from './parse.ts';
import { openTwimlResponse } from './response.ts';
import { isSigned, signedUrl } from './signature.ts';
import { EMPTY_TWIML } from './twiml.ts';

export interface TwilioWebhookOptions {
  accountSid: string;
  /** Our own address, for webhooks that do not say which one was written to; undefined = not known. */
  ownNumber: string | undefined;
  /** Auth tokens that a signature may be made with. */
  tokens: string[];
  /** False only for local experiments. */
  validateSignature: boolean;
  publicUrl: string | undefined;
  trustProxy: boolean;
  /** How long a response waits for the answer, ms; 0 = not at all. */
  deadlineMs: number;
  /** Where Twilio reports what became of a message; undefined when our own address is not known. */
  statusCallbackUrl: string | undefined;
  /** Unix ms. */
  now: () => number;
  /** See `Accept`: resolves when the message is stored, rejects when it is not. */
  onMessage: (message: InboundMessage, response: OpenResponse) => Promise<void>;
  onStatus: (status: DeliveryStatus) => Promise<void>;
}

/** The same handler at every address that people paste into the console; the first is the one we recommend. */
export const MESSAGE_PATHS = ['/whatsapp', '/whatsapp-endpoint', '/api/whatsapp', '/api/whatsapp/webhook'];

export const STATUS_PATH = '/twilio/status';

/** Twilio sends a plain text body on to the person who wrote, so that here even a refusal is TwiML. */
export const REFUSALS: ReadonlyMap<string, { type: string; body: string }> = new Map(
  [...MESSAGE_PATHS, STATUS_PATH].map((path) => [path, { type: 'text/xml', body: EMPTY_TWIML }]),
);

export function createTwilioWebhook(options: TwilioWebhookOptions): Router {
  const router = new Router();
  router.post(MESSAGE_PATHS, receive);
  router.post(STATUS_PATH, receive);
  return router;

  async function receive(ctx: Context): Promise<void> {
    const parsed = parseInbound(signedPairs(ctx, options), {
      receivedAt: options.now(),
      requestId: ctx.state.requestId,
      accountSid: options.accountSid,
      ownNumber: options.ownNumber,
      url: ctx.url,
    });
    switch (parsed.kind) {
      case 'status':
        await options.onStatus(parsed.status);
        ctx.status = 204;
        return;
      case 'invalid':
        throw new Failure('request.invalid', parsed.reason);
      case 'message': {
        const response = openTwimlResponse(ctx.res, options.deadlineMs, options.statusCallbackUrl);
        await options.onMessage(parsed.message, response);
        const { status, body } = await response.decided;
        ctx.status = status;
        ctx.type = 'text/xml';
        ctx.body = body;
      }
    }
  }
}

/** The form's fields as they were sent, after the signature over them was found to be right. */
function signedPairs(ctx: Context, options: TwilioWebhookOptions): URLSearchParams {
  const { body } = ctx.request;
  if (typeof body !== 'string' || !ctx.is('urlencoded')) {
    throw new Failure('request.type', 'A webhook of Twilio is a form: application/x-www-form-urlencoded.');
  }
  const pairs = new URLSearchParams(body);
  if (!options.validateSignature) return pairs;
  const url = signedUrl(ctx.req, options);
  if (isSigned({ tokens: options.tokens, signature: ctx.get('X-Twilio-Signature'), url, pairs })) return pairs;
  throw new Failure(
    'request.signature',
    `The signature does not fit ${url.split('?')[0]}. Is that the address Twilio was given? If not, set PUBLIC_URL.`,
  );
}
