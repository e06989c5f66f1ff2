/** The door to PGlite: Postgres inside this process, used when no server is configured. */
import { PGlite } from '@electric-sql/pglite';
import { pg_trgm } from '@electric-sql/pglite/contrib/pg_trgm';
import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  PostgresIntrospector,
  PostgresQueryCompiler,
} from 'kysely';
import { READERS, UnlockedAdapter } from './postgres.ts';

/** A data folder that this process has claimed. */
export interface Claimed {
  /** Where the data are. */
  folder: string;
  release(): Promise<void>;
}

/**
 * Opens the folder at the first query: about 5 s the first time, 0.3 s later. There is one connection: queries and transactions wait
 * for each other.
 * @param claim makes sure that no other process has the folder open, which would destroy the data.
 */
export function pgliteDialect(claim: () => Promise<Claimed>): Dialect {
  return {
    createAdapter: () => new UnlockedAdapter(),
    createDriver: () => createDriver(claim),
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  };
}

function createDriver(claim: () => Promise<Claimed>): Driver {
  let open: { database: PGlite; claimed: Claimed } | undefined;
  let free: Promise<void> = Promise.resolve();
  const releases = new WeakMap<DatabaseConnection, () => void>();
  const say = async (connection: DatabaseConnection, words: string) => {
    await connection.executeQuery(CompiledQuery.raw(words));
  };
  return {
    async init() {
      const claimed = await claim();
      try {
        open = {
          database: await PGlite.create({ dataDir: claimed.folder, parsers: READERS, extensions: { pg_trgm } }),
          claimed,
        };
      } catch (error) {
        await claimed.release();
        throw error;
      }
    },
    async acquireConnection() {
      const before = free;
      let release = () => {};
      free = new Promise((resolve) => {
        release = resolve;
      });
      await before;
      const connection = connectionTo(() => open?.database);
      releases.set(connection, release);
      return connection;
    },
    async releaseConnection(connection) {
      releases.get(connection)?.();
    },
    beginTransaction: (connection) => say(connection, 'begin'),
    commitTransaction: (connection) => say(connection, 'commit'),
    rollbackTransaction: (connection) => say(connection, 'rollback'),
    async destroy() {
      const closing = open;
      open = undefined;
      await free;
      await closing?.database.close();
      await closing?.claimed.release();
    },
  };
}

function connectionTo(database: () => PGlite | undefined): DatabaseConnection {
  return {
    async executeQuery<Row>({ sql, parameters }: CompiledQuery) {
      const open = database();
      if (!open) throw new Error('the database was closed');
      const { rows, affectedRows } = await open.query<Row>(sql, [...parameters]);
      return { rows, numAffectedRows: BigInt(affectedRows ?? 0) };
    },
    // biome-ignore lint/correctness/useYield: there are no streams, and none is requested
    async *streamQuery() {
      throw new Error('PGlite does not stream');
    },
  };
}
