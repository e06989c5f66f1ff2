/** What the model reports about messages, and the categories it may choose from. */
import { z } from 'zod';
import type { Clean } from '../llm/openai/structured.ts';

/** What the model chooses from and looks for; every list can be replaced by the operator's own (see `instructions.ts`). */
export interface Categories {
  /** How a message sounds. A task from one that is `urgent` has priority 1 or 2. */
  sentiments: readonly string[];
  /** What people want, in one or two words each. */
  intents: readonly string[];
  /** What is looked for in the words, e.g. people and products. */
  entities: readonly string[];
  /** Kinds of tasks. The last one is what a task is when nothing else fits. */
  taskTypes: readonly string[];
  /** Under what a task is filed that nobody has filed yet (`sales_tasks.category`). */
  taskCategory: string;
}

export const DEFAULT_CATEGORIES: Categories = {
  sentiments: ['positive', 'negative', 'neutral', 'urgent'],
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
  entities: ['people', 'companies', 'dates', 'amounts', 'products'],
  taskTypes: ['call', 'email', 'meeting', 'follow_up', 'demo', 'proposal', 'quote', 'support', 'order', 'general'],
  taskCategory: 'follow_up',
};

/** Told to the model beside each field. */
const DESCRIPTIONS = {
  summary: 'One or two sentences, in the language of the messages',
  sentiment: 'urgent when it cannot wait a day or they say so, whatever the mood',
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

const ENTITY_DESCRIPTIONS: Readonly<Record<string, string>> = {
  dates: 'As written, e.g. "next Tuesday"',
  amounts: 'Money and quantities as written, with their unit',
};

/** The shape of the model's answer. Plain enough for every server's structured outputs. */
export function analysisSchema({ sentiments, intents, entities, taskTypes }: Categories) {
  const texts = (name: string) => z.array(z.string()).describe(ENTITY_DESCRIPTIONS[name] ?? 'As written');
  const sentiment = z.enum([...sentiments]);
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
    sentiment: sentiments.includes('urgent') ? sentiment.describe(DESCRIPTIONS.sentiment) : sentiment,
    entities: z.object(Object.fromEntries(entities.map((name) => [name, texts(name)]))),
    intent: z.enum([...intents]),
    language: z.string().describe(DESCRIPTIONS.language),
    task: task.nullable().describe(DESCRIPTIONS.task),
  });
}

/** What the model reported about the messages of one turn, scrubbed. */
export type Analysis = Clean<z.infer<ReturnType<typeof analysisSchema>>>;
