/** From the messages of one turn to what they are about and the task that follows. One call of the model, or none. */
import type { StructuredModel } from '../llm/structured.ts';
import { joinScrubbed, type Scrubbed, scrub, scrubbed } from '../privacy/scrub.ts';
import { type Due, resolveDue } from './due.ts';
import type { Instructions } from './instructions.ts';
import { type Analysis, analysisSchema } from './schema.ts';
import { isTrivial } from './trivial.ts';

/** A message as the model is shown it. */
export interface MessageToAnalyze {
  /** What was written, or said in a voice note; '' when there was nothing to read. */
  text: Scrubbed;
  /** Unix ms. */
  at: number;
}

/** Messages that were answered together. */
export interface Burst {
  /** Oldest first. */
  messages: MessageToAnalyze[];
  /** Whose they are, for the provider's abuse checks. Hashed before it leaves. */
  conversation: string;
  /** What the person calls themselves. */
  contactName: Scrubbed | null;
}

/** A task as it goes into the archive. */
export interface NewTask {
  /** At most 255 characters. */
  title: Scrubbed;
  /** What is to be done, the time it was wished for, and the message itself. */
  description: Scrubbed;
  type: Scrubbed;
  /** 1 is the most urgent, 5 the least. */
  priority: number;
  /** `YYYY-MM-DD` */
  dueDate: string | null;
  tags: string[];
  /** Which message of the burst it follows from, counted from 0. */
  message: number;
}

export type Analyzed =
  | { kind: 'trivial' }
  | {
      kind: 'analyzed';
      analysis: Analysis;
      /** The analysis's own task, made ready to be kept. */
      task: NewTask | null;
      usage: { prompt: number; completion: number; cached: number };
      attempts: number;
    };

/** Rejects as `StructuredModel.ask` does. */
export type Analyze = (burst: Burst, signal?: AbortSignal) => Promise<Analyzed>;

export interface AnalyzeOptions {
  model: Pick<StructuredModel, 'ask'>;
  instructions: Instructions;
  timeZone: string;
}

export const TASK_TAGS = ['whatsapp', 'auto-generated'];

/** Room for the longest analysis, and for a reasoning model to think. */
const MAX_TOKENS = 1_500;
/** What the model is shown of one message, and of all together, UTF-16 code units. The newest stay whole. */
const LONGEST_TEXT = 8_000;
const LONGEST_BURST = 24_000;

export function createAnalyze({ model, instructions, timeZone }: AnalyzeOptions): Analyze {
  const schema = analysisSchema(instructions);
  return async (burst, signal) => {
    if (burst.messages.every(({ text }) => isTrivial(text))) return { kind: 'trivial' };
    const { value, usage, attempts } = await model.ask({
      name: 'analysis',
      schema,
      messages: [
        { role: 'system', content: instructions.prompt },
        { role: 'user', content: question(burst, timeZone) },
      ],
      maxTokens: MAX_TOKENS,
      conversation: burst.conversation,
      ...(signal && { signal }),
    });
    return { kind: 'analyzed', analysis: value, task: await taskOf(value, burst, timeZone), usage, attempts };
  };
}

/** The part of the prompt that is new every time. As JSON, so that no message can pass itself off as something else. */
function question({ messages, contactName }: Burst, timeZone: string): Scrubbed {
  const last = messages.at(-1)?.at ?? 0;
  let room = LONGEST_BURST;
  const shown = messages
    .map(({ text, at }, i) => ({ message: i + 1, written: shownTime(at, timeZone), text: text.slice(0, LONGEST_TEXT) }))
    .reverse()
    .filter(({ text }) => {
      room -= text.length;
      return text !== '' && room >= 0;
    })
    .reverse();
  const date = shownTime(last, timeZone);
  return scrub(`Today is ${date}, time zone ${timeZone}.\n${JSON.stringify({ from: contactName, messages: shown })}`);
}

/** `Saturday 2026-11-21 10:05` */
function shownTime(at: number, timeZone: string): string {
  const weekday = new Intl.DateTimeFormat('en', { weekday: 'long', timeZone }).format(at);
  const time = new Intl.DateTimeFormat('sv', { dateStyle: 'short', timeStyle: 'short', timeZone }).format(at);
  return `${weekday} ${time}`;
}

async function taskOf(analysis: Analysis, { messages }: Burst, timeZone: string): Promise<NewTask | null> {
  const { task, sentiment, language } = analysis;
  if (!task) return null;
  // The model counts from 1, and may count wrongly: then it is the last one.
  const index = messages[task.message - 1] ? task.message - 1 : messages.length - 1;
  const original = messages[index];
  if (!original) return null;
  const due = task.due && (await resolveDue({ ...task.due, at: original.at, timeZone, language }));
  return {
    title: titleOf(task.title, analysis.summary),
    description: describe(task.description, task.due?.words, due, original.text),
    type: task.type,
    priority: sentiment === 'urgent' ? Math.min(task.priority, 2) : task.priority,
    dueDate: due?.day ?? null,
    tags: TASK_TAGS,
    message: index,
  };
}

/** The archive's column holds so many characters. */
const LONGEST_TITLE = 255;

function titleOf(title: Scrubbed, summary: Scrubbed): Scrubbed {
  const line = (title.trim() || summary).replace(/\s+/g, ' ').trim();
  const characters = [...line];
  return scrub(characters.length > LONGEST_TITLE ? `${characters.slice(0, LONGEST_TITLE - 1).join('')}…` : line);
}

function describe(description: Scrubbed, words: Scrubbed | undefined, due: Due | null, original: Scrubbed): Scrubbed {
  const parts = [description];
  if (words)
    parts.push(due?.time ? scrub(`Wished for: ${words} (${due.day} ${due.time})`) : scrubbed`Wished for: ${words}`);
  parts.push(scrubbed`Original message:\n${original}`);
  return joinScrubbed(parts.filter(Boolean), '\n\n');
}
