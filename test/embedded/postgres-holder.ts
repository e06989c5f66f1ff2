/** A process that keeps a private PostgreSQL: says its address as JSON, or why there is none, and stops it in order on SIGTERM. */
import { setPriority } from 'node:os';
import { createEmbeddedPostgres } from '../../app/embedded/postgres.ts';
import { createLogger } from '../../app/ops/logger.ts';

setPriority(10); // as under `nice`, where only root may raise a priority again
const [dataDir = ''] = process.argv.slice(2);
const log = createLogger({ level: 'error', format: 'json', write: (line) => process.stderr.write(`${line}\n`) });
const postgres = await createEmbeddedPostgres({ dataDir, log });
process.on('SIGTERM', () => void postgres.stop().then(() => process.exit()));
const said = await postgres.start().then(
  () => ({ url: postgres.url }),
  (error: Error) => ({ error: error.message }),
);
process.stdout.write(`${JSON.stringify(said)}\n`);
