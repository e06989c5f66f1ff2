/** Sends changes to the open pages as server-sent events; a page that was disconnected gets what it missed. */
import type { ServerResponse } from 'node:http';
import { createSession, type Session } from 'better-sse';
import type { Context } from 'koa';
import { Failure } from '../errors.ts';
import type { Log } from '../ops/logger.ts';
import type { LiveEvent } from './contract.ts';

/** What all processes share, see `memory/news.ts`. */
export interface News {
  publish(texts: readonly string[]): Promise<void>;
  latest(): Promise<string>;
  after(id: string): Promise<{ id: string; text: string }[] | null>;
}

export interface Live {
  /** Sends events to every open page, also those of other processes. Never fails: a page that missed something fetches again. */
  tell(events: readonly LiveEvent[]): void;
  /** Opens a stream, for as long as `ctx.state.isSignedIn`, which the guard sets, says so; rejects with `server.busy` when too many are open. */
  open(ctx: Context): Promise<void>;
  /** Ends all streams, so that the server can close. */
  end(): void;
}

export interface LiveOptions {
  news: News;
  log: Log;
  /** How often changes of other processes are fetched while a page is open, ms. */
  lookMs?: number;
  /** Proxies cut what is silent for half a minute. */
  heartbeatMs?: number;
  /** After this a page has to come again, and be signed in still. */
  longestMs?: number;
  mostStreams?: number;
  /** How often it is looked whether somebody signed out, ms. */
  checkMs?: number;
}

interface Stream {
  session: Session;
  response: ServerResponse;
}

/** More changes at once are sent as one: fetch everything again. */
const MOST_AT_ONCE = 50;
/** A page that reads nothing is disconnected when this much waits for it, bytes. */
const MOST_UNREAD = 1_000_000;
const ID = /^\d{1,15}-\d{1,15}$/;

export function createLive(options: LiveOptions): Live {
  const {
    news,
    log,
    lookMs = 300,
    heartbeatMs = 15_000,
    longestMs = 30 * 60_000,
    mostStreams = 200,
    checkMs = 2_000,
  } = options;
  const streams = new Set<Stream>();
  let opening = 0;
  let looking: NodeJS.Timeout | undefined;
  let ended = false;
  /** The id of the latest change that was sent; null before the first one. */
  let told: string | null = null;
  /** One at a time, in order, so that no change is sent twice or too early. */
  let last: Promise<void> = Promise.resolve();

  return {
    tell(events) {
      if (events.length === 0) return;
      const texts = events.length > MOST_AT_ONCE ? summed(events) : events.map((event) => JSON.stringify(event));
      news
        .publish(texts)
        .then(() => look())
        .catch((error) => log.debug('A change could not be sent to the open pages', { error }));
    },

    async open(ctx) {
      if (ctx.method === 'HEAD') {
        ctx.status = 200;
        return;
      }
      if (ended || streams.size + opening >= mostStreams) {
        throw new Failure('server.busy', 'Too many pages of the inbox are open. Close some.');
      }
      // The page may have left while its sign-in was checked; a session would not notice.
      if (ctx.res.destroyed) return;
      opening += 1;
      try {
        // Koa begins every response as a 404. Heartbeats are ours: those of a session that ends while it begins never stop.
        const asked = { statusCode: 200, keepAlive: null, retry: 2_000 };
        const session = await createSession(ctx.req, ctx.res, asked);
        ctx.respond = false;
        await join({ session, response: ctx.res }, ctx.state.isSignedIn);
      } finally {
        opening -= 1;
      }
    },

    end() {
      ended = true;
      for (const { response } of streams) response.end();
    },
  };

  /** Tells a page what it missed, then lets it hear the rest. */
  async function join(stream: Stream, isSignedIn?: () => Promise<boolean>): Promise<void> {
    const { session, response } = stream;
    const wasAt = session.lastId;
    const heartbeat = setInterval(() => beat(stream), heartbeatMs).unref();
    await inTurn(async () => {
      await catchUp();
      const missed = wasAt === '' ? [] : ID.test(wasAt) ? await news.after(wasAt) : null;
      if (missed === null) push(stream, 'reset', {}, told ?? '');
      for (const { id, text } of missed ?? []) push(stream, 'change', JSON.parse(text), id);
      push(stream, 'ready', {}, told ?? '');
      streams.add(stream);
    }).catch((error) => {
      log.debug('A page could not get what it missed', { error });
      push(stream, 'reset', {}, '');
      streams.add(stream);
    });
    looking ??= setInterval(() => void look(), lookMs).unref();
    const late = setTimeout(() => response.end(), longestMs).unref();
    const check = isSignedIn && setInterval(() => void endIfSignedOut(stream, isSignedIn), checkMs).unref();
    const stop = () => {
      clearInterval(heartbeat);
      clearTimeout(late);
      clearInterval(check);
      leave(stream);
    };
    response.once('close', stop);
    if (ended) response.end();
    if (response.destroyed) stop();
  }

  /** Whoever kept the page open reads on only while the session lasts. Redis may be away for a moment. */
  async function endIfSignedOut({ response }: Stream, isSignedIn: () => Promise<boolean>): Promise<void> {
    if (!(await isSignedIn().catch(() => true))) response.end();
  }

  function leave(stream: Stream): void {
    streams.delete(stream);
    if (streams.size > 0) return;
    clearInterval(looking);
    looking = undefined;
  }

  function look(): Promise<void> {
    if (streams.size === 0) return Promise.resolve();
    return inTurn(catchUp).catch((error) => log.debug('Changes could not be looked up for the open pages', { error }));
  }

  function inTurn(work: () => Promise<void>): Promise<void> {
    const done = last.then(work);
    last = done.catch(() => {});
    return done;
  }

  async function catchUp(): Promise<void> {
    if (told === null) {
      told = await news.latest();
      return;
    }
    const changes = await news.after(told);
    if (changes === null) {
      told = await news.latest();
      for (const stream of streams) push(stream, 'reset', {}, told);
    }
    for (const { id, text } of changes ?? []) {
      told = id;
      for (const stream of streams) push(stream, 'change', JSON.parse(text), id);
    }
  }
}

function push({ session, response }: Stream, name: string, data: unknown, id: string): void {
  if (isOver(response)) return;
  session.push(data, name, id);
  if (response.writableLength > MOST_UNREAD) response.destroy();
}

/** A comment: pages take no notice of it. */
function beat({ response }: Stream): void {
  if (!isOver(response)) response.write(':\n\n');
}

function isOver(response: ServerResponse): boolean {
  return response.writableEnded || response.destroyed;
}

function summed([first]: readonly LiveEvent[]): string[] {
  return first ? [JSON.stringify({ ...first, phone_number: null } satisfies LiveEvent)] : [];
}
