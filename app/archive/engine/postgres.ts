/** The door to a Postgres server. */
import { type Dialect, PostgresAdapter, PostgresDriver, PostgresIntrospector, PostgresQueryCompiler } from 'kysely';
import pg from 'pg';
import type { Log } from '../../ops/logger.ts';

export interface PostgresOptions {
  /** `postgres://user:password@host:port/database`; `sslmode` means what it means to psql. */
  url: string;
  /** How many connections at most. */
  connections: number;
  /** How long one statement may take, ms; 0 = without end. */
  patienceMs: number;
  log: Log;
}

/** So much later than the server, which ends a statement and keeps the connection, we end the connection, ms. */
const SERVER_FIRST_MS = 1_000;
/** A peer that is silent for so long is asked by TCP whether it is there, ms. */
const KEEP_ALIVE_AFTER_MS = 10_000;

/**
 * Nothing is connected until the first query. A connection whose server says nothing is destroyed, and with it those that are idle: what
 * was sent over them next would probably wait just as long.
 */
export function postgresDialect({ url, connections, patienceMs, log }: PostgresOptions): Dialect {
  const pool = new pg.Pool({
    connectionString: withSsl(url),
    application_name: 'recado',
    max: connections,
    connectionTimeoutMillis: 5_000,
    idleTimeoutMillis: 30_000,
    ...(patienceMs > 0 ? { query_timeout: patienceMs + SERVER_FIRST_MS } : {}),
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_AFTER_MS,
    types: { getTypeParser: (oid, format) => READERS[oid] ?? pg.types.getTypeParser(oid, format) },
  });
  const idle = new Set<pg.PoolClient>();
  pool.on('acquire', (client) => idle.delete(client));
  pool.on('release', (_, client) => idle.add(client));
  pool.on('remove', (client) => idle.delete(client));
  pool.on('connect', (client) => {
    client.on('error', () => {}); // the query rejects, too; without a listener the process would end
    whenSilent(client, () => {
      for (const silent of [client, ...idle]) insideOf(silent).connection.stream.destroy();
    });
    // As a parameter of the connection, poolers such as PgBouncer would refuse it.
    if (patienceMs > 0) client.query(`set statement_timeout = ${patienceMs}`).catch(() => {});
  });
  pool.on('error', (error) => log.warn('An idle connection to Postgres broke', { reason: error.message }));
  return {
    createAdapter: () => new UnlockedAdapter(),
    createDriver: () => new PostgresDriver({ pool }),
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  };
}

/** What pg's client has beside its types. */
interface ClientInside {
  query: (...query: unknown[]) => unknown;
  connection: { stream: { destroy(): void } };
}

function insideOf(client: pg.PoolClient): ClientInside {
  return client as unknown as ClientInside;
}

/** pg stops waiting for an answer, but would send the next query over the same connection, to wait again. */
function whenSilent(client: pg.PoolClient, onSilent: () => void): void {
  const inside = insideOf(client);
  const query = inside.query.bind(client);
  inside.query = (...asked) => {
    const answer = query(...asked);
    if (answer instanceof Promise) {
      answer.catch((error: unknown) => {
        if (error instanceof Error && error.message === 'Query read timeout') onSilent();
      });
    }
    return answer;
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
