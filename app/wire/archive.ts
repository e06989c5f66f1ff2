/** Joins the archive as both the bot and the desk need it: the database, and its word on contacts. Answering people does not need it. */
import { createDatabase, type Database } from '../archive/engine/database.ts';
import { createStandings, type Standings } from '../archive/read/standing.ts';
import type { Log } from '../ops/logger.ts';
import type { StandIns } from './stand-ins.ts';

export interface ArchiveParts {
  database: Database;
  /** Blocks, takeovers and addresses of contacts: the archive's word counts. */
  standings: Standings;
  /** Starts the private PostgreSQL when none is configured. Resolves also when it cannot be started: the log says why. */
  start(): Promise<void>;
}

/** Builds it; nothing is connected or opened until the first query. */
export function buildArchive(standIns: StandIns, log: Log): ArchiveParts {
  const database = createDatabase({ url: standIns.database.url, log });
  const start = () =>
    standIns.database
      .start()
      .catch((error) => log.error('There is no archive. Contacts are answered; the inbox shows nothing.', { error }));
  return { database, standings: createStandings(database), start };
}
