/** The process: read the environment, build, listen; on a signal stop in order. */
import { mkdir, rm } from 'node:fs/promises';
import type { Server } from 'node:http';
import { dirname } from 'node:path';
import { loadEnvFile } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Config, readConfig, settingWarnings } from './config.ts';
import { Failure, SettingsError } from './errors.ts';
import { createLogger, type Log } from './ops/logger.ts';
import { type App, build, type Parts } from './wire/app.ts';
import { passwordOf } from './wire/auth.ts';
import { createDeskProcess } from './wire/desk-process.ts';
import { type StandIns, standInsOf, startStandIns, type Told } from './wire/stand-ins.ts';

/** How long turns in flight may take to finish after a signal, ms; then they are given back. Containers are killed 30 s after it. */
const DRAIN_MS = 24_000;

/** How long what comes after that may take, and what is asked of an open connection, ms. */
const REST_MS = 2_500;
const LAST_REQUEST_MS = 1_000;

/**
 * Signals within this time count as one, ms: a Ctrl-C comes from the terminal and again from npm or tsx, which pass it on. A person's
 * second Ctrl-C comes later.
 */
const ONE_PRESS_MS = 300;

async function main(): Promise<void> {
  readEnvFile();
  const config = readConfig(process.env);
  const log = createLogger({ level: config.logLevel, format: process.stdout.isTTY ? 'text' : 'json' });
  for (const warning of settingWarnings(process.env, config)) log.warn(warning);
  const told = readTold(process.env[TOLD]);
  const standIns = told ? standInsOf(told) : await startStandIns(config, log);
  const password = passwordOf(config, log);
  const parts = told ? DESK : await partsOf(config, standIns, password, log);
  const app = build(config, standIns, log, { parts, password });
  const stop = stopOnSignal(app, standIns, log);
  await app.connect();
  if (told) await prepare(told.socket);
  await listen(app.server, told?.socket ?? config.port);
  if (!told) return greet(config, standIns, log);
  // It ends with the process that started us, however that ended.
  process.stdin.resume().once('end', () => void stop('The bot has ended'));
}

/** The environment of a desk beside the bot has its instructions here. Not a setting: one process of ours sets it for another. */
const TOLD = 'RECADO_TOLD';

function readTold(told: string | undefined): Told | null {
  return told === undefined ? null : (JSON.parse(told) as Told); // our own words, see `createDeskProcess`
}

const DESK: Parts = { bot: false, desk: 'here' };

async function partsOf(config: Config, standIns: StandIns, password: string, log: Log): Promise<Parts> {
  if (config.role === 'desk') return DESK;
  if (config.role === 'bot') return { bot: true, desk: 'elsewhere' };
  const args = [...process.execArgv, ...process.argv.slice(1, 2)];
  const desk = { standIns, args, environment: process.env, toldAs: TOLD, password, log };
  return { bot: true, desk: await createDeskProcess(desk) };
}

/** One that was killed left its socket, one that ended in order took the folder along. */
async function prepare(socket: string): Promise<void> {
  await rm(socket, { force: true });
  await mkdir(dirname(socket), { recursive: true, mode: 0o700 });
}

/** Settings of the environment win over those in the file; a missing file is no problem. */
function readEnvFile(): void {
  try {
    loadEnvFile('.env');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
}

/** @param place a port, or the path of a unix socket */
function listen(server: Server, place: number | string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(place, resolve);
  });
}

function providersOf({ twilio, meta }: Config): string[] {
  return [...(twilio ? ['twilio'] : []), ...(meta ? ['meta'] : [])];
}

function greet(config: Config, standIns: StandIns, log: Log): void {
  const local = `http://localhost:${config.port}`;
  log.info(`Recado listens on port ${config.port}. Inbox: ${local}/whatsapp-inbox`, {
    model: standIns.model.answer,
    provider: standIns.simulator ? 'simulator' : providersOf(config).join(', '),
    publicUrl: config.publicUrl ?? 'not given',
  });
  if (!config.validateSignature) {
    log.warn(
      'TWILIO_VALIDATE_SIGNATURE is false: everybody can post messages in the name of others. Never use it in public.',
    );
  }
  if (config.meta?.appSecret === null) {
    log.warn(
      'META_VALIDATE_SIGNATURE is false: everybody can post messages in the name of others. Never use it in public.',
    );
  }
  if (standIns.simulator) {
    log.warn(
      `The simulator replaces Twilio. Try: ${local}/simulator, or npm run chat. From elsewhere, or in a container, sign in to the inbox first.`,
    );
  } else if (!config.publicUrl && !config.trustProxy) {
    log.warn(
      'PUBLIC_URL is not given: behind a proxy signatures will not match, and delivery statuses are not reported.',
    );
  }
}

/**
 * The first signal stops in order: no new work, finish what runs or give it back, close the port, leave. What a provider brings is stored
 * until the port closes. The second signal leaves at once.
 */
function stopOnSignal(app: App, standIns: StandIns, log: Log): (reason: string) => Promise<void> {
  let stopping = false;
  let signaledAt = Number.NEGATIVE_INFINITY;
  const stop = async (signal: string): Promise<void> => {
    const isEcho = performance.now() - signaledAt < ONE_PRESS_MS;
    signaledAt = performance.now();
    if (isEcho) return;
    if (stopping) process.exit(130);
    stopping = true;
    log.info(`${signal}: finishing running work, at most ${DRAIN_MS / 1000} s; a second signal ends at once`);
    const late = sleep(DRAIN_MS + REST_MS, false);
    const drained = await Promise.race([app.drain(DRAIN_MS).then(() => true), late]);
    if (!drained) log.warn('Not everything finished in time; the next start continues');
    await closePort(app.server);
    await app.close();
    await standIns.stop();
    log.info('Stopped');
    process.exit(0);
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  return stop;
}

/** Requests that came in are answered; connections without one end. */
async function closePort(server: Server): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeIdleConnections();
  await Promise.race([closed, sleep(LAST_REQUEST_MS)]);
  server.closeAllConnections();
}

main().catch((error: unknown) => {
  process.stderr.write(`${explain(error)}\n`);
  process.exit(1);
});

/** What went wrong at start, for a person at a terminal: no stack trace for what they can correct. */
function explain(error: unknown): string {
  if (error instanceof SettingsError) {
    const list = error.problems.map((problem) => `  - ${problem}`).join('\n');
    return `Recado cannot start: ${error.message}.\n${list}\nAll settings with their meaning are in .env.example.`;
  }
  if (error instanceof Failure) return `Recado cannot start: ${error.message}`;
  if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') {
    return 'Recado cannot start: the port is in use. Stop what listens there, or set PORT to another one.';
  }
  return `Recado cannot start: ${error instanceof Error ? error.stack : String(error)}`;
}
