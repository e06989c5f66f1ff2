/** Fetches what people sent, from where their message says it is: an address that is not to be trusted. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Agent, Dispatcher } from 'undici';
import { Failure, isFailure } from '../errors.ts';
import type { Log } from '../ops/logger.ts';
import type { GuardOptions } from './connect.ts';

/** One answer on the way to a file. */
export interface Hop {
  /** With the port, when it is not the usual one. */
  host: string;
  status: number;
}

export interface DownloadRequest {
  url: URL;
  /** For the first request alone: the target of a redirect never gets them. */
  credentials?: {
    /** The header's value. */
    authorization: string;
    /** Which settings they come from, for the operator to look at when they are refused: `X and Y`. */
    settings: string;
  };
  signal?: AbortSignal | undefined;
  /** Knows for whom the file is fetched. Default: the downloader's own. */
  log?: Log | undefined;
  /** Looks at the beginning of the file, once. False ends the download: it rejects with `media.unsupported`. */
  isWanted?: ((beginning: Buffer) => Promise<boolean>) | undefined;
  /** Called with every response on the way, also when the last one is not a file. */
  onHop?: ((hop: Hop) => void) | undefined;
}

export interface Downloader {
  /**
   * The file's bytes as they were sent: nothing is unpacked, nothing believed of what the headers say about them.
   *
   * Rejects with the signal's reason, or with a `Failure`: `media.credentials`, `media.gone`, `media.too_large`,
   * `media.refused` (not https, not public, too many redirects), `media.unsupported` (not wanted), `media.timeout`,
   * `media.unreachable`.
   */
  download(request: DownloadRequest): Promise<Buffer>;
  /** Cuts every connection. */
  close(): Promise<void>;
}

export interface DownloaderOptions extends GuardOptions {
  /** The largest file, bytes. */
  maxBytes: number;
  log: Log;
  /** For one file, all tries and waits together, ms. */
  timeoutMs?: number;
  /** How long the other side may say nothing, ms. */
  idleMs?: number;
  /** The waits before it is tried again, ms. A file can be missing for a moment after the message that names it. */
  waitsMs?: readonly number[];
}

/** What requests are made with. */
interface Client {
  request: typeof import('undici').request;
  agent: Agent;
}

/** Enough of a file to know what it is, bytes. */
const BEGINNING = 4_100;

const MOST_REDIRECTS = 3;
const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308];
/** What is read of an answer that is no file, bytes, so that its connection can be used again. */
const SHORT_BODY = 4_096;

/**
 * Builds the downloader; nothing is loaded or connected before the first file. https only, public addresses only, but for the
 * trusted origins, which are taken as they are. Redirects are followed by hand, at most three, without credentials.
 */
export function createDownloader(options: DownloaderOptions): Downloader {
  const { trustedOrigins, maxBytes, timeoutMs = 30_000, idleMs = 10_000, waitsMs = [1_000, 3_000] } = options;
  let opening: Promise<Client> | undefined;

  return {
    async download(wanted) {
      const { log = options.log } = wanted;
      const deadline = AbortSignal.timeout(timeoutMs);
      const signal = wanted.signal ? AbortSignal.any([deadline, wanted.signal]) : deadline;
      try {
        const bytes = await tryAgain(() => follow(wanted, signal, log), signal, log);
        log.info(`Successfully downloaded ${bytes.length} bytes`);
        return bytes;
      } catch (error) {
        if (wanted.signal?.aborted) throw wanted.signal.reason;
        throw deadline.aborted ? tooSlow(error) : explain(error);
      }
    },
    async close() {
      await (await opening)?.agent.destroy();
    },
  };

  async function open(): Promise<Client> {
    const [{ Agent, request }, { createGuardedConnect }] = await Promise.all([
      import('undici'),
      import('./connect.ts'),
    ]);
    const connect = createGuardedConnect(options);
    return { request, agent: new Agent({ connect, headersTimeout: idleMs, bodyTimeout: idleMs }) };
  }

  async function tryAgain(attempt: () => Promise<Buffer>, signal: AbortSignal, log: Log): Promise<Buffer> {
    for (const waitMs of waitsMs) {
      try {
        return await attempt();
      } catch (error) {
        const { code, retryable, providerCode } = explain(error);
        if (signal.aborted || !(retryable || providerCode === 'HTTP 404')) throw error;
        log.debug('A download is tried again', { code, providerCode, waitMs });
        await sleep(waitMs, undefined, { signal });
      }
    }
    return attempt();
  }

  async function follow(wanted: DownloadRequest, signal: AbortSignal, log: Log): Promise<Buffer> {
    const { url, credentials, isWanted, onHop } = wanted;
    let at = url;
    let authorization = credentials?.authorization;
    for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
      const answer = await get(at, authorization, signal);
      const hop = { host: at.host, status: answer.statusCode };
      onHop?.(hop);
      log.debug('Fetching a file', { ...hop });
      if (answer.statusCode === 200) return contents(answer, isWanted);
      await answer.body.dump({ limit: SHORT_BODY });
      at = redirectedTo(at, answer) ?? fail(answer.statusCode, authorization === undefined ? undefined : credentials);
      authorization = undefined;
    }
    throw new Failure('media.refused', `A file was redirected more than ${MOST_REDIRECTS} times; it was not fetched.`);
  }

  async function get(
    url: URL,
    authorization: string | undefined,
    signal: AbortSignal,
  ): Promise<Dispatcher.ResponseData> {
    const isTrusted = trustedOrigins.includes(url.origin);
    if (url.protocol !== 'https:' && !isTrusted) {
      throw new Failure('media.refused', 'A file was said to be at an address without https; it was not fetched.');
    }
    const headers = { accept: '*/*', 'accept-encoding': 'identity', 'user-agent': 'recado' };
    opening ??= open();
    const { request, agent } = await opening;
    return request(url, {
      dispatcher: agent,
      headers: authorization === undefined ? headers : { ...headers, authorization },
      signal,
    });
  }

  async function contents(
    { headers, body }: Dispatcher.ResponseData,
    isWanted: DownloadRequest['isWanted'],
  ): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let length = 0;
    let isChecked = isWanted === undefined;
    const check = async () => {
      isChecked = true;
      if (!(await isWanted?.(Buffer.concat(chunks, length)))) throw unwanted();
    };
    // What is not wanted is not too large either.
    if (isChecked && Number(headers['content-length']) > maxBytes) {
      body.on('error', () => {}).destroy();
      throw tooLarge(maxBytes);
    }
    // Leaving the loop early destroys the body, and its connection.
    for await (const chunk of body) {
      length += chunk.length;
      if (length > maxBytes) throw tooLarge(maxBytes);
      chunks.push(chunk);
      if (!isChecked && length >= BEGINNING) await check();
    }
    if (!isChecked) await check();
    return Buffer.concat(chunks, length);
  }
}

/** @returns undefined when the answer is no redirect */
function redirectedTo(from: URL, { statusCode, headers }: Dispatcher.ResponseData): URL | undefined {
  const location = headers.location?.toString();
  if (location === undefined || !REDIRECTS.includes(statusCode)) return undefined;
  const to = URL.canParse(location, from.href) ? new URL(location, from) : undefined;
  if (to === undefined || to.username !== '' || to.password !== '') {
    throw new Failure('media.refused', 'A file was redirected to an address that cannot be used; it was not fetched.');
  }
  return to;
}

/** @param credentials what went with the request */
function fail(status: number, credentials: DownloadRequest['credentials']): never {
  const providerCode = `HTTP ${status}`;
  if ((status === 401 || status === 403) && credentials) {
    const message = `The provider does not let us have a file that was sent to us (status ${status}). Check ${credentials.settings}.`;
    throw new Failure('media.credentials', message, { providerCode });
  }
  // Storage hides what it does not have behind a 403.
  if ([401, 403, 404, 410].includes(status)) {
    throw new Failure('media.gone', `A file is not there, or no longer (status ${status}).`, { providerCode });
  }
  throw new Failure('media.unreachable', `A file could not be fetched (status ${status}).`, { providerCode });
}

function explain(error: unknown): Failure {
  if (isFailure(error)) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
  if (code !== undefined && TOO_SLOW.has(code)) return tooSlow(error);
  const message = `A file could not be fetched: the connection failed${code ? ` (${code})` : ''}. Check the network and DNS.`;
  return new Failure('media.unreachable', message, { cause: error, providerCode: code });
}

const TOO_SLOW = new Set(['UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'ETIMEDOUT']);

function tooSlow(cause: unknown): Failure {
  return new Failure('media.timeout', 'A file took too long to be fetched. Check the network.', { cause });
}

function unwanted(): Failure {
  return new Failure('media.unsupported', 'A file is not of a kind that can be used; only its beginning was fetched.');
}

function tooLarge(maxBytes: number): Failure {
  return new Failure('media.too_large', `A file has more than ${maxBytes} bytes. MAX_MEDIA_BYTES sets the limit.`);
}
