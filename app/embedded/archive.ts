/** The folder of the embedded archive, for one process at a time: PGlite runs inside the process, and two would destroy the data. */
import { join, resolve } from 'node:path';
import { Failure } from '../errors.ts';
import { claim, makePrivate, removeSocketFolder, socketFolder } from './folder.ts';

/**
 * Takes `DATA_DIR/archive` into the hands of this process, for as long as it lives or until `release`.
 * Rejects with `archive.unavailable` when another process has it.
 */
export async function claimArchive(dataDir: string): Promise<{ folder: string; release(): Promise<void> }> {
  const folder = resolve(dataDir, 'archive');
  await makePrivate(folder);
  const sockets = await socketFolder(folder);
  const claimed = await claim(join(sockets, 'owner.sock'));
  if ('owner' in claimed) {
    throw new Failure(
      'archive.unavailable',
      `Another Recado (process ${claimed.owner}) has the archive in ${folder}. Give this one a DATA_DIR of its own, or both a DATABASE_URL.`,
    );
  }
  return {
    folder: join(folder, 'data'),
    async release() {
      await claimed.release();
      await removeSocketFolder(folder, sockets);
    },
  };
}
