/** Answers as data: one call of a chat model whose answer matches a zod schema, with or without structured outputs of the server. */
import type { OpenAI } from 'openai';
import { APIError } from 'openai/core/error';
import { z } from 'zod';
import { Failure } from '../../errors.ts';
import type { SpentOn } from '../../message.ts';
import type { Log } from '../../ops/logger.ts';
import { joinScrubbed, type Scrubbed, scrub } from '../../privacy/scrub.ts';
import { lastLook } from '../last-look.ts';
import type { ModelAnswer, ModelMessage, TokenUsage } from '../model.ts';
import { type Clock, retry } from '../retry.ts';
import { addUsage, type Completion, readCompletion, usageIn } from './answer.ts';
import { isOpenAi } from './chat.ts';
import { createOpenAiClient, type OpenAiClientOptions } from './client.ts';
import { explain } from './failure.ts';
import { type ChatBodySettings, chatBody, createRefusals } from './request.ts';

export interface StructuredRequest<T> {
  /** What the answer is called towards the server: letters, digits, `_` and `-`, at most 64. */
  name: string;
  /** The shape of the answer: plain objects, lists, enums; `.nullable()` instead of `.optional()`, no transforms. */
  schema: z.ZodType<T>;
  messages: ModelMessage[];
  /** The longest answer, in tokens. */
  maxTokens: number;
  /** Gives up when it is aborted, also while waiting between two tries. */
  signal?: AbortSignal;
  /** Who is asking, for the provider's abuse checks. Hashed before it leaves. */
  conversation: string;
  /** Whose call it is, for the ledger of costs. */
  spentOn?: SpentOn;
}

export interface StructuredAnswer<T> {
  value: Clean<T>;
  /** All requests together, as the provider counted, in tokens. */
  usage: ModelAnswer['usage'];
  /** How many requests it took. */
  attempts: number;
}

/** The same shape, in which every free text was scrubbed. */
export type Clean<T> = T extends string
  ? string extends T
    ? Scrubbed
    : T
  : T extends readonly (infer Item)[]
    ? Clean<Item>[]
    : T extends object
      ? { [Key in keyof T]: Clean<T[Key]> }
      : T;

export interface StructuredModel {
  readonly name: string;
  /**
   * Resolves with an answer that the schema accepts. Rejects with a `Failure` whose code starts with `model.`
   * (`model.filtered` for a refusal, `model.empty` when no answer fits, also after a repair), or with the signal's reason.
   */
  ask<T>(request: StructuredRequest<T>): Promise<StructuredAnswer<T>>;
  /** Cuts the connections to the server; the model cannot be used afterwards. */
  close(): Promise<void>;
}

export interface StructuredModelOptions
  extends OpenAiClientOptions,
    Omit<ChatBodySettings, 'tellPeopleApart' | 'models'> {
  model: string;
  /** For one answer, all tries, repairs and waits included, ms. */
  timeoutMs: number;
  log: Log;
  /** Told how much the last look found in a prompt. */
  onLeaks?: (count: number) => void;
  /** Told what each completion used, also one that is asked for again or fails in the end. */
  onUsage?: (spentOn: SpentOn | undefined, usage: TokenUsage) => void;
  clock?: Clock;
}

/** The second try's tokens, when the first answer was cut: times the caller's limit. */
const MORE_ROOM = 3;

/**
 * Asks with `response_format: json_schema` (https://platform.openai.com/docs/guides/structured-outputs). A server that
 * refuses it, or that takes it and answers something else, gets the schema in the prompt and one chance to repair what it
 * wrote; that is remembered for as long as the process runs. Opens no connection before the first request.
 */
export function createStructuredModel(options: StructuredModelOptions): StructuredModel {
  const { model, timeoutMs, log, clock } = options;
  const client = createOpenAiClient(options);
  // Whatever a call is for, this client has one model.
  const settings = {
    ...options,
    models: { answer: model, summary: model },
    tellPeopleApart: isOpenAi(options.baseUrl),
  };
  const refusals = createRefusals(log);
  let knowsSchemas = true;

  /** One completion; a server that refuses a parameter is asked again without it at once. */
  async function complete(asked: Asked, { messages, format, maxTokens }: Wanted): Promise<Completion> {
    const without = new Set(refusals.of(model));
    const look = lastLook(messages, log, options.onLeaks);
    for (;;) {
      const request = { messages, maxTokens, conversation: asked.conversation, purpose: 'answer' as const };
      const plain = chatBody(request, look, maxTokens, without, settings);
      const body = format ? { ...plain, response_format: format } : plain;
      try {
        asked.spent.attempts++;
        const received = await client.complete(body, asked.signal);
        const usage = usageIn(received);
        if (usage) addUsage(asked.spent.usage, usage);
        if (usage) options.onUsage?.(asked.spentOn, usage);
        const completion = readCompletion(received);
        refusals.believe(model, without);
        if (received.choices[0]?.message?.refusal) throw new Failure('model.filtered', REFUSED);
        return completion;
      } catch (error) {
        const refused = refusals.read(error, body);
        if (!refused) throw error;
        without.add(refused);
      }
    }
  }

  /** After an answer that was cut, the model is asked again with a higher limit. */
  async function wholly(asked: Asked, wanted: Wanted): Promise<Completion> {
    const completion = await complete(asked, wanted);
    if (!completion.cut) return completion;
    log.warn('The answer was cut; asking again with a higher limit', { maxTokens: wanted.maxTokens });
    return complete(asked, { ...wanted, maxTokens: wanted.maxTokens * MORE_ROOM });
  }

  /** With the server's own structured outputs; not read when it cannot do that. */
  async function bySchema<T>(asked: Asked, request: StructuredRequest<T>): Promise<Read<T>> {
    // Loaded with the first analysis, so that the process starts sooner.
    const { zodResponseFormat } = await import('openai/helpers/zod');
    const format = zodResponseFormat(request.schema, request.name);
    try {
      const { text, cut } = await wholly(asked, { ...request, format });
      const read = readValue(text, request.schema);
      if (!read.ok && cut) throw new Failure('model.empty', CUT);
      return read;
    } catch (error) {
      if (!refusesFormat(error)) throw error;
      return { ok: false, problems: ['the server refuses response_format'], silent: false };
    }
  }

  /** With the schema in the prompt, and one repair. */
  async function byPrompt<T>(asked: Asked, request: StructuredRequest<T>): Promise<Fit<T>> {
    const { schema, maxTokens } = request;
    const messages = withSchema(request.messages, schema);
    const first = await wholly(asked, { messages, maxTokens });
    const read = readValue(first.text, schema);
    if (read.ok) return read;
    log.warn('The answer does not match the schema; asking again with the problems', { problems: read.problems });
    const repair: ModelMessage[] = [
      ...messages,
      { role: 'assistant', content: scrub(first.text || '(nothing)') },
      { role: 'user', content: scrub(`${REPAIR}\n${read.problems.join('\n')}`) },
    ];
    const second = readValue((await wholly(asked, { messages: repair, maxTokens })).text, schema);
    if (second.ok) return second;
    throw new Failure('model.empty', `${MISSHAPEN} (${second.problems[0]})`);
  }

  async function answer<T>(asked: Asked, request: StructuredRequest<T>): Promise<Fit<T>> {
    const read = knowsSchemas ? await bySchema(asked, request) : null;
    if (read?.ok) return read;
    const fit = await byPrompt(asked, request);
    // Assumed only after an answer without structured outputs worked; an empty answer proves nothing.
    if (read && !read.silent) {
      knowsSchemas = false;
      log.warn('The model server has no structured outputs; sending the schema as text from now on', { model });
    }
    return fit;
  }

  return {
    name: model,
    async ask(request) {
      const spent = { attempts: 0, usage: { prompt: 0, completion: 0, cached: 0 } };
      const fit = await retry({ timeoutMs, signal: request.signal, explain, log, clock }, (signal) =>
        answer({ conversation: request.conversation, spentOn: request.spentOn, signal, spent }, request),
      );
      return { value: cleaned(fit.value), ...spent };
    },
    close: client.close,
  };
}

/** One try of `ask` on its way; `spent` counts over all tries. */
interface Asked {
  readonly conversation: string;
  readonly spentOn: SpentOn | undefined;
  readonly signal: AbortSignal;
  readonly spent: Pick<ModelAnswer, 'attempts' | 'usage'>;
}

interface Wanted {
  messages: ModelMessage[];
  maxTokens: number;
  format?: OpenAI.ResponseFormatJSONSchema;
}

const REFUSED = 'The model refused to answer about these messages.';
const CUT = 'The answer is longer than the model may write, also with more room.';
const MISSHAPEN = 'The answer does not match the schema, also after it was asked to correct it';
const IN_WORDS = `Answer with one JSON object and nothing else: no explanation, no code fence. Every field must be there;
what is not known is null or an empty list. The object must fit this JSON Schema:`;
const REPAIR = 'That is not the JSON object that was asked for. Write it again, whole and alone. What is wrong:';

/** How many problems of an answer are named. */
const MOST_PROBLEMS = 10;

interface Fit<T> {
  ok: true;
  value: T;
}

type Read<T> =
  | Fit<T>
  /** `silent` when there were no words at all. */
  | { ok: false; problems: string[]; silent: boolean };

function readValue<T>(text: string, schema: z.ZodType<T>): Read<T> {
  const json = jsonIn(text);
  if (json === undefined) return { ok: false, problems: ['it is not JSON'], silent: text === '' };
  const parsed = schema.safeParse(json);
  if (parsed.success) return { ok: true, value: parsed.data };
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'the object'}: ${message}`);
  return { ok: false, problems: problems.slice(0, MOST_PROBLEMS), silent: false };
}

/** The text as JSON, or the object in the middle of it: models like to wrap it in a code fence or a sentence. */
function jsonIn(text: string): unknown {
  const inner = text.slice(text.indexOf('{'), text.lastIndexOf('}') + 1);
  for (const candidate of [text, inner]) {
    try {
      return JSON.parse(candidate);
    } catch {
      // the next candidate, or none
    }
  }
  return undefined;
}

/** The same messages, the first of which also says what the answer must look like. */
function withSchema<T>(messages: ModelMessage[], schema: z.ZodType<T>): ModelMessage[] {
  const wish = scrub(`${IN_WORDS}\n${JSON.stringify(z.toJSONSchema(schema))}`);
  const [first, ...rest] = messages;
  if (first?.role !== 'system' || typeof first.content !== 'string')
    return [{ role: 'system', content: wish }, ...messages];
  return [{ role: 'system', content: joinScrubbed([first.content, wish], '\n\n') }, ...rest];
}

/** A 400 (OpenAI and most others) or 422 (FastAPI servers) about structured outputs, however it is worded. */
function refusesFormat(error: unknown): boolean {
  if (!(error instanceof APIError) || (error.status !== 400 && error.status !== 422)) return false;
  return /response.?format|json.?schema|structured.?output/i.test(`${error.param ?? ''} ${error.message}`);
}

/** Scrubbed after parsing: an escape (`\u002e`) hides an address from a look at the JSON text. */
function cleaned<T>(value: T): Clean<T> {
  return cleanedAny(value) as Clean<T>; // the same shape, its texts through `scrub`
}

function cleanedAny(value: unknown): unknown {
  if (typeof value === 'string') return scrub(value);
  if (Array.isArray(value)) return value.map(cleanedAny);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, cleanedAny(inner)]));
}
