/** Joins what the inbox reads and writes in the archive. */
import type { Database } from '../archive/engine/database.ts';
import { createAnalytics } from '../archive/read/analytics.ts';
import { createConsents } from '../archive/read/consents.ts';
import { createConversations } from '../archive/read/conversations.ts';
import { createMessages } from '../archive/read/messages.ts';
import type { DeskWriter } from '../archive/write/desk.ts';
import { createTasks } from '../archive/write/tasks.ts';
import type { InboxOptions } from '../inbox/routes.ts';

/** The figures of the dashboard cover everything that was recorded: they may be this old, ms. */
const NUMBERS_MS = 10_000;

export function buildInboxArchive(database: Database, writer: DeskWriter): InboxOptions['archive'] {
  return {
    messages: createMessages(database),
    conversations: createConversations(database),
    consents: createConsents(database),
    tasks: createTasks(database),
    analytics: createAnalytics(database, { keepMs: NUMBERS_MS }),
    writer,
  };
}
