/** The database of the archive: a Postgres server, configured or our own. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Kysely, Migrator, sql, type Transaction } from 'kysely';
import { Failure, isFailure } from '../../errors.ts';
import type { Log } from '../../ops/logger.ts';
import { MIGRATIONS } from './migrations/list.ts';
import { isOutage } from './outage.ts';
import { postgresDialect } from './postgres.ts';
import type { Tables } from './schema.ts';

/** Every method rejects with `archive.unavailable` when the database cannot be asked just now. */
export interface Database {
  /** Runs queries, each by itself. */
  run<T>(work: (db: Kysely<Tables>) => Promise<T>): Promise<T>;
  /** Runs queries that hold together or not at all. */
  transaction<T>(work: (db: Transaction<Tables>) => Promise<T>): Promise<T>;
  /** The same over connections of its own: pages that ask for much do not hold up what is recorded. */
  recording<T>(work: (db: Transaction<Tables>) => Promise<T>): Promise<T>;
  /**
   * Brings the tables up to date. Several processes may do so at the same time. Once it worked, it does nothing more.
   * Rejects with `archive.format` for tables of another version, in which nothing was changed.
   */
  migrate(): Promise<void>;
  /** Rejects with `archive.format` for tables of another version. Resolves when there are none, or when the database cannot be asked. */
  checkFormat(): Promise<void>;
  /** Resolves when the database answers and its tables are there, and are ours: rejects as `checkFormat` else. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

export interface DatabaseOptions {
  /** `postgres://…`; see `withSsl` for `sslmode` and Supabase. */
  url: string;
  log: Log;
  /** How many connections at most, beside the recorder's and, while the tables are brought up to date, one more. Default: 9. */
  connections?: number;
  /** How long one statement may take, ms; 0 = without end. Default: 5 s. */
  patienceMs?: number;
}

/** Builds it; nothing is connected until the first query. */
export function createDatabase(options: DatabaseOptions): Database {
  const db = connectionsOf(options);
  const recorder = connectionsOf({ ...options, connections: 1 });
  let migrated: Promise<void> | undefined;

  function run<T>(work: (db: Kysely<Tables>) => Promise<T>): Promise<T> {
    return runOn(db, work);
  }
  async function runOn<T>(connections: Kysely<Tables>, work: (db: Kysely<Tables>) => Promise<T>): Promise<T> {
    try {
      return await work(connections);
    } catch (error) {
      throw isFailure(error) || !isOutage(error) ? error : unavailable(error);
    }
  }
  return {
    run,
    transaction: (work) => run((db) => db.transaction().execute(work)),
    recording: (work) => runOn(recorder, (db) => db.transaction().execute(work)),
    migrate() {
      migrated ??= run(() => migrateOneAtATime(options)).catch((error) => {
        migrated = undefined;
        throw error;
      });
      return migrated;
    },
    async checkFormat() {
      await run(refuseOtherVersions).catch((error: unknown) => {
        if (isFailure(error) && error.code === 'archive.format') throw error;
      });
    },
    ping: () =>
      run(async (db) => {
        await refuseOtherVersions(db);
        await sql`select 1 from whatsapp_conversations limit 1`.execute(db);
      }),
    async close() {
      const closed = Promise.all([db.destroy(), recorder.destroy()]);
      // A server that says nothing does not say goodbye either.
      await Promise.race([closed, sleep(GOODBYE_MS, undefined, { ref: false })]);
    },
  };
}

const MOST_CONNECTIONS = 9;
const PATIENCE_MS = 5_000;
const GOODBYE_MS = 2_000;

function connectionsOf(options: DatabaseOptions): Kysely<Tables> {
  const { connections = MOST_CONNECTIONS, patienceMs = PATIENCE_MS } = options;
  return new Kysely({ dialect: postgresDialect({ ...options, connections, patienceMs }) });
}

/** An arbitrary number: it names the lock among those of the database. */
const MIGRATION_LOCK = 7_041_995_001;

/**
 * A second process waits, and then finds nothing left to do. One connection does all, in one transaction: through a small pool, several
 * processes that each needed a second one would wait for each other.
 */
async function migrateOneAtATime(options: DatabaseOptions): Promise<void> {
  const db = connectionsOf({ ...options, connections: 1, patienceMs: 0 });
  try {
    await db.connection().execute(async (one) => {
      await sql`begin`.execute(one);
      try {
        await sql`set local idle_in_transaction_session_timeout = 0`.execute(one);
        await sql`select pg_advisory_xact_lock(${sql.lit(MIGRATION_LOCK)})`.execute(one);
        await migrateTables(one);
        await sql`commit`.execute(one);
      } catch (error) {
        await sql`rollback`.execute(one).catch(() => {});
        throw error;
      }
    });
  } finally {
    await db.destroy();
  }
}

/** Brings the tables up to date, without a lock. Rejects with `archive.format` for tables of another version, in which nothing was changed. */
export async function migrateTables(db: Kysely<Tables>): Promise<void> {
  await refuseOtherVersions(db);
  const migrator = new Migrator({ db, disableTransactions: true, provider: { getMigrations: async () => MIGRATIONS } });
  const { error } = await migrator.migrateToLatest();
  if (error) throw error;
}

/** What was migrated by another version is not ours to change. */
async function refuseOtherVersions(db: Kysely<Tables>): Promise<void> {
  const { rows } = await sql<{ known: boolean }>`select to_regclass('kysely_migration') is not null as known`.execute(
    db,
  );
  if (rows[0]?.known !== true) return;
  const done = await sql<{ name: string }>`select name from kysely_migration`.execute(db);
  const others = done.rows.map(({ name }) => name).filter((name) => !Object.hasOwn(MIGRATIONS, name));
  if (others.length === 0) return;
  const isOld = others.some((name) => OLD.includes(name));
  throw new Failure('archive.format', isOld ? OLD_TABLES : NEWER_TABLES);
}

/** The migrations of version 0.1, which was never released. */
const OLD = ['0001-inbox', '0002-numbers'];
const OLD_TABLES =
  'The database holds tables of Recado 0.1, which this version cannot read. Nothing was changed. Set DATABASE_URL to an empty database, or drop the tables whatsapp_*, sales_tasks and kysely_* after a backup.';
const NEWER_TABLES =
  'The database was migrated by a newer Recado. Nothing was changed. Start that version again, or restore a backup from before the update.';

function unavailable(error: unknown): Failure<'archive.unavailable'> {
  const reason = error instanceof Error ? error.message : String(error);
  return new Failure(
    'archive.unavailable',
    `The archive did not answer: ${reason}. Is Postgres up? See DATABASE_URL.`,
    {
      cause: error,
    },
  );
}
