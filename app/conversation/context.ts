/** What the model is shown: system prompt with summary · verbatim history · what is new. Nothing here does I/O. */
import type { ModelMessage } from '../llm/model.ts';
import { countTokens, shortenToTokens } from '../llm/tokens.ts';
import type { Memory } from '../memory/mailbox.ts';
import type { Line } from '../message.ts';
import { scrub } from '../privacy/scrub.ts';
import type { Prompt } from './answer.ts';
import type { Fresh } from './attachments.ts';
import { type Facts, NO_FACTS, shownFacts, shownLines } from './hidden.ts';
import { systemPrompt } from './prompts.ts';

export interface ContextSettings {
  /** The operator's system prompt, see `systemPrompt`. */
  template: string;
  timeZone: string;
  /** The history is shown up to twice this: while rolls fail it stays stored, but a prompt never grows without end. */
  historyTokens: number;
  now: () => number;
}

/** One line takes at most this share of what is shown, so that the newest are always among it. */
const LONGEST_SHARE = 1 / 4;

/** Lines of the same role are joined, because many servers insist on taking turns. */
export function promptFor(held: Memory, fresh: readonly Fresh[], settings: ContextSettings): Prompt {
  const most = settings.historyTokens * 2;
  const known = beginningWithPerson(newest(shownLines(held.history), most)).map(asFresh);
  const shown = { ...held, ...shownFacts(held) };
  const news = fresh.map((one) => ({ ...one, line: shortened(one.line, most / fresh.length) }));
  const hasPast = shown.summary !== '' || Boolean(shown.profileName) || known.length > 0;
  return {
    messages: [system(shown, settings), ...joined([...known, ...news])],
    fresh: hasPast ? [system(NO_FACTS, settings), ...joined(news)] : null,
    newest: news.length > 1 ? [system(NO_FACTS, settings), ...joined(news.slice(-1))] : null,
  };
}

/** A line as it is remembered: the whole of it is in the archive. */
export function toRemember(line: Line, historyTokens: number): Line {
  return shortened(line, historyTokens / 2);
}

function system({ summary, profileName }: Facts, { template, timeZone, now }: ContextSettings): ModelMessage {
  return { role: 'system', content: systemPrompt(template, { summary, profileName, now: now(), timeZone }) };
}

/** Many servers refuse a conversation that the assistant begins: a line of ours stands before its words. Nobody can write it for them. */
function beginningWithPerson(lines: readonly Line[]): Line[] {
  const [first] = lines;
  return first?.role === 'assistant'
    ? [{ role: 'user', text: NOT_SHOWN, at: first.at, id: '', tokens: 0 }, ...lines]
    : [...lines];
}

const NOT_SHOWN = scrub('(What they wrote before this is not shown.)');

/** The newest lines that fit. */
function newest(history: readonly Line[], mostTokens: number): Line[] {
  const shown: Line[] = []; // newest first
  let tokens = 0;
  for (let i = history.length - 1; i >= 0; i--) {
    const line = shortened(history[i] as Line, mostTokens * LONGEST_SHARE); // i is in the list
    tokens += line.tokens;
    if (tokens > mostTokens) break;
    shown.push(line);
  }
  return shown.reverse();
}

function shortened(line: Line, mostTokens: number): Line {
  if (line.tokens <= mostTokens) return line;
  const text = scrub(shortenToTokens(line.text, mostTokens, line.tokens));
  return { ...line, text, tokens: countTokens(text) };
}

function asFresh(line: Line): Fresh {
  return { line, hint: null, pictures: [] };
}

function joined(lines: readonly Fresh[]): ModelMessage[] {
  const messages: { role: Line['role']; parts: Fresh[] }[] = [];
  for (const fresh of lines) {
    const last = messages.at(-1);
    if (last?.role === fresh.line.role) last.parts.push(fresh);
    else messages.push({ role: fresh.line.role, parts: [fresh] });
  }
  return messages.map(({ role, parts }) => ({ role, content: contentOf(parts) }));
}

/** Words alone as a text; with pictures as parts, each picture behind the words it came with. */
function contentOf(parts: readonly Fresh[]): ModelMessage['content'] {
  const [only, another] = parts;
  // Most of a history: a line by itself, which was scrubbed when it was loaded.
  if (only && !another && !only.hint && !only.line.notes && only.pictures.length === 0) return only.line.text;
  if (parts.every(({ pictures }) => pictures.length === 0)) return scrub(parts.map(wordsOf).join('\n'));
  return parts.flatMap((part) => [{ kind: 'text' as const, text: scrub(wordsOf(part)) }, ...part.pictures]);
}

function wordsOf({ line: { notes = [], text }, hint }: Fresh): string {
  return [...notes.map((note) => `[${note}]`), text, hint ?? ''].filter((words) => words !== '').join('\n');
}
