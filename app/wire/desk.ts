/** Joins what the team sees and does: the inbox over the archive, takeover, sending. Nothing here is needed to answer people. */
import type Router from '@koa/router';
import { readInstructions } from '../analysis/instructions.ts';
import { createCopyOf } from '../archive/read/copy.ts';
import type { Config } from '../config.ts';
import type { Auth } from '../inbox/auth.ts';
import { createCopies } from '../inbox/copies.ts';
import { createInbox } from '../inbox/routes.ts';
import { createDeadLetters } from '../memory/dead-letters.ts';
import { type ContactId, type ConversationId, conversationOf } from '../message.ts';
import type { Log } from '../ops/logger.ts';
import type { Metrics } from '../ops/metrics.ts';
import type { ArchiveParts } from './archive.ts';
import { type BroadcastParts, buildBroadcasts } from './broadcast.ts';
import type { CostParts } from './costs.ts';
import { buildInboxArchive } from './inbox-archive.ts';
import type { MemoryParts } from './memory.ts';
import { createNoticesOf, type NoticeTools } from './notices.ts';
import type { OutboundParts } from './outbound.ts';
import type { RecordingParts } from './recording.ts';
import { buildSending } from './sending.ts';

export interface DeskTools {
  memory: MemoryParts;
  archive: ArchiveParts;
  recording: RecordingParts;
  auth: Auth;
  outbound: OutboundParts;
  purpose: NoticeTools['purpose'];
  costs: Pick<CostParts, 'prices'>;
  metrics: Metrics;
  log: Log;
}

export interface DeskParts extends Pick<BroadcastParts, 'start' | 'drain'> {
  /** The routes of the inbox. */
  routers: Router[];
}

/** Builds it; broadcasts are sent once it starts. */
export function buildDesk(config: Config, tools: DeskTools): DeskParts {
  const { memory, auth, metrics, log } = tools;
  const { database } = tools.archive;
  const { channels, templates } = tools.outbound;
  const { live, costs, retryAnalyses } = tools.recording;
  const { publicUrl, timeZone } = config;
  const { takeover, sendTemplate, names, writer } = buildSending(tools);
  const { taskTypes, sentiments } = readInstructions(config.analysisPrompt);
  const { now } = memory.clock;
  const archive = buildInboxArchive(database, writer);
  const broadcasts = buildBroadcasts(config, {
    ...{ archive: tools.archive, outbound: tools.outbound, sendTemplate, metrics, log, now },
    accounts: memory.accounts,
    prices: tools.costs.prices,
    known: archive.conversations.numbers,
  });
  const inbox = createInbox({
    guard: auth.guard,
    archive,
    takeover,
    templates: { channels, list: templates.list, send: sendTemplate, senders: broadcasts.tools.senders },
    broadcasts: broadcasts.tools,
    names,
    remembered: async (conversation) => ({
      ...(await memory.desk.state(conversation)),
      isShared: isShared(conversation),
    }),
    deadLetters: createDeadLetters(memory),
    explain: (channel, code) => channels.of(channel).explain(code),
    retryAnalyses,
    download: ({ channel, attachment }) => channels.of(channel).download(attachment.ref),
    live,
    taskTypes,
    sentiments,
    notices: createNoticesOf({ purpose: tools.purpose, costs, broadcasts, accounts: memory.accounts, channels, now }),
    costs,
    timeZone,
    publicUrl,
    now,
  });
  const copies = createCopies({ contactOf: memory.exports.contactOf, copyOf: createCopyOf(database), summaryOf, now });
  return { routers: [auth.router, inbox, copies], start: broadcasts.start, drain: broadcasts.drain };

  /** May other responders own it? */
  function isShared(conversation: ConversationId): boolean {
    const { channel } = conversationOf(conversation);
    return channels.all.find(({ name }) => name === channel)?.controlThread !== undefined;
  }

  async function summaryOf(contact: ContactId): Promise<string> {
    return (await memory.summaries.load(contact)).summary;
  }
}
