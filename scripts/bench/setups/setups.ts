/** The ways in which the bot is set up, and fresh installations of them. */
import { join } from 'node:path';
import { CompiledQuery } from 'kysely';
import { createDatabase } from '../../../app/archive/engine/database.ts';
import { createEmbeddedPostgres } from '../../../app/embedded/postgres.ts';
import { createLogger } from '../../../app/ops/logger.ts';
import { answeringAlone, productionSettings } from '../program.ts';
import type { Stage } from '../stage.ts';

export interface Setup {
  name: string;
  meaning: string;
  /** Where the archive is: nowhere, in a configured PostgreSQL, or in stores of our own. */
  stores: 'none' | 'postgres' | 'embedded';
  analysis: boolean;
}

export const SETUPS: readonly Setup[] = [
  { name: 'core', meaning: 'ROLE=bot: it answers, there is no archive', stores: 'none', analysis: false },
  { name: 'postgres', meaning: 'configured Redis and PostgreSQL', stores: 'postgres', analysis: false },
  {
    name: 'postgres-analysis',
    meaning: 'configured Redis and PostgreSQL, with analysis',
    stores: 'postgres',
    analysis: true,
  },
  { name: 'embedded', meaning: 'stores of its own, as npm start has them', stores: 'embedded', analysis: false },
  { name: 'embedded-analysis', meaning: 'stores of its own, with analysis', stores: 'embedded', analysis: true },
];

/** A place where nobody has written yet. */
export interface Installation {
  folder: string;
  environment: Record<string, string>;
}

export interface Installations {
  fresh(setup: Setup): Promise<Installation>;
  stop(): Promise<void>;
}

/** The bench's Redis is used by one installation after the other; of the PostgreSQL each has a database. */
export function createInstallations(stage: Stage, say: (line: string) => void): Installations {
  let count = 0;
  let postgres: ReturnType<typeof startPostgres> | undefined;
  return {
    async fresh(setup) {
      count++;
      await stage.redis.send('FLUSHALL');
      const environment = { ...productionSettings(stage.places), ANALYSIS: setup.analysis ? 'on' : 'off' };
      if (setup.stores === 'none') Object.assign(environment, answeringAlone(stage.places));
      if (setup.stores === 'postgres') {
        postgres ??= startPostgres(stage, say);
        const url = await (await postgres).create(`bench_${count}`);
        Object.assign(environment, { REDIS_URL: `unix://${stage.places.redisSocket}`, DATABASE_URL: url });
      }
      return { folder: join(stage.directory, `installation-${count}`), environment };
    },
    stop: async () => (await postgres)?.stop(),
  };
}

async function startPostgres(stage: Stage, say: (line: string) => void) {
  const log = createLogger({ level: 'error', format: 'text', write: say });
  const server = await createEmbeddedPostgres({ dataDir: join(stage.directory, 'configured'), log });
  await server.start();
  const database = createDatabase({ url: server.url, connections: 1, patienceMs: 0, log });
  return {
    /** @returns its address */
    async create(name: string): Promise<string> {
      await database.run((db) => db.executeQuery(CompiledQuery.raw(`create database ${name}`)));
      return server.url.replace('///postgres?', `///${name}?`);
    },
    async stop() {
      await database.close();
      await server.stop();
    },
  };
}
