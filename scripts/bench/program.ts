/** The bot as a process of its own, with the settings it would have in production. */
import type { ChildProcess } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { closeSync, createReadStream, existsSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Children } from './children.ts';
import { type Contestant, type Places, StoppedError, untilStarted } from './stage.ts';
import { connectHttp } from './thin-clients.ts';
import { ACCOUNT_SID, ANALYSIS_MODEL, ANSWER_MODEL, AUTH_TOKEN, PUBLIC_URL, SUMMARY_MODEL } from './webhooks.ts';

/** `npm start` and the image run Node with it. */
const AS_NPM_START = '--max-semi-space-size=64';

export interface Program extends Contestant {
  child: ChildProcess;
  logFile: string;
  /** By `performance.now()`. */
  spawnedAt: number;
  /** Tries again and again, until it works; rejects at once with what the program said when it has ended. */
  until<Result>(attempt: () => Promise<Result>, everyMs?: number): Promise<Result>;
}

export interface ProgramOptions {
  children: Children;
  /** Runs it as it was built (`dist`), as people do; else from its sources, which costs a little more. */
  built: boolean;
  nodeArgs?: readonly string[];
  /** How it is called. */
  name: string;
  /** Its working directory, with its log and its data. Another one than the project's, so that no `.env` is read. */
  folder: string;
  environment: Record<string, string>;
}

/** Spawns it and returns at once. */
export async function spawnProgram(options: ProgramOptions & { port?: number | undefined }): Promise<Program> {
  const { children, built, nodeArgs = [], name, folder, environment, port = await freePort() } = options;
  mkdirSync(folder, { recursive: true });
  const logFile = join(folder, 'bot.log');
  const output = openSync(logFile, 'a');
  const spawnedAt = performance.now();
  const child = children.spawnModule(
    { source: 'app/main.ts', built: built ? 'dist/app/main.js' : null },
    [AS_NPM_START, ...nodeArgs],
    { cwd: folder, env: { ...environment, PORT: String(port), DATA_DIR: join(folder, 'data') }, output },
  );
  closeSync(output);
  return { name, port, pid: child.pid ?? 0, child, logFile, spawnedAt, until };

  function until<Result>(attempt: () => Promise<Result>, everyMs?: number): Promise<Result> {
    return untilStarted(
      name,
      () => {
        if (child.exitCode === null && child.signalCode === null) return attempt();
        throw new StoppedError(`${name} has ended:\n${readFileSync(logFile, 'utf8').slice(-2_000)}`);
      },
      everyMs,
    );
  }
}

/** Until messages can be stored. */
export async function untilReady({ until, port }: Program): Promise<void> {
  await until(async () => {
    const connection = await connectHttp({ port, host: '127.0.0.1' });
    const { status } = await connection.exchange('GET /readyz HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n');
    connection.close();
    if (status !== 200) throw new Error(`/readyz says ${status}`);
  });
}

/** For the API of the inbox. */
export const API_KEY = 'bench-api-key-0123456789';

/** As in production, without stores. Nothing of the operator's own environment but where programs are. */
export function productionSettings({ modelPort, twilioPort }: Places): Record<string, string> {
  return {
    PATH: process.env.PATH ?? '',
    NODE_ENV: 'production',
    PUBLIC_URL,
    TWILIO_ACCOUNT_SID: ACCOUNT_SID,
    TWILIO_AUTH_TOKEN: AUTH_TOKEN,
    // A server of ours: nothing leaves this machine.
    TWILIO_API_BASE_URL: `http://127.0.0.1:${twilioPort}`,
    // Answers are compared as a whole.
    AI_DISCLOSURE: '',
    BUSINESS_PURPOSE: 'A bakery. Helps with opening hours and orders.',
    OPENAI_API_KEY: 'bench',
    OPENAI_BASE_URL: `http://127.0.0.1:${modelPort}/v1`,
    OPENAI_MODEL: ANSWER_MODEL,
    OPENAI_SUMMARY_MODEL: SUMMARY_MODEL,
    OPENAI_ANALYSIS_MODEL: ANALYSIS_MODEL,
    LOG_LEVEL: 'info',
    ADMIN_PASSWORD: 'bench-password-0123456789',
    API_KEYS: API_KEY,
    // The people of the bench write faster than people do.
    RATE_LIMIT_PER_MINUTE: '100000',
  };
}

/** Answering alone: no desk, and an archive at an address where no server is. */
export function answeringAlone({ redisSocket }: Places): Record<string, string> {
  return {
    ROLE: 'bot',
    REDIS_URL: `unix://${redisSocket}`,
    DATABASE_URL: 'postgres://nobody@127.0.0.1:9/nothing',
    ANALYSIS: 'off',
  };
}

export interface LogFigures {
  lines: number;
  answered: number;
  /** The first few lines that should not be there. */
  troubles: string[];
}

/** What a bot has logged; complete once it has ended. */
export async function readLog(file: string, isTrouble: (line: string) => boolean): Promise<LogFigures> {
  const figures: LogFigures = { lines: 0, answered: 0, troubles: [] };
  if (!existsSync(file)) return figures;
  for await (const line of createInterface({ input: createReadStream(file) })) {
    figures.lines++;
    if (line.includes('"message":"Answered"')) figures.answered++;
    if (isTrouble(line) && figures.troubles.length < 5) figures.troubles.push(line);
  }
  return figures;
}

/** Of a process that answers alone: its archive is away on purpose. */
export function isWarning(line: string): boolean {
  return /"level":"(?:warn|error)"/.test(line) && !line.includes('archive.unavailable');
}

/** Of a set-up: a part may be away while others start or stop. */
export function isError(line: string): boolean {
  return line.includes('"level":"error"') && !/(?:archive|desk)\.unavailable/.test(line);
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
