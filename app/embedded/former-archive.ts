/** The embedded archive of versions up to 0.2.0, whose files a PostgreSQL server cannot read. */
import { access } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Log } from '../ops/logger.ts';

/** Where it is, below `DATA_DIR`. `npm run move-archive` gives the folder another name when its content was moved. */
const FORMER_ARCHIVE = 'archive';

/** Names it, and the way to keep what it holds; it is left alone. */
export async function warnOfFormerArchive(dataDir: string, log: Log): Promise<void> {
  const folder = resolve(dataDir, FORMER_ARCHIVE);
  const isThere = await access(join(folder, 'data', 'PG_VERSION')).then(
    () => true,
    () => false,
  );
  if (!isThere) return;
  log.warn(
    'The inbox does not show what an earlier version recorded: its archive is of another kind, and was left alone. To bring it over, stop Recado and type: npm run move-archive',
    { folder },
  );
}
