/** The rows of the table about the bot alone. */
import type { Measured } from './measure.ts';
import type { Sizes } from './sizes.ts';
import { median, type Row } from './table.ts';
import type { Usage } from './usage.ts';

/** Rows under a heading. */
export interface Group {
  heading: string;
  rows: Row[];
}

export type Pair<Item> = { floor: Item[]; bot: Item[] };

/** What the scenarios gave. */
interface Found {
  busy: Pair<Measured>;
  long: Pair<Measured>;
  waited: Pair<Measured>;
  memory: Pair<Usage>;
  alone: Measured;
  talk: Measured;
  peakMb: number;
  sizes: Sizes;
  photos: number;
}

/** At these turns the size of the prompt is printed. */
const TOLD_TURNS = [1, 10, 50, 200, 1_000];

export function groupsOf({ busy, long, waited, memory, alone, talk, peakMb, sizes, photos }: Found): Group[] {
  const { concurrent, slow, conversation } = sizes;
  return [
    { heading: `${concurrent} people at once, the model answers at once`, rows: busyRows(busy) },
    { heading: `the same with long histories (rolled at least once)`, rows: longRows(long) },
    {
      heading: `${slow.people} people, the model takes ${slow.delayMs} ms`,
      rows: slowRows(waited, memory, slow.delayMs),
    },
    { heading: `one conversation of ${conversation} messages`, rows: talkRows(alone, talk) },
    {
      heading: `${photos} photos of 12 megapixels at once`,
      rows: [only('resident memory at its highest, MB', 0, peakMb, { most: 600, of: 'bot' })],
    },
  ];
}

function busyRows(rounds: Pair<Measured>): Row[] {
  return [
    row('CPU seconds per 1,000 messages', 3, rounds, (m) => m.cpuPer1000, { aim: { most: 2.5, of: 'ratio' } }),
    row('messages per second', 0, rounds, (m) => m.messages / m.seconds),
    row('p50, ms', 1, rounds, (m) => m.p50),
    row('p99, ms', 1, rounds, (m) => m.p99),
    modelCalls(rounds),
  ];
}

function longRows(rounds: Pair<Measured>): Row[] {
  return [
    row('CPU seconds per 1,000 messages', 3, rounds, (m) => m.cpuPer1000),
    row('messages per second', 0, rounds, (m) => m.messages / m.seconds),
    modelCalls(rounds),
  ];
}

function modelCalls(rounds: Pair<Measured>): Row {
  const perMessage = (m: Measured) => (m.model.answers + m.model.summaries) / m.messages;
  return row('model calls per message', 2, rounds, perMessage, { ratio: false });
}

function slowRows(rounds: Pair<Measured>, memory: Pair<Usage>, delayMs: number): Row[] {
  return [
    row('added p50, ms', 1, rounds, (m) => m.p50 - delayMs),
    row('added p99, ms', 1, rounds, (m) => m.p99 - delayMs, { aim: { most: 10, of: 'bot' } }),
    row('CPU seconds per 1,000 messages', 3, rounds, (m) => m.cpuPer1000),
    row('resident memory after it, MB', 0, memory, (usage) => usage.residentMb),
    row('resident memory at its highest, MB', 0, memory, (usage) => usage.peakMb),
  ];
}

function talkRows(floor: Measured, bot: Measured): Row[] {
  const pair = { floor: [floor], bot: [bot] };
  const { promptTokens, answers, summaries } = bot.model;
  const commands = (m: Measured) => sum(Object.values(m.redis.commands)) / m.messages;
  return [
    row('Redis round trips per message', 2, pair, (m) => m.redis.reads / m.messages),
    row('Redis commands per message, scripts inside', 1, pair, commands),
    only('model calls per answer', 2, answers / bot.messages),
    only('rolls into the summary', 0, summaries),
    only('answers per roll', 1, answers / summaries),
    ...TOLD_TURNS.filter((turn) => turn <= promptTokens.length).map((turn) =>
      only(`prompt tokens at turn ${turn}`, 0, promptTokens[turn - 1] ?? Number.NaN),
    ),
    only('prompt tokens at most', 0, Math.max(...promptTokens)),
    only('later median ÷ that of turns 41 to 60', 2, growth(promptTokens), { most: 1.1, of: 'bot' }),
  ];
}

/** How much dearer a prompt is at the end than it was around turn 50; NaN for conversations too short to tell. */
function growth(promptTokens: readonly number[]): number {
  return median(promptTokens.slice(60)) / median(promptTokens.slice(40, 60));
}

function row<Item>(
  name: string,
  digits: number,
  { floor, bot }: Pair<Item>,
  of: (item: Item) => number,
  more: Pick<Row, 'aim' | 'ratio'> = {},
): Row {
  return { name, digits, floor: floor.map(of), bot: bot.map(of), ...more };
}

/** What was measured of the bot alone. */
function only(name: string, digits: number, value: number, aim?: Row['aim']): Row {
  return { name, digits, floor: [], bot: [value], ratio: false, ...(aim && { aim }) };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
