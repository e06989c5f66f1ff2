/**
 * What stands in when no provider is configured: a Twilio account that reaches no phone, and a model for practice. Both
 * speak the real wire formats, so no code path of the bot knows about them.
 */
import Router from '@koa/router';
import type { Context } from 'koa';
import { fromAddress } from '../channels/twilio/address.ts';
import { Failure } from '../errors.ts';
import type { Log } from '../ops/logger.ts';
import { type SimulatedAccount, simulatedAccount } from './account.ts';
import { PRACTICE_MODELS, startPracticeModel } from './practice-model.ts';
import { createStreams, type Streams } from './stream.ts';
import { startTwilioApi, type TwilioApi } from './twilio-api.ts';

export interface SimulatorOptions {
  /** Where this process receives webhooks, by loopback; status callbacks go to the same host. */
  webhookUrl: string;
  /** The address that Twilio would call, when one is configured, without a slash at its end. */
  publicUrl?: string | undefined;
  log: Log;
}

export interface Simulator {
  account: SimulatedAccount;
  /** The practice model, in the shape of the settings of a real one. */
  model: { apiKey: string; baseUrl: string; answer: string; summary: string };
  /** `/simulator`, and `/simulator/stream`: what goes out to one contact, live. */
  router: Router;
  /** Ends the open streams; until then they keep the HTTP server from closing. For when the last turn has finished. */
  endStreams(): void;
  stop(): Promise<void>;
}

export async function startSimulator({ webhookUrl, publicUrl, log }: SimulatorOptions): Promise<Simulator> {
  const streams = createStreams();
  // The account is known but for its address, which exists when the API listens.
  const { accountSid, authToken, number } = simulatedAccount('');
  const api = await startTwilioApi({
    accountSid,
    authToken,
    number,
    botUrl: new URL(webhookUrl).origin,
    publicUrl,
    onOutgoing: (outgoing) => streams.publish(outgoing),
    log,
  });
  const practice = await startPracticeModel();
  return {
    account: simulatedAccount(api.url),
    model: { apiKey: practice.apiKey, baseUrl: practice.url, ...PRACTICE_MODELS },
    router: createRouter(streams, api),
    endStreams: () => streams.end(),
    async stop() {
      streams.end();
      await Promise.all([api.stop(), practice.close()]);
    },
  };
}

function createRouter(streams: Streams, api: TwilioApi): Router {
  const router = new Router({ prefix: '/simulator' });
  router.get('/', (ctx) => {
    ctx.type = 'text/plain';
    ctx.body = 'The simulator stands in for Twilio: no phone is reached. Talk to the bot in a terminal: npm run chat\n';
  });
  router.get('/stream', (ctx) => openStream(ctx, streams, api));
  return router;
}

/**
 * `GET /simulator/stream?contact=<address>`. A browser's EventSource, or whoever sends `Last-Event-ID`, first gets the
 * messages that went out meanwhile.
 */
function openStream(ctx: Context, streams: Streams, api: TwilioApi): void {
  const { contact } = ctx.query;
  const address = typeof contact === 'string' ? fromAddress(contact) : '';
  if (address === '') throw new Failure('request.invalid', 'The stream needs one contact: ?contact=15550100123');
  const lastId = ctx.get('Last-Event-ID');
  const stream = streams.open(address, /^\d+$/.test(lastId) ? api.sentTo(address, Number(lastId)) : []);
  if (!stream) {
    ctx.status = 503;
    ctx.body = { success: false, error: 'Too many phones are switched on.', code: 'simulator.busy' };
    return;
  }
  ctx.set({ 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' });
  ctx.type = 'text/event-stream';
  ctx.body = stream;
}
