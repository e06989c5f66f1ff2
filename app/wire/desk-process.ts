/**
 * The desk (archive, analysis and inbox) as a process beside the one that answers: what it does never holds up a webhook. Requests for it
 * come in at the other's port and are handed on over a unix socket.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { type Child, GIVES_WAY, keepRunning } from '../embedded/child.ts';
import { listens } from '../embedded/folder.ts';
import { Failure } from '../errors.ts';
import type { Log } from '../ops/logger.ts';
import { FIGURES_PATH } from '../ops/metrics.ts';
import type { StandIns, Told } from './stand-ins.ts';

export interface DeskProcess {
  /** Where it listens, or will. */
  socket: string;
  /** Starts it; it is started again when it ends unexpectedly. Nobody waits for it. */
  start(): void;
  /** Resolves when it answers. */
  ping(): Promise<void>;
  /** Its figures, as it says them at `/metrics.json`. */
  figures(): Promise<unknown>;
  /** Ends it in order. */
  stop(): Promise<void>;
}

export interface DeskProcessOptions {
  standIns: StandIns;
  /** How this program is run: Node's arguments and our file. */
  args: readonly string[];
  /** Of this process; the other one gets it, too. */
  environment: Record<string, string | undefined>;
  /** The name in the environment under which it is told. */
  toldAs: string;
  /** Of the inbox: the one that was generated counts in both. */
  password: string;
  log: Log;
}

export async function createDeskProcess(options: DeskProcessOptions): Promise<DeskProcess> {
  const { standIns, args, environment, toldAs, password, log } = options;
  const { redis, twilio, meta, model, trustedOrigins, isSimulated, database } = standIns;
  const folder = await mkdtemp(join(tmpdir(), 'recado-desk-')); // for this user alone
  const socket = join(folder, 'http.sock');
  const told: Told = { socket, database: database.url, redis, twilio, meta, model, trustedOrigins, isSimulated };
  let running: Promise<Child> | undefined;
  return { socket, start, ping, figures: () => ask(socket, FIGURES_PATH), stop };

  function start(): void {
    running ??= keepRunning({
      name: 'The desk',
      binary: process.execPath,
      args,
      environment: { ...environment, ADMIN_PASSWORD: password, [toldAs]: JSON.stringify(told) },
      isOurs: true,
      niceness: GIVES_WAY,
      stopSignal: 'SIGTERM',
      answers: () => listens(socket),
      lineOf: (line) => line,
      code: 'desk.unavailable',
      remedy: 'Contacts are answered; the inbox shows nothing.',
      log,
    });
  }

  async function ping(): Promise<void> {
    await ask(socket, '/healthz');
  }

  async function stop(): Promise<void> {
    await (await running)?.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

function ask(socketPath: string, path: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const asked = get({ socketPath, path, timeout: 2_000 }, (answer) => resolve(json(answer)));
    asked.once('timeout', () => asked.destroy(new Failure('desk.unavailable', 'The desk says nothing.')));
    asked.once('error', reject);
  });
}
