/** An archive of the bench's own, in a server of its own or in PGlite, and gone with `stop`. */
import { existsSync } from 'node:fs';
import { CompiledQuery } from 'kysely';
import { createDatabase, type Database } from '../../app/archive/engine/database.ts';
import type { Log } from '../../app/ops/logger.ts';

export type EngineName = 'postgres' | 'pglite';

export interface Store {
  database: Database;
  /** What a server does by itself within minutes: makes room, and tells the planner how many rows there are. */
  tidy(): Promise<void>;
  stop(): Promise<void>;
}

/** What is used of `test/support/postgres.ts`. */
interface Servers {
  findPostgres(): string | null;
  startTestPostgres(): Promise<{ createDatabase(): Promise<string>; stop(): Promise<void> }>;
}

/**
 * @param engine a real PostgreSQL when Debian's is installed, else PGlite, unless one is named.
 * @param folder where PGlite keeps its files; the caller removes it.
 */
export async function openStore(engine: EngineName | 'auto', folder: string, log: Log): Promise<Store> {
  const servers = engine === 'pglite' ? null : await postgresServers();
  const store = servers ? await openPostgres(servers, log) : null;
  if (store) return store;
  if (engine === 'postgres') {
    throw new Error(
      'There is no PostgreSQL here (apt-get install postgresql, and run from a clone): try --engine pglite.',
    );
  }
  const database = createDatabase({ claim: async () => ({ folder, release: async () => {} }), log });
  return { database, tidy: () => database.tidy(), stop: () => database.close() };
}

async function openPostgres(servers: Servers, log: Log): Promise<Store> {
  const server = await servers.startTestPostgres();
  try {
    const database = createDatabase({ url: await server.createDatabase(), log });
    return {
      database,
      tidy: () => database.run(vacuum),
      async stop() {
        await database.close();
        await server.stop();
      },
    };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

async function vacuum(db: Parameters<Parameters<Database['run']>[0]>[0]): Promise<void> {
  await db.executeQuery(CompiledQuery.raw('vacuum analyze'));
}

/**
 * Null where there is none, or there are no tests: an image has none. That is why their address is made up at run time: the compiler
 * would look for them when it builds the program.
 */
async function postgresServers(): Promise<Servers | null> {
  const address = new URL('../../test/support/postgres.ts', import.meta.url);
  if (!existsSync(address)) return null;
  const servers = (await import(address.href)) as Servers; // what it exports; the bench's test would notice
  return servers.findPostgres() === null ? null : servers;
}
