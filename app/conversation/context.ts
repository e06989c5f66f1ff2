/** What the model is shown: system prompt with summary · verbatim history · what is new. Nothing here does I/O. */
import type { ModelMessage } from '../llm/model.ts';
import { countTokens } from '../llm/tokens.ts';
import type { Held } from '../memory/mailbox.ts';
import type { Attachment, InboundMessage, Line, Location } from '../message.ts';
import { type Scrubbed, scrub } from '../privacy/scrub.ts';
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
export function promptFor(held: Held, fresh: readonly Line[], settings: ContextSettings): ModelMessage[] {
  const system = systemPrompt(settings.template, {
    summary: held.summary,
    profileName: held.profileName,
    now: settings.now(),
    timeZone: settings.timeZone,
  });
  const shown = [...newest(held.history, settings.historyTokens * 2), ...fresh].filter((line) => !line.apology);
  return [{ role: 'system', content: system }, ...joined(shown)];
}

/** The history lines that new messages become, in the order they were sent. */
export function linesOf(messages: readonly InboundMessage[]): Line[] {
  return messages.map((message) => {
    const text = wordsOf(message);
    return { role: 'user', text, at: message.receivedAt, id: message.id, tokens: countTokens(text) };
  });
}

/** A message in words: what was written, and a note for each thing that is not text. */
function wordsOf(message: InboundMessage): Scrubbed {
  const notes = message.attachments.map((attachment) => `[${attachmentNote(attachment)}]`);
  if (message.location) notes.push(`[location: ${locationNote(message.location)}]`);
  if (message.buttonPayload) notes.push(`[pressed a button: ${message.buttonPayload}]`);
  return scrub([...notes, message.text].filter(Boolean).join('\n'));
}

function attachmentNote({ kind, contentType }: Attachment): string {
  const names = {
    image: 'a picture',
    audio: 'a voice note',
    video: 'a video',
    'contact-card': 'a contact card',
    document: 'a file',
  };
  return `${names[kind]} (${contentType}), which you cannot open: say so kindly and ask for the content in words`;
}

function locationNote({ latitude, longitude, label, address }: Location): string {
  return [label, address, `${latitude}, ${longitude}`].filter(Boolean).join(', ');
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

function joined(lines: readonly Line[]): ModelMessage[] {
  const messages: { role: Line['role']; texts: Scrubbed[] }[] = [];
  for (const { role, text } of lines) {
    const last = messages.at(-1);
    if (last?.role === role) last.texts.push(text);
    else messages.push({ role, texts: [text] });
  }
  return messages.map(({ role, texts }) => ({ role, content: scrub(texts.join('\n')) }));
}
