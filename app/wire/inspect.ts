/** Joins the simulator and what it shows of the memory. */
import { contactIdOf } from '../contacts/addresses.ts';
import { createMemoryInspector } from '../memory/inspect.ts';
import type { MemoryParts } from './memory.ts';
import type { StandIns } from './stand-ins.ts';

export function letSimulatorInspect({ simulator }: StandIns, { redis, keys, aliases }: MemoryParts): void {
  const inspector = createMemoryInspector({ redis, keys });
  simulator?.lookInto({
    memoryOf: async (address) => inspector.memoryOf(await aliases.rootOf(contactIdOf(address))),
    forget: async (address) => inspector.forget(await aliases.rootOf(contactIdOf(address))),
  });
}
