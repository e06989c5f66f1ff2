/** Which alarms fire, for all processes: so that one of them tells the operator, once. */
import type { Keys } from './keys.ts';
import type { RunScript } from './redis.ts';

/** Something to tell the operator. */
export interface AlarmNews {
  name: string;
  state: 'firing' | 'resolved';
  /** Since when it fires, or fired: unix ms. */
  since: number;
}

export interface AlarmBoard {
  /**
   * Says which alarms of this process fire. Rejects with `store.unavailable`.
   * @param states name → does it fire?
   * @returns what changed, over all processes, and is told by this one
   */
  report(states: ReadonlyMap<string, boolean>): Promise<AlarmNews[]>;
}

/** Silence after which a process does not count, ms: several times that between two reports. */
const SILENT_MS = 60_000;

/** An alarm that comes and goes is told so often at most, ms. */
const QUIET_MS = 15 * 60_000;

/** Nobody reports for so long: what was told then is not of interest any more, ms. */
const FORGOTTEN_MS = 86_400_000;

export interface AlarmBoardOptions {
  run: RunScript;
  keys: Pick<Keys, 'alarms'>;
  /** Names this process. */
  processId: string;
}

export function createAlarmBoard({ run, keys, processId }: AlarmBoardOptions): AlarmBoard {
  return {
    async report(states) {
      const said = [...states].flatMap(([name, fires]) => [name, fires ? '1' : '']);
      const news = await run('alarms', [keys.alarms], [processId, SILENT_MS, QUIET_MS, FORGOTTEN_MS, ...said]);
      const list = Array.isArray(news) ? news : [];
      return Array.from({ length: list.length / 3 }, (_, i) => ({
        name: String(list[3 * i]),
        state: list[3 * i + 1] === 'firing' ? 'firing' : 'resolved',
        since: Number(list[3 * i + 2]),
      }));
    },
  };
}
