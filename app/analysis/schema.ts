/** What the model reports about messages, and the categories it may choose from. */
import { z } from 'zod';
import type { Clean } from '../llm/openai/structured.ts';

/** How a message sounds. Fixed: the inbox filters by them, and the archive's column knows no others. */
export const SENTIMENTS = ['positive', 'negative', 'neutral', 'urgent'] as const;

/** What the model chooses from; both lists can be replaced by the operator's own (see `instructions.ts`). */
export interface Categories {
  /** What people want, in one or two words each. */
  intents: readonly string[];
  /** Kinds of tasks. The last one is what a task is when nothing else fits. */
  taskTypes: readonly string[];
}

export const DEFAULT_CATEGORIES: Categories = {
  intents: [
    'question',
    'request',
    'scheduling',
    'order',
    'pricing',
    'complaint',
    'support',
    'feedback',
    'smalltalk',
    'other',
  ],
  taskTypes: ['call', 'email', 'meeting', 'follow_up', 'demo', 'proposal', 'quote', 'support', 'order', 'general'],
};

/** Told to the model beside each field. */
const DESCRIPTIONS = {
  summary: 'One or two sentences, in the language of the messages',
  sentiment: 'urgent when it cannot wait a day or they say so, whatever the mood',
  dates: 'As written, e.g. "next Tuesday"',
  amounts: 'Money and quantities as written, with their unit',
  language: 'BCP 47 tag of the language they write in, e.g. en, pt-BR',
  task: 'What a person of the team has to do now; null when nothing is left to do',
  title: 'A short imperative, e.g. "Schedule a meeting with Jane Doe"',
  description: 'What is to be done and all that is needed for it, in one to three sentences',
  priority: '1 drop everything, 2 today, 3 this week, 4 some time, 5 nice to have',
  message: 'The number of the message that the task follows from',
  due: 'When it has to be done; null when that is not said',
  words: 'The words that tell when, as written, e.g. "next Tuesday", "in two weeks", "Friday 3pm"',
  date: 'The same as YYYY-MM-DD or YYYY-MM-DDTHH:MM in the time zone given; null when you are not sure',
} as const;

/** The shape of the model's answer. Plain enough for every server's structured outputs. */
export function analysisSchema({ intents, taskTypes }: Categories) {
  const texts = () => z.array(z.string());
  const task = z.object({
    title: z.string().describe(DESCRIPTIONS.title),
    description: z.string().describe(DESCRIPTIONS.description),
    type: z.enum([...taskTypes]),
    priority: z.number().int().min(1).max(5).describe(DESCRIPTIONS.priority),
    message: z.number().int().min(1).describe(DESCRIPTIONS.message),
    due: z
      .object({
        words: z.string().describe(DESCRIPTIONS.words),
        date: z.string().nullable().describe(DESCRIPTIONS.date),
      })
      .nullable()
      .describe(DESCRIPTIONS.due),
  });
  return z.object({
    summary: z.string().describe(DESCRIPTIONS.summary),
    sentiment: z.enum(SENTIMENTS).describe(DESCRIPTIONS.sentiment),
    entities: z.object({
      people: texts(),
      companies: texts(),
      dates: texts().describe(DESCRIPTIONS.dates),
      amounts: texts().describe(DESCRIPTIONS.amounts),
      products: texts(),
    }),
    intent: z.enum([...intents]),
    language: z.string().describe(DESCRIPTIONS.language),
    task: task.nullable().describe(DESCRIPTIONS.task),
  });
}

/** What the model reported about the messages of one turn, scrubbed. */
export type Analysis = Clean<z.infer<ReturnType<typeof analysisSchema>>>;
