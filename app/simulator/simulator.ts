/**
 * What stands in when no provider is configured: a Twilio account and a number of the Cloud API that reach no phone, and a model for
 * practice. All speak the real wire formats, so no code path of the bot knows about them.
 */
import Router from '@koa/router';
import type { Context } from 'koa';
import { fromAddress } from '../channels/twilio/address.ts';
import { Failure } from '../errors.ts';
import type { Log } from '../ops/logger.ts';
import { type SimulatedAccount, type SimulatedCloudNumber, simulatedAccount } from './account.ts';
import type { Faults } from './contract.ts';
import type { InspectMemory, InspectTools } from './inspect.ts';
import { createJournal } from './journal.ts';
import { startModelHop } from './model-hop.ts';
import { PRACTICE_MODELS, type PracticeModel, startPracticeModel } from './practice-model.ts';
import { startProviders } from './providers.ts';
import { createSimulatorApi } from './routes.ts';
import { createStreams, type Streams } from './stream.ts';
import type { TwilioApi } from './twilio-api.ts';

export interface SimulatorOptions {
  /** Where this process receives webhooks, by loopback; status callbacks go to the same host. */
  webhookUrl: string;
  /** Where this process receives Meta's webhooks, by loopback. */
  metaWebhookUrl: string;
  /** The address that Twilio would call, when one is configured, without a slash at its end. */
  publicUrl?: string | undefined;
  /** The model's server that is configured; without one the practice model answers. */
  model?: ModelPlace | null;
  tools?: Partial<InspectTools>;
  log: Log;
}

/** Where a model is, in the shape of the settings. */
interface ModelPlace {
  apiKey: string;
  baseUrl: string | undefined;
  answer: string;
  summary: string;
  analysis: string;
  transcribe: string;
  /** Undefined: where the model is. */
  transcribeBaseUrl: string | undefined;
  transcribeKey: string;
  /** Recordings are shown to the chat model. */
  listens: boolean;
}

export interface Simulator {
  account: SimulatedAccount;
  cloudNumber: SimulatedCloudNumber;
  /** The model, by way of the hop that writes down what it is asked. */
  model: ModelPlace;
  /** `/simulator/api` for the page, and `/simulator/stream`: what is sent to one contact, live. */
  router: Router;
  /** Hands in the store, for the developers' drawer. Until then it is empty. */
  lookInto(memory: InspectMemory): void;
  /** Ends the open streams; until then they keep the HTTP server from closing. For when the last turn has finished. */
  endStreams(): void;
  stop(): Promise<void>;
}

/** Nothing goes wrong on purpose. */
const WELL: Faults = { model: 'well', slowMs: 15_000, media: 'well' };

export async function startSimulator(options: SimulatorOptions): Promise<Simulator> {
  const { tools = {} } = options;
  let faults = WELL;
  let memory: InspectMemory | null = null;
  const streams = createStreams();
  const journal = createJournal();
  const providers = await startProviders(options, { streams, journal, isMissing: () => faults.media === 'missing' });
  const { twilio, meta, switchboard } = providers;
  const practice = options.model ? null : await startPracticeModel(tools);
  const model = options.model ?? practiceModel(practice);
  const hop = await startModelHop({
    target: model.baseUrl ?? OPENAI_URL,
    faults: () => faults,
    onAsked: (event) => switchboard.onModel(event),
    onReplied: (event) => switchboard.onModel(event),
    countTokens: tools.countTokens ?? ((text) => Math.ceil(text.length / 4)),
    asksForSummary: tools.asksForSummary ?? (() => false),
  });
  const page = createSimulatorApi({
    journal,
    switchboard,
    media: providers.media,
    routing: providers.routing,
    faults: { get: () => faults, set: (next) => (faults = next) },
    memory: () => memory,
  });
  return {
    account: simulatedAccount(twilio.url),
    cloudNumber: { ...providers.cloudNumber, apiBase: meta.url },
    // Speech goes by way of the hop when it goes where the model is.
    model: { ...model, baseUrl: hop.url, transcribeBaseUrl: model.transcribeBaseUrl ?? hop.url },
    router: createRouter(page.router, streams, twilio),
    lookInto(store) {
      memory = store;
    },
    endStreams() {
      streams.end();
      page.endStreams();
    },
    async stop() {
      streams.end();
      page.endStreams();
      await Promise.all([twilio.stop(), meta.stop(), hop.stop(), practice?.close()]);
    },
  };
}

const OPENAI_URL = 'https://api.openai.com/v1';

function practiceModel(practice: PracticeModel | null): ModelPlace {
  return {
    ...PRACTICE_MODELS,
    apiKey: practice?.apiKey ?? '',
    baseUrl: practice?.url,
    transcribeBaseUrl: undefined,
    transcribeKey: practice?.apiKey ?? '',
    listens: false,
  };
}

function createRouter(page: Router, streams: Streams, api: TwilioApi): Router {
  const router = new Router();
  router.get('/simulator/stream', (ctx) => openStream(ctx, streams, api));
  router.use(page.routes());
  return router;
}

/**
 * `GET /simulator/stream?contact=<address>`. A client that sends `Last-Event-ID`, such as a browser's EventSource, first gets
 * the messages that were sent meanwhile.
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
  ctx.status = 200;
  // A phone that is switched off in the middle of a stream is no failure, but Koa would log it as one.
  ctx.respond = false;
  ctx.res.once('close', () => stream.destroy());
  stream.pipe(ctx.res);
}
