/** Lets people write to somebody, and measures what that costs. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { LoadFigures, LoadOrder } from './load.ts';
import type { ModelFigures, ModelOrder } from './model.ts';
import { type RedisFigures, redisFigures, subtract } from './redis.ts';
import type { Contestant, Stage } from './stage.ts';
import { usageOf } from './usage.ts';

export type Load = Omit<LoadOrder, 'port'>;
export type Manners = Omit<ModelOrder, 'words'>;

/** What one round gave. */
export interface Measured extends LoadFigures {
  messages: number;
  cpuPer1000: number;
  model: ModelFigures;
  /** Commands by name, and how often Redis had something to read, while it lasted. */
  redis: RedisFigures;
}

export type Measure = (who: Contestant, load: Load, manners: Manners, label: string) => Promise<Measured>;

/** A model that answers at once. */
export const AT_ONCE: Manners = { delayMs: 0, watch: false };

/** Lengths of messages in words: short, as most are, and longer, as in a real conversation. */
export const SHORT = { words: 12, answerWords: 25 };
export const LONG = { words: 30, answerWords: 60 };

/** What a turn does after its answer is counted, too; it has so long to do it. */
const SETTLE_MS = 300;

/** @param failures takes what must not have happened */
export function createMeasure(stage: Stage, failures: string[], say: (line: string) => void): Measure {
  return async function measure(who, load, manners, label) {
    await prepare(stage, who, load, manners);
    const redisBefore = await redisFigures(stage.redis);
    const before = usageOf(who.pid);
    const figures = await write(stage);
    await sleep(SETTLE_MS);
    const cpuSeconds = usageOf(who.pid).cpuSeconds - before.cpuSeconds;
    const redis = subtract(await redisFigures(stage.redis), redisBefore);
    const model = (await stage.model.ask('figures')) as ModelFigures;
    const messages = messagesOf(load);
    const measured = { ...figures, messages, cpuPer1000: (cpuSeconds / messages) * 1_000, redis, model };
    say(`  ${who.name.padEnd(5)} ${label.padEnd(20)} ${toldOf(measured)}`);
    if (figures.right !== messages) failures.push(`${who.name}, ${label}: ${problemOf(figures)}`);
    return measured;
  };
}

/** The model knows its manners, and everything is signed. */
export async function prepare({ model, people }: Stage, { port }: Contestant, load: Load, manners: Manners) {
  await model.ask({ ...manners, words: load.answerWords } satisfies ModelOrder);
  await people.ask({ ...load, port } satisfies LoadOrder);
}

/** The people write what was prepared; resolves with the last answer. */
export async function write({ people }: Stage): Promise<LoadFigures> {
  return (await people.ask('go')) as LoadFigures; // that is its answer, see there
}

export function messagesOf({ concurrent, peoplePerConnection, turns }: Load): number {
  return concurrent * peoplePerConnection * turns;
}

export function problemOf({ wrong, missing, unasked, problem }: LoadFigures): string {
  return `${wrong} answers wrong, ${missing} missing or late, ${unasked} not asked for. The first: ${problem}`;
}

function toldOf({ messages, seconds, cpuPer1000, p50, p99 }: Measured): string {
  const rate = Math.round(messages / seconds);
  return `${rate} messages/s, ${cpuPer1000.toFixed(3)} CPU s per 1,000, p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`;
}
