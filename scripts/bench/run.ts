/** The scenarios: floor and bot are loaded in turns, so that what slows this machine for a while slows both. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { LoadFigures, LoadOrder } from './load.ts';
import type { ModelFigures, ModelOrder } from './model.ts';
import { sendPhotos } from './pictures.ts';
import { type Contestant, type LogFigures, type Stage, type StageOptions, setStage } from './stage.ts';
import { median, type Row } from './table.ts';
import type { RedisConnection } from './thin-clients.ts';
import { forgetPeak, usageOf } from './usage.ts';

/** How much is done. */
export interface Sizes {
  /** How often floor and bot take turns in each scenario, beside the slow one. */
  rounds: number;
  /** How many people write at once in the first scenarios. */
  concurrent: number;
  /** Messages of one person in a round. */
  turns: number;
  /** How many people, one after the other, write on a connection in a round of the first scenario. */
  peoplePerConnection: number;
  /** How many messages a person has written before the "long histories" begin; 30 and each has been rolled. */
  earlier: number;
  /** The slow model: rounds, people, messages of each, how long it thinks (ms). */
  slow: { rounds: number; people: number; turns: number; delayMs: number };
  /** How many messages the long conversation has. */
  conversation: number;
}

export interface Results {
  groups: { heading: string; rows: Row[] }[];
  /** What must not have happened: answers wrong or missing, words forgotten. */
  failures: string[];
  /** How often the bot had each Redis command run for one message, inside its scripts too. */
  redisCommands: Record<string, number>;
  log: LogFigures;
}

export interface BenchOptions extends StageOptions {
  sizes: Sizes;
  /** Told how it goes. */
  say: (line: string) => void;
}

/** What one round gave. */
interface Measured extends LoadFigures {
  messages: number;
  cpuPer1000: number;
  model: ModelFigures;
  /** Commands by name, and how often Redis had something to read, while it lasted. */
  redis: RedisFigures;
}

/** Lengths of messages in words: short, as most are, and longer, as in a real conversation. */
const SHORT = { words: 12, answerWords: 25 };
const LONG = { words: 30, answerWords: 60 };
/** On each connection. */
const PEOPLE_WITH_HISTORIES = 4;
const PHOTOS = 20;
/** At these turns the size of the prompt is printed. */
const TOLD_TURNS = [1, 10, 50, 200, 1_000];

export async function runBench({ sizes, say, ...options }: BenchOptions): Promise<Results> {
  say('Starting Redis, the model server, the floor and the bot');
  const stage = await setStage(options);
  try {
    const results = await perform(stage, sizes, say);
    say('Stopping');
    await stage.stop();
    const log = await stage.readLog();
    for (const line of log.troubles) results.failures.push(`the bot logged ${line}`);
    return { ...results, log };
  } finally {
    options.children.killAll();
    stage.clear();
  }
}

async function perform(stage: Stage, sizes: Sizes, say: (line: string) => void): Promise<Omit<Results, 'log'>> {
  const failures: string[] = [];
  let nextPerson = 1;
  const at64 = { concurrent: sizes.concurrent, firstTurn: 1, turns: sizes.turns, staggerMs: 0 };

  const shortOrder = (): Load => {
    const order = { ...at64, ...SHORT, peoplePerConnection: sizes.peoplePerConnection, firstPerson: nextPerson };
    nextPerson += sizes.concurrent * sizes.peoplePerConnection;
    return order;
  };
  say(`${sizes.concurrent} people at once, the model answers at once`);
  for (const who of [stage.floor, stage.bot]) await measure(who, shortOrder(), QUICK, 'warming up');
  const busy = await inTurns('messages', sizes.rounds, shortOrder, QUICK);

  say(`${sizes.concurrent} people with long histories`);
  const longOnes = nextPerson;
  nextPerson += sizes.concurrent * PEOPLE_WITH_HISTORIES;
  let turn = 1;
  const longOrder = (turns: number): Load => {
    const order = {
      ...at64,
      ...LONG,
      peoplePerConnection: PEOPLE_WITH_HISTORIES,
      firstPerson: longOnes,
      firstTurn: turn,
      turns,
    };
    turn += turns;
    return order;
  };
  await measure(stage.bot, longOrder(sizes.earlier), QUICK, 'talking for a while');
  const long = await inTurns('long histories', sizes.rounds, () => longOrder(sizes.turns), QUICK);

  const { slow } = sizes;
  say(`${slow.people} people, the model thinks for ${slow.delayMs} ms`);
  const slowOrder = (): Load => {
    const order = {
      ...SHORT,
      concurrent: slow.people,
      peoplePerConnection: 1,
      firstTurn: 1,
      turns: slow.turns,
      staggerMs: slow.delayMs,
      firstPerson: nextPerson,
    };
    nextPerson += slow.people;
    return order;
  };
  for (const who of [stage.floor, stage.bot])
    await measure(who, slowOrder(), { ...QUICK, delayMs: slow.delayMs }, 'warming up');
  const waited = await inTurns('a slow model', slow.rounds, slowOrder, { ...QUICK, delayMs: slow.delayMs });
  const memory = both((who) => [usageOf(who.pid)]);

  say(`One conversation of ${sizes.conversation} messages`);
  const talkOrder = (turns: number): Load => {
    return {
      ...LONG,
      concurrent: 1,
      peoplePerConnection: 1,
      firstTurn: 1,
      turns,
      staggerMs: 0,
      firstPerson: nextPerson++,
    };
  };
  const alone = await measure(stage.floor, talkOrder(Math.min(200, sizes.conversation)), QUICK, 'conversation');
  const talk = await measure(stage.bot, talkOrder(sizes.conversation), { ...QUICK, watch: true }, 'conversation');
  if (talk.model.forgotten > 0) failures.push(`the bot forgot the message before in ${talk.model.forgotten} prompts`);

  say(`${PHOTOS} photos of 12 megapixels at once`);
  forgetPeak(stage.bot.pid);
  await stage.model.ask({ ...QUICK, words: SHORT.answerWords } satisfies ModelOrder);
  const seen = await sendPhotos(stage.bot.port, PHOTOS);
  if (seen !== PHOTOS) failures.push(`only ${seen} of ${PHOTOS} photos were answered`);
  const peak = usageOf(stage.bot.pid).peakMb;

  return {
    groups: [
      { heading: `${sizes.concurrent} people at once, the model answers at once`, rows: busyRows(busy) },
      { heading: `the same with long histories (rolled at least once)`, rows: longRows(long) },
      {
        heading: `${slow.people} people, the model takes ${slow.delayMs} ms`,
        rows: slowRows(waited, memory, slow.delayMs),
      },
      { heading: `one conversation of ${sizes.conversation} messages`, rows: talkRows(alone, talk) },
      {
        heading: `${PHOTOS} photos of 12 megapixels at once`,
        rows: [
          {
            name: 'resident memory at its highest, MB',
            digits: 0,
            floor: [],
            bot: [peak],
            ratio: false,
            aim: { most: 600, of: 'bot' },
          },
        ],
      },
    ],
    failures,
    redisCommands: perMessage(talk),
  };

  async function inTurns(name: string, rounds: number, order: () => Load, manners: Manners): Promise<Pair<Measured>> {
    const pair: Pair<Measured> = { floor: [], bot: [] };
    for (let round = 1; round <= rounds; round++) {
      const load = order();
      for (const who of round % 2 === 1 ? FLOOR_FIRST : BOT_FIRST) {
        // The bot remembers, the floor does not: the same people may write to both.
        pair[who].push(await measure(stage[who], load, manners, `${name} ${round}/${rounds}`));
      }
    }
    return pair;
  }

  async function measure(who: Contestant, load: Load, manners: Manners, label: string): Promise<Measured> {
    await stage.model.ask({ ...manners, words: load.answerWords } satisfies ModelOrder);
    await stage.people.ask({ ...load, port: who.port } satisfies LoadOrder);
    const redisBefore = await redisFigures(stage.redis);
    const before = usageOf(who.pid);
    // What the processes answer these questions with, see there.
    const figures = (await stage.people.ask('go')) as LoadFigures;
    await sleep(SETTLE_MS);
    const cpuSeconds = usageOf(who.pid).cpuSeconds - before.cpuSeconds;
    const redis = subtract(await redisFigures(stage.redis), redisBefore);
    const model = (await stage.model.ask('figures')) as ModelFigures;
    const messages = load.concurrent * load.peoplePerConnection * load.turns;
    const measured = { ...figures, messages, cpuPer1000: (cpuSeconds / messages) * 1_000, redis, model };
    say(`  ${who.name.padEnd(5)} ${label.padEnd(20)} ${toldOf(measured)}`);
    if (figures.right !== messages) failures.push(`${who.name}, ${label}: ${problemOf(figures)}`);
    return measured;
  }

  function both<Result>(of: (who: Contestant) => Result): { floor: Result; bot: Result } {
    return { floor: of(stage.floor), bot: of(stage.bot) };
  }
}

type Load = Omit<LoadOrder, 'port'>;
type Manners = Omit<ModelOrder, 'words'>;
type Pair<Item> = { floor: Item[]; bot: Item[] };

const QUICK: Manners = { delayMs: 0, watch: false };
const FLOOR_FIRST = ['floor', 'bot'] as const;
const BOT_FIRST = ['bot', 'floor'] as const;
/** What a turn does after its answer is counted, too; it has so long to do it. */
const SETTLE_MS = 300;

function toldOf({ messages, seconds, cpuPer1000, p50, p99 }: Measured): string {
  const rate = Math.round(messages / seconds);
  return `${rate} messages/s, ${cpuPer1000.toFixed(3)} CPU s per 1,000, p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`;
}

function problemOf({ wrong, missing, unasked, problem }: LoadFigures): string {
  return `${wrong} answers wrong, ${missing} missing or late, ${unasked} not asked for. The first: ${problem}`;
}

function busyRows(rounds: Pair<Measured>): Row[] {
  return [
    row('CPU seconds per 1,000 messages', 3, rounds, (m) => m.cpuPer1000, { aim: { most: 2.5, of: 'ratio' } }),
    row('messages per second', 0, rounds, (m) => m.messages / m.seconds),
    row('p50, ms', 1, rounds, (m) => m.p50),
    row('p99, ms', 1, rounds, (m) => m.p99),
    row('model calls per message', 2, rounds, (m) => (m.model.answers + m.model.summaries) / m.messages, {
      ratio: false,
    }),
  ];
}

function longRows(rounds: Pair<Measured>): Row[] {
  return [
    row('CPU seconds per 1,000 messages', 3, rounds, (m) => m.cpuPer1000),
    row('messages per second', 0, rounds, (m) => m.messages / m.seconds),
    row('model calls per message', 2, rounds, (m) => (m.model.answers + m.model.summaries) / m.messages, {
      ratio: false,
    }),
  ];
}

function slowRows(rounds: Pair<Measured>, memory: Pair<ReturnType<typeof usageOf>>, delayMs: number): Row[] {
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
  const only = (name: string, digits: number, value: number, aim?: Row['aim']): Row => {
    return { name, digits, floor: [], bot: [value], ratio: false, ...(aim && { aim }) };
  };
  return [
    row('Redis round trips per message', 2, pair, (m) => m.redis.reads / m.messages),
    row(
      'Redis commands per message, scripts inside',
      1,
      pair,
      (m) => sum(Object.values(m.redis.commands)) / m.messages,
    ),
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

interface RedisFigures {
  /** How often it was called, by name; scripts' inner calls count. Without our own asking. */
  commands: Record<string, number>;
  /** How often there was something to read from a client: with one message at a time, the round trips. */
  reads: number;
}

async function redisFigures(redis: RedisConnection): Promise<RedisFigures> {
  const [stats, commands] = await Promise.all([redis.text('INFO', 'stats'), redis.text('INFO', 'commandstats')]);
  const counted = [...commands.matchAll(/^cmdstat_(\S+?):calls=(\d+)/gm)].map(
    ([, name = '', calls]) => [name, Number(calls)] as const,
  );
  return {
    commands: Object.fromEntries(counted.filter(([name]) => name !== 'info')),
    reads: Number(/total_reads_processed:(\d+)/.exec(stats)?.[1]),
  };
}

function subtract(after: RedisFigures, before: RedisFigures): RedisFigures {
  const commands = Object.entries(after.commands).map(
    ([name, calls]) => [name, calls - (before.commands[name] ?? 0)] as const,
  );
  // Our own asking was one read.
  return {
    commands: Object.fromEntries(commands.filter(([, calls]) => calls > 0)),
    reads: after.reads - before.reads - 1,
  };
}

function perMessage({ redis, messages }: Measured): Record<string, number> {
  const often = Object.entries(redis.commands).sort(([, a], [, b]) => b - a);
  return Object.fromEntries(
    often.map(([name, calls]) => [name, calls / messages]).filter(([, calls]) => Number(calls) >= 0.005),
  );
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
