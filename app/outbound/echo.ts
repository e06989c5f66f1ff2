/** Takes in what somebody of the team wrote to a contact past us, such as from the phone that shares the number. */
import { createHash } from 'node:crypto';
import { encodeEvent } from '../events.ts';
import type { Desk } from '../memory/desk.ts';
import type { Publish } from '../memory/publish.ts';
import type { Reports } from '../memory/reports.ts';
import { type ChannelName, type ConversationId, conversationId, type Echo, type Reply } from '../message.ts';
import type { Log } from '../ops/logger.ts';
import { lineOf, pauseOf } from './send.ts';

/**
 * Records it like a message from the inbox, and pauses the bot: a person answers. Once, however often the provider brings it.
 * Rejects with `store.unavailable`: then it is to come again.
 */
export type NoteEcho = (echo: Echo) => Promise<void>;

export interface EchoTools {
  desk: Pick<Desk, 'said' | 'state'>;
  reportsOf: (channel: ChannelName) => Pick<Reports, 'hasEcho' | 'noteEcho'>;
  /** Pauses the bot until `until` (unix ms) in the archive, the source of truth. */
  takeOver: (conversation: ConversationId, until: number, pauseMs: number) => Promise<void>;
  publish: Publish;
  now: () => number;
  log: Log;
}

export function createNoteEcho({ desk, reportsOf, takeOver, publish, now, log }: EchoTools): NoteEcho {
  return async function noteEcho({ id: sid, channel, business, contact, to, text }) {
    const reports = reportsOf(channel);
    if (await reports.hasEcho(sid)) return;
    const id = idOf(channel, sid);
    const conversation = conversationId({ channel, business, contact });
    const at = now();
    const pause = pauseOf(await desk.state(conversation), at);
    const reply: Reply = { id, conversation, to, parts: [text], via: 'call', at };
    const said = encodeEvent({ type: 'desk.said', conversation, id, at, to, parts: [text] });
    await desk.said(conversation, lineOf(reply, text), pause, said);
    await publish(contact, encodeEvent({ type: 'reply.sent', conversation, turn: id, at, via: 'call', sids: [sid] }));
    await reports.noteEcho(sid);
    log.info('Written past us: the bot is paused', { contact, until: pause.until });
    // Redis has paused the bot already; the archive knows it when Redis has forgotten.
    await takeOver(conversation, pause.until, pause.pauseMs).catch((error: unknown) =>
      log.warn('The archive could not be told that a person took a conversation over', { contact, error }),
    );
  };
}

/** The same for every delivery of the same message, and short enough for every table. */
function idOf(channel: string, sid: string): string {
  return `echo-${createHash('sha256').update(`${channel} ${sid}`).digest('hex').slice(0, 32)}`;
}
