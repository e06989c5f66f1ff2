/**
 * What spam looks like: all rules and thresholds. Redis counts (`memory/scripts/accept.lua`), this file judges the counts.
 *
 * The rules are for what no customer does: one who writes ten messages in a row, says "ok" all the time, shares a link or two, or comes
 * with 200 others because of a sale, stays far below. What many people do for good reasons (the text that an advertisement puts into the
 * field) counts little, and is never enough alone.
 */
import { createHash } from 'node:crypto';
import { isNumber } from '../contacts/addresses.ts';
import type { SpamReason } from '../events.ts';
import type { Counts, Held, Traits } from '../memory/mailbox.ts';
import type { InboundMessage } from '../message.ts';

export interface Verdict {
  /** 0 to 100. */
  score: number;
  /** What it is made of, the most important rule first. */
  reasons: SpamReason[];
}

/** From this score on the team is told. */
export const SHOWN_SCORE = 60;

/** From this score on the contact is not answered for a while. */
export const THROTTLED_SCORE = 100;

/** How long after the last message that reached it, ms. Longer than a pause in which somebody changes what a program sends. */
export const THROTTLED_MS = 30 * 60_000;

/** How long the team is not asked again about a contact of whom it said that it is no spam, ms. */
export const EXCUSED_MS = 30 * 86_400_000;

/** The limit of messages in a minute that the rules expect at least: a lower one saves money, and says nothing of spam. */
const LEAST_PACE = 20;

interface Rule {
  reason: SpamReason;
  /** What is compared with the steps. */
  measure(counts: Counts, traits: Traits, pace: number): number;
  /** From how much on it counts how many points; the last step that is reached counts. */
  steps: readonly (readonly [from: number, points: number])[];
}

/** In the order in which the reasons are told. */
const RULES: readonly Rule[] = [
  {
    // Above RATE_LIMIT_PER_MINUTE people are asked to slow down. Who goes on at many times that is a program.
    reason: 'flood',
    measure: ({ minute }, _traits, pace) => minute / pace,
    steps: [
      [3, 60],
      [5, 100],
    ],
  },
  {
    // The limit allows it, but with the default it is a message every 18 seconds for an hour.
    reason: 'flood',
    measure: ({ messages }, _traits, pace) => messages / pace,
    steps: [
      [5, 60],
      [10, 100],
    ],
  },
  {
    // Somebody who gets no answer asks three or four times. Short words are not compared.
    reason: 'repeats',
    measure: ({ sameWords }) => sameWords,
    steps: [
      [10, 60],
      [20, 100],
    ],
  },
  {
    // Somebody who orders by links to products may send a dozen.
    reason: 'links',
    measure: ({ links }) => links,
    steps: [
      [8, 30],
      [15, 60],
      [30, 100],
    ],
  },
  {
    // The text that a button on a page or an advertisement puts into the field comes from everybody, in the same words, also with a link.
    reason: 'campaign',
    measure: ({ writers }, { hasLink }) => (hasLink ? 0 : writers),
    steps: [[10, 20]],
  },
  {
    reason: 'campaign',
    measure: ({ writers }, { hasLink }) => (hasLink ? writers : 0),
    steps: [[10, 40]],
  },
  {
    // A thousand numbers in a row. 200 people of one country are spread over thousands of such blocks.
    reason: 'neighbours',
    measure: ({ newcomers }) => newcomers,
    steps: [[20, 60]],
  },
];

/** @param messagesPerMinute the limit, RATE_LIMIT_PER_MINUTE */
export function judgeSpam(counts: Counts, traits: Traits, messagesPerMinute: number): Verdict {
  const pace = Math.max(LEAST_PACE, messagesPerMinute);
  const points = new Map<SpamReason, number>();
  for (const { reason, measure, steps } of RULES) {
    const measured = measure(counts, traits, pace);
    const [, reached = 0] = steps.findLast(([from]) => measured >= from) ?? [];
    if (reached > 0) points.set(reason, Math.max(reached, points.get(reason) ?? 0));
  }
  const ranked = [...points].sort(([, a], [, b]) => b - a);
  const sum = ranked.reduce((all, [, one]) => all + one, 0);
  return { score: Math.min(100, sum), reasons: ranked.map(([reason]) => reason) };
}

/** Is the contact not to be answered, because what they write looks like spam? */
export function isThrottled({ throttledUntil, excusedUntil }: Held, now: number): boolean {
  return throttledUntil > now && excusedUntil <= now;
}

/** Letters and digits that a text has to have to be compared: shorter ones are words that everybody repeats. */
const LEAST_LETTERS = 20;

/** Letters that are compared: who writes more at length does not repeat it by chance. */
const MOST_LETTERS = 1_000;

/** Of the digits of a number, the last ones that do not count: a block has a thousand numbers. */
const BLOCK_DIGITS = 3;
const LEAST_DIGITS = 8;

const LINK = /https?:\/\/|\bwww\.|\b(?:t|wa)\.me\//i;

export function traitsOf(message: InboundMessage): Traits {
  const { contact, text } = message;
  const isOfNumber = isNumber(contact) && contact.length >= LEAST_DIGITS;
  return {
    words: isOwnText(message) ? nameOf(text) : '',
    hasLink: LINK.test(text),
    block: isOfNumber ? contact.slice(0, -BLOCK_DIGITS) : '',
  };
}

/** Buttons, forms and advertisements put in the same words for everybody. */
function isOwnText({ buttonPayload, form, referral }: InboundMessage): boolean {
  return buttonPayload === undefined && form === undefined && referral === undefined;
}

/** The same for texts that differ in capitals, spaces and punctuation alone. */
function nameOf(text: string): string {
  if (text.length < LEAST_LETTERS) return '';
  const letters = text
    .slice(0, MOST_LETTERS)
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '');
  return letters.length < LEAST_LETTERS ? '' : createHash('sha1').update(letters).digest('base64url').slice(0, 16);
}
