/** The whole bot over its doubles, with an archive and the inbox's API beside it, as somebody at the desk uses it. */
import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createDatabase } from '../../app/archive/engine/database.ts';
import { createAnalytics } from '../../app/archive/read/analytics.ts';
import { createConsents } from '../../app/archive/read/consents.ts';
import { createConversations } from '../../app/archive/read/conversations.ts';
import { createCosts } from '../../app/archive/read/costs.ts';
import { createMessages } from '../../app/archive/read/messages.ts';
import { createStandings } from '../../app/archive/read/standing.ts';
import { createAnalysisStore } from '../../app/archive/write/analysis.ts';
import { createDeskWriter } from '../../app/archive/write/desk.ts';
import { createRecorder } from '../../app/archive/write/recorder.ts';
import { createTasks } from '../../app/archive/write/tasks.ts';
import { createTwilioChannel } from '../../app/channels/twilio/client.ts';
import { createTwilioMedia } from '../../app/channels/twilio/media.ts';
import { type Environment, readConfig } from '../../app/config.ts';
import { createStateOf, createTakeover } from '../../app/conversation/takeover.ts';
import { createMonthOf } from '../../app/costs/month.ts';
import { createOverview } from '../../app/costs/overview.ts';
import { createPrices, readPriceTable } from '../../app/costs/prices.ts';
import { createServer } from '../../app/http/server.ts';
import { createAuth } from '../../app/inbox/auth.ts';
import { createLive } from '../../app/inbox/live.ts';
import { UPLOADS } from '../../app/inbox/operations.ts';
import { createInbox } from '../../app/inbox/routes.ts';
import { createDownloader } from '../../app/media/download.ts';
import { createAliases } from '../../app/memory/aliases.ts';
import { createDeadLetters } from '../../app/memory/dead-letters.ts';
import { createDesk } from '../../app/memory/desk.ts';
import { createKeys } from '../../app/memory/keys.ts';
import { createNames } from '../../app/memory/names.ts';
import { createNews } from '../../app/memory/news.ts';
import { createPublish } from '../../app/memory/publish.ts';
import { createRedis, createScripts } from '../../app/memory/redis.ts';
import { createSessions } from '../../app/memory/sessions.ts';
import { createEventStream } from '../../app/memory/stream.ts';
import { createThreads } from '../../app/memory/threads.ts';
import type { Money } from '../../app/money.ts';
import { createLogger } from '../../app/ops/logger.ts';
import { createMetrics } from '../../app/ops/metrics.ts';
import { createSend } from '../../app/outbound/send.ts';
import { createSendTemplate } from '../../app/outbound/template.ts';
import { buildBroadcasts } from '../../app/wire/broadcast.ts';
import { buildOutbound } from '../../app/wire/outbound.ts';
import { newSid } from '../doubles/twilio.ts';
import { ACCOUNT_SID, AUTH_TOKEN, startBot, startDoubles } from '../support/bot.ts';
import { BUSINESS } from '../support/message.ts';
import { createTestDatabase } from '../support/postgres.ts';

export const PASSWORD = 'correct horse battery staple';
export const API_KEY = 'key-of-a-program';

export type TestDesk = Awaited<ReturnType<typeof startDesk>>;

export interface Answer {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: what a program gets is JSON of any shape; the schemas check it
  body: any;
}

/** @param settings of broadcasts */
export async function startDesk(settings: Environment = {}) {
  const doubles = await startDoubles();
  const bot = await startBot(doubles);
  const logs: string[] = [];
  const log = createLogger({ level: 'debug', format: 'json', write: (line) => logs.push(line) });

  const redis = createRedis({ kind: 'url', url: doubles.redis.url }, log);
  await redis.connect();
  const keys = createKeys(1);
  const run = createScripts(redis);
  const now = Date.now;
  const tools = { redis, run, keys, historyTtlMs: 86_400_000 };
  const memory = { ...tools, aliases: createAliases(tools) };
  const desk = createDesk(memory);

  const database = createDatabase({ url: await createTestDatabase(), log });
  await database.migrate();
  const archive = {
    messages: createMessages(database),
    conversations: createConversations(database),
    consents: createConsents(database),
    tasks: createTasks(database),
    analytics: createAnalytics(database),
    writer: createDeskWriter(database),
  };

  const live = createLive({ news: createNews({ redis, keys }), log, lookMs: 20 });
  const stream = createEventStream({ redis, keys, log });
  const recorder = createRecorder({
    database,
    stream,
    log,
    analysis: true,
    onRecorded: ({ phones }) => live.tell(phones.map((phone) => ({ kind: 'message', phone_number: phone }))),
  });

  const account = { accountSid: ACCOUNT_SID, authToken: AUTH_TOKEN, apiBaseUrl: doubles.twilio.url };
  const downloader = createDownloader({
    trustedOrigins: [doubles.twilio.url, doubles.twilio.filesUrl],
    maxBytes: 1_000_000,
    log,
    waitsMs: [],
  });
  const media = createTwilioMedia({ ...account, downloader });
  const sender = { from: `whatsapp:+${BUSINESS}` };
  const outbound = buildOutbound(
    [createTwilioChannel({ ...account, sender, statusCallbackUrl: undefined, media, log })],
    now,
  );
  const { channels, deliver, templates } = outbound;
  const stateOf = createStateOf(desk, createStandings(database).of);
  const publish = createPublish({ redis, keys });
  const { own } = createThreads({ ...memory, now });
  const send = createSend({
    channels,
    deliver,
    desk,
    stateOf,
    takeOver: archive.writer.takeOver,
    own,
    publish,
    log,
    now,
  });
  const sendTemplate = createSendTemplate({
    templates,
    deliver,
    desk,
    stateOf,
    withoutMarketing: archive.consents.withoutMarketing,
    publish,
    log,
    now,
  });

  const auth = createAuth({
    password: PASSWORD,
    apiKeys: [API_KEY],
    publicUrl: undefined,
    trustProxy: false,
    now: Date.now,
    sessions: createSessions({ redis, keys }),
    log,
    // A test tries a wrong key on every route.
    attempts: 100,
  });
  const prices = createPrices(readPriceTable());
  const budget = { limit: null as Money | null, spent: 0 };
  const monthOf = createMonthOf('UTC');
  const overview = createOverview({ costs: createCosts(database), prices, budget, monthOf, timeZone: 'UTC', now });
  const notices: { code: string; text: string }[] = [];
  const broadcasts = buildBroadcasts(readConfig(settings), {
    ...{ archive: { database }, outbound, sendTemplate, prices, now, log },
    accounts: { template: async () => null, dailyLimit: async () => null, restriction: async () => null },
    known: archive.conversations.numbers,
    metrics: createMetrics(),
  });
  broadcasts.start(() => true);
  const inbox = createInbox({
    guard: auth.guard,
    archive,
    takeover: createTakeover({ desk, truth: archive.writer, send, channels, own, now }),
    templates: { channels, list: templates.list, send: sendTemplate, senders: broadcasts.tools.senders },
    broadcasts: broadcasts.tools,
    names: createNames({ redis, keys, now }),
    explain: (channel, code) => channels.of(channel).explain(code),
    remembered: (conversation) => desk.state(conversation),
    deadLetters: createDeadLetters(memory),
    retryAnalyses: createAnalysisStore(database).retry,
    download: ({ channel, attachment }) => channels.of(channel).download(attachment.ref),
    taskTypes: ['call', 'table_reservation'],
    sentiments: ['positive', 'negative', 'neutral', 'urgent', 'so_so'],
    notices: async () => [...notices, ...(await overview.notices()), ...(await broadcasts.notices())],
    costs: overview,
    live,
    timeZone: 'UTC',
    publicUrl: undefined,
    now: Date.now,
  });
  const koa = createServer({
    routers: [auth.router, inbox],
    unreadBodies: UPLOADS,
    log,
    isStopping: () => false,
  });
  const server = createHttpServer(koa.callback());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // a TCP server has an address of this shape

  return {
    doubles,
    bot,
    url,
    logs,
    redis,
    keys,
    live,
    database,
    archive,
    recorder,
    /** What the operator should mend; a test may add to it. */
    notices,
    prices,
    /** A test may set it. */
    budget,
    routers: [auth.router, inbox],
    analysis: createAnalysisStore(database),
    /** A person writes, and the archive has it when this resolves. */
    async say(from: string, body: string, overrides: Record<string, string> = {}) {
      const said = await bot.tell(from, body, { MessageSid: newSid('SM'), ...overrides });
      await recorder.catchUp();
      return said;
    },
    /** A program asks. */
    async ask(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
      const response = await fetch(url + path, {
        method,
        headers: {
          'x-api-key': API_KEY,
          ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return { status: response.status, headers: response.headers, body: await response.json() };
    },
    async stop() {
      await broadcasts.drain();
      live.end();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await recorder.stop();
      await database.close();
      redis.disconnect();
      await downloader.close();
      await bot.stop();
      await doubles.stop();
    },
  };
}
