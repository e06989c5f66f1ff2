/**
 * A Twilio that works over HTTP on this machine: messages are created and listed, files are served by a second host, and
 * status callbacks are posted when a test asks for it. Requests are recorded, faults served in order. It shares no code
 * with the program, the signature included. Shapes: https://www.twilio.com/docs/messaging/api/message-resource
 */
import { createHmac, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a request can be about; `file` is one to the second host. */
export type Operation = 'create' | 'list' | 'fetch' | 'templates' | 'typing' | 'media' | 'file';

/** What one request gets instead of its answer. */
export type TwilioFault = FaultKind & {
  /** The next request of this kind gets it; without, the next of any kind. */
  on?: Operation;
  /** What was asked for is done all the same before the fault: nobody tells the caller. */
  done?: true;
};

type FaultKind =
  | { kind: 'rate-limited'; retryAfterSeconds?: number }
  /** `code` and `message` make Twilio's JSON; a `body` is sent as it is, '' for none at all. */
  | { kind: 'status'; status: number; code?: number; message?: string; body?: string }
  /** The request is taken and never answered. */
  | { kind: 'hang' }
  /** Status and half of a body, then silence. */
  | { kind: 'stall' }
  /** The connection is cut instead of an answer. */
  | { kind: 'reset' }
  /** The right answer, this much later. */
  | { kind: 'delay'; ms: number }
  /** Sent elsewhere. */
  | { kind: 'redirect'; location: string; status?: number }
  /** A body that goes on for as long as somebody reads it. */
  | { kind: 'endless' };

export type MessageState =
  | 'accepted'
  | 'queued'
  | 'sending'
  | 'sent'
  | 'delivered'
  | 'read'
  | 'undelivered'
  | 'failed'
  | 'canceled';

/** A message of the business, as Twilio keeps it. A test may change it. */
export interface SentMessage {
  sid: string;
  /** With `whatsapp:`, as are all addresses here. */
  to: string;
  from: string;
  body: string;
  /** Where the file is that goes with it. */
  mediaUrl?: string;
  /** When it is a template: which, and what stands for its variables. */
  content?: { sid: string; variables: Record<string, string> };
  /** By our request, or by TwiML. */
  direction: 'outbound-api' | 'outbound-reply';
  messagingServiceSid: string | null;
  statusCallback: string | null;
  status: MessageState;
  /** What it costs, `-0.00500`; null until Twilio has reckoned that. */
  price: string | null;
  /** Unix ms. */
  createdAt: number;
}

export interface RecordedRequest {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingMessage['headers'];
  form: URLSearchParams;
  /** Unix ms. */
  at: number;
}

/** https://www.twilio.com/docs/content/content-and-approvals-fetch-resource */
export interface TwilioContent {
  sid: string;
  friendly_name: string;
  language: string;
  variables: Record<string, string>;
  types: Record<string, { body: string; [field: string]: unknown }>;
  approval_requests: { name: string; category: string; status: string; rejection_reason?: string };
}

export interface TwilioDouble {
  /** What `TWILIO_API_BASE_URL` is set to. */
  readonly url: string;
  /** The host that files are fetched from in the end; it must not see credentials. */
  readonly filesUrl: string;
  /** Messages in the order they were created. */
  readonly sent: SentMessage[];
  /** The ids of the messages that were being answered when somebody was shown "typing…". */
  readonly typing: string[];
  readonly requests: RecordedRequest[];
  /** What the host of the files was asked. */
  readonly fileRequests: RecordedRequest[];
  /** What the account has, as Twilio lists it. As made: none. */
  readonly templates: TwilioContent[];
  /** First in, first out. */
  readonly faults: TwilioFault[];
  /** How far its clock is ahead of this machine's, ms. As made: 0. */
  aheadMs: number;
  /** Who may send. As made: Twilio's sandbox. */
  readonly senders: Set<string>;
  /** Makes a file of a message that came in. @returns the address that the webhook names */
  addMedia(bytes: Uint8Array, contentType: string, messageSid?: string): string;
  /** Keeps a message that went out as TwiML, which Twilio lists like any other. */
  addReply(reply: Pick<SentMessage, 'to' | 'from' | 'body'> & Partial<SentMessage>): SentMessage;
  /** Changes a message's state and posts the callback it asked for. @returns what was answered, null without callback */
  report(message: SentMessage, status: MessageState, errorCode?: number): Promise<Response | null>;
  close(): Promise<void>;
}

export interface TwilioDoubleOptions {
  accountSid: string;
  authToken: string;
}

/** Two letters and 32 hex digits. */
export function newSid(prefix: string): string {
  return prefix + randomBytes(16).toString('hex');
}

/** `X-Twilio-Signature`: https://www.twilio.com/docs/usage/security#validating-requests */
export function twilioSignature(authToken: string, url: string, fields: Record<string, string>): string {
  const names = Object.keys(fields).sort();
  const signed = url.replace(/#.*$/, '') + names.map((name) => name + fields[name]).join('');
  return createHmac('sha1', authToken).update(signed, 'utf8').digest('base64');
}

export async function startTwilioDouble({ accountSid, authToken }: TwilioDoubleOptions): Promise<TwilioDouble> {
  const files = new Map<string, { bytes: Uint8Array; contentType: string; token: string }>();
  const account = `/2010-04-01/Accounts/${accountSid}`;
  const credentials = `Basic ${Buffer.from(`${accountSid}:${authToken}`).toString('base64')}`;
  const api = await listen(serveApi);
  const fileHost = await listen(serveFile);

  const double: TwilioDouble = {
    url: urlOf(api),
    filesUrl: urlOf(fileHost),
    sent: [],
    typing: [],
    requests: [],
    fileRequests: [],
    templates: [],
    faults: [],
    aheadMs: 0,
    senders: new Set(['whatsapp:+14155238886']),
    addMedia(bytes, contentType, messageSid = newSid('MM')) {
      const path = `${account}/Messages/${messageSid}/Media/${newSid('ME')}`;
      files.set(path, { bytes, contentType, token: newSid('') });
      return double.url + path;
    },
    addReply(reply) {
      const message = newMessage({ direction: 'outbound-reply', status: 'sent', createdAt: now(), ...reply });
      double.sent.push(message);
      return message;
    },
    async report(message, status, errorCode) {
      message.status = status;
      if (message.statusCallback === null) return null;
      const fields = statusFields(message, accountSid, errorCode);
      const signature = twilioSignature(authToken, message.statusCallback, fields);
      const body = new URLSearchParams(fields);
      return fetch(message.statusCallback, { method: 'POST', headers: { 'X-Twilio-Signature': signature }, body });
    },
    async close() {
      await Promise.all([close(api), close(fileHost)]);
    },
  };
  return double;

  /** By its own clock, unix ms. */
  function now(): number {
    return Date.now() + double.aheadMs;
  }

  async function serveApi(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const request = await recorded(incoming);
    double.requests.push(request);
    outgoing.setHeader('Date', new Date(now()).toUTCString());
    if (incoming.headers.authorization !== credentials) return answer(outgoing, refusal(401, 20003, 'Authenticate'));
    const operation = operationOf(request);
    if (!operation)
      return answer(outgoing, refusal(404, 20404, `The requested resource ${request.path} was not found`));
    const fault = takeFault(operation);
    if (fault && !fault.done && fault.kind !== 'delay') return suffer(fault, outgoing);
    const result = carryOut(operation, request);
    if (fault?.kind === 'delay') await new Promise((resolve) => setTimeout(resolve, fault.ms));
    else if (fault) return suffer(fault, outgoing);
    answer(outgoing, result);
  }

  function operationOf({ method, path }: RecordedRequest): Exclude<Operation, 'file'> | undefined {
    if (method === 'POST' && path === `${account}/Messages.json`) return 'create';
    if (method === 'GET' && path === `${account}/Messages.json`) return 'list';
    if (method === 'GET' && path === '/v1/ContentAndApprovals') return 'templates';
    if (method === 'POST' && path === '/v2/Indicators/Typing.json') return 'typing';
    if (method === 'GET' && messageNamedBy(path) !== null) return 'fetch';
    return method === 'GET' && path.startsWith(`${account}/Messages/`) ? 'media' : undefined;
  }

  function takeFault(operation: Operation): TwilioFault | undefined {
    const index = double.faults.findIndex(({ on = operation }) => on === operation);
    return index === -1 ? undefined : double.faults.splice(index, 1)[0];
  }

  function carryOut(operation: Exclude<Operation, 'file'>, request: RecordedRequest): Answer {
    switch (operation) {
      case 'create':
        return create(request.form);
      case 'list':
        return json(200, page(double.sent, request, accountSid));
      case 'fetch': {
        const message = double.sent.find(({ sid }) => sid === messageNamedBy(request.path));
        return message ? json(200, resource(message, accountSid)) : refusal(404, 20404, 'It was not found');
      }
      case 'templates':
        return json(200, { contents: double.templates, meta: { page: 0, key: 'contents', next_page_url: null } });
      case 'typing':
        return type(request.form);
      case 'media':
        return redirect(request.path);
    }
  }

  function create(form: URLSearchParams): Answer {
    const problem = problemWith(form, double.senders);
    if (problem) return problem;
    const content = contentIn(form);
    if (content && 'status' in content) return content;
    const [anySender = ''] = double.senders;
    const messagingServiceSid = form.get('MessagingServiceSid');
    const message = newMessage({
      createdAt: now(),
      to: form.get('To') ?? '',
      from: form.get('From') ?? anySender,
      body: content?.body ?? form.get('Body') ?? '',
      ...(form.has('MediaUrl') && { mediaUrl: form.get('MediaUrl') ?? '' }),
      ...(content && { content: { sid: content.sid, variables: content.variables } }),
      messagingServiceSid,
      statusCallback: form.get('StatusCallback'),
      status: messagingServiceSid ? 'accepted' : 'queued',
    });
    double.sent.push(message);
    return json(201, resource(message, accountSid));
  }

  /** The template that a message names, filled in; undefined when it names none. */
  function contentIn(form: URLSearchParams) {
    const sid = form.get('ContentSid');
    if (sid === null) return undefined;
    const known = double.templates.find((one) => one.sid === sid);
    if (!known) return refusal(400, 21655, 'The ContentSid Required parameter is invalid');
    if (known.approval_requests.status === 'paused') return refusal(400, 63041, 'Template paused');
    const variables: Record<string, string> = JSON.parse(form.get('ContentVariables') ?? '{}');
    const [body = ''] = Object.values(known.types).map((one) => one.body);
    return { sid, variables, body: body.replace(/\{\{(\w+)\}\}/g, (place, name) => variables[name] ?? place) };
  }

  function type(form: URLSearchParams): Answer {
    const messageSid = form.get('messageId') ?? '';
    if (!/^(SM|MM)[0-9a-f]{32}$/i.test(messageSid)) return refusal(400, 20001, 'Invalid messageId');
    if (form.get('channel') !== 'whatsapp') return refusal(400, 20001, 'Invalid channel');
    double.typing.push(messageSid);
    return json(200, { success: true });
  }

  function redirect(path: string): Answer {
    const file = files.get(path);
    if (!file) return refusal(404, 20404, `The requested resource ${path} was not found`);
    return { status: 307, headers: { Location: `${double.filesUrl}/${file.token}?Signature=made-up` }, body: '' };
  }

  async function serveFile(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const request = await recorded(incoming);
    double.fileRequests.push(request);
    if (incoming.headers.authorization !== undefined)
      return void outgoing.writeHead(400).end('Credentials are not for me');
    const fault = takeFault('file');
    if (fault) return suffer(fault, outgoing);
    const file = [...files.values()].find(({ token }) => request.path === `/${token}`);
    if (!file) return void outgoing.writeHead(404).end();
    answer(outgoing, { status: 200, headers: { 'Content-Type': file.contentType }, body: file.bytes });
  }
}

interface Answer {
  status: number;
  headers: Record<string, string>;
  body: string | Uint8Array;
}

function json(status: number, body: object, headers: Record<string, string> = {}): Answer {
  return { status, headers: { 'Content-Type': 'application/json', ...headers }, body: JSON.stringify(body) };
}

/** https://www.twilio.com/docs/usage/twilios-response#exceptions */
function refusal(status: number, code: number, message: string, headers: Record<string, string> = {}): Answer {
  return json(status, { code, message, more_info: `https://www.twilio.com/docs/errors/${code}`, status }, headers);
}

function answer(outgoing: ServerResponse, { status, headers, body }: Answer): void {
  outgoing.writeHead(status, { ...headers, 'Content-Length': Buffer.byteLength(body) }).end(body);
}

function suffer(fault: TwilioFault, outgoing: ServerResponse): void {
  switch (fault.kind) {
    case 'rate-limited':
      answer(outgoing, tooManyRequests(fault.retryAfterSeconds));
      break;
    case 'status':
      answer(outgoing, scripted(fault));
      break;
    case 'stall':
      outgoing.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': '1000' }).write('{"sid":');
      break;
    case 'reset':
      outgoing.socket?.resetAndDestroy();
      break;
    case 'redirect':
      answer(outgoing, { status: fault.status ?? 307, headers: { Location: fault.location }, body: '' });
      break;
    case 'endless':
      outgoing.writeHead(200, { 'Content-Type': 'image/jpeg' });
      pour(outgoing);
      break;
  }
}

/** Writes whenever there is room, until the other side is gone. */
function pour(outgoing: ServerResponse): void {
  const drop = Buffer.alloc(65_536, 0xff);
  const more = () => {
    while (!outgoing.destroyed && outgoing.write(drop));
  };
  outgoing.on('drain', more);
  more();
}

function tooManyRequests(retryAfterSeconds: number | undefined): Answer {
  const headers = retryAfterSeconds === undefined ? {} : { 'Retry-After': String(retryAfterSeconds) };
  return refusal(429, 20429, 'Too Many Requests', headers);
}

function scripted({ status, code, message = 'Scripted fault', body }: Extract<FaultKind, { kind: 'status' }>): Answer {
  if (body !== undefined) return { status, headers: {}, body };
  return refusal(status, code ?? (status === 404 ? 20404 : 20500), message);
}

/** A number, or a username id behind its country. */
const ADDRESS = /^whatsapp:(\+\d{6,15}|[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128})$/;

/** Codes: https://www.twilio.com/docs/api/errors */
function problemWith(form: URLSearchParams, senders: ReadonlySet<string>): Answer | undefined {
  const [to, from, body] = ['To', 'From', 'Body'].map((name) => form.get(name) ?? '');
  const statusCallback = form.get('StatusCallback');
  if (!to) return refusal(400, 21604, "A 'To' phone number is required.");
  if (!ADDRESS.test(to)) return refusal(400, 21211, `The 'To' number ${to} is not a valid phone number.`);
  if (!form.get('MessagingServiceSid')) {
    if (!from) return refusal(400, 21603, "A 'From' phone number is required.");
    if (!ADDRESS.test(from)) return refusal(400, 21212, `The 'From' number ${from} is not a valid phone number.`);
    if (!senders.has(from))
      return refusal(400, 63007, 'Twilio could not find a Channel with the specified From address');
  }
  if (!body && !form.has('ContentSid') && !form.has('MediaUrl'))
    return refusal(400, 21602, 'Message body is required.');
  if (body && body.length > 1_600)
    return refusal(400, 21617, 'The concatenated message body exceeds the 1600 character limit.');
  if (statusCallback !== null && !URL.canParse(statusCallback)) {
    return refusal(400, 21609, `The 'StatusCallback' URL ${statusCallback} is not a valid URL.`);
  }
  return undefined;
}

function newMessage(
  given: Pick<SentMessage, 'to' | 'from' | 'body' | 'createdAt'> & Partial<SentMessage>,
): SentMessage {
  return {
    sid: newSid('SM'),
    direction: 'outbound-api',
    messagingServiceSid: null,
    statusCallback: null,
    status: 'queued',
    price: null,
    ...given,
  };
}

/** The id in the address of a message, null in any other address. */
function messageNamedBy(path: string): string | null {
  return /\/Messages\/(\w+)\.json$/.exec(path)?.[1] ?? null;
}

/** One page of the list, newest first. The filter of dates knows whole days (UTC), and nothing that was not sent yet. */
function page(sent: SentMessage[], { path, query }: RecordedRequest, accountSid: string): object {
  const size = Number(query.get('PageSize') ?? 50);
  const number = Number(query.get('Page') ?? 0);
  const found = sent.filter((message) => isListed(message, query)).sort((a, b) => b.createdAt - a.createdAt);
  const start = number * size;
  const next = new URLSearchParams([...query].filter(([name]) => name !== 'Page'));
  next.set('Page', String(number + 1));
  return {
    messages: found.slice(start, start + size).map((message) => resource(message, accountSid)),
    page: number,
    page_size: size,
    next_page_uri: start + size < found.length ? `${path}?${next}` : null,
  };
}

function isListed({ to, from, createdAt, status }: SentMessage, query: URLSearchParams): boolean {
  const isAskedByDate = ['DateSent', 'DateSent>', 'DateSent<'].some((name) => query.has(name));
  if (isAskedByDate && isWaiting(status)) return false;
  const day = new Date(createdAt).toISOString().slice(0, 10);
  const wanted = (name: string) => query.get(name)?.slice(0, 10) ?? day;
  const isInTime = day === wanted('DateSent') && day >= wanted('DateSent>') && day <= wanted('DateSent<');
  return isInTime && (query.get('To') ?? to) === to && (query.get('From') ?? from) === from;
}

function isWaiting(status: MessageState): boolean {
  return status === 'queued' || status === 'accepted';
}

function resource(message: SentMessage, accountSid: string): object {
  // RFC 2822: Sat, 21 Nov 2026 12:00:00 +0000
  const created = new Date(message.createdAt).toUTCString().replace('GMT', '+0000');
  return {
    account_sid: accountSid,
    api_version: '2010-04-01',
    body: message.body,
    date_created: created,
    date_sent: isWaiting(message.status) ? null : created,
    date_updated: created,
    direction: message.direction,
    error_code: null,
    error_message: null,
    from: message.from,
    messaging_service_sid: message.messagingServiceSid,
    num_media: '0',
    num_segments: '1',
    price: message.price,
    price_unit: message.price === null ? null : 'USD',
    sid: message.sid,
    status: message.status,
    to: message.to,
    uri: `/2010-04-01/Accounts/${accountSid}/Messages/${message.sid}.json`,
  };
}

function statusFields(message: SentMessage, accountSid: string, errorCode: number | undefined): Record<string, string> {
  return {
    AccountSid: accountSid,
    ApiVersion: '2010-04-01',
    ChannelPrefix: 'whatsapp',
    ChannelToAddress: message.to.replace('whatsapp:', ''),
    From: message.from,
    MessageSid: message.sid,
    MessageStatus: message.status,
    SmsSid: message.sid,
    SmsStatus: message.status,
    To: message.to,
    ...(errorCode === undefined ? {} : { ErrorCode: String(errorCode) }),
  };
}

async function recorded(incoming: IncomingMessage): Promise<RecordedRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk);
  const { pathname, searchParams } = new URL(incoming.url ?? '/', 'http://localhost');
  return {
    method: incoming.method ?? '',
    path: pathname,
    query: searchParams,
    headers: incoming.headers,
    form: new URLSearchParams(Buffer.concat(chunks).toString()),
    at: Date.now(),
  };
}

async function listen(serve: (incoming: IncomingMessage, outgoing: ServerResponse) => Promise<void>): Promise<Server> {
  const server = createServer((incoming, outgoing) => {
    serve(incoming, outgoing).catch((error) => {
      if (!outgoing.headersSent) answer(outgoing, refusal(500, 20500, `The double failed: ${error}`));
    });
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

function urlOf(server: Server): string {
  // A TCP server's address is an object once it listens.
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
