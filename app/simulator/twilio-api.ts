/**
 * Twilio's REST API as far as the bot uses it, on this machine alone: create and list messages, "typing…", and the
 * status callbacks. Shapes: https://www.twilio.com/docs/messaging/api/message-resource, codes: https://www.twilio.com/docs/api/errors
 */
import { randomBytes } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import { fromAddress, toAddress } from '../channels/twilio/address.ts';
import { sign } from '../channels/twilio/signature.ts';
import type { Log } from '../ops/logger.ts';
import { isChannelAddress } from './account.ts';
import { bodyOf } from './body.ts';
import type { MediaAnswer, MediaRequest } from './media.ts';
import { type MessageState, type Outgoing, type StatusCallback, travel } from './outgoing.ts';
import { startLocalServer } from './server.ts';
import { listForTwilio, textOf } from './templates.ts';

export interface TwilioApi {
  /** Its origin, `http://127.0.0.1:<port>`. */
  readonly url: string;
  /** What was sent to a contact after a time (unix ms), oldest first. Knows the last 1,000 messages. */
  sentTo(contact: string, after: number): Extract<Outgoing, { type: 'message' }>[];
  /** Sends the messages of a webhook's response. */
  reply(contact: string, message: { text: string; statusCallback?: string }): void;
  stop(): Promise<void>;
}

export interface TwilioApiOptions {
  accountSid: string;
  authToken: string;
  /** The only sender, without `+`. */
  number: string;
  /** Where the bot listens, by loopback: status callbacks are posted there, whatever host their address has. */
  botUrl: string;
  /** The bot's public address; what is in front of its paths there is taken off. */
  publicUrl?: string | undefined;
  /** Called for everything that the bot sends. */
  onOutgoing: (outgoing: Outgoing) => void;
  /** Called when a status callback was answered; `status` is null when it was not. */
  onCallback?: (callback: StatusCallback) => void;
  /** Answers requests for files; null for what is none. */
  serveFile?: (request: MediaRequest) => MediaAnswer | null;
  log: Log;
}

/** How many messages are remembered. */
const KEPT = 1_000;
/** The longest body of a request, bytes. */
const LONGEST_BODY = 64 * 1_024;
const LONGEST_TEXT = 1_600;
const CALLBACK_TIMEOUT_MS = 5_000;

interface Message {
  sid: string;
  from: string;
  to: string;
  body: string;
  state: MessageState;
  createdAt: number;
  statusCallback: string | null;
  /** The form of the request that made it; null for what a webhook's response said. */
  request: Record<string, string> | null;
}

/** A refusal in Twilio's words. */
class Refusal extends Error {
  readonly status: number;
  readonly code: number;

  constructor(status: number, code: number, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export async function startTwilioApi(options: TwilioApiOptions): Promise<TwilioApi> {
  const { accountSid, authToken, number, onOutgoing, serveFile, onCallback, log } = options;
  const messages: Message[] = [];
  const stopping = new AbortController();
  // Every message under way listens to it.
  setMaxListeners(0, stopping.signal);
  const server = await startLocalServer((request, response) => {
    const file = serveFile?.(fileRequest(request));
    if (file) return void response.writeHead(file.status, file.headers).end(file.body);
    serve(request).then(
      ({ status, body }) => send(response, status, body),
      (error: unknown) => refuse(response, error),
    );
  });
  return {
    url: server.url,
    sentTo(contact, after) {
      const to = toAddress(contact);
      return messages.filter((message) => message.to === to && message.createdAt > after).map(asOutgoing);
    },
    reply(contact, { text, statusCallback }) {
      const [from, to] = [toAddress(number), toAddress(contact)];
      enter(newMessage({ from, to, body: text, statusCallback: statusCallback ?? null, request: null }));
    },
    stop() {
      stopping.abort();
      return server.stop();
    },
  };

  async function serve(request: IncomingMessage): Promise<{ status: number; body: object }> {
    const body = await bodyOf(request, LONGEST_BODY);
    if (!body) throw new Refusal(413, 20413, 'The request is too large');
    const form = new URLSearchParams(body.toString());
    if (request.headers.authorization !== basicAuth(accountSid, authToken)) {
      throw new Refusal(401, 20003, 'Authenticate');
    }
    const url = new URL(request.url ?? '/', 'http://localhost');
    switch (`${request.method} ${url.pathname}`) {
      case `POST ${messagesPath(accountSid)}`:
        return { status: 201, body: asResource(create(form), accountSid) };
      case `GET ${messagesPath(accountSid)}`:
        return { status: 200, body: page(messages, url, accountSid) };
      case 'GET /v1/ContentAndApprovals':
        return { status: 200, body: listForTwilio() };
      case 'POST /v2/Indicators/Typing.json':
        return { status: 200, body: typing(form) };
      default:
        throw new Refusal(404, 20404, `The requested resource ${url.pathname} was not found`);
    }
  }

  function create(form: URLSearchParams): Message {
    return enter(checkedMessage(form, toAddress(number)));
  }

  function enter(message: Message): Message {
    messages.push(message);
    if (messages.length > KEPT) messages.shift();
    onOutgoing(asOutgoing(message));
    // Rejects only when the simulator stops.
    travel((state) => arrive(message, state), stopping.signal).catch(() => {});
    return message;
  }

  function typing(form: URLSearchParams): object {
    const messageSid = form.get('messageId') ?? '';
    if (!/^(SM|MM)[0-9a-fA-F]{32}$/.test(messageSid)) throw new Refusal(400, 20001, 'Invalid messageId');
    if (form.get('channel') !== 'whatsapp') throw new Refusal(400, 20001, 'Invalid channel');
    onOutgoing({ type: 'typing', messageSid, at: Date.now() });
    return { success: true };
  }

  async function arrive(message: Message, state: MessageState): Promise<void> {
    message.state = state;
    const { sid } = message;
    onOutgoing({ type: 'status', contact: fromAddress(message.to), sid, state, at: Date.now() });
    if (message.statusCallback !== null) await report(message, message.statusCallback);
  }

  /** Posts the status as Twilio does; what the receiver makes of it changes nothing. */
  async function report(message: Message, statusCallback: string): Promise<void> {
    const pairs = statusFields(message, accountSid);
    const { sid, state } = message;
    const told = (status: number | null) =>
      onCallback?.({ contact: fromAddress(message.to), sid, state, url: statusCallback, status });
    try {
      const response = await fetch(loopback(statusCallback, options), {
        method: 'POST',
        headers: { 'X-Twilio-Signature': sign(authToken, statusCallback, pairs) },
        body: pairs,
        signal: AbortSignal.any([stopping.signal, AbortSignal.timeout(CALLBACK_TIMEOUT_MS)]),
      });
      await response.body?.cancel();
      told(response.status);
      if (!response.ok) log.warn('A simulated status callback was refused', { status: response.status });
    } catch (error) {
      if (stopping.signal.aborted) return;
      told(null);
      log.warn('A simulated status callback did not arrive', { error });
    }
  }
}

/** The same address on this machine. A reverse proxy would do likewise. */
function loopback(callback: string, { botUrl, publicUrl }: TwilioApiOptions): URL {
  if (publicUrl && callback.startsWith(`${publicUrl}/`)) return new URL(callback.slice(publicUrl.length), botUrl);
  const { pathname, search } = new URL(callback);
  return new URL(pathname + search, botUrl);
}

function checkedMessage(form: URLSearchParams, sender: string): Message {
  const from = form.get('From') ?? '';
  const to = form.get('To') ?? '';
  const body = bodyIn(form);
  const statusCallback = form.get('StatusCallback');
  if (to === '') throw new Refusal(400, 21604, "A 'To' phone number is required.");
  if (!isChannelAddress(to)) throw new Refusal(400, 21211, `The 'To' number ${to} is not a valid phone number.`);
  if (from === '') throw new Refusal(400, 21603, "A 'From' phone number is required.");
  if (!isChannelAddress(from)) throw new Refusal(400, 21212, `The 'From' number ${from} is not a valid phone number.`);
  if (from !== sender) {
    throw new Refusal(400, 63007, 'Twilio could not find a Channel with the specified From address');
  }
  if (body === '') throw new Refusal(400, 21602, 'Message body is required.');
  if (body.length > LONGEST_TEXT) {
    throw new Refusal(400, 21617, `The concatenated message body exceeds the ${LONGEST_TEXT} character limit.`);
  }
  if (statusCallback !== null && !URL.canParse(statusCallback)) {
    throw new Refusal(400, 21609, `The 'StatusCallback' URL ${statusCallback} is not a valid URL.`);
  }
  return newMessage({ from, to, body, statusCallback, request: Object.fromEntries(form) });
}

function newMessage(content: Pick<Message, 'from' | 'to' | 'body' | 'statusCallback' | 'request'>): Message {
  return { sid: `SM${randomBytes(16).toString('hex')}`, state: 'queued', createdAt: Date.now(), ...content };
}

/** The words of a message, also when they are those of a template; a file stands below them. */
function bodyIn(form: URLSearchParams): string {
  const template = form.get('ContentSid');
  if (template !== null) {
    const text = textOf(template, variablesIn(form.get('ContentVariables') ?? '{}'));
    if (text === null) throw new Refusal(400, 21655, 'The ContentSid Required parameter is invalid');
    return text;
  }
  const file = form.get('MediaUrl');
  return [form.get('Body') ?? '', file === null ? '' : `[file] ${file}`].filter((part) => part !== '').join('\n');
}

function variablesIn(json: string): Record<string, string> {
  try {
    return z.record(z.string(), z.string()).parse(JSON.parse(json));
  } catch {
    throw new Refusal(400, 21656, 'The ContentVariables Parameter is invalid');
  }
}

const PAGE_SIZE = 50;

/** One page of the list, newest first. Twilio filters by whole days (UTC). */
function page(messages: Message[], url: URL, accountSid: string): object {
  const query = url.searchParams;
  const size = clamp(Number(query.get('PageSize') ?? PAGE_SIZE), 1, 1_000);
  const number = clamp(Number(query.get('Page') ?? 0), 0, KEPT);
  const found = messages.filter((message) => matches(message, query)).reverse();
  const start = number * size;
  const shown = found.slice(start, start + size);
  return {
    messages: shown.map((message) => asResource(message, accountSid)),
    page: number,
    page_size: size,
    start,
    end: start + Math.max(shown.length - 1, 0),
    uri: pageUri(number),
    first_page_uri: pageUri(0),
    next_page_uri: start + size < found.length ? pageUri(number + 1) : null,
    previous_page_uri: number > 0 ? pageUri(number - 1) : null,
  };

  function pageUri(which: number): string {
    const params = new URLSearchParams(query);
    params.set('Page', String(which));
    return `${url.pathname}?${params}`;
  }
}

function matches(message: Message, query: URLSearchParams): boolean {
  const day = new Date(message.createdAt).toISOString().slice(0, 10);
  const wanted = (name: string) => query.get(name)?.slice(0, 10) ?? day;
  return (
    (query.get('To') ?? message.to) === message.to &&
    (query.get('From') ?? message.from) === message.from &&
    day === wanted('DateSent') &&
    day >= wanted('DateSent>') &&
    day <= wanted('DateSent<')
  );
}

function asResource(message: Message, accountSid: string): object {
  const created = rfc2822(message.createdAt);
  const uri = `${messagesPath(accountSid).replace('.json', '')}/${message.sid}`;
  return {
    account_sid: accountSid,
    api_version: '2010-04-01',
    body: message.body,
    date_created: created,
    date_sent: message.state === 'queued' ? null : created,
    date_updated: created,
    direction: message.request ? 'outbound-api' : 'outbound-reply',
    error_code: null,
    error_message: null,
    from: message.from,
    messaging_service_sid: null,
    num_media: '0',
    num_segments: '1',
    price: null,
    price_unit: null,
    sid: message.sid,
    status: message.state,
    subresource_uris: { media: `${uri}/Media.json` },
    to: message.to,
    uri: `${uri}.json`,
  };
}

function asOutgoing(message: Message): Extract<Outgoing, { type: 'message' }> {
  const { sid, body, createdAt, request } = message;
  return { type: 'message', contact: fromAddress(message.to), sid, text: body, at: createdAt, request };
}

function statusFields(message: Message, accountSid: string): URLSearchParams {
  return new URLSearchParams({
    AccountSid: accountSid,
    ApiVersion: '2010-04-01',
    ChannelPrefix: 'whatsapp',
    ChannelToAddress: fromAddress(message.to),
    From: message.from,
    MessageSid: message.sid,
    MessageStatus: message.state,
    SmsSid: message.sid,
    SmsStatus: message.state,
    To: message.to,
  });
}

function messagesPath(accountSid: string): string {
  return `/2010-04-01/Accounts/${accountSid}/Messages.json`;
}

function fileRequest({ method = 'GET', url = '/', headers: { authorization } }: IncomingMessage): MediaRequest {
  const given = /^Basic (.+)$/.exec(authorization ?? '')?.[1] ?? '';
  const { pathname: path } = new URL(url, 'http://localhost');
  return {
    method,
    path,
    credentials: Buffer.from(given, 'base64').toString(),
    hasAuthorization: authorization !== undefined,
  };
}

function basicAuth(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

/** `Sat, 21 Nov 2026 12:00:00 +0000` */
function rfc2822(at: number): string {
  return new Date(at).toUTCString().replace('GMT', '+0000');
}

/** A number that a query may have got wrong. */
function clamp(given: number, least: number, most: number): number {
  return Number.isFinite(given) ? Math.min(Math.max(Math.trunc(given), least), most) : least;
}

function refuse(response: ServerResponse, error: unknown): void {
  const { status, code, message } =
    error instanceof Refusal ? error : new Refusal(500, 20500, 'An internal server error has occurred');
  send(response, status, { code, message, more_info: `https://www.twilio.com/docs/errors/${code}`, status });
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify(body));
}
