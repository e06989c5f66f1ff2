/**
 * A process with all that it has started, and what they use together: the bot, the desk, and stores of their own.
 * Where there is no /proc, what has ended meanwhile is not counted, and shared memory is counted more than once.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { statOf, usageOf } from './usage.ts';

export interface Member {
  pid: number;
  name: string;
  /** One of ours: it runs in Node. */
  isNode: boolean;
  /** With the id it names a process for good; '' where that is not known. */
  startedAt: string;
}

const HAS_PROC = process.platform === 'linux';

/** The process, its children (also those that lead a session of their own), theirs and so on; none when it has ended. */
export function familyOf(pid: number): Member[] {
  const member = memberOf(pid);
  return member ? [member, ...childrenOf(pid).flatMap(familyOf)] : [];
}

/** Is it still the same process? */
export function isAlive({ pid, startedAt }: Member): boolean {
  return memberOf(pid)?.startedAt === startedAt;
}

/** Ends at once what may be there. Stores are told to leave without tidying up, which takes their own children along. */
export function kill(member: Member): void {
  if (!isAlive(member)) return;
  quietly(() => process.kill(member.pid, member.isNode ? 'SIGKILL' : 'SIGQUIT'));
}

/** CPU of all together since their start, seconds; with that of children that have ended. */
export function familyCpuSeconds(pid: number): number {
  const each = familyOf(pid).map((member) =>
    quietly(() => {
      if (!HAS_PROC) return usageOf(member.pid).cpuSeconds;
      const { cpuSeconds, endedChildrenCpuSeconds } = statOf(member.pid);
      return cpuSeconds + endedChildrenCpuSeconds;
    }),
  );
  return sum(each);
}

/**
 * Memory of the process and of all together, MB: resident memory of what runs in Node, and of stores what is theirs
 * proportionally, because PostgreSQL's processes share most of it.
 */
export function familyMemory(pid: number): { own: number; all: number } {
  const each = familyOf(pid).map((member) => quietly(() => memoryOf(member)));
  return { own: each[0] ?? Number.NaN, all: sum(each) };
}

/** So much CPU within so much time is what they need while nothing is to be done. */
const QUIET = { ms: 400, cpuSeconds: 0.02 };
const LONGEST_MS = 120_000;

/** Until nothing is left to be done: what was said is in the archive, and analysed. */
export async function untilQuiet(pid: number): Promise<void> {
  let before = familyCpuSeconds(pid);
  for (const deadline = Date.now() + LONGEST_MS; Date.now() < deadline; ) {
    await sleep(QUIET.ms);
    const now = familyCpuSeconds(pid);
    if (now - before <= QUIET.cpuSeconds) return;
    before = now;
  }
}

function memberOf(pid: number): Member | null {
  const found = quietly(() => {
    if (!HAS_PROC) return process.kill(pid, 0) && { name: String(pid), isZombie: false, startedAt: '' };
    return statOf(pid);
  });
  if (!found || found.isZombie) return null;
  const { name, startedAt } = found;
  return { pid, name, isNode: quietly(() => readlinkSync(`/proc/${pid}/exe`)) === OURS, startedAt };
}

const OURS = realpathSync(process.execPath);

/** A process may have started children from any of its threads. */
function childrenOf(pid: number): number[] {
  if (!HAS_PROC) return numbersIn(quietly(() => execFileSync('pgrep', ['-P', String(pid)], { encoding: 'utf8' })));
  const threads = quietly(() => readdirSync(`/proc/${pid}/task`)) ?? [];
  return threads.flatMap((thread) =>
    numbersIn(quietly(() => readFileSync(`/proc/${pid}/task/${thread}/children`, 'latin1'))),
  );
}

function numbersIn(text = ''): number[] {
  return text.split(/\s+/).map(Number).filter(Boolean);
}

function memoryOf({ pid, isNode }: Member): number {
  const proportional = isNode || !HAS_PROC ? undefined : quietly(() => proportionalMb(pid));
  return proportional ?? usageOf(pid).residentMb;
}

function proportionalMb(pid: number): number {
  return Number(/^Pss:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1'))?.[1]) / 1_024;
}

/** A process may end while it is looked at. */
function quietly<Result>(look: () => Result): Result | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}

function sum(numbers: readonly (number | undefined)[]): number {
  return numbers.reduce<number>((total, number) => total + (number ?? 0), 0);
}
