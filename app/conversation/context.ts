/** What the model is shown: system prompt with summary · verbatim history · what is new. Nothing here does I/O. */
import type { ModelMessage } from '../llm/model.ts';
import type { Memory } from '../memory/mailbox.ts';
import type { Line } from '../message.ts';
import { scrub } from '../privacy/scrub.ts';
import type { Fresh } from './attachments.ts';
import { systemPrompt } from './prompts.ts';

export interface ContextSettings {
  /** The operator's system prompt, see `systemPrompt`. */
  template: string;
  timeZone: string;
  /** The history is shown up to twice this: while rolls fail it stays stored, but a prompt never grows without end. */
  historyTokens: number;
  now: () => number;
}

/** The prompt. Lines of the same role are joined, because many servers insist on taking turns. */
export function promptFor(held: Memory, fresh: readonly Fresh[], settings: ContextSettings): ModelMessage[] {
  const system = systemPrompt(settings.template, {
    summary: held.summary,
    profileName: held.profileName,
    now: settings.now(),
    timeZone: settings.timeZone,
  });
  const shown = newest(held.history, settings.historyTokens * 2).filter((line) => !line.apology);
  const known = fromFirstQuestion(shown);
  const lines = [...known.map((line) => ({ line, hint: null, pictures: [] })), ...fresh];
  return [{ role: 'system', content: system }, ...joined(lines)];
}

/** Many servers refuse a conversation that the assistant begins: its first lines become something that the person is told of. */
function fromFirstQuestion(lines: readonly Line[]): Line[] {
  const first = lines.findIndex(({ role }) => role === 'user');
  return lines.map((line, i) => (first < 0 || i < first ? asEarlierWords(line) : line));
}

function asEarlierWords(line: Line): Line {
  return { ...line, role: 'user', text: scrub(`[earlier, from you: ${line.text}]`) };
}

function newest(history: readonly Line[], mostTokens: number): Line[] {
  let tokens = 0;
  let first = history.length;
  for (let i = history.length - 1; i >= 0; i--) {
    tokens += history[i]?.tokens ?? 0;
    if (tokens > mostTokens) break;
    first = i;
  }
  return history.slice(first);
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
  if (only && !another && !only.hint && only.pictures.length === 0) return only.line.text;
  if (parts.every(({ pictures }) => pictures.length === 0)) return scrub(parts.map(wordsOf).join('\n'));
  return parts.flatMap((part) => [{ kind: 'text' as const, text: scrub(wordsOf(part)) }, ...part.pictures]);
}

function wordsOf({ line, hint }: Fresh): string {
  return hint ? `${line.text}\n${hint}` : line.text;
}
