/** Conversations that wait for a person. */
import { sql } from 'kysely';
import type { EventOf } from '../../events.ts';
import type { ConversationId } from '../../message.ts';
import { clean } from '../engine/text.ts';
import { isConversation } from '../read/conversations.ts';
import type { Writer } from './writer.ts';

/** Turns that called a person. @param recorded the turns that were not recorded before: what was recorded may be over by now */
export async function recordHandoffs(
  db: Writer,
  events: readonly EventOf<'reply.made'>[],
  recorded: ReadonlySet<string>,
): Promise<void> {
  for (const { conversation, turn, at, handoff } of events) {
    if (!handoff || !recorded.has(turn)) continue;
    await sql`
      update whatsapp_conversations set handoff_at = ${new Date(at)}, handoff_until = ${new Date(handoff.until)},
        handoff_turn = ${turn}, handoff_reason = ${handoff.reason},
        handoff_note = ${cleanOrNull(handoff.note)}, handoff_summary = ${cleanOrNull(handoff.summary)}
      where ${isConversation(conversation)}`.execute(db);
  }
}

/** Summaries, each for the turn that called the person: meanwhile somebody may have come, and another one be called. */
export async function recordBriefs(db: Writer, events: readonly EventOf<'handoff.summarized'>[]): Promise<void> {
  for (const { conversation, turn, summary } of events) {
    await sql`update whatsapp_conversations set handoff_summary = ${clean(summary)}
      where ${isConversation(conversation)} and handoff_turn = ${turn}`.execute(db);
  }
}

/** Somebody has come, or nobody in time: a conversation that waited before that does not wait any more. */
export async function endHandoffs(
  db: Writer,
  events: readonly { conversation: ConversationId; at: number }[],
): Promise<void> {
  for (const { conversation, at } of events) {
    await sql`
      update whatsapp_conversations set handoff_at = null, handoff_until = null, handoff_turn = null, handoff_reason = null,
        handoff_note = null, handoff_summary = null
      where ${isConversation(conversation)} and handoff_at <= ${new Date(at)}`.execute(db);
  }
}

function cleanOrNull(text: string | null): string | null {
  return text === null ? null : clean(text);
}
