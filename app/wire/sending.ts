/** Joins what people and programs send, and what a person decides in a conversation. */
import { createConsents } from '../archive/read/consents.ts';
import { createDeskWriter, type DeskWriter } from '../archive/write/desk.ts';
import { createStateOf, createTakeover, type Takeover } from '../conversation/takeover.ts';
import { createNames, type Names } from '../memory/names.ts';
import type { Log } from '../ops/logger.ts';
import { createSend } from '../outbound/send.ts';
import { createSendTemplate, type SendTemplate } from '../outbound/template.ts';
import type { ArchiveParts } from './archive.ts';
import type { MemoryParts } from './memory.ts';
import type { OutboundParts } from './outbound.ts';

export interface SendingTools {
  memory: MemoryParts;
  archive: ArchiveParts;
  outbound: OutboundParts;
  log: Log;
}

export interface SendingParts {
  takeover: Takeover;
  sendTemplate: SendTemplate;
  names: Names;
  writer: DeskWriter;
}

export function buildSending({ memory, archive, outbound, log }: SendingTools): SendingParts {
  const { redis, keys, desk, publish, clock, threads } = memory;
  const { own } = threads;
  const { now } = clock;
  const { channels, deliver, templates } = outbound;
  const writer = createDeskWriter(archive.database);
  const { withoutMarketing } = createConsents(archive.database);
  const stateOf = createStateOf(desk, archive.standings.of);
  const send = createSend({ channels, deliver, desk, stateOf, takeOver: writer.takeOver, own, publish, log, now });
  return {
    takeover: createTakeover({ desk, truth: writer, send, channels, own, now }),
    sendTemplate: createSendTemplate({ templates, deliver, desk, stateOf, withoutMarketing, publish, log, now }),
    names: createNames({ redis, keys, now }),
    writer,
  };
}
