/** What a process has used, as the system counts it: all threads, kernel time included. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

export interface Usage {
  /** User and system time since its start, seconds. To 10 ms. */
  cpuSeconds: number;
  /** Resident memory, now and at its highest, MB. Where the system keeps no highest, both are now. */
  residentMb: number;
  peakMb: number;
}

/** From /proc where there is one, else from `ps` (macOS). */
export function usageOf(pid: number): Usage {
  return process.platform === 'linux' ? fromProc(pid) : fromPs(pid);
}

/** Begins anew to note the highest memory of a process (proc(5), clear_refs); without effect where there is no /proc. */
export function forgetPeak(pid: number): void {
  if (process.platform === 'linux') writeFileSync(`/proc/${pid}/clear_refs`, '5');
}

/** Linux counts in hundredths of a second towards programs, independent of its internal unit (USER_HZ, proc(5)). */
const TICKS_PER_SECOND = 100;

function fromProc(pid: number): Usage {
  const { cpuSeconds } = statOf(pid);
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  const kilobytes = (name: string) => Number(new RegExp(`^${name}:\\s*(\\d+)`, 'm').exec(status)?.[1]);
  return { cpuSeconds, residentMb: kilobytes('VmRSS') / 1_024, peakMb: kilobytes('VmHWM') / 1_024 };
}

/** A process as the system tells it (proc(5), /proc/pid/stat). */
export interface Stat {
  name: string;
  /** It has ended, and nobody has asked how. */
  isZombie: boolean;
  cpuSeconds: number;
  /** Of its children that have ended, and of theirs. */
  endedChildrenCpuSeconds: number;
  /** With the id it names a process for good. */
  startedAt: string;
}

export function statOf(pid: number): Stat {
  // The second field, the name, may hold anything; the others begin behind its bracket: state is number 3.
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const field = (number: number) => fields[number - 3] ?? '';
  const seconds = (first: number) => (Number(field(first)) + Number(field(first + 1))) / TICKS_PER_SECOND;
  return {
    name: stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')')),
    isZombie: field(3) === 'Z',
    cpuSeconds: seconds(14),
    endedChildrenCpuSeconds: seconds(16),
    startedAt: field(22),
  };
}

function fromPs(pid: number): Usage {
  const printed = execFileSync('ps', ['-o', 'time=,rss=', '-p', String(pid)], { encoding: 'utf8' }).trim();
  const [time = '', kilobytes = ''] = printed.split(/\s+/);
  const cpuSeconds = time.split(':').reduce((sum, part) => sum * 60 + Number(part), 0);
  const residentMb = Number(kilobytes) / 1_024;
  return { cpuSeconds, residentMb, peakMb: residentMb };
}
