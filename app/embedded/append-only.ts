/** Mends what a power cut does to the files of the private Redis. */
import { copyFile, open, readdir, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from '../ops/logger.ts';
import { codeOf } from './folder.ts';

/** So much of a file is looked at in one go, from its end, bytes. */
const BLOCK = 64 * 1_024;

/**
 * After a power cut a file may end in zeros: its new length was on disk before its contents were. Redis cuts a command that is not whole by
 * itself, but does not start with zeros at the end. They are cut here; the file as it was stays beside it, as `….before-repair-<time>`.
 * @param folder `appendonlydir`; nothing happens when it is not there
 */
export async function cutZeros(folder: string, log: Log): Promise<void> {
  for (const name of await namesIn(folder)) {
    if (!/\.incr\.aof$/.test(name)) continue;
    const path = join(folder, name);
    const { size, kept } = await measure(path);
    if (kept === size) continue;
    const copy = `${path}.before-repair-${new Date().toISOString().slice(0, 19).replaceAll(':', '-')}`;
    await copyFile(path, copy);
    await truncate(path, kept);
    log.warn('The file of the private Redis ended in zeros, as after a power cut: they were cut, a copy was kept', {
      zeros: size - kept,
      copy,
    });
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}

/** @returns the size of a file, and how much of it comes before the zeros at its end, bytes */
async function measure(path: string): Promise<{ size: number; kept: number }> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const block = Buffer.alloc(BLOCK);
    for (let end = size; end > 0; ) {
      const start = Math.max(0, end - BLOCK);
      const { bytesRead } = await file.read(block, 0, end - start, start);
      const last = block.subarray(0, bytesRead).findLastIndex((byte) => byte !== 0);
      if (last >= 0) return { size, kept: start + last + 1 };
      end = start;
    }
    return { size, kept: 0 };
  } finally {
    await file.close();
  }
}
