/** The two servers an archive can be kept in, each with an empty database. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { createDatabase, type Database } from '../../app/archive/engine/database.ts';
import { createEmbeddedPostgres } from '../../app/embedded/postgres.ts';
import { createLogger } from '../../app/ops/logger.ts';
import { createTestDatabase } from '../support/postgres.ts';

export interface Engine {
  name: string;
  /** Starts it, with the tables in place. */
  open(): Promise<{ database: Database; stop(): Promise<void> }>;
}

export const quiet = createLogger({ level: 'error', format: 'json', write: () => {} });

export const ENGINES: Engine[] = [
  {
    name: 'the private PostgreSQL',
    async open() {
      const folder = mkdtempSync(join(tmpdir(), 'recado-archive-'));
      const server = await createEmbeddedPostgres({ dataDir: folder, log: quiet });
      await server.start();
      const database = createDatabase({ log: quiet, url: server.url });
      await database.migrate();
      return {
        database,
        async stop() {
          await database.close();
          await server.stop();
          rmSync(folder, { recursive: true, force: true });
        },
      };
    },
  },
  {
    name: 'a configured PostgreSQL',
    async open() {
      const database = createDatabase({ log: quiet, url: await createTestDatabase() });
      await database.migrate();
      return { database, stop: () => database.close() };
    },
  },
];

/** Every table as it was after the migration. */
export async function empty(database: Database): Promise<void> {
  await database.run((db) =>
    sql`truncate whatsapp_contacts, whatsapp_contact_addresses, whatsapp_conversations, whatsapp_messages, whatsapp_deliveries, whatsapp_events_set_aside, sales_tasks, whatsapp_costs, broadcasts cascade`.execute(
      db,
    ),
  );
}

/** Runs a statement as somebody at a SQL prompt would. */
export async function query(database: Database, statement: string): Promise<Record<string, unknown>[]> {
  const { rows } = await database.run((db) => sql.raw<Record<string, unknown>>(statement).execute(db));
  return rows;
}
