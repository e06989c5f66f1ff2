/** Where a process runs, so that another one on the same machine can see whether it still does. Needs Linux' `/proc`. */
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

export interface Place {
  /** Host, boot and namespace of process ids: within one of these a process id means one process at a time. */
  machine: string;
  pid: number;
  /** In clock ticks since the boot: a process id is used again some day. '' when it cannot be read. */
  startedAt: string;
}

/** Where this process runs; null where that cannot be found out. */
export function placeHere(): Place | null {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    const machine = `${hostname()} ${boot} ${readlinkSync('/proc/self/ns/pid')}`;
    const { pid } = process;
    return { machine, pid, startedAt: startOf(pid) };
  } catch {
    return null;
  }
}

/** Is it certain that the process at this place has ended? Never of this process, or of one on another machine. */
export function hasEnded(there: Place, here: Place | null): boolean {
  if (there.machine !== here?.machine) return false;
  if (!exists(there.pid)) return true;
  const startedAt = startOf(there.pid);
  return startedAt !== '' && there.startedAt !== '' && startedAt !== there.startedAt;
}

function exists(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // A process of another user may not be signaled, but exists.
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
}

/** Field 22 of `/proc/<pid>/stat`: behind the name in brackets, which may have any characters. See proc_pid_stat(5). */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}
