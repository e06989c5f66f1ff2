/**
 * The thin connection to a model server: one keep-alive pool and no Request, Response, Headers or streams, which cost several times what
 * the exchange itself does. Whole bodies only, no redirects, no decompression: all that a chat completion or an upload needs.
 */
import type { Dispatcher } from 'undici';
// The package's front door loads mocks, caches and a browser's fetch, too: 80 ms and 8 MB.
import Pool from 'undici/lib/dispatcher/pool.js';

export interface ModelHttp {
  /**
   * Resolves when the whole response has been read, so its signal bounds headers and body alike.
   * @throws the signal's reason when aborted, undici's error when the connection fails, `TOO_MANY_OPEN` beyond the
   *   limits below.
   */
  send(request: Outgoing, signal?: AbortSignal): Promise<Incoming>;
  /**
   * The same for the SDK, which brings a `fetch` of its own.
   * Takes a string body as it is and everything else that `fetch` takes (FormData, Blob) as its bytes.
   */
  fetch: typeof fetch;
  /** Cuts every connection. */
  close(): Promise<void>;
}

export interface Outgoing {
  method: string;
  /** With the query. */
  path: string;
  headers: Record<string, string>;
  body: string | Buffer | null;
}

export interface Incoming {
  status: number;
  headers: { get(name: string): string | null };
  body: string;
}

/** Every answer that is being made holds one connection: this many people can be answered at once by one process. */
const CONNECTIONS = 1_024;
/** More than this wait for a connection only when the server is down: further calls fail at once. */
const WAITING = 4_096;
/** How long a connection may take to open, TLS included, ms. A server that does not even do that is tried again. */
const CONNECT_MS = 5_000;
/** A connection that was quiet for so long is closed, ms. Servers that close earlier say so or are noticed. */
const KEEP_ALIVE_MS = 30_000;
/** A chat answer has kilobytes. Beyond this the other side is no model server, bytes. */
const LONGEST_BODY = 16 * 1_024 * 1_024;

/** @param origin scheme, host and port of the server; requests to any other are refused. */
export function createModelHttp(origin: string): ModelHttp {
  const pool = new Pool(origin, {
    connections: CONNECTIONS,
    connect: { timeout: CONNECT_MS },
    keepAliveTimeout: KEEP_ALIVE_MS,
    // The caller's signal is the only clock: a model may think for minutes before its first byte.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  let open = 0;
  async function send(request: Outgoing, signal?: AbortSignal): Promise<Incoming> {
    if (open >= CONNECTIONS + WAITING)
      throw Object.assign(new Error(`${open} requests to the model are open already`), { code: 'TOO_MANY_OPEN' });
    open++;
    try {
      return await exchange(pool, request, signal);
    } finally {
      open--;
    }
  }
  async function thinFetch(url: string, init: RequestInit = {}): Promise<LightResponse> {
    if (!url.startsWith(`${origin}/`)) throw new TypeError(`The model's connection leads to ${origin} only`);
    const { body, headers } = typeof init.body === 'string' || !init.body ? plain(init) : await encoded(init);
    const request = { method: init.method ?? 'GET', path: url.slice(origin.length), headers, body };
    return lightResponse(url, await send(request, init.signal ?? undefined));
  }
  return {
    send,
    // The SDK calls it with a string and an init of its own making, and reads of the response only what LightResponse has.
    // `Response` beside it keeps the SDK from probing whether FormData works by fetching `data:,` (its uploads.mjs).
    fetch: Object.assign(thinFetch, { Response }) as unknown as typeof fetch,
    close: () => pool.destroy(),
  };
}

/** What the SDK reads of a response to a request that does not stream. */
interface LightResponse {
  ok: boolean;
  status: number;
  url: string;
  headers: { get(name: string): string | null; entries(): Iterable<[string, string]> };
  body: null;
  json(): Promise<unknown>;
  text(): Promise<string>;
}

/** One request through undici's own dispatch: its `request` costs half as much again, a third of it for streams. */
function exchange(pool: Pool, outgoing: Outgoing, signal: AbortSignal | undefined): Promise<Incoming> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    let controller: Dispatcher.DispatchController | undefined;
    let status = 0;
    let headers: IncomingHeaders = {};
    let length = 0;
    const chunks: Buffer[] = [];
    const giveUp = () => {
      reject(signal?.reason);
      controller?.abort(signal?.reason);
    };
    signal?.addEventListener('abort', giveUp, { once: true });
    pool.dispatch(outgoing, {
      onRequestStart(started) {
        controller = started;
        // Aborted while it waited for a connection.
        if (signal?.aborted) started.abort(signal.reason);
      },
      onResponseStart(_, statusCode, received) {
        status = statusCode;
        headers = received;
      },
      onResponseData(receiving, chunk) {
        length += chunk.length;
        if (length > LONGEST_BODY)
          return receiving.abort(new Error(`The model's answer is longer than ${LONGEST_BODY} bytes`));
        chunks.push(chunk);
      },
      onResponseEnd() {
        signal?.removeEventListener('abort', giveUp);
        resolve({ status, headers: { get: (name) => headers[name]?.toString() ?? null }, body: textOf(chunks) });
      },
      onResponseError(_, error) {
        signal?.removeEventListener('abort', giveUp);
        reject(error);
      },
    });
  });
}

type IncomingHeaders = Record<string, string | string[] | undefined>;

function textOf(chunks: Buffer[]): string {
  const [only] = chunks;
  return (chunks.length === 1 && only ? only : Buffer.concat(chunks)).toString();
}

function lightResponse(url: string, { status, headers, body }: Incoming): LightResponse {
  const { get } = headers;
  return {
    ok: status >= 200 && status < 300,
    status,
    url,
    headers: { get, entries: () => [['x-request-id', get('x-request-id') ?? '']] },
    body: null,
    json: async () => JSON.parse(body),
    text: async () => (status < 300 ? body : refusalIn(body)),
  };
}

/**
 * A refusal's body as JSON. The SDK's errors keep only its `error` object. FastAPI servers say `detail`, others send a list or a page: those
 * words are put where the SDK looks.
 */
export function refusalIn(body: string): string {
  try {
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed === 'object' && parsed !== null && 'error' in parsed && typeof parsed.error === 'object')
      return body;
  } catch {
    // Not JSON: the words are all there is.
  }
  return JSON.stringify({ error: { message: body.slice(0, 2_000) } });
}

function plain(init: RequestInit): Pick<Outgoing, 'body' | 'headers'> {
  return { body: typeof init.body === 'string' ? init.body : null, headers: headersOf(init.headers) };
}

/** FormData and the like are written down by the platform's own Response, boundary and all. */
async function encoded(init: RequestInit): Promise<Pick<Outgoing, 'body' | 'headers'>> {
  const written = new Response(init.body);
  const contentType = written.headers.get('content-type');
  const headers = { ...(contentType && { 'content-type': contentType }), ...headersOf(init.headers) };
  return { body: Buffer.from(await written.arrayBuffer()), headers };
}

function headersOf(headers: RequestInit['headers']): Record<string, string> {
  if (headers instanceof Headers || Array.isArray(headers)) return Object.fromEntries(headers);
  // What is left of the three forms that `fetch` takes.
  return (headers ?? {}) as Record<string, string>;
}
