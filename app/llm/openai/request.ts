import { createHmac } from 'node:crypto';
import type { OpenAI } from 'openai';
import { APIError } from 'openai/core/error';
import type { Log } from '../../ops/logger.ts';
import { scrub } from '../../privacy/scrub.ts';
import type { ContentPart, ModelMessage, ModelRequest } from '../model.ts';

export type ChatBody = OpenAI.ChatCompletionCreateParamsNonStreaming;

export interface ChatBodySettings {
  models: { answer: string; summary: string };
  /** Sent only when given: many models refuse them. */
  reasoningEffort?: OpenAI.ReasoningEffort | undefined;
  temperature?: number | undefined;
  /** Also send a hash that names the person. Only OpenAI's servers use it, for their prompt cache and abuse checks. */
  tellPeopleApart: boolean;
  /** Keys the hash, so that a phone number cannot be found by trying all of them. */
  apiKey: string;
}

/** What a server may refuse without the answer being worse for it. */
const DISPENSABLE = [
  'max_completion_tokens',
  'store',
  'temperature',
  'reasoning_effort',
  'prompt_cache_key',
  'safety_identifier',
  'tools',
] as const;
/** `system role`: the instructions go in front of the first message, for models whose template knows no system prompt (Gemma). */
type Dispensable = (typeof DISPENSABLE)[number] | 'system role';

/** The body of one chat completion. `without` leaves parameters out; `max_completion_tokens` becomes the older `max_tokens`. */
export function chatBody(
  { purpose, conversation, tools = [] }: ModelRequest,
  messages: readonly ModelMessage[],
  maxTokens: number,
  without: ReadonlySet<Dispensable>,
  { models, reasoningEffort, temperature, tellPeopleApart, apiKey }: ChatBodySettings,
): ChatBody {
  const limit = without.has('max_completion_tokens') ? { max_tokens: maxTokens } : { max_completion_tokens: maxTokens };
  const said = without.has('system role') ? withoutSystem(messages) : messages;
  const body: ChatBody = { model: models[purpose], messages: said.map(chatMessage), ...limit, store: false };
  if (reasoningEffort !== undefined) body.reasoning_effort = reasoningEffort;
  if (temperature !== undefined) body.temperature = temperature;
  if (tools.length > 0) body.tools = tools.map((tool) => ({ type: 'function', function: { ...tool } }));
  if (tellPeopleApart) {
    const person = createHmac('sha256', apiKey).update(conversation).digest('base64url').slice(0, 24);
    body.prompt_cache_key = person;
    body.safety_identifier = person;
  }
  for (const parameter of without) if (parameter !== 'system role') delete body[parameter];
  return body;
}

/**
 * Remembers, for as long as the process runs, which parameters a model's server refuses. A refusal is believed only after
 * the request worked without the parameter: a value that is only too large must not disable the parameter.
 */
export interface Refusals {
  of(model: string): ReadonlySet<Dispensable>;
  /** Which parameter of the body this error complains about; undefined when it is about something else. */
  read(error: unknown, body: ChatBody): Dispensable | undefined;
  believe(model: string, refused: ReadonlySet<Dispensable>): void;
}

export function createRefusals(log: Log): Refusals {
  const known = new Map<string, ReadonlySet<Dispensable>>();
  const nothing: ReadonlySet<Dispensable> = new Set();
  return {
    of: (model) => known.get(model) ?? nothing,
    read(error, body) {
      // llama.cpp answers 500 to it.
      if (error instanceof APIError && body.messages[0]?.role === 'system' && NO_SYSTEM_ROLE.test(error.message))
        return 'system role';
      if (!(error instanceof APIError)) return undefined;
      const complaint = `${error.param ?? ''} ${error.message}`;
      // vLLM: "tool choice requires --enable-auto-tool-choice"; OpenRouter, with 404: "No endpoints found that support tool use".
      if ('tools' in body && /\btool[ _-](choice|call|use)/i.test(complaint)) return 'tools';
      // 400 is OpenAI's status for it, 422 that of servers made with FastAPI.
      if (error.status !== 400 && error.status !== 422) return undefined;
      return DISPENSABLE.find((name) => name in body && new RegExp(`(?<!\\w)${name}(?!\\w)`).test(complaint));
    },
    believe(model, refused) {
      const before = known.get(model) ?? nothing;
      const parameters = [...refused].filter((name) => !before.has(name));
      if (parameters.length === 0) return;
      known.set(model, new Set([...before, ...refused]));
      log.warn('The model server refuses some parameters; they are left out from now on', { model, parameters });
    },
  };
}

/** As chat templates and gateways say it: "System role not supported", "Developer instruction is not enabled". */
const NO_SYSTEM_ROLE =
  /\b(system|developer)\b['"`]? (role|message|prompt|instruction)s?\b.{0,30}\bnot (be )?(support|enabl|allow)|not support.{0,20}\bsystem\b|(unsupported|invalid|unknown) role:? ['"`]?system\b/i;

function withoutSystem(messages: readonly ModelMessage[]): ModelMessage[] {
  const [system, first, ...rest] = messages;
  if (system?.role !== 'system' || first?.role !== 'user') return [...messages];
  const parts = (content: ModelMessage['content']): ContentPart[] =>
    typeof content === 'string' ? [{ kind: 'text', text: content }] : content;
  const both = [...parts(system.content), ...parts(first.content)];
  const texts = both.flatMap((part) => (part.kind === 'text' ? [part.text] : []));
  const content = texts.length === both.length ? scrub(texts.join('\n\n')) : both;
  return [{ role: 'user', content }, ...rest];
}

function chatMessage({ role, content }: ModelMessage): OpenAI.ChatCompletionMessageParam {
  if (typeof content === 'string') return { role, content };
  if (role === 'user') return { role, content: content.map(chatPart) };
  // Only people send pictures.
  return { role, content: content.map((part) => (part.kind === 'text' ? part.text : '')).join('\n') };
}

function chatPart(part: ContentPart): OpenAI.ChatCompletionContentPart {
  if (part.kind === 'text') return { type: 'text', text: part.text };
  return { type: 'image_url', image_url: { url: part.url, detail: part.detail } };
}
