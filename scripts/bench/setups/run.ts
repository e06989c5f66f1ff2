/** Every set-up in turn: started anew and again, loaded in turns with the floor, and killed while it answers. */
import type { Children } from '../children.ts';
import { isError, readLog } from '../program.ts';
import { crowd } from '../scenarios.ts';
import type { SetupSizes } from '../sizes.ts';
import { setStage } from '../stage.ts';
import { recoveries } from './crashes.ts';
import type { FigureName, MeasuredSetup, SetupFigures } from './figures.ts';
import { busy, busyOrder, idle, load, slow } from './loads.ts';
import { type Scene, stop } from './scene.ts';
import { createInstallations, type Setup } from './setups.ts';
import { starts } from './starts.ts';

export interface SetupsOptions {
  setups: readonly Setup[];
  sizes: SetupSizes;
  children: Children;
  /** See `ProgramOptions`. */
  built: boolean;
  /** Told how it goes. */
  say: (line: string) => void;
}

export interface SetupResults {
  setups: MeasuredSetup[];
  /** What must not have happened: answers wrong, missing or doubled, processes left behind, errors in a log. */
  failures: string[];
}

export async function runSetups({ setups, ...options }: SetupsOptions): Promise<SetupResults> {
  const { sizes, children, say } = options;
  say('Starting Redis, the model server and the floor');
  const stage = await setStage(children);
  const installations = createInstallations(stage, say);
  const failures: string[] = [];
  const measured: MeasuredSetup[] = [];
  try {
    await load({ stage, who: stage.floor, order: busyOrder(sizes, crowd()), failures }); // warming up
    for (const setup of setups) {
      say(`${setup.name}: ${setup.meaning}`);
      const figures: SetupFigures = {};
      const note = (name: FigureName, value: number) => {
        figures[name] = [...(figures[name] ?? []), value];
      };
      const logFiles = new Set<string>();
      await measure({ ...options, stage, installations, setup, people: crowd(), note, failures, logFiles });
      measured.push({ name: setup.name, meaning: setup.meaning, figures });
    }
    await installations.stop();
    await stage.stop();
    return { setups: measured, failures };
  } finally {
    await installations.stop().catch(() => {});
    children.killAll();
    stage.clear();
  }
}

async function measure(scene: Scene): Promise<void> {
  const { installation, program } = await starts(scene);
  await idle(scene, program);
  await busy(scene, program);
  await slow(scene, program);
  // What is logged later is about the kills.
  await readLogs(scene);
  await stop(scene, await recoveries(scene, installation, program));
}

async function readLogs({ setup, failures, logFiles }: Scene): Promise<void> {
  for (const logFile of logFiles) {
    const { troubles } = await readLog(logFile, isError);
    for (const line of troubles) failures.push(`${setup.name} logged ${line}`);
  }
}
