/** Moves the embedded archive of version 0.2.0 and older, which was kept in PGlite, to where this version keeps its archive. */
import { access, cp, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { createDatabase, type Database, migrateTables } from '../app/archive/engine/database.ts';
import { type Merged, mergeArchive } from '../app/archive/write/merge.ts';
import { claim, codeOf, makePrivate, removeSocketFolder, socketFolder } from '../app/embedded/folder.ts';
import { createEmbeddedPostgres } from '../app/embedded/postgres.ts';
import { isFailure } from '../app/errors.ts';
import { createLogger, type Log } from '../app/ops/logger.ts';
import { isInstalled, openPGlite } from './move-archive/pglite.ts';
import { fail, settings } from './stores.ts';

const HELP = `Usage: npm run move-archive [-- --data-dir DIR]
  --data-dir DIR   where the embedded stores keep their files. Default: DATA_DIR
Moves the archive that version 0.2.0 kept in DIR/archive to DATABASE_URL if it is set, else to the private PostgreSQL in DIR/postgres.
That archive may hold messages already: they stay, and what is in both is there once. Stop Recado first, and make a backup.
Nothing is deleted: afterwards the old folder is called DIR/archive.moved-DATE.
Exit code 0 when done or when there is nothing to move, 1 when something was wrong; then nothing was moved.`;

const { values } = parseArgs({
  options: { 'data-dir': { type: 'string' }, help: { type: 'boolean', short: 'h' } },
});
if (values.help) {
  say(HELP);
  process.exit(0);
}

const config = settings();
const dataDir = resolve(values['data-dir'] ?? config.dataDir);
const old = join(dataDir, 'archive');
const log = createLogger({ level: 'warn', format: 'text', write: (line) => process.stderr.write(`${line}\n`) });
// An ordinary end of the process stops the private PostgreSQL, too.
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => fail('Interrupted. Run it again: nothing is moved twice.'));

if (!(await exists(join(old, 'data', 'PG_VERSION')))) {
  say(`There is nothing to move: ${old} holds no archive of version 0.2.0.`);
  process.exit(0);
}
if (!(await exists(join(old, 'format'))))
  fail(`${old} holds an archive of Recado 0.1, which was never released and cannot be read. Nothing was moved.`);
if (!(await isInstalled()))
  fail(
    'PGlite, which reads the old archive, is not installed. Nothing was moved. Run in a clone: npm ci --include=dev',
  );
try {
  report(await move());
  process.exit(0);
} catch (error) {
  fail(`Nothing was moved. ${error instanceof Error ? error.message : String(error)}`);
}

/** The old folder is ours until it has its new name. */
async function move(): Promise<{ merged: Merged; place: string; kept: string | null }> {
  const release = await take(old);
  try {
    const { database, place, stop } = await openTarget();
    try {
      const merged = await moveTo(database);
      return { merged, place, kept: await putAside() };
    } finally {
      await stop();
    }
  } finally {
    await release();
  }
}

/** Works on a copy: the old archive is brought up to date first, and an older version could not read it then. */
async function moveTo(database: Database): Promise<Merged> {
  const copy = join(old, 'moving');
  await rm(copy, { recursive: true, force: true }); // of a run that was interrupted
  try {
    say('Copying the old archive …');
    await cp(join(old, 'data'), copy, { recursive: true });
    const from = await openPGlite(copy);
    if (!from) throw new Error('PGlite is not installed.');
    try {
      say('Bringing the copy up to date …');
      await migrateTables(from).catch(naming('The old archive'));
      return await mergeArchive({ from, into: database, onRows: (table, rows) => say(`${table}: ${rows} rows`) });
    } finally {
      await from.destroy();
    }
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
}

/** The archive of this version, with its tables up to date. */
async function openTarget(): Promise<{ database: Database; place: string; stop(): Promise<void> }> {
  const server = config.databaseUrl ? null : await startPostgres(dataDir, log);
  const database = createDatabase({ url: server?.url ?? config.databaseUrl ?? '', log, patienceMs: 0 });
  const stop = async () => {
    await database.close();
    await server?.stop();
  };
  try {
    await database.migrate().catch(naming('The new archive'));
  } catch (error) {
    await stop();
    throw error;
  }
  const place = server ? `the private PostgreSQL in ${join(dataDir, 'postgres')}` : 'the database of DATABASE_URL';
  return { database, place, stop };
}

async function startPostgres(dataDir: string, log: Log) {
  const server = await createEmbeddedPostgres({ dataDir, log });
  const release = await take(join(dataDir, 'postgres')); // says more plainly than the server that Recado is running
  await release();
  await server.start();
  return server;
}

/** Claims a folder for this process. @returns how to release it. */
async function take(folder: string): Promise<() => Promise<void>> {
  await makePrivate(folder);
  const sockets = await socketFolder(folder);
  const claimed = await claim(join(sockets, 'owner.sock'));
  if ('owner' in claimed)
    throw new Error(`Recado is running (process ${claimed.owner} uses ${folder}). Stop it, then move the archive.`);
  return async () => {
    await claimed.release();
    await removeSocketFolder(folder, sockets);
  };
}

/** @returns the new name of the old folder; null when it cannot be renamed, as a volume of its own. */
async function putAside(): Promise<string | null> {
  const day = new Date().toISOString().slice(0, 10);
  for (let times = 1; ; times++) {
    const kept = `${old}.moved-${day}${times === 1 ? '' : `-${times}`}`;
    if (await exists(kept)) continue;
    try {
      await rename(old, kept);
      await rm(join(kept, 'owner.sock'), { force: true }); // closing it looks for its old path
      return kept;
    } catch (error) {
      log.warn('The old archive cannot be renamed', { reason: codeOf(error) });
      return null;
    }
  }
}

function report({ merged, place, kept }: Awaited<ReturnType<typeof move>>): void {
  const { conversations, messages, tasks } = merged;
  const read = [conversations, messages, tasks].map(({ read }) => read);
  const known = [conversations, messages, tasks].map(({ read, added }) => read - added);
  say(`Moved ${counted(read)} to ${place}.`);
  if (known.some((rows) => rows > 0)) say(`Of these, ${counted(known)} were there already.`);
  say(
    kept === null
      ? `Everything was moved, but ${old} could not be renamed: move it away, or every start warns of it.`
      : `The old archive is now ${kept}. Start Recado and look at the inbox; when all is there, that folder may be deleted.`,
  );
}

/** @param counts of conversations, messages and tasks */
function counted(counts: readonly number[]): string {
  const [conversations, messages, tasks] = ['conversation', 'message', 'task'].map(
    (what, i) => `${counts[i]} ${what}${counts[i] === 1 ? '' : 's'}`,
  );
  return `${conversations}, ${messages} and ${tasks}`;
}

/** Says of which of the two archives an error speaks. */
function naming(which: string): (error: unknown) => never {
  return (error) => {
    throw isFailure(error) ? new Error(`${which}: ${error.message}`, { cause: error }) : error;
  };
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
