/** An archive of the bench's own, in a private PostgreSQL as the embedded one, and gone with `stop`. */
import { CompiledQuery } from 'kysely';
import { createDatabase, type Database } from '../../app/archive/engine/database.ts';
import { createEmbeddedPostgres } from '../../app/embedded/postgres.ts';
import type { Log } from '../../app/ops/logger.ts';

export interface Store {
  database: Database;
  /** What a server does by itself within minutes: makes room, and tells the planner how many rows there are. */
  tidy(): Promise<void>;
  stop(): Promise<void>;
}

/** @param folder where it keeps its files; the caller removes it. */
export async function openStore(folder: string, log: Log): Promise<Store> {
  const server = await createEmbeddedPostgres({ dataDir: folder, log });
  await server.start();
  const database = createDatabase({ url: server.url, log });
  return {
    database,
    tidy: () => database.run(vacuum),
    async stop() {
      await database.close();
      await server.stop();
    },
  };
}

async function vacuum(db: Parameters<Parameters<Database['run']>[0]>[0]): Promise<void> {
  await db.executeQuery(CompiledQuery.raw('vacuum analyze'));
}
