/** What people may ask of the assistant itself: help, to forget the conversation, a copy of their data, to be forgotten. Without the model. */
import type { Held } from '../memory/mailbox.ts';
import type { ContactId } from '../message.ts';
import type { Log } from '../ops/logger.ts';
import { type Scrubbed, scrub } from '../privacy/scrub.ts';
import type { Answered } from './answer.ts';
import type { Fresh } from './attachments.ts';
import { answerIn } from './keywords/answers.ts';
import { commandIn } from './keywords/commands.ts';

/** The answer to a command, or to the question that a command was answered with; null when the newest message is neither. */
export type Obey = (held: Held, fresh: readonly Fresh[], log: Log) => Promise<Answered | null>;

export interface ObeyOptions {
  /** Of the business; null when it was not given. */
  name: string | null;
  handoffReply: Scrubbed;
  /** Makes an address from which a contact gets a copy of their data for `EXPORT_HOURS`; null when there is none to give. */
  exportFor: ((contact: ContactId) => Promise<string>) | null;
  now: () => number;
}

/** A yes that comes later than this, ms, answers something else. */
const ANSWERED_MS = 10 * 60_000;

/** How long the address of a copy works, hours. */
export const EXPORT_HOURS = 24;

export function createObey({ name, handoffReply, exportFor, now }: ObeyOptions): Obey {
  return obey;

  async function obey(held: Held, fresh: readonly Fresh[], log: Log): Promise<Answered | null> {
    const words = fresh.at(-1)?.line.text ?? '';
    const { asked } = held;
    const answer = asked && now() - asked.at < ANSWERED_MS ? answerIn(words) : null;
    if (asked && answer !== null) return answer === 'yes' ? done(asked.what) : said(KEPT);
    switch (commandIn(words)) {
      case 'help':
        return said(helpOf(name));
      case 'reset':
        return { ...said(ASK_RESET), asks: 'reset' };
      case 'forget':
        return { ...said(ASK_FORGET), asks: 'forget' };
      case 'export':
        return copyFor(held.contact, log);
      default:
        return null;
    }
  }

  function done(asked: 'reset' | 'forget'): Answered {
    if (asked === 'reset') return { ...said(RESET), forgets: true };
    const handoff = { reason: 'asked' as const, note: WANTS_DELETION, summary: null };
    return { kind: 'handoff', text: FORGOTTEN, handoff, forgets: true };
  }

  /** Without an address, or without Redis, the team is asked. */
  async function copyFor(contact: ContactId, log: Log): Promise<Answered> {
    const url = await exportFor?.(contact).catch((error) => log.warn('There is no copy of their data', { error }));
    if (!url)
      return { kind: 'handoff', text: handoffReply, handoff: { reason: 'asked', note: WANTS_COPY, summary: null } };
    return said(scrub(`Here is a copy of what we keep of you. The address works for ${EXPORT_HOURS} hours:\n${url}`));
  }
}

function said(text: Scrubbed): Extract<Answered, { kind: 'command' }> {
  return { kind: 'command', text };
}

function helpOf(name: string | null): Scrubbed {
  return scrub(`I am the automatic assistant of ${name ?? 'this business'}: write what you need. You can also write:
PERSON: somebody of the team takes over
STOP: no more messages; START: messages again
/reset: I forget this conversation
/export: a copy of what we keep of you
/forget me: we delete what we keep of you`);
}

const ASK_RESET = scrub('Shall I forget this conversation? Answer YES or NO.');
const RESET = scrub('I have forgotten this conversation. How can I help you?');
const ASK_FORGET = scrub(
  'Shall we delete what we keep of you? I forget this conversation at once, and the team deletes the rest. Answer YES or NO.',
);
const FORGOTTEN = scrub(
  'I have forgotten this conversation, and have asked the team to delete the rest. They will tell you here when it is done.',
);
const KEPT = scrub('All right, everything stays as it is.');
const WANTS_DELETION = scrub('They ask for everything that is kept of them to be deleted, and have confirmed it.');
const WANTS_COPY = scrub('They ask for a copy of what is kept of them.');
