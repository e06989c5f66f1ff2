/** Joins what a provider tells beside the messages of people: what became of ours, what others said, who owns a thread, what our account may. */
import { createHash } from 'node:crypto';
import { createDeskWriter } from '../archive/write/desk.ts';
import { createRenumber } from '../contacts/renumber.ts';
import { createHandovers } from '../conversation/handover.ts';
import { encodeEvent } from '../events.ts';
import { conversationId, type NumberChange, type Preference, type Report } from '../message.ts';
import type { Log } from '../ops/logger.ts';
import { createNoteEcho } from '../outbound/echo.ts';
import type { ArchiveParts } from './archive.ts';
import type { Receivers } from './channels.ts';
import type { MemoryParts } from './memory.ts';
import { recordStatus } from './status.ts';

export interface ReportedTools {
  memory: MemoryParts;
  archive: Pick<ArchiveParts, 'database' | 'standings'>;
  log: Log;
}

export function buildReported(tools: ReportedTools): Pick<Receivers, 'onStatus' | 'onEcho' | 'onReport'> {
  const { memory, archive, log } = tools;
  const { aliases, accounts, threads, desk, publish, reportsOf, clock } = memory;
  const { now } = clock;
  const { takeOver } = createDeskWriter(archive.database);
  const { rootOf } = aliases;
  const standingsOf = archive.standings.of;
  const handovers = createHandovers({ threads, rootOf, standingsOf, note: accounts.note, publish, now, log });
  const renumber = createRenumber({
    aliases,
    publish,
    eventOf: ({ channel, business, from, to, at }) => {
      const conversation = conversationId({ channel, business, contact: from });
      return encodeEvent({ type: 'number.changed', conversation, at, from, to });
    },
    log,
  });
  return {
    onStatus: (status) => recordStatus(memory, status),
    onEcho: createNoteEcho({ desk, rootOf, reportsOf, takeOver, publish, now, log }),
    onReport,
  };

  async function onReport(report: Report): Promise<void> {
    switch (report.kind) {
      case 'handover':
        return handovers.noteHandover(report.handover);
      case 'overheard':
        return handovers.noteOverheard(report.overheard);
      case 'preference':
        return notePreference(report.preference);
      case 'number changed':
        return noteNumber(report.change);
      case 'news':
        if (await accounts.note(report.news)) log.info('News about our account', { ...report.news });
    }
  }

  /** Once: told again days later, the old number may be somebody else's. */
  async function noteNumber(change: NumberChange): Promise<void> {
    const reports = reportsOf(change.channel);
    if (await reports.hasEcho(change.id)) return;
    await renumber(change);
    await reports.noteEcho(change.id);
  }

  /** It is about marketing alone, so it silences nothing here: the ledger has it, and whoever sends marketing asks there. */
  async function notePreference({ channel, business, contact: named, consent, at: saidAt }: Preference): Promise<void> {
    const contact = await rootOf(named);
    const conversation = conversationId({ channel, business, contact });
    const name = createHash('sha256')
      .update(JSON.stringify([channel, business, named, consent, saidAt]))
      .digest('hex');
    const id = `preference-${name.slice(0, 32)}`;
    await publish(contact, encodeEvent({ type: 'preference.changed', conversation, at: now(), id, consent, saidAt }));
    log.info('They said whether they want marketing messages', { contact, consent });
  }
}
