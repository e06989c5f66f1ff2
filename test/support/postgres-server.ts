/** The server that all files of a test run share: says its address, and ends with its standard input. */
import { startTestPostgres } from './postgres.ts';

const server = await startTestPostgres();
process.stdout.write(`${server.url}\n`);
process.stdin.resume().once('end', () => void server.stop().then(() => process.exit()));
