/** Joins what the team sees and does: the inbox over the archive, takeover, sending. Nothing here is needed to answer people. */
import type Router from '@koa/router';
import { readInstructions } from '../analysis/instructions.ts';
import { createAnalytics } from '../archive/read/analytics.ts';
import { createConversations } from '../archive/read/conversations.ts';
import { createMessages } from '../archive/read/messages.ts';
import { createDeskWriter } from '../archive/write/desk.ts';
import { createTasks } from '../archive/write/tasks.ts';
import type { Channels } from '../channels/channels.ts';
import type { Config } from '../config.ts';
import { createStateOf, createTakeover } from '../conversation/takeover.ts';
import type { Auth } from '../inbox/auth.ts';
import { createInbox } from '../inbox/routes.ts';
import { createDeadLetters } from '../memory/dead-letters.ts';
import type { Log } from '../ops/logger.ts';
import type { Deliver } from '../outbound/deliver.ts';
import { createSend } from '../outbound/send.ts';
import type { ArchiveParts } from './archive.ts';
import type { MemoryParts } from './memory.ts';
import type { PurposeParts } from './purpose.ts';
import type { RecordingParts } from './recording.ts';

/** The figures of the dashboard cover everything that was recorded: they may be this old, ms. */
const NUMBERS_MS = 10_000;

export interface DeskTools {
  memory: MemoryParts;
  archive: ArchiveParts;
  recording: RecordingParts;
  auth: Auth;
  channels: Channels;
  deliver: Deliver;
  purpose: Pick<PurposeParts, 'notices'>;
  log: Log;
}

/** @returns the routes of the inbox */
export function buildDesk(config: Config, tools: DeskTools): Router[] {
  const { memory, auth, channels, log } = tools;
  const { database, standings } = tools.archive;
  const { live, costs, retryAnalyses } = tools.recording;
  const { publicUrl, timeZone } = config;
  const deskWriter = createDeskWriter(database);
  const { taskTypes, sentiments } = readInstructions(config.analysisPrompt);
  const { now } = memory.clock;
  const inbox = createInbox({
    guard: auth.guard,
    archive: {
      messages: createMessages(database),
      conversations: createConversations(database),
      tasks: createTasks(database),
      analytics: createAnalytics(database, { keepMs: NUMBERS_MS }),
      writer: deskWriter,
    },
    takeover: buildTakeover(tools),
    remembered: (conversation) => memory.desk.state(conversation),
    deadLetters: createDeadLetters(memory),
    explain: (channel, code) => channels.of(channel).explain(code),
    retryAnalyses,
    download: ({ channel, attachment }) => channels.of(channel).download(attachment.ref),
    live,
    taskTypes,
    sentiments,
    notices: async () => [...tools.purpose.notices, ...(await costs.notices())],
    costs,
    timeZone,
    publicUrl,
    now,
  });
  return [auth.router, inbox];

  function buildTakeover({ deliver }: DeskTools) {
    const { desk, publish } = memory;
    const stateOf = createStateOf(desk, standings.of);
    const send = createSend({ channels, deliver, desk, stateOf, takeOver: deskWriter.takeOver, publish, log, now });
    return createTakeover({ desk, truth: deskWriter, send, now });
  }
}
