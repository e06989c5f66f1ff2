/** From the messages of one turn to what they are about and the task that follows. One call of the model, or none. */

import type { Burst, BurstMessage } from '../archive/write/analysis.ts';
import type { NewTask } from '../archive/write/tasks.ts';
import type { StructuredModel } from '../llm/openai/structured.ts';
import type { SpentOn } from '../message.ts';
import { joinScrubbed, type Scrubbed, scrub, scrubbed } from '../privacy/scrub.ts';
import { type Due, resolveDue } from './due.ts';
import type { Instructions } from './instructions.ts';
import { type Analysis, analysisSchema } from './schema.ts';
import { isTrivial } from './trivial.ts';

export type Analyzed =
  | { kind: 'trivial' }
  | {
      kind: 'analyzed';
      /** The id of the message that it is beside: the one the task follows from, or the last that says something. */
      about: string;
      analysis: Analysis;
      /** The analysis's own task, made ready to be kept; its title has at most 255 characters. */
      task: NewTask | null;
      usage: { prompt: number; completion: number; cached: number };
      /** How many requests it took. */
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
/** What the model is shown of one message, of all together and of the answer, UTF-16 code units. The newest come first. */
const LONGEST_TEXT = 8_000;
const LONGEST_BURST = 24_000;
const LONGEST_REPLY = 1_000;

export function createAnalyze({ model, instructions, timeZone }: AnalyzeOptions): Analyze {
  const schema = analysisSchema(instructions);
  return async function analyze(burst, signal) {
    const last = burst.messages.findLast(({ text }) => !isTrivial(text));
    if (!last) return { kind: 'trivial' };
    const { value, usage, attempts } = await model.ask({
      name: 'analysis',
      schema,
      messages: [
        { role: 'system', content: instructions.prompt },
        { role: 'user', content: question(burst, timeZone) },
      ],
      maxTokens: MAX_TOKENS,
      conversation: burst.phone,
      spentOn: spentOn(burst),
      ...(signal && { signal }),
    });
    // The model counts from 1, and may count wrongly.
    const about = (value.task && burst.messages[value.task.message - 1]) ?? last;
    const task = await taskOf(value, about, instructions.taskCategory, timeZone);
    return { kind: 'analyzed', about: about.id, analysis: value, task, usage, attempts };
  };
}

/** What no turn has taken in counts for its first message. */
export function spentOn({ conversation, turn, messages }: Burst): SpentOn {
  return { conversation, turn: turn ?? messages[0]?.id ?? '' };
}

/** The part of the prompt that is new every time. As JSON, so that no message can pass itself off as something else. */
function question({ messages, contactName, reply }: Burst, timeZone: string): Scrubbed {
  let room = LONGEST_BURST;
  const shown = messages
    .map(({ text, type, receivedAt }, i) => ({
      message: i + 1,
      written: shownTime(receivedAt, timeZone),
      ...(type !== 'text' && { type }),
      text: text.slice(0, LONGEST_TEXT),
    }))
    .reverse()
    .filter(({ text }) => {
      room -= text.length;
      return text !== '' && room >= 0;
    })
    .reverse();
  const today = shownTime(messages.at(-1)?.receivedAt ?? 0, timeZone);
  const given = { from: contactName, messages: shown, answered: reply?.slice(0, LONGEST_REPLY) ?? null };
  return scrub(`Today is ${today}, time zone ${timeZone}.\n${JSON.stringify(given)}`);
}

/** `Saturday 2026-11-21 10:05` */
function shownTime(at: number, timeZone: string): string {
  const weekday = new Intl.DateTimeFormat('en', { weekday: 'long', timeZone }).format(at);
  const time = new Intl.DateTimeFormat('sv', { dateStyle: 'short', timeStyle: 'short', timeZone }).format(at);
  return `${weekday} ${time}`;
}

async function taskOf(
  analysis: Analysis,
  about: BurstMessage,
  category: string,
  timeZone: string,
): Promise<NewTask | null> {
  const { task, sentiment, language } = analysis;
  if (!task) return null;
  const due = task.due && (await resolveDue({ ...task.due, at: about.receivedAt, timeZone, language }));
  return {
    title: titleOf(task.title, analysis.summary),
    description: describe(task.description, task.due?.words, due, scrub(about.text)),
    type: task.type,
    category,
    priority: sentiment === 'urgent' ? Math.min(task.priority, 2) : task.priority,
    dueDate: due?.day ?? null,
    tags: TASK_TAGS,
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
