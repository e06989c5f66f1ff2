/** The files that people send to the Cloud API number, as Meta gives them out: by an id first, then from an address that lives for minutes. */
import { createHash, randomBytes } from 'node:crypto';
import type { MediaShelf } from './media.ts';

export interface MetaFiles {
  /** Gives a file an id of Meta's kind, digits alone. @param sid the message that carries it */
  publish(fileId: string, sid: string): { mediaId: string; sha256: string };
  /** What `GET /{media-id}` says; null when there is no such file. @param origin of the API */
  describe(mediaId: string, origin: string): object | null;
  /** The bytes behind an address that `describe` gave; null when it is none, or too old. */
  fetch(path: string): { bytes: Buffer; contentType: string } | null;
}

export interface MetaFilesOptions {
  shelf: Pick<MediaShelf, 'get'>;
  /** True when every file is to be missing. */
  isMissing: () => boolean;
  onFetched: (messageSid: string, step: 'api' | 'cdn', status: number) => void;
  now: () => number;
}

/** https://developers.facebook.com/docs/whatsapp/cloud-api/reference/media */
const LINK_MS = 5 * 60_000;
const MOST_FILES = 1_000;
const FILES_PATH = '/whatsapp_business/attachments/';

export function createMetaFiles({ shelf, isMissing, onFetched, now }: MetaFilesOptions): MetaFiles {
  /** Media id → what it names. */
  const files = new Map<string, { fileId: string; sid: string }>();
  /** Token in an address → which file, and since when. */
  const links = new Map<string, { mediaId: string; madeAt: number }>();

  return {
    publish(fileId, sid) {
      const mediaId = String(BigInt(`0x1${randomBytes(6).toString('hex')}`));
      keep(files, mediaId, { fileId, sid });
      return { mediaId, sha256: digest(fileOf(mediaId)?.bytes ?? Buffer.alloc(0), 'base64') };
    },
    describe(mediaId, origin) {
      const file = fileOf(mediaId);
      tell(mediaId, 'api', file ? 200 : 400);
      if (!file) return null;
      const token = randomBytes(12).toString('hex');
      keep(links, token, { mediaId, madeAt: now() });
      return {
        messaging_product: 'whatsapp',
        url: `${origin}${FILES_PATH}${token}`,
        mime_type: file.contentType,
        sha256: digest(file.bytes, 'hex'),
        file_size: String(file.bytes.length),
        id: mediaId,
      };
    },
    fetch(path) {
      const link = path.startsWith(FILES_PATH) ? links.get(path.slice(FILES_PATH.length)) : undefined;
      if (!link) return null;
      const file = now() - link.madeAt < LINK_MS ? fileOf(link.mediaId) : null;
      tell(link.mediaId, 'cdn', file ? 200 : 404);
      return file;
    },
  };

  function fileOf(mediaId: string): { bytes: Buffer; contentType: string } | null {
    const { fileId } = files.get(mediaId) ?? {};
    return (fileId !== undefined && !isMissing() && shelf.get(fileId)) || null;
  }

  function tell(mediaId: string, step: 'api' | 'cdn', status: number): void {
    const sid = files.get(mediaId)?.sid;
    if (sid !== undefined) onFetched(sid, step, status);
  }
}

function keep<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > MOST_FILES && oldest !== undefined) map.delete(oldest);
}

function digest(bytes: Buffer, encoding: 'hex' | 'base64'): string {
  return createHash('sha256').update(bytes).digest(encoding);
}
