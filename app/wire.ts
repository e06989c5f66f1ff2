/**
 * The composition root: everything is built here and handed its tools, nothing is connected or opened before `connect`.
 * `startPlaces` comes first: it starts what stands in for an outside party that is not configured.
 */
import type Koa from 'koa';
import { createTwilioChannel } from './channels/twilio/client.ts';
import { createTwilioMedia } from './channels/twilio/media.ts';
import { createTwilioWebhook, STATUS_PATH } from './channels/twilio/webhook.ts';
import type { Config } from './config.ts';
import { createAccept } from './conversation/accept.ts';
import { createAsker } from './conversation/answer.ts';
import { createRead } from './conversation/attachments.ts';
import { createCompose } from './conversation/commit.ts';
import { createDeliver } from './conversation/deliver.ts';
import { createEnding } from './conversation/ending.ts';
import { summaryPrompt } from './conversation/prompts.ts';
import { createSweep } from './conversation/recover.ts';
import { createSummarize } from './conversation/summarize.ts';
import { createTurns } from './conversation/turn.ts';
import { startEmbeddedRedis } from './embedded/redis.ts';
import { createEvents } from './events.ts';
import { measured } from './llm/measured.ts';
import { createOpenAiModel } from './llm/openai.ts';
import { countTokens } from './llm/tokens.ts';
import { createTranscriber } from './llm/transcribe.ts';
import { visionOf } from './llm/vision.ts';
import { readVoice } from './media/audio.ts';
import { describeColors } from './media/colors.ts';
import { createDownloader } from './media/download.ts';
import { recordingSeconds } from './media/duration.ts';
import { createImageReader } from './media/image.ts';
import { webmSeconds } from './media/webm.ts';
import { createAllowance } from './memory/allowance.ts';
import { createMemoryInspector } from './memory/inspect.ts';
import { createKeys } from './memory/keys.ts';
import { createMailbox } from './memory/mailbox.ts';
import { createRedis, createScripts, type RedisAddress } from './memory/redis.ts';
import { createSummaryStore } from './memory/summary.ts';
import { createHealth } from './ops/health.ts';
import type { Log } from './ops/logger.ts';
import { createMetrics } from './ops/metrics.ts';
import { builtPages, createPages } from './pages.ts';
import { createServer } from './server.ts';
import { type Simulator, startSimulator } from './simulator/simulator.ts';

/** Where the outside parties are: the configured ones, or what stands in for them. */
export interface Places {
  redis: RedisAddress;
  twilio: NonNullable<Config['twilio']>;
  model: NonNullable<Config['model']>;
  /** Origins that files may come from wherever they are: those of a stand-in on this machine. */
  trustedOrigins: string[];
  /** The provider that runs inside, when it does. */
  simulator: Simulator | null;
  /** Where the built pages are, when not beside the program. */
  pages?: URL;
  /** Stops what was started, the stores last. */
  stop(): Promise<void>;
}

/** Starts the embedded stores and the simulator where nothing is configured. */
export async function startPlaces(config: Config, log: Log): Promise<Places> {
  const redis = config.redis.kind === 'embedded' ? await startEmbeddedRedis({ dataDir: config.dataDir, log }) : null;
  const simulator =
    config.simulator || !config.model
      ? await startSimulator({
          webhookUrl: `http://127.0.0.1:${config.port}/whatsapp`,
          publicUrl: config.publicUrl,
          model: config.model,
          tools: {
            countTokens,
            asksForSummary: (system) => system === summaryPrompt(config.summaryTokens),
            describePicture: describeColors,
            secondsOf: (bytes) => recordingSeconds(bytes) ?? webmSeconds(bytes),
          },
          log,
        })
      : null;
  if (!config.model)
    log.warn('No model is configured: a practice model answers. Set OPENAI_API_KEY or OPENAI_BASE_URL.');
  const twilio = config.simulator ? simulator?.account : config.twilio;
  const model = simulator?.model ?? config.model;
  if (!twilio || !model) throw new RangeError('the settings name neither a provider nor the simulator');
  return {
    redis: config.redis.kind === 'embedded' ? { kind: 'socket', path: redis?.path ?? '' } : config.redis,
    twilio,
    model,
    trustedOrigins: [],
    simulator: config.simulator ? simulator : null,
    async stop() {
      await simulator?.stop();
      await redis?.stop();
    },
  };
}

export interface App {
  /** The HTTP application; it listens nowhere by itself. */
  koa: Koa;
  /** Connects to Redis and begins to look for unfinished work. Resolves also when it is not there yet: the client keeps trying, and webhooks get 503 meanwhile. */
  connect(): Promise<void>;
  /** Takes no more work and resolves when what runs has ended. */
  drain(): Promise<void>;
  /** Closes the connections. */
  close(): Promise<void>;
}

export function build(config: Config, places: Places, log: Log): App {
  let stopping = false;
  const isStopping = () => stopping;
  const { twilio } = places;
  const metrics = createMetrics();

  const redis = createRedis(places.redis, log);
  const run = createScripts(redis, metrics.redisTook);
  const keys = createKeys(config.redisShards);
  const { historyTtlMs, historyTokens, leaseMs } = config;
  const mailbox = createMailbox({ redis, run, keys, leaseMs, historyTtlMs, historyTokens, now: Date.now });
  const summaries = createSummaryStore({ redis, run, keys, historyTtlMs });
  const allowance = createAllowance({
    redis,
    keys,
    messagesPerMinute: config.rateLimitPerMinute,
    tokensPerDay: config.dailyTokensPerContact,
  });
  const events = createEvents({ redis, streamOf: (conversation) => keys.shardOf(conversation).events });

  const openai = createOpenAiModel({
    apiKey: places.model.apiKey,
    baseUrl: places.model.baseUrl,
    models: { answer: places.model.answer, summary: places.model.summary },
    reasoningEffort: config.reasoningEffort,
    temperature: config.temperature,
    timeoutMs: config.modelTimeoutMs,
    log,
  });
  const model = measured(openai, metrics);

  const statusCallbackUrl = config.publicUrl && `${config.publicUrl}${STATUS_PATH}`;
  const channel = createTwilioChannel({
    accountSid: twilio.accountSid,
    authToken: twilio.authToken,
    sender: { from: twilio.number, messagingServiceSid: twilio.messagingServiceSid },
    apiBaseUrl: twilio.apiBaseUrl,
    statusCallbackUrl,
    log,
  });

  const asker = createAsker({ model, maxReplyTokens: config.maxReplyTokens, failureReply: config.failureReply });
  const context = { template: config.systemPrompt, timeZone: config.timeZone, historyTokens, now: Date.now };
  const downloader = createDownloader({
    trustedOrigins: [new URL(twilio.apiBaseUrl).origin, ...places.trustedOrigins],
    maxBytes: config.maxMediaBytes,
    log,
  });
  const media = createTwilioMedia({
    accountSid: twilio.accountSid,
    authToken: twilio.authToken,
    apiBaseUrl: twilio.apiBaseUrl,
    downloader,
  });
  const images = createImageReader({ log });
  const transcriber = createTranscriber({
    apiKey: places.model.apiKey,
    baseUrl: places.model.transcribeBaseUrl,
    model: places.model.transcribe,
    timeoutMs: config.modelTimeoutMs,
    log,
  });
  const read = createRead({
    download: (attachment, signal) => media.download(attachment.ref, { signal }),
    async seePicture(bytes) {
      const { url, detail } = await images.read(bytes, visionOf(places.model.answer));
      return { kind: 'image', url, detail };
    },
    hearVoice: async (bytes, signal) => transcriber.transcribe(await readVoice(bytes), signal),
    metrics,
  });
  const turns = createTurns({
    mailbox,
    allowance,
    channel,
    read,
    compose: createCompose({ mailbox, asker, read, context }),
    deliver: createDeliver({ channel }),
    ending: createEnding({ mailbox, metrics, now: Date.now }),
    summarize: createSummarize({ model, store: summaries, summaryTokens: config.summaryTokens, historyTokens }),
    metrics,
    leaseMs,
    maxConcurrent: config.maxConcurrentTurns,
    now: Date.now,
  });
  metrics.gauge('turns_running', 'Conversations in work', () => turns.running);
  metrics.gauge('turns_waiting', 'Conversations that wait for a free place', () => turns.waiting);
  const sweep = createSweep({ mailbox, turns, log });

  const webhook = createTwilioWebhook({
    accountSid: twilio.accountSid,
    tokens: [twilio.authToken, ...(twilio.secondaryToken ? [twilio.secondaryToken] : [])],
    validateSignature: config.validateSignature,
    publicUrl: config.publicUrl,
    trustProxy: config.trustProxy,
    deadlineMs: config.twimlDeadlineMs,
    statusCallbackUrl,
    onMessage: createAccept({ mailbox, turns, allowance, metrics, log, maxWaiting: config.maxWaiting }),
    async onStatus(status) {
      const conversation = `${status.business}:${status.contact}`;
      await events.publish(conversation, { type: 'delivery.changed', conversation, at: Date.now(), status });
    },
  });
  const health = createHealth({ checks: { redis: () => redis.ping(), model: () => model.ping() }, isStopping });

  const pages = createPages({
    directory: places.pages ?? builtPages(),
    pages: places.simulator
      ? [
          {
            paths: ['/simulator', '/simulator/as/:contact'],
            file: 'simulator.html',
            meanwhile: 'Or talk to the bot in a terminal: npm run chat',
          },
        ]
      : [],
  });
  places.simulator?.lookInto(createMemoryInspector({ redis, keys }));
  const routers = [health, metrics.router, webhook, pages, ...(places.simulator ? [places.simulator.router] : [])];
  const koa = createServer({ routers, log, isStopping });

  return {
    koa,
    async connect() {
      await redis.connect().catch((error: Error) => {
        log.error('Redis is not reachable; trying on. Webhooks get 503 meanwhile.', { reason: error.message });
      });
      sweep.start();
    },
    async drain() {
      stopping = true;
      sweep.stop();
      await turns.drain();
      places.simulator?.endStreams();
    },
    async close() {
      redis.disconnect();
      await Promise.all([openai.close(), transcriber.close(), downloader.close()]);
    },
  };
}
