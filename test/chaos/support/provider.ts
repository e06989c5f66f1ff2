/** A provider as the tests see it: people write through it, and it brings them what the bot sends. The same for Twilio and for Meta. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type MetaDouble, newWamid, startMetaDouble, type TakenMessage } from '../../doubles/meta.ts';
import { newSid, startTwilioDouble, type TwilioDouble } from '../../doubles/twilio.ts';
import { ACCOUNT_SID, AUTH_TOKEN } from '../../support/bot.ts';
import {
  ACCESS_TOKEN,
  batchOf,
  metaMessage,
  metaSettings,
  metaStatus,
  NUMBERS,
  PHONE_NUMBER_ID,
  postBatch,
} from '../../support/meta.ts';
import { mediaMessage, postWebhook, textMessage } from '../../support/webhook.ts';
import type { Answer, Passing } from './http-proxy.ts';

/** Which one the tests run over; `*-meta.test.ts` sets it. */
export const IS_META = process.env.CHAOS_PROVIDER === 'meta';

/** What people send. */
export interface Letter {
  /** The provider's id: the same for every delivery of the same message. */
  id: string;
  from: string;
  text: string;
  file?: { ref: string; contentType: string };
}

/** What somebody got. */
export interface Received {
  /** The address, without `whatsapp:` and `+`. */
  to: string;
  text: string;
  /** In the response to a webhook, or by a call. */
  via: 'response' | 'call';
}

export interface Provider {
  /** Where its API is; a proxy may stand before it. */
  readonly origin: string;
  /** What leads a program there. @param origin the API's, or that of a proxy */
  settings(origin: string): Record<string, string>;
  newId(withFile: boolean): string;
  addFile(bytes: Uint8Array, contentType: string): string;
  /**
   * Brings a message to a bot, once. @returns the status of its answer, 0 without one
   * @throws for an answer that no good webhook gets
   */
  bring(botUrl: string, letter: Letter, timeoutMs: number): Promise<number>;
  /** Everything that anybody got, in its order. */
  received(): Received[];
  /** Somebody has got this already, by a call at that time (unix ms). */
  add(to: string, text: string, at: number): void;
  /** As if nobody had got anything. */
  clear(): void;
  /** From now on it tells what became of the messages of the business. @param route a bot that takes webhooks now; null = none */
  reportTo(route: () => string | null): void;
  /** Is a file fetched, a text sent, or what was sent looked up? */
  callOf(request: Passing): 'file' | 'send' | 'look' | 'other';
  /** The text that a call sends. */
  textOf(request: Passing): string | null;
  /** How it refuses a text. */
  refuse(why: 'busy' | 'failing' | 'window' | 'opted out'): Answer;
  /** What the bot gets of an answer that a proxy has: files, too, are to come by way of the proxy. */
  passOn(request: Passing, answer: Answer): Promise<Answer>;
  close(): Promise<void>;
}

/** Starts the one that this run is about. */
export async function startProvider(): Promise<Provider> {
  if (!IS_META) return overTwilio(await startTwilioDouble({ accountSid: ACCOUNT_SID, authToken: AUTH_TOKEN }));
  return overMeta(await startMetaDouble({ accessToken: ACCESS_TOKEN, numbers: NUMBERS }));
}

/** The name of a test says what it is over. */
export function over(name: string): string {
  return IS_META ? `over Meta: ${name}` : name;
}

const BUSINESS = 'whatsapp:+14155238886';

/**
 * Twilio signs webhooks and keeps every answer that it received whole in its list of messages. People here are known by their numbers.
 */
export function overTwilio(twilio: TwilioDouble): Provider {
  return {
    origin: twilio.url,
    settings: (origin) => ({ TWILIO_API_BASE_URL: origin }),
    newId: (withFile) => newSid(withFile ? 'MM' : 'SM'),
    addFile: (bytes, contentType) => twilio.addMedia(bytes, contentType),
    async bring(botUrl, { id, from, text, file }, timeoutMs) {
      const own = { MessageSid: id, Body: text, From: `whatsapp:+${from}`, To: BUSINESS, WaId: from };
      const fields = file ? mediaMessage(file.ref, file.contentType, own) : textMessage(own);
      const signal = AbortSignal.timeout(timeoutMs);
      const answer = await postWebhook(`${botUrl}/whatsapp`, AUTH_TOKEN, fields, signal).catch(() => null);
      if (!answer) return 0;
      if (answer.status < 500 && !answer.contentType.startsWith('text/xml'))
        throw new Error(`the answer is no TwiML, but ${answer.contentType}`);
      for (const body of answer.texts) twilio.addReply({ to: `whatsapp:+${from}`, from: BUSINESS, body });
      return answer.status;
    },
    received: () =>
      twilio.sent.map(({ to, body, direction }) => ({
        to: to.replace('whatsapp:+', ''),
        text: body,
        via: direction === 'outbound-reply' ? 'response' : 'call',
      })),
    add(to, text, at) {
      twilio.addReply({ to: `whatsapp:+${to}`, from: BUSINESS, body: text, createdAt: at });
    },
    clear() {
      twilio.sent.length = 0;
    },
    reportTo() {}, // its list can be asked
    callOf({ method, path }) {
      if (method === 'GET' && path.includes('/Media/')) return 'file';
      if (!path.includes('/Messages.json')) return 'other';
      return method === 'POST' ? 'send' : 'look';
    },
    textOf: ({ body }) => new URLSearchParams(body.toString()).get('Body'),
    refuse(why) {
      const [status, code] = {
        busy: [429, 20429],
        failing: [500, 20500],
        window: [400, 63016],
        'opted out': [400, 21610],
      }[why] as [number, number];
      return json(status, { status, code, message: 'made up' });
    },
    passOn: (_request, answer) => fetched(answer),
    close: () => twilio.close(),
  };
}

/** The host that Twilio sends people to for files is a private address here: the proxy fetches them itself. */
async function fetched(answer: Answer): Promise<Answer> {
  const elsewhere = answer.status === 307 ? answer.headers.location : undefined;
  if (typeof elsewhere !== 'string') return answer;
  const file = await fetch(elsewhere);
  return {
    status: file.status,
    headers: { 'content-type': file.headers.get('content-type') ?? '' },
    body: Buffer.from(await file.arrayBuffer()),
  };
}

/** How often something is told of an earlier message, ms: a number in use always has some that are read just now. */
const READ_EVERY_MS = 2_000;
/** Meta repeats what was not answered with 200, for days; the tests are over earlier. */
const REPEAT_MS = 300;
const MOST_REPEATS = 400;

/** Meta has no list: it tells what became of each message, in webhooks of its own. */
export function overMeta(meta: MetaDouble): Provider {
  let reading: NodeJS.Timeout | undefined;
  let isOver = false;
  return {
    origin: new URL(meta.url).origin,
    settings: (origin) => metaSettings(`${origin}${new URL(meta.url).pathname}`),
    newId: newWamid,
    addFile: (bytes) => meta.addMedia(bytes),
    async bring(botUrl, { id, from, text, file }, timeoutMs) {
      const image = file && { id: file.ref, mime_type: file.contentType, caption: text };
      const content = file ? { type: 'image', text: undefined, image } : { text: { body: text } };
      const batch = batchOf({ messages: [metaMessage(from, { id, ...content })] });
      const answer = await postBatch(botUrl, batch, {}, AbortSignal.timeout(timeoutMs)).catch(() => null);
      await answer?.text().catch(() => {});
      return answer?.status ?? 0;
    },
    received: () => meta.sent.map(({ to, text }) => ({ to, text, via: 'call' as const })),
    add(to, text) {
      meta.sent.push({ id: newWamid(), phoneNumberId: PHONE_NUMBER_ID, to, text, data: undefined });
    },
    clear() {
      meta.sent.length = 0;
    },
    reportTo(route) {
      const told: TakenMessage[] = [];
      meta.onSent = (message) => {
        told.push(message);
        void report(message, 'sent', route);
      };
      clearInterval(reading);
      reading = setInterval(() => {
        const message = told[Math.floor(Math.random() * told.length)];
        if (message) void report(message, 'read', route);
      }, READ_EVERY_MS);
    },
    callOf({ method, path }) {
      if (method === 'GET') return path.startsWith('/file/') ? 'file' : 'other';
      return path.endsWith('/messages') ? 'send' : 'other';
    },
    // What marks a message as read is posted to the same address.
    textOf: ({ body }) => JSON.parse(body.toString()).text?.body ?? null,
    refuse(why) {
      const [status, code] = {
        busy: [429, 130429],
        failing: [500, 131000],
        window: [400, 131047],
        'opted out': [400, 131050],
      }[why] as [number, number];
      return json(status, { error: { message: `(#${code}) made up`, type: 'OAuthException', code } });
    },
    async passOn({ headers: { host } }, answer) {
      const isJson = String(answer.headers['content-type']).includes('json');
      if (!isJson || host === undefined) return answer;
      const { 'content-length': _, ...headers } = answer.headers;
      // Files are where the API is said to be, and the token goes nowhere else.
      const body = answer.body.toString().replaceAll(new URL(meta.url).origin, `http://${host}`);
      return { ...answer, headers, body };
    },
    async close() {
      isOver = true;
      clearInterval(reading);
      await meta.close();
    },
  };

  async function report(message: TakenMessage, status: string, route: () => string | null): Promise<void> {
    const batch = batchOf({ statuses: [metaStatus(message, status)] });
    for (let tries = 0; tries < MOST_REPEATS && !isOver; tries++) {
      const url = route();
      const answer = url ? await postBatch(url, batch, {}, AbortSignal.timeout(5_000)).catch(() => null) : null;
      await answer?.text().catch(() => {});
      if (answer?.status === 200) return;
      await sleep(REPEAT_MS);
    }
  }
}

function json(status: number, body: object): Answer {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}
