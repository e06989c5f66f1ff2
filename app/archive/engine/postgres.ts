/** The door to a Postgres server. */
import { type Dialect, PostgresAdapter, PostgresDriver, PostgresIntrospector, PostgresQueryCompiler } from 'kysely';
import pg from 'pg';
import type { Log } from '../../ops/logger.ts';

export interface PostgresOptions {
  /** `postgres://user:password@host:port/database`; `sslmode` means what it means to psql. */
  url: string;
  /** How many connections at most. */
  connections: number;
  log: Log;
}

/** Nothing is connected until the first query. */
export function postgresDialect({ url, connections, log }: PostgresOptions): Dialect {
  const pool = new pg.Pool({
    connectionString: withSsl(url),
    application_name: 'recado',
    max: connections,
    connectionTimeoutMillis: 5_000,
    idleTimeoutMillis: 30_000,
    // The result of a longer query is not awaited any more; a batch is tried again.
    query_timeout: 60_000,
    keepAlive: true,
    types: { getTypeParser: (oid, format) => READERS[oid] ?? pg.types.getTypeParser(oid, format) },
  });
  pool.on('connect', (client) => {
    client.on('error', () => {}); // the query rejects, too; without a listener the process would end
  });
  pool.on('error', (error) => log.warn('An idle connection to Postgres broke', { reason: error.message }));
  return {
    createAdapter: () => new UnlockedAdapter(),
    createDriver: () => new PostgresDriver({ pool }),
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  };
}

/**
 * Kysely would lock migrations for a session; behind a pooler in transaction mode, such as Supabase's port 6543, that lock ends up
 * with another client's session and is never released. `Database.migrate` locks by a transaction instead.
 */
export class UnlockedAdapter extends PostgresAdapter {
  override async acquireMigrationLock(): Promise<void> {}
  override async releaseMigrationLock(): Promise<void> {}
}

/** Object ids of `pg_type`: counts and sums as numbers (they stay far below 2^53), days as they are written. */
export const READERS: Record<number, (text: string) => unknown> = {
  20: Number, // int8
  1700: Number, // numeric
  1082: (day) => day, // date
};

/**
 * The address with `sslmode` read as psql reads it: `require` encrypts without a check of the certificate, which Supabase's, made by
 * an authority of its own, would not pass; `verify-full` with `sslrootcert=<file>` checks it. A connection to Supabase is always
 * encrypted.
 */
export function withSsl(url: string): string {
  if (!URL.canParse(url)) return url;
  const address = new URL(url);
  const options = address.searchParams;
  if (!options.has('sslmode') && /(^|\.)supabase\.(co|com|net)$/.test(address.hostname))
    options.set('sslmode', 'require');
  if (options.has('sslmode') && !options.has('uselibpqcompat')) options.set('uselibpqcompat', 'true');
  return address.href;
}
