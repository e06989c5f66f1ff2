/**
 * The people: a process that posts signed webhooks and checks every answer. Each of them writes the next message when the
 * one before was answered. Everything is signed before the clock starts. Its parent speaks to it by messages: a `LoadOrder`
 * prepares (answered with `ready`), `go` begins (answered with the `LoadFigures`).
 */
import { fileURLToPath } from 'node:url';
import { percentile } from './table.ts';
import { type Answer, connectHttp, type HttpConnection } from './thin-clients.ts';
import { echo, newRun, signedRequest, textOf } from './webhooks.ts';

export interface LoadOrder {
  /** On the loopback. */
  port: number;
  /** How many people write at the same time, each on a connection of their own. */
  concurrent: number;
  /** The number of the first person. */
  firstPerson: number;
  /**
   * How many people take turns on one connection. Nobody writes within a millisecond of being answered, when the bot is
   * still putting its things away; while one person reads, another one writes.
   */
  peoplePerConnection: number;
  firstTurn: number;
  /** How many messages a person writes. */
  turns: number;
  /** How many words a message and an answer have, beside those that make it unique. */
  words: number;
  answerWords: number;
  /** They begin spread over so much time, ms. */
  staggerMs: number;
}

export interface LoadFigures {
  right: number;
  wrong: number;
  /** No answer, or one later than Twilio waits. */
  missing: number;
  /** Not even asked, because an answer before it went missing. */
  unasked: number;
  /** What the first problem looked like. */
  problem: string | null;
  /** From the first message to the last answer. */
  seconds: number;
  /** From the first byte of a request to the last of its answer, ms. */
  p50: number;
  p99: number;
}

/** Twilio gives up then ("Webhooks connection overrides"). */
const LATE_MS = 15_000;

/** One message, and what it must get. */
interface Call {
  request: Buffer;
  expected: string;
}

interface Caller {
  connection: HttpConnection;
  calls: Call[];
  /** When what it waits for was sent; 0 while it waits for nothing. */
  sentAt: number;
}

/** Signs everything and connects; the function it resolves to lets the people write. */
export async function prepareLoad(order: LoadOrder): Promise<() => Promise<LoadFigures>> {
  const run = newRun();
  const callers: Caller[] = [];
  for (let i = 0; i < order.concurrent; i++) {
    const connection = await connectHttp({ port: order.port, host: '127.0.0.1' });
    const first = order.firstPerson + i * order.peoplePerConnection;
    callers.push({ connection, calls: callsOf(first, order, run), sentAt: 0 });
  }
  return () => write(callers, order);
}

/** First all first messages, then all second ones. */
function callsOf(
  first: number,
  { peoplePerConnection, firstTurn, turns, words, answerWords }: LoadOrder,
  run: string,
): Call[] {
  return Array.from({ length: peoplePerConnection * turns }, (_, n) => {
    const person = first + (n % peoplePerConnection);
    const turn = firstTurn + Math.floor(n / peoplePerConnection);
    const text = textOf(person, turn, words);
    return { request: signedRequest({ person, turn, text }, run), expected: `>${echo(text, answerWords)}<` };
  });
}

async function write(callers: Caller[], { staggerMs, concurrent, peoplePerConnection, turns }: LoadOrder) {
  const figures = { right: 0, wrong: 0, missing: 0, unasked: 0, problem: null as string | null };
  const latencies: number[] = [];
  const patience = setInterval(hangUpOnLate, 1_000, callers);
  const startedAt = performance.now();
  await Promise.all(callers.map((caller, i) => talk(caller, (staggerMs * i) / callers.length)));
  const seconds = (performance.now() - startedAt) / 1_000;
  clearInterval(patience);
  latencies.sort((a, b) => a - b);
  const all = concurrent * peoplePerConnection * turns;
  const unasked = all - figures.right - figures.wrong - figures.missing;
  return { ...figures, unasked, seconds, p50: percentile(latencies, 50), p99: percentile(latencies, 99) };

  /** One connection's people, until an answer goes missing. Never rejects. */
  async function talk(caller: Caller, waitMs: number): Promise<void> {
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    try {
      for (const { request, expected } of caller.calls) {
        caller.sentAt = performance.now();
        const answer = await caller.connection.exchange(request);
        latencies.push(performance.now() - caller.sentAt);
        caller.sentAt = 0;
        check(answer, expected);
      }
    } catch (error) {
      figures.missing++;
      figures.problem ??= String(error);
    } finally {
      caller.connection.close();
    }
  }

  function check({ status, body }: Answer, expected: string): void {
    const once = body.indexOf('<Message') === body.lastIndexOf('<Message');
    if (status === 200 && once && body.includes(expected)) figures.right++;
    else {
      figures.wrong++;
      figures.problem ??= `expected ${expected}, got ${status} ${body.slice(0, 500)}`;
    }
  }
}

function hangUpOnLate(callers: Caller[]): void {
  const now = performance.now();
  for (const { sentAt, connection } of callers) if (sentAt > 0 && now - sentAt > LATE_MS) connection.close();
}

/** Serves its parent until that goes. */
function serveParent(): void {
  let go: (() => Promise<LoadFigures>) | null = null;
  process.on('disconnect', () => process.exit());
  process.on('message', async (message: LoadOrder | 'go') => {
    try {
      if (message === 'go') return process.send?.(await go?.());
      go = await prepareLoad(message);
      process.send?.('ready');
    } catch (error) {
      process.send?.({ error: String(error) });
    }
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) serveParent();
