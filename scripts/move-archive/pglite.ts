/** PGlite, the engine that the embedded archive was kept in up to version 0.2.0: PostgreSQL inside this process. */
import { Kysely, PostgresDialect } from 'kysely';
import type { Tables } from '../../app/archive/engine/schema.ts';

/** @returns null when PGlite is not installed: only this script uses it. Rejects when it cannot read the files. */
export async function openPGlite(folder: string): Promise<Kysely<Tables> | null> {
  const loaded = await load();
  if (!loaded) return null;
  const [{ PGlite }, { pg_trgm }] = loaded;
  const database = await PGlite.create({ dataDir: folder, extensions: { pg_trgm } });
  /** There is one connection, and nobody asks for two at a time. */
  const client = {
    async query<Row>(text: string, parameters?: readonly unknown[]) {
      const { rows } = await database.query<Row>(text, [...(parameters ?? [])]);
      return { command: 'SELECT' as const, rowCount: rows.length, rows };
    },
    release() {},
  };
  // Kysely's type of a client has a second `query`, for streams, which we do not use.
  const connect = async () => client as never;
  return new Kysely({ dialect: new PostgresDialect({ pool: { connect, end: () => database.close() } }) });
}

export async function isInstalled(): Promise<boolean> {
  return (await load()) !== null;
}

async function load() {
  try {
    return await Promise.all([import('@electric-sql/pglite'), import('@electric-sql/pglite/contrib/pg_trgm')] as const);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND') return null;
    throw error;
  }
}
