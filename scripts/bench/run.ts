/** The bot alone in detail: starts all that is needed, has the scenarios performed, and stops it. */
import { join } from 'node:path';
import type { Children } from './children.ts';
import { createMeasure } from './measure.ts';
import {
  answeringAlone,
  isWarning,
  type LogFigures,
  type Program,
  productionSettings,
  readLog,
  spawnProgram,
  untilReady,
} from './program.ts';
import type { Group } from './rows.ts';
import { perform } from './scenarios.ts';
import type { Sizes } from './sizes.ts';
import { type Stage, setStage } from './stage.ts';

export interface Results {
  groups: Group[];
  /** What must not have happened: answers wrong or missing, words forgotten. */
  failures: string[];
  /** How often the bot had each Redis command run for one message, inside its scripts too. */
  redisCommands: Record<string, number>;
  log: LogFigures;
}

export interface BenchOptions {
  sizes: Sizes;
  children: Children;
  /** Runs the bot as it was built, see `ProgramOptions`. */
  built: boolean;
  /** Where the bot leaves a CPU profile when it ends; null for none. */
  profileDir: string | null;
  /** Told how it goes. */
  say: (line: string) => void;
}

export async function runBench(options: BenchOptions): Promise<Results> {
  const { sizes, children, say } = options;
  say('Starting Redis, the model server, the floor and the bot');
  const stage = await setStage(children);
  const failures: string[] = [];
  try {
    const bot = await startBot(stage, options);
    const measure = createMeasure(stage, failures, say);
    const found = await perform({ stage, bot, measure, sizes, failures, say });
    say('Stopping');
    await children.end(bot.child, STOP_MS);
    await stage.stop();
    const log = await readLog(bot.logFile, isWarning);
    for (const line of log.troubles) failures.push(`the bot logged ${line}`);
    return { ...found, failures, log };
  } finally {
    children.killAll();
    stage.clear();
  }
}

/** It finishes what runs, as an operator's signal would have it. */
const STOP_MS = 30_000;

async function startBot(stage: Stage, { children, built, profileDir }: BenchOptions): Promise<Program> {
  const bot = await spawnProgram({
    children,
    built,
    nodeArgs: profileDir ? ['--cpu-prof', '--cpu-prof-dir', profileDir] : [],
    name: 'bot',
    folder: join(stage.directory, 'bot'),
    environment: { ...productionSettings(stage.places), ...answeringAlone(stage.places) },
  });
  await untilReady(bot);
  return bot;
}
