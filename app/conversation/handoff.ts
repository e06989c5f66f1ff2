/** When a person of the team is needed, and what the contact and the team are told then. */
import type { ModelAnswer, Tool } from '../llm/model.ts';
import type { HandoffReason } from '../message.ts';
import { type Scrubbed, scrub } from '../privacy/scrub.ts';
import type { Fresh } from './attachments.ts';
import { asksForPerson } from './keywords/person.ts';

/** Why a person is needed. */
export interface Handoff {
  reason: HandoffReason;
  /** In the words of the model; null when it was not asked. */
  note: Scrubbed | null;
  /** Of the conversation, for whoever picks it up; null when nobody wrote one. */
  summary: Scrubbed | null;
}

/** How it is done. */
export interface HandoffSettings {
  /** What the contact is told. */
  reply: Scrubbed;
  /** So long the bot is silent when nobody comes, ms. */
  silentMs: number;
  /** So many answers in a row that fail bring a person; 0 = none do. */
  afterFailures: number;
}

export interface HandoffWords {
  /** The operator's words; may have `{hours}` and `{contact}`. */
  reply: string;
  /** When people of the team answer; null when it was not given. */
  hours: string | null;
  /** How else a person is reached: a telephone number, an address, a page; null when it was not given. */
  contact: string | null;
}

/** What the contact is told: what the words do not place themselves follows as sentences. */
export function handoffReply({ reply, hours, contact }: HandoffWords): Scrubbed {
  const filled = reply.replaceAll('{hours}', hours ?? '').replaceAll('{contact}', contact ?? '');
  const sentences = [
    filled,
    hours !== null && !reply.includes('{hours}') ? `Our hours: ${hours}.` : '',
    contact !== null && !reply.includes('{contact}') ? `You also reach us here: ${contact}` : '',
  ];
  return scrub(sentences.filter((sentence) => sentence !== '').join('\n'));
}

/** Does anything in a burst ask for a person, in writing or in a voice note? Decided without the model, so that it works while that is down. */
export function isAskedFor(fresh: readonly Fresh[]): boolean {
  return fresh.some(({ line, transcript }) => asksForPerson(line.text) || asksForPerson(transcript ?? ''));
}

/** Offered to the model with every answer. */
export const HAND_TO_PERSON: Tool = {
  name: 'hand_to_person',
  description:
    'Brings a person of the team into this conversation; you are silent from then on. Call it instead of answering when somebody is upset or complains, when your answers have not helped twice, when something matters to them and is beyond what you know or may decide, or when they ask for a person in whatever words. Do not call it for what you can answer.',
  parameters: {
    type: 'object',
    properties: {
      reason: { type: 'string', description: 'Why a person is needed, one sentence for the team' },
      summary: {
        type: 'string',
        description:
          'The conversation so far in two or three sentences: who they are, what they want, what was promised',
      },
    },
    required: ['reason', 'summary'],
  },
};

/** The longest words of a model that are kept of a handoff, in characters. */
const LONGEST = 1_000;

export function handoffOf({ arguments: given }: NonNullable<ModelAnswer['call']>): Handoff {
  return { reason: 'model', note: wordsIn(given.reason), summary: wordsIn(given.summary) };
}

function wordsIn(given: unknown): Scrubbed | null {
  return typeof given === 'string' && given.trim() !== '' ? scrub(given.trim().slice(0, LONGEST)) : null;
}
