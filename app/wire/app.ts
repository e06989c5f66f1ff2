/**
 * The composition root: everything is built here and handed its tools, nothing is connected or opened before `connect`.
 * `wire/stand-ins.ts` comes first: it starts what stands in for an outside party that is not configured. What the people at the desk
 * see is joined in `wire/desk.ts`.
 */
import type Koa from 'koa';
import { createTwilioChannel } from '../channels/twilio/client.ts';
import { createTwilioMedia } from '../channels/twilio/media.ts';
import { createTwilioWebhook, REFUSALS, STATUS_PATH } from '../channels/twilio/webhook.ts';
import type { Config } from '../config.ts';
import { createAccept } from '../conversation/accept.ts';
import { createAsker } from '../conversation/answer.ts';
import { createRead } from '../conversation/attachments.ts';
import { createCompose } from '../conversation/compose.ts';
import { createEnding } from '../conversation/ending.ts';
import { createSummarize } from '../conversation/summarize.ts';
import { createSweep } from '../conversation/sweep.ts';
import { createTurns } from '../conversation/turns.ts';
import { createEvents } from '../events.ts';
import { builtPages, createPages } from '../http/pages.ts';
import { createServer } from '../http/server.ts';
import { measured } from '../llm/measured.ts';
import { createOpenAiModel, isOpenAi } from '../llm/openai/chat.ts';
import { createTranscriber } from '../llm/openai/transcribe.ts';
import { visionOf } from '../llm/openai/vision.ts';
import { readVoice } from '../media/audio.ts';
import { createDownloader } from '../media/download.ts';
import { createImageReader } from '../media/image.ts';
import { createAllowance } from '../memory/allowance.ts';
import { createMemoryInspector } from '../memory/inspect.ts';
import { createKeys } from '../memory/keys.ts';
import { createMailbox } from '../memory/mailbox.ts';
import { createRedis, createScripts } from '../memory/redis.ts';
import { createSummaryStore } from '../memory/summary.ts';
import { createHealth } from '../ops/health.ts';
import type { Log } from '../ops/logger.ts';
import { createMetrics } from '../ops/metrics.ts';
import { remember } from '../ops/remember.ts';
import { createDeliver } from '../outbound/deliver.ts';
import { buildDesk } from './desk.ts';
import type { StandIns } from './stand-ins.ts';

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

/** How long the figures of the backlog are good for, ms. */
const BACKLOG_MS = 500;

export function build(config: Config, standIns: StandIns, log: Log): App {
  let stopping = false;
  const isStopping = () => stopping;
  const { twilio } = standIns;
  const metrics = createMetrics();

  const redis = createRedis(standIns.redis, log);
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
    apiKey: standIns.model.apiKey,
    baseUrl: standIns.model.baseUrl,
    models: { answer: standIns.model.answer, summary: standIns.model.summary },
    reasoningEffort: config.reasoningEffort,
    temperature: config.temperature,
    timeoutMs: config.modelTimeoutMs,
    log,
    onLeaks: (count) => metrics.scrubbed('prompt', count),
  });
  const model = measured(openai, metrics);

  // The simulator is on this machine, and finds us without a public address.
  const calledAt = config.publicUrl ?? (standIns.simulator ? `http://127.0.0.1:${config.port}` : undefined);
  const statusCallbackUrl = calledAt && `${calledAt}${STATUS_PATH}`;
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
    trustedOrigins: [new URL(twilio.apiBaseUrl).origin, ...standIns.trustedOrigins],
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
    apiKey: standIns.model.apiKey,
    baseUrl: standIns.model.transcribeBaseUrl,
    model: standIns.model.transcribe,
    timeoutMs: config.modelTimeoutMs,
    log,
  });
  // OpenAI's own takes no bare AAC; those that decode with ffmpeg do.
  const takesAac = !isOpenAi(standIns.model.transcribeBaseUrl);
  const read = createRead({
    download: (attachment, signal, log) => media.download(attachment.ref, { signal, log }),
    async seePicture(bytes, log) {
      const { url, detail } = await images.read(bytes, visionOf(standIns.model.answer), log);
      return { kind: 'image', url, detail };
    },
    hearVoice: async (bytes, signal, log) => transcriber.transcribe(await readVoice(bytes, { takesAac }), signal, log),
    metrics,
  });
  const deliver = createDeliver({ channel });
  const turns = createTurns({
    mailbox,
    allowance,
    channel,
    read,
    compose: createCompose({ mailbox, asker, read, context }),
    deliver,
    ending: createEnding({ mailbox, metrics, now: Date.now }),
    summarize: createSummarize({ model, store: summaries, summaryTokens: config.summaryTokens, historyTokens }),
    metrics,
    leaseMs,
    maxConcurrent: config.maxConcurrentTurns,
    now: Date.now,
  });
  metrics.gauge('turns_running', 'Conversations in work', () => turns.running);
  metrics.gauge('turns_waiting', 'Conversations that wait for a free place', () => turns.waiting);
  // Three figures, one question; strangers may ask as often as they like.
  const counted = remember(() => mailbox.backlog(), BACKLOG_MS);
  const backlog = (figure: 'unfinished' | 'due' | 'dead') => async () => (await counted())[figure];
  metrics.gauge(
    'conversations_unfinished',
    'Conversations in work or waiting, of all processes',
    backlog('unfinished'),
  );
  metrics.gauge('conversations_due', 'Conversations whose time has come with nobody at them', backlog('due'));
  metrics.gauge('dead_letters', 'Dead letters that somebody has to look at', backlog('dead'));
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
  const desk = buildDesk(config, {
    redis,
    address: standIns.redis,
    run,
    keys,
    model: standIns.model,
    deliver,
    events,
    download: ({ ref }) => media.download(ref),
    metrics,
    log,
  });
  const health = createHealth({
    checks: { redis: () => redis.ping(), model: () => model.ping() },
    extras: { archive: () => desk.ping() },
    isStopping,
  });

  const pages = createPages({
    directory: standIns.pages ?? builtPages(),
    pages: [
      { paths: ['/whatsapp-inbox', '/whatsapp-inbox/{*place}'], file: 'inbox.html' },
      ...(standIns.simulator
        ? [
            {
              paths: ['/simulator', '/simulator/as/:contact'],
              file: 'simulator.html',
              meanwhile: 'Or talk to the bot in a terminal: npm run chat',
            },
          ]
        : []),
    ],
  });
  standIns.simulator?.lookInto(createMemoryInspector({ redis, keys }));
  // Each router in front of another looks at its requests, too; the webhook has the most.
  const routers = [
    webhook,
    health,
    metrics.router,
    ...desk.routers,
    pages,
    ...(standIns.simulator ? [standIns.simulator.router] : []),
  ];
  const koa = createServer({ routers, refusals: REFUSALS, log, isStopping });

  return {
    koa,
    async connect() {
      await redis.connect().catch((error: Error) => {
        log.error('Redis is not reachable; trying on. Webhooks get 503 meanwhile.', { reason: error.message });
      });
      sweep.start();
      desk.start();
    },
    async drain() {
      stopping = true;
      sweep.stop();
      await turns.drain();
      standIns.simulator?.endStreams();
      await desk.drain();
    },
    async close() {
      await desk.close();
      redis.disconnect();
      await Promise.all([openai.close(), transcriber.close(), downloader.close()]);
    },
  };
}
