/** Takes in that the provider gave a thread to us or took it from us, and what another responder says and does there. */
import { contactIdOf } from '../contacts/addresses.ts';
import type { StandingsOf } from '../contacts/confirm.ts';
import { type Event, encodeEvent } from '../events.ts';
import { countTokens } from '../llm/tokens.ts';
import { markOf, type Threads } from '../memory/threads.ts';
import {
  type AccountNews,
  type ConversationId,
  conversationId,
  type Handover,
  type Line,
  type Overheard,
  type OverheardMessage,
} from '../message.ts';
import type { Log } from '../ops/logger.ts';
import { type Scrubbed, scrub } from '../privacy/scrub.ts';

export interface HandoverTools {
  threads: Threads;
  rootOf: (contact: string) => Promise<string>;
  standingsOf: StandingsOf;
  /** Keeps what the team is to be told of. */
  note: (news: AccountNews) => Promise<boolean>;
  publish: (contact: string, event: string) => Promise<void>;
  now: () => number;
  log: Log;
}

/** Both reject with `store.unavailable`: then the same is to come again. */
export interface Handovers {
  noteHandover(handover: Handover): Promise<void>;
  noteOverheard(overheard: Overheard): Promise<void>;
}

export function createHandovers(tools: HandoverTools): Handovers {
  const { threads, rootOf, standingsOf, note, publish, now, log } = tools;
  return { noteHandover, noteOverheard };

  /**
   * It names the contact by number alone. One that fits nobody is shown as such, and kept under this number alone: should its owner write
   * later, it counts.
   */
  async function noteHandover({ id, channel, business, contact: named, route, context }: Handover): Promise<void> {
    const contact = await rootOf(named);
    const conversation = conversationId({ channel, business, contact });
    const isKnownHere = await isKnown(conversation, contact);
    const text = wordsOf(route.owner, context);
    const said: OverheardMessage = { id, author: 'other', text, attachments: [], at: now() };
    const notes = [scrub(`${PASSED} ${context}`)];
    const line = context === '' ? null : lineOf(said, { role: 'user', text: scrub(''), notes });
    const event = isKnownHere ? keptEvent(conversation, contact, [said]) : null;
    const isNew = await threads.keep(conversation, { id, mark: markOf(route, true), line, event });
    if (!isNew) return;
    const facts = { contact, ...route, hasContext: context !== '' };
    if (isKnownHere) log.info('Another responder handed over a conversation', facts);
    else log.warn('Another responder handed over a conversation with a number that fits no contact', facts);
    if (!isKnownHere && route.owner === 'us')
      await note({ channel, subject: 'handover', state: 'UNKNOWN_CONTACT', detail: scrub(named), at: route.at });
  }

  async function noteOverheard({ channel, business, address, messages, route }: Overheard): Promise<void> {
    const contact = await rootOf(contactIdOf(address));
    const conversation = conversationId({ channel, business, contact });
    if (!route) {
      // It is of long ago: nobody answers it, and the bot need not know.
      if (messages.length > 0) await publish(contact, keptEvent(conversation, address, messages));
      return;
    }
    for (const said of messages) {
      const line = lineOf(said, { role: 'assistant', text: said.text, desk: true });
      const event = keptEvent(conversation, address, [said]);
      await threads.keep(conversation, { id: said.id, mark: markOf(route), line, event });
    }
  }

  /** While the archive is away, what Redis knows has to do. */
  async function isKnown(conversation: ConversationId, contact: string): Promise<boolean> {
    if (await threads.knows(conversation)) return true;
    try {
      return (await standingsOf([contact])).has(contact);
    } catch (error) {
      log.warn('The archive could not be asked whether it knows a contact', { contact, error });
      return false;
    }
  }

  function keptEvent(conversation: ConversationId, address: string, messages: readonly OverheardMessage[]): string {
    const event: Event = { type: 'messages.kept', conversation, at: now(), address, messages: [...messages] };
    return encodeEvent(event);
  }
}

const PASSED = 'another responder passed this conversation on to us; it says:';

function wordsOf(owner: 'us' | 'other', context: Scrubbed): Scrubbed {
  if (owner === 'other') return scrub('[took the conversation over]');
  return context === ''
    ? scrub('[passed the conversation to us]')
    : scrub(`[passed the conversation to us]\n${context}`);
}

function lineOf({ id, at }: OverheardMessage, line: Pick<Line, 'role' | 'text' | 'notes' | 'desk'>): Line {
  return { ...line, id, at, tokens: countTokens([...(line.notes ?? []), line.text].join('\n')) };
}
