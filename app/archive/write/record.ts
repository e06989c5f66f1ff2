/** Records events in the tables, in one transaction, so that recording them twice changes nothing. */
import type { Event, EventOf } from '../../events.ts';
import { type ConversationId, conversationId } from '../../message.ts';
import { lockConversations } from './conversations.ts';
import { type MessagePrice, recordMessages, recordUses } from './costs.ts';
import { recordDeliveries, recordGivenUp, recordSent } from './deliveries.ts';
import { recordBriefs } from './handoffs.ts';
import { recordListening, recordReceived } from './inbound.ts';
import { recordKept, recordNumbers, recordPreferences } from './kept.ts';
import { recordDesk, recordOver, recordReplies, recordTemplates } from './replies.ts';
import { recordSuspected } from './spam.ts';
import type { Writer } from './writer.ts';

/** What a batch changed. */
export interface Recorded {
  /** The contacts whose conversations changed, as people read their address. */
  phones: string[];
  /** Turns that became final: their messages can be analysed. */
  turns: string[];
}

/**
 * Records a batch. What depends on something else is recorded after it, whatever order the events have: a status may be reported before
 * the event that the message was sent.
 * @param analysis new messages wait for an analysis; else they are skipped.
 * @param prices of messages whose price no provider reports
 */
export async function record(
  db: Writer,
  events: readonly Event[],
  analysis: boolean,
  prices: readonly MessagePrice[] = [],
): Promise<Recorded> {
  const of = <Type extends Event['type']>(type: Type) =>
    events.filter((event): event is EventOf<Type> => event.type === type);
  const touched = new Set<string>();
  const touch = (phones: readonly string[]) => {
    for (const phone of phones) touched.add(phone);
  };
  await lockConversations(db, events.flatMap(conversationIn));
  touch(await recordReceived(db, of('message.received'), analysis));
  touch(await recordKept(db, of('messages.kept')));
  await recordPreferences(db, of('preference.changed'));
  touch(await recordSuspected(db, of('contact.suspected')));
  touch(await recordListening(db, of('voice.opened')));
  touch(await recordReplies(db, of('reply.made')));
  await recordBriefs(db, of('handoff.summarized'));
  touch(await recordDesk(db, of('desk.said'), of('desk.took')));
  touch(await recordTemplates(db, of('template.made')));
  touch(await recordOver(db, of('handoff.over')));
  touch(await recordSent(db, of('reply.sent')));
  touch(await recordGivenUp(db, of('given.up')));
  touch(await recordDeliveries(db, of('delivery.changed')));
  await recordUses(db, [...of('reply.made'), ...of('models.used')]);
  touch(await recordNumbers(db, of('number.changed')));
  const turns = of('reply.sent').map(({ turn }) => turn);
  const parts = of('delivery.changed').map(({ status: { channel, sid } }) => ({ channel, sid }));
  await recordMessages(db, { turns, parts }, prices);
  return { phones: [...touched], turns: of('reply.made').map(({ turn }) => turn) };
}

function conversationIn(event: Event): ConversationId[] {
  if (event.type === 'message.received') return [conversationId(event.message)];
  return 'conversation' in event ? [event.conversation] : [];
}
