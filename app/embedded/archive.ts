/** The folder of the embedded archive, for one process at a time: PGlite runs inside the process, and two would destroy the data. */
import { access, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Failure } from '../errors.ts';
import { claim, makePrivate, removeSocketFolder, socketFolder } from './folder.ts';

/**
 * Claims `DATA_DIR/archive` for this process, until it ends or until `release`.
 * Rejects with `archive.unavailable` when another process has it.
 */
export async function claimArchive(dataDir: string): Promise<{ folder: string; release(): Promise<void> }> {
  const folder = resolve(dataDir, 'archive');
  await makePrivate(folder);
  await checkEmbeddedArchive(dataDir);
  const sockets = await socketFolder(folder);
  const claimed = await claim(join(sockets, 'owner.sock'));
  if ('owner' in claimed) {
    throw new Failure(
      'archive.unavailable',
      `Another Recado (process ${claimed.owner}) uses the archive in ${folder}. Set another DATA_DIR for this one, or a DATABASE_URL for both.`,
    );
  }
  await writeFile(join(folder, FORMAT_FILE), `${FORMAT}\n`);
  return {
    folder: join(folder, 'data'),
    async release() {
      await claimed.release();
      await removeSocketFolder(folder, sockets);
    },
  };
}

/** Beside the data: which version made them. */
const FORMAT_FILE = 'format';
/** 1 = version 0.2.0. */
const FORMAT = 1;

/**
 * Whether this version can read the embedded archive, without opening it.
 * Rejects with `archive.format` for data of another version, in which nothing was changed.
 */
export async function checkEmbeddedArchive(dataDir: string): Promise<void> {
  const folder = resolve(dataDir, 'archive');
  const hasData = await access(join(folder, 'data', 'PG_VERSION')).then(
    () => true,
    () => false,
  );
  if (!hasData) return;
  const format = (await readFile(join(folder, FORMAT_FILE), 'utf8').catch(() => '')).trim();
  if (format === String(FORMAT)) return;
  const whose = format === '' ? 'Recado 0.1, which this version cannot read' : 'a newer Recado';
  throw new Failure(
    'archive.format',
    `${folder} holds an archive of ${whose}. Nothing was changed. Move that folder away, or set DATA_DIR to another folder.`,
  );
}
