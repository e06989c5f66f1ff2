/**
 * What the practice model says when it is asked what messages are about: a few rules for English, so that the inbox has
 * something to show before a real model is configured. It answers in the form it was asked for, as JSON.
 */
import { z } from 'zod';
import { PRACTICE_LABEL, type PracticeMessage } from './practice-answers.ts';

/**
 * Answers the last message, whose end is the JSON that the analysis puts there. Never empty.
 * @param format the request's `response_format`: it may have other categories than these rules know.
 */
export function practiceAnalysis(messages: readonly PracticeMessage[], format?: unknown): string {
  const allowed = FORMAT.safeParse(format).data?.json_schema.schema.properties;
  const asked = messages.findLast(({ role }) => role === 'user')?.text ?? '';
  const texts = textsIn(asked);
  const all = texts.join('\n');
  const entities: Record<string, string[]> = {
    people: found(PERSON, all),
    companies: found(COMPANY, all),
    dates: found(DATE, all),
    amounts: found(AMOUNT, all),
    products: [],
  };
  const names = Object.keys(allowed?.entities.properties ?? entities);
  const task = taskOf(texts);
  return JSON.stringify({
    summary: `${PRACTICE_LABEL} ${summaryOf(texts)}`,
    sentiment: oneOf(allowed?.sentiment.enum, sentimentOf(all)),
    entities: Object.fromEntries(names.map((name) => [name, entities[name] ?? []])),
    intent: oneOf(allowed?.intent.enum, intentOf(all)),
    language: 'en',
    task: task && { ...task, type: oneOf(taskTypesIn(allowed?.task), task.type) },
  });
}

const CHOICE = z.object({ enum: z.array(z.string()) });
const FORMAT = z.object({
  json_schema: z.object({
    schema: z.object({
      properties: z.object({
        sentiment: CHOICE,
        intent: CHOICE,
        entities: z.object({ properties: z.record(z.string(), z.unknown()) }),
        task: z.unknown().optional(),
      }),
    }),
  }),
});
/** A task, or none. */
const TASK = z.object({ anyOf: z.array(z.unknown()) });
const WITH_TYPE = z.object({ properties: z.object({ type: CHOICE }) });

function taskTypesIn(task: unknown): string[] | undefined {
  const [one] = TASK.safeParse(task).data?.anyOf.flatMap((kind) => WITH_TYPE.safeParse(kind).data ?? []) ?? [];
  return one?.properties.type.enum;
}

/** The last one is what fits when nothing else does. */
function oneOf(allowed: readonly string[] | undefined, wanted: string): string {
  return allowed === undefined || allowed.includes(wanted) ? wanted : (allowed.at(-1) ?? wanted);
}

const QUESTION = z.object({ messages: z.array(z.object({ text: z.string() })).min(1) });

/** The texts of the messages, or the whole when it is not the question that is expected. */
function textsIn(asked: string): string[] {
  try {
    return QUESTION.parse(JSON.parse(asked.slice(asked.indexOf('{')))).messages.map(({ text }) => text);
  } catch {
    return [asked];
  }
}

const URGENT = /\b(?:urgent(?:ly)?|asap|emergency|immediately|right away|right now|as soon as possible)\b/i;
const NEGATIVE =
  /\b(?:broken|angry|terrible|awful|bad|worst|complain|complaint|refund|disappointed|unhappy|damaged|wrong|not working|(?:does|did)(?:n[o'’]?t| not) (?:work|arrive)|still waiting)\b/i;
const POSITIVE = /\b(?:thanks|thank you|great|love|perfect|awesome|excellent|wonderful|happy|amazing)\b/i;

function sentimentOf(text: string): string {
  if (URGENT.test(text)) return 'urgent';
  if (NEGATIVE.test(text)) return 'negative';
  return POSITIVE.test(text) ? 'positive' : 'neutral';
}

const NAME = String.raw`\p{Lu}[\p{L}'’-]+`;
const COMPANY_ENDING = '(?:Corp|Corporation|Inc|Ltd|LLC|GmbH|Company|Group|Bank)';
const PERSON = new RegExp(
  String.raw`\b(?:with|meet|call|to|from|for|Mr\.?|Mrs\.?|Ms\.?|Dr\.?) (${NAME} (?!${COMPANY_ENDING}\b)${NAME})`,
  'gu',
);
const COMPANY = new RegExp(String.raw`\b(${NAME}(?: (?:${NAME}|&)){0,5} ${COMPANY_ENDING})\b`, 'gu');
const WEEKDAY = '(?:mon|tues|wednes|thurs|fri|satur|sun)day';
const MONTH = '(?:january|february|march|april|may|june|july|august|september|october|november|december)';
const TIME = String.raw`(?: (?:at )?\d{1,2}(?::\d\d)? ?(?:am|pm)| at \d{1,2}(?::\d\d)?)?`;
const DATE = new RegExp(
  String.raw`\b((?:today|tonight|(?:the day after )?tomorrow|(?:next |this )?${WEEKDAY}|next (?:week|month)|in (?:a|an|one|two|three|four|\d{1,2}) (?:hour|day|week|month)s?|\d{4}-\d\d-\d\d|${MONTH} \d{1,2}|\d{1,2} ${MONTH})${TIME})\b`,
  'giu',
);
const AMOUNT =
  /((?:[$€£] ?\d[\d.,]*\d|[$€£] ?\d)|\b\d[\d.,]* ?(?:euros?|dollars?|pounds?|eur|usd|gbp|pieces|boxes|kg)\b)/giu;

/** What the pattern catches, each once, at most five. */
function found(pattern: RegExp, text: string): string[] {
  return [...new Set([...text.matchAll(pattern)].map((match) => match[1] ?? ''))].slice(0, 5);
}

/** What a word calls for, first match first: the task's type, what people want, and how its title begins. */
const CALLS: [RegExp, { type: string; intent: string; title: string }][] = [
  [/\bdemo\b/i, { type: 'demo', intent: 'request', title: 'Give a demo' }],
  [
    /\b(?:meeting|meet|appointment|schedule)\b/i,
    { type: 'meeting', intent: 'scheduling', title: 'Schedule a meeting' },
  ],
  [
    /\b(?:call me|phone me|ring me|give me a (?:call|ring)|callback)\b/i,
    { type: 'call', intent: 'request', title: 'Call back' },
  ],
  [/\b(?:quote|quotation|offer)\b/i, { type: 'proposal', intent: 'pricing', title: 'Send an offer' }],
  [/\bproposal\b/i, { type: 'proposal', intent: 'request', title: 'Send a proposal' }],
  [/\be-?mail\b/i, { type: 'email', intent: 'request', title: 'Write an email' }],
  [/\b(?:order|buy|purchase)\b/i, { type: 'order', intent: 'order', title: 'Look after an order' }],
  [NEGATIVE, { type: 'support', intent: 'complaint', title: 'Look into a problem' }],
];

function intentOf(text: string): string {
  const call = CALLS.find(([pattern]) => pattern.test(text))?.[1];
  if (call) return call.intent;
  if (/\b(?:price|cost|how much)\b/i.test(text)) return 'pricing';
  return text.includes('?') ? 'question' : 'other';
}

function taskOf(texts: readonly string[]) {
  for (const [pattern, { type, title }] of CALLS) {
    const index = texts.findLastIndex((text) => pattern.test(text));
    const text = texts[index];
    if (text === undefined) continue;
    const [person] = found(PERSON, text);
    const [company] = found(COMPANY, text);
    const [date] = found(DATE, texts.join('\n'));
    const whom = [person && ` with ${person}`, company && ` (${company})`].filter(Boolean).join('');
    return {
      title: `${title}${whom}`,
      description: `${summaryOf([text])}`,
      type,
      priority: URGENT.test(texts.join('\n')) ? 1 : 3,
      message: index + 1,
      due: date === undefined ? null : { words: date, date: null },
    };
  }
  return null;
}

function summaryOf(texts: readonly string[]): string {
  const words = texts.join(' ').replace(/\s+/g, ' ').trim();
  return `They wrote: "${words.length > 160 ? `${words.slice(0, 160)}…` : words}"`;
}
