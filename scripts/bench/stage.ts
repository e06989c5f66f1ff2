/** Everything that takes part: a Redis, the model server, the floor, the bot, and the people. All on this machine. */
import { execFileSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { closeSync, createReadStream, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Children, Talking } from './children.ts';
import type { FloorOptions } from './floor.ts';
import { connectHttp, connectRedis, type RedisConnection } from './thin-clients.ts';
import { ACCOUNT_SID, ANSWER_MODEL, AUTH_TOKEN, PUBLIC_URL, SUMMARY_MODEL } from './webhooks.ts';

/** One of the two that are compared. */
export interface Contestant {
  name: 'floor' | 'bot';
  port: number;
  pid: number;
}

export interface Stage {
  floor: Contestant;
  bot: Contestant;
  model: Talking;
  people: Talking;
  redis: RedisConnection;
  /** Stops everything in order; the bot gets the signal that an operator would send. */
  stop(): Promise<void>;
  /** What the bot has logged; complete once it is stopped. */
  readLog(): Promise<LogFigures>;
  /** Removes all files. Called at the end in every case. */
  clear(): void;
}

export interface LogFigures {
  lines: number;
  answered: number;
  /** Lines that are warnings or errors, the first few. */
  troubles: string[];
}

export interface StageOptions {
  children: Children;
  /** Runs the bot as it was built (`dist`), as people do; else from its sources, which costs a little more. */
  built: boolean;
  /** Where the bot leaves a CPU profile when it ends; null for none. */
  profileDir: string | null;
}

/** How long one part may take to start. */
const START_MS = 120_000;

export async function setStage(options: StageOptions): Promise<Stage> {
  const directory = mkdtempSync(join(tmpdir(), `recado-bench-${process.pid}-`));
  const clear = () => rmSync(directory, { recursive: true, force: true });
  // Also when the bench is interrupted.
  process.once('exit', clear);
  try {
    return { ...(await start(directory, options)), clear };
  } catch (error) {
    options.children.killAll();
    clear();
    throw error;
  }
}

async function start(directory: string, options: StageOptions): Promise<Omit<Stage, 'clear'>> {
  const { children } = options;
  const redisSocket = join(directory, 'redis.sock');
  const redisServer = startRedis(directory, redisSocket, children);
  const redis = await untilStarted('Redis', () => connectRedis(redisSocket));
  const model = children.fork('model', []);
  // What `serveModel` and the floor say first.
  const { port: modelPort } = (await model.ask()) as { port: number };
  const floorOptions: FloorOptions = { authToken: AUTH_TOKEN, publicUrl: PUBLIC_URL, redisSocket, modelPort };
  const floor = children.fork('floor', [JSON.stringify(floorOptions)]);
  const { port: floorPort } = (await floor.ask()) as { port: number };
  const photos = children.fork('pictures', []);
  const { port: filesPort } = (await photos.ask()) as { port: number };
  const logFile = join(directory, 'bot.log');
  const { child: bot, port: botPort } = await startBot(
    directory,
    logFile,
    { redisSocket, modelPort, filesPort },
    options,
  );
  const people = children.fork('load', []);
  return {
    floor: { name: 'floor', port: floorPort, pid: floor.child.pid ?? 0 },
    bot: { name: 'bot', port: botPort, pid: bot.pid ?? 0 },
    model,
    people,
    redis,
    async stop() {
      await children.end(bot, 30_000);
      await Promise.all([model, floor, people, photos].map(({ child }) => children.end(child)));
      redis.close();
      await children.end(redisServer);
    },
    readLog: () => readLog(logFile),
  };
}

/** Where the bot finds what it needs. */
interface BotPlaces {
  redisSocket: string;
  modelPort: number;
  filesPort: number;
}

/** As docker-compose runs it: append-only file, no eviction. */
function startRedis(directory: string, socket: string, children: Children) {
  const args = ['--port', '0', '--unixsocket', socket, '--dir', directory, '--appendonly', 'yes', '--save', ''];
  const output = openSync(join(directory, 'redis.log'), 'a');
  const child = children.spawn(redisCommand(), args, { cwd: directory, env: {}, output });
  closeSync(output);
  return child;
}

function redisCommand(): string {
  for (const command of ['redis-server', 'valkey-server']) {
    try {
      execFileSync(command, ['--version'], { stdio: 'ignore' });
      return command;
    } catch {
      // The next one may be there.
    }
  }
  throw new Error('The bench needs redis-server (or valkey-server) on the PATH: install it with your package manager.');
}

async function startBot(
  directory: string,
  logFile: string,
  places: BotPlaces,
  { children, built, profileDir }: StageOptions,
) {
  const port = await freePort();
  const output = openSync(logFile, 'a');
  // As `npm start` runs it.
  const nodeArgs = ['--max-semi-space-size=64', ...(profileDir ? ['--cpu-prof', '--cpu-prof-dir', profileDir] : [])];
  // Another working directory than the project's, so that no .env of the operator's is read.
  const child = children.spawnModule({ source: 'app/main.ts', built: built ? 'dist/app/main.js' : null }, nodeArgs, {
    cwd: directory,
    env: environment(port, directory, places),
    output,
  });
  closeSync(output);
  await untilStarted('The bot', async () => {
    if (child.exitCode !== null) throw new StoppedError(`The bot ended at once:\n${readFileSync(logFile, 'utf8')}`);
    const connection = await connectHttp({ port, host: '127.0.0.1' });
    const { status } = await connection.exchange('GET /readyz HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n');
    connection.close();
    if (status !== 200) throw new Error(`/readyz says ${status}`);
  });
  return { child, port };
}

/** As in production, everything on. Nothing of the operator's own environment but where programs are. */
function environment(port: number, directory: string, { redisSocket, modelPort, filesPort }: BotPlaces) {
  return {
    PATH: process.env.PATH,
    NODE_ENV: 'production',
    PORT: String(port),
    PUBLIC_URL,
    TWILIO_ACCOUNT_SID: ACCOUNT_SID,
    TWILIO_AUTH_TOKEN: AUTH_TOKEN,
    // A server of ours: nothing leaves this machine.
    TWILIO_API_BASE_URL: `http://127.0.0.1:${filesPort}`,
    OPENAI_API_KEY: 'bench',
    OPENAI_BASE_URL: `http://127.0.0.1:${modelPort}/v1`,
    OPENAI_MODEL: ANSWER_MODEL,
    OPENAI_SUMMARY_MODEL: SUMMARY_MODEL,
    REDIS_URL: `unix://${redisSocket}`,
    // Answering is measured, not the archive: there is no server at this address.
    DATABASE_URL: 'postgres://nobody@127.0.0.1:9/nothing',
    DATA_DIR: join(directory, 'data'),
    LOG_LEVEL: 'info',
    // The analysis asks the model about each message again later: that is not measured here.
    ANALYSIS: 'off',
    ADMIN_PASSWORD: 'bench-password-0123456789',
    // The people of the bench write faster than people do.
    RATE_LIMIT_PER_MINUTE: '100000',
  };
}

/** A failure that waiting does not mend. */
class StoppedError extends Error {}

async function untilStarted<Result>(what: string, attempt: () => Promise<Result>): Promise<Result> {
  for (const deadline = Date.now() + START_MS; ; ) {
    try {
      return await attempt();
    } catch (error) {
      if (error instanceof StoppedError) throw error;
      if (Date.now() > deadline)
        throw new Error(`${what} did not start within ${START_MS / 1_000} s`, { cause: error });
      await sleep(50);
    }
  }
}

/** Below the range of ephemeral ports, so that no other program gets it before the part listens. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 32_000);
    const server = createServer();
    const isFree = await new Promise((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
    });
    if (isFree) return port;
  }
}

async function readLog(file: string): Promise<LogFigures> {
  const figures: LogFigures = { lines: 0, answered: 0, troubles: [] };
  if (!existsSync(file)) return figures;
  for await (const line of createInterface({ input: createReadStream(file) })) {
    figures.lines++;
    if (line.includes('"message":"Answered"')) figures.answered++;
    const isTrouble = line.includes('"level":"warn"') || line.includes('"level":"error"');
    // The archive is away on purpose, see `environment`.
    if (line.includes('archive.unavailable')) continue;
    if (isTrouble && figures.troubles.length < 5) figures.troubles.push(line);
  }
  return figures;
}
