/** The desk of `test/inbox/desk.ts` with its page beside it, and days of conversations to look at. */
import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Burst } from '../../app/archive/write/analysis.ts';
import { record } from '../../app/archive/write/record.ts';
import type { NewTask } from '../../app/archive/write/tasks.ts';
import type { Prices } from '../../app/costs/prices.ts';
import type { Event } from '../../app/events.ts';
import { createPages } from '../../app/http/pages.ts';
import { createServer } from '../../app/http/server.ts';
import { UPLOADS } from '../../app/inbox/operations.ts';
import { createLogger } from '../../app/ops/logger.ts';
import { scrub } from '../../app/privacy/scrub.ts';
import { startDesk } from '../inbox/desk.ts';
import { buildPages } from '../support/pages.ts';

export type InboxDesk = Awaited<ReturnType<typeof startInboxDesk>>;

const BUSINESS = '14155238886';
export const DAY_MS = 86_400_000;

/** Something that was said, and what was answered. */
export interface Said {
  contact: string;
  name: string;
  text: string;
  /** Unix ms. */
  at: number;
  answer?: string;
  /** How long they waited for it, ms. Default: 1,800. */
  waitedMs?: number;
  usage?: { prompt: number; completion: number; cached: number };
  /** What the provider says that the answer costs, billionths of a dollar. Default: it says nothing. */
  price?: number;
}

export interface Meaning {
  summary: string;
  sentiment: string;
  intent?: string;
  people?: string[];
  companies?: string[];
  dates?: string[];
  amounts?: string[];
  products?: string[];
  task?: NewTask;
}

/** @param at the port of the page. Default: a free one. */
export async function startInboxDesk(at = 0) {
  const directory = await buildPages();
  const desk = await startDesk();
  desk.recorder.start();
  const log = createLogger({ level: 'error', format: 'json', write: (line) => desk.logs.push(line) });
  const pages = createPages({
    directory,
    pages: [{ paths: ['/whatsapp-inbox', '/whatsapp-inbox/{*place}'], file: 'inbox.html' }],
    links: [],
  });
  const server = createHttpServer(
    createServer({
      routers: [...desk.routers, pages],
      unreadBodies: UPLOADS,
      log,
      isStopping: () => false,
    }).callback(),
  );
  const listen = (port: number) =>
    new Promise<number>((resolve) => {
      // A TCP server has an address of this shape.
      server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
    });
  const port = await listen(at);
  let turns = 0;

  return {
    ...desk,
    page: `http://127.0.0.1:${port}/whatsapp-inbox`,

    /** Writes into the archive what was said in the past. */
    async remember(all: readonly Said[]) {
      const events = all.flatMap((said) => eventsOf(said, `turn-${++turns}`, desk.prices));
      for (let i = 0; i < events.length; i += 500) {
        await desk.database.transaction((db) => record(db, events.slice(i, i + 500), true));
      }
    },

    /** Does the analysis' work: `meaningOf` says what a text is about, null that it is trivial. */
    async analyse(meaningOf: (text: string) => Meaning | null) {
      for (;;) {
        const bursts = await desk.analysis.take({ most: 200, leaseMs: 60_000 });
        if (bursts.length === 0) return;
        for (const burst of bursts) await complete(burst, meaningOf(burst.messages.map(({ text }) => text).join(' ')));
      }
    },

    /** The connection of every open page breaks, and nobody listens for a while. */
    async cut() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
    async mend() {
      await listen(port);
    },

    async stop() {
      desk.live.end();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await desk.stop();
    },
  };

  async function complete(burst: Burst, meaning: Meaning | null): Promise<void> {
    const about = burst.messages.at(-1)?.id;
    if (!meaning || !about) return desk.analysis.skip(burst);
    const { summary, sentiment, intent = 'question', task = null, ...found } = meaning;
    const entities = { people: [], companies: [], dates: [], amounts: [], products: [], ...found };
    const analysis = { summary, sentiment, intent, language: 'en', entities, full: { summary, entities } };
    await desk.analysis.complete(burst, { about, analysis, task });
    desk.live.tell([{ kind: 'analysis', phone_number: burst.phone }]);
  }
}

function eventsOf(said: Said, turn: string, prices: Prices): Event[] {
  const { contact, name, text, at, answer, waitedMs = 1_800, usage, price } = said;
  const conversation = `twilio:${BUSINESS}:${contact}`;
  const id = `SM${turn}`;
  const message = {
    id,
    channel: 'twilio' as const,
    business: BUSINESS,
    from: contact,
    contact,
    profileName: scrub(name),
    receivedAt: at,
    text: scrub(text),
    attachments: [],
    requestId: turn,
  };
  const received: Event = { type: 'message.received', message };
  if (answer === undefined) return [received];
  const answeredAt = at + waitedMs;
  const use = { id: `${turn}-use`, at: answeredAt, purpose: 'answer' as const, model: 'gpt-5.4-mini' };
  const events: Event[] = [
    received,
    {
      type: 'reply.made',
      conversation,
      turn,
      at: answeredAt,
      answers: [id],
      reply: { to: contact, parts: [scrub(answer)], via: 'response' },
      heard: [],
      ...(usage
        ? { usage, spent: [{ ...use, tokens: usage, cost: prices.costOf(use.model, { tokens: usage }) }] }
        : {}),
    },
    { type: 'reply.sent', conversation, turn, at: answeredAt + 50, via: 'response', sids: [] },
  ];
  if (price === undefined) return events;
  const cost = { billionths: price, currency: 'USD' };
  const sent = { channel: 'twilio' as const, sid: `SM${turn}-answer`, business: BUSINESS, to: contact };
  const status = { ...sent, replyId: turn, part: 0, state: 'delivered' as const, pricing: { cost } };
  return [...events, { type: 'delivery.changed', conversation, at: answeredAt + 2_000, status }];
}
