/** Joins what a provider tells beside the messages of people: what became of ours, and what the team sent from the Business app. */
import { createDeskWriter } from '../archive/write/desk.ts';
import type { Log } from '../ops/logger.ts';
import { createNoteEcho } from '../outbound/echo.ts';
import type { ArchiveParts } from './archive.ts';
import type { Receivers } from './channels.ts';
import type { MemoryParts } from './memory.ts';
import { recordStatus } from './status.ts';

export interface ReportedTools {
  memory: MemoryParts;
  archive: Pick<ArchiveParts, 'database'>;
  log: Log;
}

export function buildReported({ memory, archive, log }: ReportedTools): Pick<Receivers, 'onStatus' | 'onEcho'> {
  const { aliases, desk, publish, reportsOf, clock } = memory;
  const { takeOver } = createDeskWriter(archive.database);
  return {
    onStatus: (status) => recordStatus(memory, status),
    onEcho: createNoteEcho({ desk, rootOf: aliases.rootOf, reportsOf, takeOver, publish, now: clock.now, log }),
  };
}
