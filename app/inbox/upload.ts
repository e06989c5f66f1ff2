/** Reads a large body of somebody who is known by now: JSON, or CSV with its options in the query. */
import type { Context } from 'koa';
import readRaw from 'raw-body';
import { Failure } from '../errors.ts';
import { createGate } from '../ops/gate.ts';

/** Bytes. */
export const LARGEST_UPLOAD = 10 * 1024 * 1024;
/** So many are held in memory at a time. */
const AT_ONCE = 2;

const gate = createGate(AT_ONCE);

export type Upload = { kind: 'json'; given: unknown } | { kind: 'csv'; bytes: Buffer };

/**
 * Hands an upload to `use`, one or two at a time in this process. Rejects with `request.too_large`, `request.type`, or `request.invalid`
 * for what is no JSON.
 */
export async function withUpload<T>(ctx: Context, use: (upload: Upload) => Promise<T>): Promise<T> {
  const kind = ctx.is('json', 'text/csv');
  if (!kind || ctx.get('content-encoding') !== '')
    throw new Failure('request.type', 'Send the list as application/json or text/csv, not compressed.');
  const leave = await gate.enter(1);
  try {
    const bytes = await bytesOf(ctx);
    return await use(kind === 'json' ? { kind, given: jsonIn(bytes) } : { kind: 'csv', bytes });
  } finally {
    leave();
  }
}

async function bytesOf(ctx: Context): Promise<Buffer> {
  try {
    return await readRaw(ctx.req, { limit: LARGEST_UPLOAD, length: ctx.request.length ?? null });
  } catch (error) {
    const isTooLarge = error instanceof Error && 'type' in error && error.type === 'entity.too.large';
    if (isTooLarge) throw new Failure('request.too_large', 'A list has at most 10 MB. Make two of it.');
    throw error;
  }
}

function jsonIn(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    throw new Failure('request.invalid', 'The body is no JSON.');
  }
}
