/** The files that people send: kept in memory for a while, and served as Twilio serves them. */
import { randomBytes } from 'node:crypto';
import type { MediaFile } from './contract.ts';

export interface StoredFile extends MediaFile {
  bytes: Buffer;
}

export interface MediaShelf {
  /** Keeps a file; the oldest go when there is no room. */
  put(bytes: Buffer, contentType: string, name: string): MediaFile;
  get(id: string): StoredFile | undefined;
  /** Answers a request to Twilio's media addresses; null for any other. */
  serve(request: MediaRequest): MediaAnswer | null;
  /** Where a message's file is, on Twilio's API. */
  pathOf(messageSid: string, id: string): string;
}

export interface MediaRequest {
  method: string;
  path: string;
  /** `user:password` of basic authentication, '' without. */
  credentials: string;
  /** Whether any kind of authentication came along. */
  hasAuthorization: boolean;
}

export interface MediaAnswer {
  status: number;
  headers: Record<string, string>;
  body: Buffer;
}

/** The largest file that is taken: more than WhatsApp's 16 MB, so that a bot's own limit can be tried. */
export const LARGEST_FILE = 24 * 1_024 * 1_024;
const MOST_BYTES = 128 * 1_024 * 1_024;

export interface MediaShelfOptions {
  accountSid: string;
  authToken: string;
  /** True when every file is to be missing. */
  isMissing: () => boolean;
  onFetched: (messageSid: string, step: 'api' | 'cdn', status: number) => void;
}

export function createMediaShelf({ accountSid, authToken, isMissing, onFetched }: MediaShelfOptions): MediaShelf {
  const files = new Map<string, StoredFile>();
  let size = 0;
  const apiPath = new RegExp(
    `^/2010-04-01/Accounts/${accountSid}/Messages/((?:SM|MM)[0-9a-f]{32})/Media/(ME[0-9a-f]{32})$`,
  );

  return {
    put(bytes, contentType, name) {
      const file = { id: `ME${randomBytes(16).toString('hex')}`, contentType, name, size: bytes.length };
      files.set(file.id, { ...file, bytes });
      size += bytes.length;
      for (const [id, oldest] of files) {
        if (size <= MOST_BYTES || id === file.id) break;
        files.delete(id);
        size -= oldest.size;
      }
      return file;
    },
    get: (id) => files.get(id),
    pathOf: (messageSid, id) => `/2010-04-01/Accounts/${accountSid}/Messages/${messageSid}/Media/${id}`,
    serve(request) {
      const [, messageSid, id] = apiPath.exec(request.path) ?? [];
      if (messageSid && id) return told(messageSid, 'api', fromApi(request, id, messageSid));
      const [, sentBy, file] = CDN_PATH.exec(request.path) ?? [];
      return sentBy && file ? told(sentBy, 'cdn', fromCdn(request, file)) : null;
    },
  };

  function told(messageSid: string, step: 'api' | 'cdn', answer: MediaAnswer): MediaAnswer {
    onFetched(messageSid, step, answer.status);
    return answer;
  }

  /** Needs the account's password, and redirects: https://www.twilio.com/docs/messaging/api/media-resource */
  function fromApi({ credentials }: MediaRequest, id: string, messageSid: string): MediaAnswer {
    if (credentials !== `${accountSid}:${authToken}`)
      return problem(401, 20003, 'Authenticate', { 'WWW-Authenticate': 'Basic realm="Twilio API"' });
    if (isMissing() || !files.has(id)) return problem(404, 20404, 'The requested resource was not found');
    return { status: 307, headers: { Location: `/cdn/${accountSid}/${messageSid}/${id}` }, body: Buffer.alloc(0) };
  }

  /** Like the storage behind Twilio's CDN, it refuses credentials that were meant for another host. */
  function fromCdn({ hasAuthorization }: MediaRequest, id: string): MediaAnswer {
    if (hasAuthorization) return problem(400, 400, 'Only one auth mechanism allowed');
    const file = isMissing() ? undefined : files.get(id);
    if (!file) return problem(404, 404, 'NoSuchKey');
    return { status: 200, headers: { 'Content-Type': file.contentType }, body: file.bytes };
  }
}

const CDN_PATH = /^\/cdn\/AC[0-9a-f]{32}\/((?:SM|MM)[0-9a-f]{32})\/(ME[0-9a-f]{32})$/;

function problem(status: number, code: number, message: string, headers: Record<string, string> = {}): MediaAnswer {
  const body = Buffer.from(JSON.stringify({ code, message, status }));
  return { status, headers: { 'Content-Type': 'application/json', ...headers }, body };
}
