/** The inbox's API over an archive, on a loopback port, as a program with a key asks it. Nothing can be sent: there is no provider. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Database } from '../../app/archive/engine/database.ts';
import { createAnalytics } from '../../app/archive/read/analytics.ts';
import { createConsents } from '../../app/archive/read/consents.ts';
import { createConversations } from '../../app/archive/read/conversations.ts';
import { createCosts } from '../../app/archive/read/costs.ts';
import { createMessages } from '../../app/archive/read/messages.ts';
import { createDeskWriter, type DeskWriter } from '../../app/archive/write/desk.ts';
import { createTasks } from '../../app/archive/write/tasks.ts';
import { createChannels } from '../../app/channels/channels.ts';
import { createTakeover } from '../../app/conversation/takeover.ts';
import { createMonthOf } from '../../app/costs/month.ts';
import { createOverview } from '../../app/costs/overview.ts';
import { createPrices, readPriceTable } from '../../app/costs/prices.ts';
import { startEmbeddedRedis } from '../../app/embedded/redis.ts';
import { Failure } from '../../app/errors.ts';
import { createServer } from '../../app/http/server.ts';
import { createAuth } from '../../app/inbox/auth.ts';
import { createLive } from '../../app/inbox/live.ts';
import { createInbox } from '../../app/inbox/routes.ts';
import { createAliases } from '../../app/memory/aliases.ts';
import { createDeadLetters } from '../../app/memory/dead-letters.ts';
import { createDesk } from '../../app/memory/desk.ts';
import { createKeys } from '../../app/memory/keys.ts';
import { createNews } from '../../app/memory/news.ts';
import { createRedis, createScripts } from '../../app/memory/redis.ts';
import { createSessions } from '../../app/memory/sessions.ts';
import type { Log } from '../../app/ops/logger.ts';

/** The answer to a request. */
export interface Answer {
  /** How many rows it has. */
  count: number;
  next: string | null;
  body: Record<string, unknown>;
}

export interface Api {
  /** @param path with its query. Rejects when the answer is not 200. */
  ask(path: string, signal: AbortSignal): Promise<Answer>;
  stop(): Promise<void>;
}

/** No answer may take longer, ms. */
const TIMEOUT_MS = 60_000;

export interface ApiOptions {
  database: Database;
  /** Redis keeps its files there; the caller removes it. */
  folder: string;
  log: Log;
}

export async function startApi({ database, folder, log }: ApiOptions): Promise<Api> {
  const server = await startEmbeddedRedis({ dataDir: folder, log });
  const redis = createRedis({ kind: 'socket', path: server.path }, log);
  await redis.connect();
  const keys = createKeys(1);
  const memory = { redis, run: createScripts(redis), keys, historyTtlMs: 86_400_000, now: Date.now };
  const live = createLive({ news: createNews({ redis, keys }), log });
  const key = randomBytes(24).toString('base64url');
  const auth = createAuth({
    password: key,
    apiKeys: [key],
    publicUrl: undefined,
    trustProxy: false,
    now: Date.now,
    sessions: createSessions(memory),
    log,
  });
  const overview = createOverview({
    costs: createCosts(database),
    prices: createPrices(readPriceTable()),
    budget: { limit: null, spent: 0 },
    monthOf: createMonthOf('UTC'),
    timeZone: 'UTC',
    now: Date.now,
  });
  const inbox = createInbox({
    guard: auth.guard,
    archive: {
      messages: createMessages(database),
      conversations: createConversations(database),
      consents: createConsents(database),
      tasks: createTasks(database),
      analytics: createAnalytics(database),
      writer: createDeskWriter(database),
    },
    ...deskOf(memory, createDeskWriter(database)),
    retryAnalyses: null,
    taskTypes: [],
    sentiments: [],
    notices: overview.notices,
    costs: overview,
    live,
    timeZone: 'UTC',
    publicUrl: undefined,
    now: Date.now,
  });
  const koa = createServer({ routers: [auth.router, inbox], log, isStopping: () => false });
  const http = createHttpServer(koa.callback()).listen(0, '127.0.0.1');
  await once(http, 'listening');
  const { port } = http.address() as AddressInfo; // a TCP server has an address of this shape

  return {
    ask: (path, signal) => ask(`http://127.0.0.1:${port}/api/whatsapp/${path}`, key, signal),
    async stop() {
      live.end();
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
      redis.disconnect();
      await server.stop();
    },
  };
}

function deskOf(tools: Parameters<typeof createAliases>[0], truth: DeskWriter) {
  const nobody = () => Promise.reject(new Failure('channel.rejected', 'The bench sends nothing.'));
  const memory = { ...tools, aliases: createAliases(tools) };
  const desk = createDesk(memory);
  return {
    takeover: createTakeover({ desk, truth, send: nobody, channels: createChannels([]), own: nobody, now: Date.now }),
    remembered: desk.state,
    explain: () => null,
    deadLetters: createDeadLetters(memory),
    download: nobody,
    names: { claim: nobody, release: nobody },
    templates: { channels: { all: [] }, list: nobody, send: nobody, senders: { usual: nobody, find: nobody } },
    broadcasts: {
      desk: { create: nobody, dryRun: nobody, progress: nobody, presentable: nobody, step: nobody },
      read: { list: nobody, rows: nobody },
      senders: { all: nobody, usual: nobody, find: nobody },
      ...{
        initiate: nobody,
        template: null,
        timeZone: 'UTC',
        quietHours: null,
        requiresOptIn: false,
        explain: () => null,
      },
    },
  };
}

async function ask(url: string, key: string, signal: AbortSignal): Promise<Answer> {
  const response = await fetch(url, {
    headers: { 'x-api-key': key },
    signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
  });
  const body = (await response.json()) as Record<string, unknown>; // all answers of the API are JSON objects
  if (response.status !== 200)
    throw new Error(`GET ${new URL(url).pathname} was answered ${response.status}: ${body.error}`);
  const rows = Array.isArray(body.days) ? body.days.length : Number(body.count ?? 0);
  return { count: rows, next: typeof body.next_cursor === 'string' ? body.next_cursor : null, body };
}
