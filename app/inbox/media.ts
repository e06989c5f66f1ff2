/** A file that a contact sent, shown to the team: it is never executed. */
import type { Context } from 'koa';
import type { ArchivedMedia } from '../archive/read/messages.ts';

/**
 * Types that a browser shows. Others are downloaded: a file of another kind under one of these types is shown as a broken picture.
 * SVG is not among them, it can hold scripts.
 */
const SHOWN = /^(image\/(jpeg|png|webp|gif|avif)|audio\/(ogg|mpeg|mp4|aac|amr|wav|webm|x-m4a|opus))$/;

/** Answers with the file, or with the part of it that a player asks for (`Range`). */
export function sendFile(ctx: Context, { kind, contentType }: ArchivedMedia['attachment'], bytes: Uint8Array): void {
  const shown = SHOWN.test(contentType);
  ctx.set({
    'Accept-Ranges': 'bytes',
    'Cache-Control': 'private, max-age=3600',
    'Content-Disposition': shown ? 'inline' : `attachment; filename="${kind}"`,
    'Content-Security-Policy': "default-src 'none'; sandbox",
    'Cross-Origin-Resource-Policy': 'same-origin',
    'X-Content-Type-Options': 'nosniff',
  });
  ctx.set('Content-Type', shown ? contentType : 'application/octet-stream');
  const range = rangeOf(ctx.get('Range'), bytes.length);
  if (range) {
    ctx.status = 206;
    ctx.set('Content-Range', `bytes ${range.from}-${range.to}/${bytes.length}`);
  }
  ctx.body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).subarray(
    range?.from ?? 0,
    range ? range.to + 1 : undefined,
  );
}

/** A player asks for a file range by range, within seconds. */
const KEPT_MS = 60_000;
const MOST_KEPT = 4;

/**
 * Files that were asked for in part are kept for a minute, a few at most: they come from the provider once.
 * @returns the file that is kept under this key, else what `download` gets. A download that fails is not kept.
 */
export function createRecentFiles() {
  const files = new Map<string, Promise<Uint8Array>>();
  return function recentFile(key: string, download: () => Promise<Uint8Array>): Promise<Uint8Array> {
    const known = files.get(key);
    if (known) return known;
    const file = download();
    const forget = () => files.get(key) === file && files.delete(key);
    files.set(key, file);
    file.catch(forget);
    setTimeout(forget, KEPT_MS).unref();
    const [oldest = key] = files.keys();
    if (files.size > MOST_KEPT) files.delete(oldest);
    return file;
  };
}

/** One range alone; what cannot be understood or served gets the whole file. https://www.rfc-editor.org/rfc/rfc9110#section-14.2 */
function rangeOf(header: string, length: number): { from: number; to: number } | null {
  const [, first, last] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header) ?? [];
  if (first === undefined || last === undefined || (first === '' && last === '')) return null;
  const from = first === '' ? Math.max(0, length - Number(last)) : Number(first);
  const to = first === '' || last === '' ? length - 1 : Math.min(Number(last), length - 1);
  return from <= to ? { from, to } : null;
}
