/** What a set-up needs while people write: CPU beside the floor's, patience, memory. */
import { setTimeout as sleep } from 'node:timers/promises';
import { AT_ONCE, type Load, messagesOf, prepare, problemOf, SHORT, write } from '../measure.ts';
import { familyCpuSeconds, familyMemory, untilQuiet } from '../processes.ts';
import type { Program } from '../program.ts';
import type { Crowd } from '../scenarios.ts';
import type { SetupSizes } from '../sizes.ts';
import type { Contestant, Stage } from '../stage.ts';
import { connectHttp } from '../thin-clients.ts';
import { usageOf } from '../usage.ts';
import type { Scene } from './scene.ts';

export async function idle({ sizes, note, say }: Scene, { pid }: Program): Promise<void> {
  await sleep(sizes.idleMs);
  const { own, all } = familyMemory(pid);
  note('idleOwn', own);
  note('idleAll', all);
  say(`  idle: ${own.toFixed(0)} MB, all processes ${all.toFixed(0)} MB`);
}

/** Floor and set-up in turns. The CPU is counted until everything is archived and analysed. */
export async function busy(scene: Scene, program: Program): Promise<void> {
  const { stage, sizes, failures, note, say } = scene;
  await load({ stage, who: program, order: busyOrder(sizes, scene.people), failures }); // warming up
  for (let round = 1; round <= sizes.rounds; round++) {
    const floor = async () => {
      const order = busyOrder(sizes, scene.people, FLOOR_TIMES);
      const before = usageOf(stage.floor.pid).cpuSeconds;
      await load({ stage, who: stage.floor, order, failures });
      return (usageOf(stage.floor.pid).cpuSeconds - before) / messagesOf(order);
    };
    const early = round % 2 === 1 ? await floor() : null;
    const order = busyOrder(sizes, scene.people);
    const own = usageOf(program.pid).cpuSeconds;
    const all = familyCpuSeconds(program.pid);
    const { seconds, delayMs } = await load({ stage, who: program, order, failures });
    const ownCpu = (usageOf(program.pid).cpuSeconds - own) / messagesOf(order);
    const allCpu = (familyCpuSeconds(program.pid) - all) / messagesOf(order);
    const floorCpu = early ?? (await floor());
    note('rate', messagesOf(order) / seconds);
    note('ownCpu', ownCpu / floorCpu);
    note('allCpu', allCpu / floorCpu);
    note('busyDelay', delayMs);
    const ratios = `${(ownCpu / floorCpu).toFixed(2)} and ${(allCpu / floorCpu).toFixed(2)} times the floor's CPU`;
    say(`  messages ${round}/${sizes.rounds}: ${(messagesOf(order) / seconds).toFixed(0)}/s, ${ratios}`);
  }
}

export async function slow(scene: Scene, program: Program): Promise<void> {
  const { stage, sizes, failures, note, say } = scene;
  const { people, turns, delayMs: thinkingMs } = sizes.slow;
  const order = (turns: number): Load => {
    const firstPerson = scene.people(people);
    const each = { concurrent: people, peoplePerConnection: 1, firstTurn: 1, turns, staggerMs: thinkingMs };
    return { ...SHORT, ...each, firstPerson };
  };
  await load({ stage, who: program, order: order(1), thinkingMs, failures }); // warming up
  for (let round = 1; round <= sizes.rounds; round++) {
    const { p99, delayMs } = await load({ stage, who: program, order: order(turns), thinkingMs, failures });
    note('addedP99', p99 - thinkingMs);
    note('waitingDelay', delayMs);
    say(`  a slow model ${round}/${sizes.rounds}: added p99 ${(p99 - thinkingMs).toFixed(1)} ms`);
  }
  const { own, all } = familyMemory(program.pid);
  note('loadedOwn', own);
  note('loadedAll', all);
  say(`  after the load: ${own.toFixed(0)} MB, all processes ${all.toFixed(0)} MB`);
}

/** The floor needs so little that its CPU, which is counted in hundredths of a second, is that of so many times the messages. */
const FLOOR_TIMES = 3;

export function busyOrder({ busy: { turns, ...sizes } }: SetupSizes, people: Crowd, times = 1): Load {
  const peoplePerConnection = sizes.peoplePerConnection * times;
  const { concurrent } = sizes;
  const firstPerson = people(concurrent * peoplePerConnection);
  return { ...SHORT, concurrent, peoplePerConnection, turns, firstTurn: 1, staggerMs: 0, firstPerson };
}

interface LoadOptions {
  stage: Stage;
  who: Contestant;
  order: Load;
  /** How long the model takes, ms. Default: it answers at once. */
  thinkingMs?: number;
  failures: string[];
}

/** Resolves when nothing is left to be done. `delayMs` is the 99th percentile of the event loop's delay until the last answer. */
export async function load({ stage, who, order, thinkingMs = 0, failures }: LoadOptions) {
  await prepare(stage, who, order, { ...AT_ONCE, delayMs: thinkingMs });
  const isFloor = who === stage.floor;
  if (!isFloor) await eventLoopDelayMs(who); // from here on it is noted
  const figures = await write(stage);
  const delayMs = isFloor ? Number.NaN : await eventLoopDelayMs(who);
  if (figures.right !== messagesOf(order)) failures.push(`${who.name}: ${problemOf(figures)}`);
  if (thinkingMs === 0) await untilQuiet(who.pid);
  return { ...figures, delayMs };
}

/** Since the last look, ms. */
async function eventLoopDelayMs({ port }: Contestant): Promise<number> {
  const connection = await connectHttp({ port, host: '127.0.0.1' });
  const { body } = await connection.exchange('GET /metrics HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n');
  connection.close();
  return Number(/^recado_event_loop_delay_p99_seconds\{process="bot"\} (\S+)$/m.exec(body)?.[1]) * 1_000;
}
