/** Takes in what the team sent from the WhatsApp Business app, on the phone that shares the number. */
import { createHash } from 'node:crypto';
import { encodeEvent } from '../events.ts';
import type { Desk, Pause } from '../memory/desk.ts';
import type { Publish } from '../memory/publish.ts';
import type { Reports } from '../memory/reports.ts';
import {
  type ChannelName,
  type ContactId,
  type ConversationId,
  conversationId,
  type Echo,
  type Reply,
} from '../message.ts';
import type { Log } from '../ops/logger.ts';
import { sentEvent } from './outcome.ts';
import { isWaiting, lineOf, pauseOf } from './send.ts';

/**
 * Records it like a message from the inbox, and pauses the bot: a person answers. Once, however often the provider brings it.
 * Rejects with `store.unavailable`: then it is to come again.
 */
export type NoteEcho = (echo: Echo) => Promise<void>;

export interface EchoTools {
  desk: Pick<Desk, 'said' | 'state' | 'takeOver'>;
  /** The contact that an id stands for by now. */
  rootOf: (contact: ContactId) => Promise<ContactId>;
  reportsOf: (channel: ChannelName) => Pick<Reports, 'hasEcho' | 'noteEcho'>;
  /** Pauses the bot until `until` (unix ms) in the archive, the source of truth. */
  takeOver: (conversation: ConversationId, until: number, pauseMs: number) => Promise<void>;
  publish: Publish;
  now: () => number;
  log: Log;
}

export function createNoteEcho(tools: EchoTools): NoteEcho {
  const { desk, rootOf, reportsOf, takeOver, publish, now, log } = tools;
  return async function noteEcho({ id: sid, channel, business, contact: named, to, text, at }) {
    const reports = reportsOf(channel);
    if (await reports.hasEcho(sid)) return;
    const id = idOf(channel, sid);
    const contact = await rootOf(named);
    const conversation = conversationId({ channel, business, contact });
    const state = await desk.state(conversation);
    const begun = pauseOf(state, at);
    // One that comes late, after its pause would be over, changes nothing.
    const isLate = begun.until <= now();
    const pause: Pause = isLate ? { until: state.takeoverUntil, pauseMs: state.takeoverMs } : begun;
    const reply: Reply = { id, conversation, to, parts: [text], via: 'call', at };
    const said = encodeEvent({ type: 'desk.said', conversation, id, at, to, parts: [text] });
    await desk.said(conversation, lineOf(reply, text), pause, said);
    await publish(contact, sentEvent(reply, [sid], at));
    if (isWaiting(state, at)) await endHandoff(conversation, pause);
    await reports.noteEcho(sid);
    log.info('A message from the Business app', { contact, pausedUntil: pause.until });
    // Nobody waits for it: Redis has paused the bot already, and the archive knows it when Redis has forgotten.
    if (!isLate)
      void takeOver(conversation, pause.until, pause.pauseMs).catch((error: unknown) =>
        log.warn('The archive could not be told that a person took a conversation over', { contact, error }),
      );
  };

  /** Somebody has come. */
  async function endHandoff(conversation: ConversationId, pause: Pause): Promise<void> {
    const took = encodeEvent({ type: 'desk.took', conversation, at: now(), until: pause.until });
    await desk.takeOver(conversation, pause, took);
  }
}

/** The same for every delivery of the same message, and short enough for every table. */
function idOf(channel: string, sid: string): string {
  return `echo-${createHash('sha256').update(`${channel} ${sid}`).digest('hex').slice(0, 32)}`;
}
