/**
 * A model server that works like OpenAI's over HTTP: chat completions, transcriptions, the list of models. Answers are
 * scripted, requests recorded, faults served in order. It does next to nothing per request, so a load test can use it.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What one request gets instead of an answer. */
export type ModelFault =
  | { kind: 'status'; status: number; code?: string; message?: string; headers?: Record<string, string>; body?: string }
  | { kind: 'rate-limited'; retryAfterSeconds?: number }
  | { kind: 'quota' }
  /** The request is taken and never answered. */
  | { kind: 'hang' }
  /** Status and half of a body, then silence. */
  | { kind: 'stall' }
  /** The connection is cut instead of an answer. */
  | { kind: 'reset' }
  /** No words, because the tokens went into thinking. */
  | { kind: 'length' }
  /** No words, for no reason. */
  | { kind: 'empty' }
  | { kind: 'refusal'; text: string }
  | { kind: 'filtered' }
  /** A tool is called instead of an answer. */
  | { kind: 'call'; name: string; arguments: Record<string, unknown> }
  /** 200 with an error inside, as some gateways do. */
  | { kind: 'error-inside'; code: number; message: string }
  /** 200 with this body, whatever it is. */
  | { kind: 'body'; body: string; contentType?: string };

/** The part of a chat request that tests look at. */
export interface ChatRequest {
  model: string;
  messages: {
    role: string;
    content: string | { type: string; text?: string; image_url?: { url: string; detail: string } }[];
  }[];
  [parameter: string]: unknown;
}

export interface RecordedRequest {
  method: string;
  /** With the `/v1`. */
  path: string;
  headers: IncomingMessage['headers'];
  /** The parsed body of a chat request; empty for the others. */
  chat: ChatRequest;
  /** What a transcription was sent; empty for the others. */
  upload: { filename: string; contentType: string; bytes: Buffer; fields: Record<string, string> };
  /** Unix ms. */
  at: number;
}

export interface ModelDouble {
  /** With `/v1`, as a base URL wants it. */
  readonly url: string;
  /** Chat requests and transcriptions in the order they came in; not the lists of models. */
  readonly requests: RecordedRequest[];
  /** Faults for the next requests, first in, first out. */
  readonly faults: ModelFault[];
  /** Parameters that are refused with a 400 as unknown, for good. */
  readonly refuses: Set<string>;
  /** Chat requests that get a fault whenever they come. As made: none. */
  refuseWith: ((request: ChatRequest) => ModelFault | undefined) | undefined;
  /** Answers for the next chat requests, before `answer` is asked. */
  readonly queue: string[];
  /** Writes the answers. As made: `You said: <the last user text>`. */
  answer: (request: ChatRequest) => string | Promise<string>;
  /** What every transcription says. */
  transcript: string;
  /** Waits before each answer, ms. */
  delayMs: number;
  /** False keeps no requests: for long load tests. */
  record: boolean;
  /** What the list of models says instead of 200. */
  modelsStatus: number;
  /** Requests that are being answered or hang right now. */
  open(): number;
  close(): Promise<void>;
}

/** @param options.apiKey the only key it accepts; without one it accepts all. */
export async function startModelDouble(options: { apiKey?: string; port?: number } = {}): Promise<ModelDouble> {
  const open = new Set<ServerResponse>();
  const server = createServer((incoming, outgoing) => {
    open.add(outgoing);
    outgoing.once('close', () => open.delete(outgoing));
    serve(double, options.apiKey, incoming, outgoing).catch((error) => {
      if (!outgoing.destroyed) refuse(outgoing, 500, 'double_failed', String(error));
    });
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((listening) => server.listen(options.port ?? 0, '127.0.0.1', listening));
  // A TCP server's address is an object once it listens.
  const { port } = server.address() as AddressInfo;
  const double: ModelDouble = {
    url: `http://127.0.0.1:${port}/v1`,
    requests: [],
    faults: [],
    refuses: new Set(),
    refuseWith: undefined,
    queue: [],
    answer: (request) => `You said: ${lastUserText(request)}`,
    transcript: 'Hello from a voice note.',
    delayMs: 0,
    record: true,
    modelsStatus: 200,
    open: () => open.size,
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
  return double;
}

/** The text of the last message a person wrote; its pictures are left out. */
export function lastUserText(request: ChatRequest): string {
  const content = request.messages.findLast((message) => message.role === 'user')?.content ?? '';
  if (typeof content === 'string') return content;
  return content.map((part) => part.text ?? '').join('');
}

async function serve(
  double: ModelDouble,
  apiKey: string | undefined,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
) {
  const raw = await bodyOf(incoming);
  const path = incoming.url ?? '';
  const request = path === '/v1/chat/completions' ? (JSON.parse(raw.toString()) as ChatRequest) : null;
  if (double.record && path !== '/v1/models') double.requests.push(recorded(incoming, path, raw, request));
  if (apiKey !== undefined && incoming.headers.authorization !== `Bearer ${apiKey}`)
    return refuse(outgoing, 401, 'invalid_api_key', 'Incorrect API key provided.');
  if (path === '/v1/models') return listModels(outgoing, double.modelsStatus);
  const fault = double.faults.shift() ?? (request ? double.refuseWith?.(request) : undefined);
  if (double.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, double.delayMs));
  if (fault) return suffer(fault, outgoing);
  if (path === '/v1/audio/transcriptions') return send(outgoing, 200, JSON.stringify({ text: double.transcript }));
  if (!request) return refuse(outgoing, 404, 'not_found', `There is nothing at ${path}`);
  for (const parameter of double.refuses)
    if (parameter in request)
      return refuse(outgoing, 400, 'unsupported_parameter', `Unsupported parameter: '${parameter}'`, parameter);
  const text = double.queue.shift() ?? (await double.answer(request));
  send(outgoing, 200, completion(request.model, { content: text }, 'stop', raw.length));
}

function suffer(fault: ModelFault, outgoing: ServerResponse) {
  switch (fault.kind) {
    case 'status':
      if (fault.body !== undefined) return send(outgoing, fault.status, fault.body, fault.headers);
      return refuse(
        outgoing,
        fault.status,
        fault.code ?? 'scripted',
        fault.message ?? 'Scripted fault',
        undefined,
        fault.headers,
      );
    case 'rate-limited':
      return refuse(outgoing, 429, 'rate_limit_exceeded', 'Too many requests', undefined, {
        ...(fault.retryAfterSeconds !== undefined && { 'retry-after': String(fault.retryAfterSeconds) }),
      });
    case 'quota':
      return refuse(outgoing, 429, 'insufficient_quota', 'You exceeded your current quota');
    case 'hang':
      return;
    case 'stall':
      outgoing.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
      outgoing.write('{"choices":');
      return;
    case 'call': {
      const called = { name: fault.name, arguments: JSON.stringify(fault.arguments) };
      const message = { content: null, tool_calls: [{ id: 'call_1', type: 'function', function: called }] };
      return send(outgoing, 200, completion('double', message, 'tool_calls', 0));
    }
    case 'reset':
      outgoing.socket?.resetAndDestroy();
      return;
    case 'length':
      return send(outgoing, 200, completion('double', { content: '' }, 'length', 0));
    case 'empty':
      return send(outgoing, 200, completion('double', { content: null }, 'stop', 0));
    case 'refusal':
      return send(outgoing, 200, completion('double', { content: null, refusal: fault.text }, 'stop', 0));
    case 'filtered':
      return send(outgoing, 200, completion('double', { content: null }, 'content_filter', 0));
    case 'error-inside':
      return send(outgoing, 200, JSON.stringify({ error: { code: fault.code, message: fault.message } }));
    case 'body':
      return send(outgoing, 200, fault.body, fault.contentType ? { 'content-type': fault.contentType } : {});
  }
}

/** A chat completion as OpenAI writes it. Four bytes of the request count as one prompt token, half of them as cached. */
function completion(model: string, message: object, finishReason: string, requestBytes: number): string {
  const prompt = Math.ceil(requestBytes / 4);
  return JSON.stringify({
    id: 'chatcmpl-double',
    object: 'chat.completion',
    created: 1_780_000_000,
    model,
    choices: [{ index: 0, message: { role: 'assistant', ...message }, finish_reason: finishReason, logprobs: null }],
    usage: {
      prompt_tokens: prompt,
      completion_tokens: 10,
      total_tokens: prompt + 10,
      prompt_tokens_details: { cached_tokens: prompt >> 1 },
    },
  });
}

function listModels(outgoing: ServerResponse, status: number) {
  if (status !== 200) return refuse(outgoing, status, 'scripted', 'Scripted fault');
  send(outgoing, 200, JSON.stringify({ object: 'list', data: [{ id: 'double', object: 'model', owned_by: 'tests' }] }));
}

function refuse(
  outgoing: ServerResponse,
  status: number,
  code: string,
  message: string,
  param: string | null = null,
  headers: Record<string, string> = {},
): void {
  send(outgoing, status, JSON.stringify({ error: { message, type: code, code, param } }), headers);
}

function send(outgoing: ServerResponse, status: number, body: string, headers: Record<string, string> = {}): void {
  outgoing.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    'x-request-id': 'req_double',
    ...headers,
  });
  outgoing.end(body);
}

async function bodyOf(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk);
  const [only] = chunks;
  return only && chunks.length === 1 ? only : Buffer.concat(chunks);
}

function recorded(incoming: IncomingMessage, path: string, raw: Buffer, chat: ChatRequest | null): RecordedRequest {
  const nothing = { filename: '', contentType: '', bytes: Buffer.alloc(0), fields: {} };
  return {
    method: incoming.method ?? '',
    path,
    headers: incoming.headers,
    chat: chat ?? { model: '', messages: [] },
    upload: chat ? nothing : uploadOf(raw, incoming.headers['content-type'] ?? ''),
    at: Date.now(),
  };
}

/** Reads a multipart body (RFC 7578) with one file in it. */
function uploadOf(raw: Buffer, contentType: string): RecordedRequest['upload'] {
  const upload: RecordedRequest['upload'] = { filename: '', contentType: '', bytes: Buffer.alloc(0), fields: {} };
  const boundary = /boundary="?([^";]+)/.exec(contentType)?.[1];
  if (!boundary) return upload;
  // latin1 keeps every byte as one character, so positions in the text are positions in the bytes.
  for (const part of raw.toString('latin1').split(`--${boundary}`).slice(1, -1)) {
    const split = part.indexOf('\r\n\r\n');
    const head = part.slice(0, split);
    const body = Buffer.from(part.slice(split + 4, -2), 'latin1');
    const name = /name="([^"]*)"/.exec(head)?.[1] ?? '';
    const filename = /filename="([^"]*)"/.exec(head)?.[1];
    if (filename === undefined) upload.fields[name] = body.toString();
    else Object.assign(upload, { filename, bytes: body, contentType: /content-type: *(\S+)/i.exec(head)?.[1] ?? '' });
  }
  return upload;
}
