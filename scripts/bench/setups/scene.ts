/** A set-up while it is measured: what is there, and how it is started and stopped. */
import { join } from 'node:path';
import type { Children } from '../children.ts';
import { type Program, spawnProgram } from '../program.ts';
import type { Crowd } from '../scenarios.ts';
import type { SetupSizes } from '../sizes.ts';
import type { Stage } from '../stage.ts';
import type { FigureName } from './figures.ts';
import type { Installation, Installations, Setup } from './setups.ts';

export interface Scene {
  stage: Stage;
  children: Children;
  installations: Installations;
  setup: Setup;
  sizes: SetupSizes;
  /** See `ProgramOptions`. */
  built: boolean;
  people: Crowd;
  /** One more round of a figure. */
  note: (name: FigureName, value: number) => void;
  /** Takes what must not have happened. */
  failures: string[];
  /** Where something was logged. */
  logFiles: Set<string>;
  say: (line: string) => void;
}

/** @param place another folder of the installation, when it is not the only process of it */
export async function spawn(scene: Scene, installation: Installation, port?: number, place = ''): Promise<Program> {
  const { children, built, setup, logFiles } = scene;
  const folder = join(installation.folder, place);
  const program = await spawnProgram({ ...installation, children, built, name: setup.name, folder, port });
  logFiles.add(program.logFile);
  return program;
}

/** It finishes what runs, as an operator's signal would have it, ms. */
const STOP_MS = 60_000;

/** Stops it in order: it leaves nothing behind. */
export async function stop({ children, failures }: Scene, program: Program): Promise<void> {
  await children.end(program.child, STOP_MS);
  for (const { name, pid } of children.leftovers()) failures.push(`${program.name} left ${name} (${pid}) behind`);
}

/** What `/readyz` names, but is not there in this set-up. */
export function missingIn({ stores }: Setup): string | undefined {
  return stores === 'none' ? 'archive' : undefined;
}
