/** Joins what the team sees and does: the inbox over the archive, takeover, sending. Nothing here is needed to answer people. */
import { randomBytes } from 'node:crypto';
import type Router from '@koa/router';
import { readInstructions } from '../analysis/instructions.ts';
import { createAnalytics } from '../archive/read/analytics.ts';
import { createConversations } from '../archive/read/conversations.ts';
import { createMessages } from '../archive/read/messages.ts';
import { createTasks } from '../archive/write/tasks.ts';
import type { Channels } from '../channels/channels.ts';
import type { Config } from '../config.ts';
import { createStateOf, createTakeover } from '../conversation/takeover.ts';
import { type Auth, createAuth } from '../inbox/auth.ts';
import { createInbox } from '../inbox/routes.ts';
import { createDeadLetters } from '../memory/dead-letters.ts';
import { createSessions } from '../memory/sessions.ts';
import type { Log } from '../ops/logger.ts';
import type { Deliver } from '../outbound/deliver.ts';
import { createSend } from '../outbound/send.ts';
import type { ArchiveParts } from './archive.ts';
import type { MemoryParts } from './memory.ts';

/** The figures of the dashboard cover everything that was recorded: they may be this old, ms. */
const NUMBERS_MS = 10_000;

export interface DeskTools {
  memory: MemoryParts;
  archive: ArchiveParts;
  channels: Channels;
  deliver: Deliver;
  log: Log;
}

export interface DeskParts {
  routers: Router[];
  /** Somebody is signed in, or a program has a key. */
  isSignedIn: Auth['isSignedIn'];
}

export function buildDesk(config: Config, tools: DeskTools): DeskParts {
  const { memory, channels, log } = tools;
  const { database, standings, deskWriter, live, retryAnalyses } = tools.archive;
  const { publicUrl, trustProxy, apiKeys, timeZone } = config;
  const { taskTypes, sentiments } = readInstructions(config.analysisPrompt);
  const { now } = memory.clock;
  const password = config.adminPassword ?? generated(log);
  const sessions = createSessions(memory);
  const auth = createAuth({ password, apiKeys, publicUrl, trustProxy, now, sessions, log });
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
    timeZone,
    publicUrl,
    now,
  });
  return { routers: [auth.router, inbox], isSignedIn: auth.isSignedIn };

  function buildTakeover({ deliver }: DeskTools) {
    const { desk, publish } = memory;
    const stateOf = createStateOf(desk, standings.of);
    const send = createSend({ channels, deliver, desk, stateOf, takeOver: deskWriter.takeOver, publish, log, now });
    return createTakeover({ desk, truth: deskWriter, send, now });
  }
}

/** A password for an operator who gave none. It goes to standard error: the log would redact what looks like a secret. */
function generated(log: Log): string {
  const password = randomBytes(9).toString('base64url');
  log.warn('ADMIN_PASSWORD is not given: a password was generated for this start, and written to standard error');
  process.stderr.write(`Password of the inbox until the next start: ${password}\n`);
  return password;
}
