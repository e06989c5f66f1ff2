import { Failure } from '../../errors.ts';
import { isBlank } from '../../message.ts';
import type { ModelAnswer, TokenUsage } from '../model.ts';
import { errorInside } from './failure.ts';
import { withoutThoughts } from './thoughts.ts';

/** What one chat completion says. */
export interface Completion {
  /** '' when the model wrote no words. */
  text: string;
  /** The first tool that it called; null when it called none. */
  call: NonNullable<ModelAnswer['call']> | null;
  /** It stopped at the token limit. */
  cut: boolean;
  /** The server's filter stopped it. */
  filtered: boolean;
  /** The words are a refusal, not an answer. */
  refused: boolean;
}

/**
 * Reads a completion of OpenAI or of anything that resembles it: a refusal is an answer, too; content may be a list of
 * parts; thoughts that a self-hosted model wrote into its answer (`<think>…</think>`) are not for people.
 * @throws Failure `model.filtered`, or `model.request` when it is no completion at all; the SDK's error when one is inside.
 */
export function readCompletion(received: unknown): Completion {
  const error = errorInside(received);
  if (error) throw error;
  if (!isRecord(received) || !Array.isArray(received.choices))
    throw new Failure(
      'model.request',
      'The server answered, but not with a chat completion. Check OPENAI_BASE_URL (it usually ends in /v1).',
    );
  const choice: unknown = received.choices[0];
  const message = isRecord(choice) && isRecord(choice.message) ? choice.message : {};
  const reason = isRecord(choice) ? choice.finish_reason : undefined;
  const said = withoutThoughts(textOf(message.content)).trim();
  const answer = isBlank(said) ? '' : said;
  const text = answer || textOf(message.refusal).trim();
  const filtered = typeof reason === 'string' && FILTERED.test(reason);
  if (text === '' && filtered)
    throw new Failure('model.filtered', "The model server's content filter held the answer back.");
  const call = callIn(message.tool_calls);
  return { text, call, cut: reason === 'length', filtered, refused: answer === '' };
}

/** OpenAI says `content_filter`; gateways pass on Gemini's SAFETY, PROHIBITED_CONTENT, BLOCKLIST, or Zhipu's `sensitive`. */
const FILTERED = /filter|safety|prohibited|blocklist|sensitive/i;

function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content.map((part) => (isRecord(part) && typeof part.text === 'string' ? part.text : '')).join('');
}

/** Arguments are JSON in a text; some servers send the object itself. */
function callIn(calls: unknown): Completion['call'] {
  const first: unknown = Array.isArray(calls) ? calls[0] : undefined;
  const called = isRecord(first) && isRecord(first.function) ? first.function : {};
  if (typeof called.name !== 'string') return null;
  const given = typeof called.arguments === 'string' ? parsed(called.arguments) : called.arguments;
  return { name: called.name, arguments: isRecord(given) ? given : {} };
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

/** What a completion used, also one without a word for people. Null when it is no completion: then nothing was used. */
export function usageIn(received: unknown): TokenUsage | null {
  if (!isRecord(received) || !Array.isArray(received.choices)) return null;
  const usage = isRecord(received.usage) ? received.usage : {};
  const details = isRecord(usage.prompt_tokens_details) ? usage.prompt_tokens_details : {};
  const cacheWrites = count(details.cache_write_tokens);
  return {
    prompt: count(usage.prompt_tokens),
    completion: count(usage.completion_tokens),
    cached: count(details.cached_tokens),
    ...(cacheWrites > 0 ? { cacheWrites } : {}),
  };
}

function count(tokens: unknown): number {
  return typeof tokens === 'number' ? tokens : 0;
}

/** Adds what one request used to what all have used. */
export function addUsage(total: TokenUsage, one: TokenUsage): void {
  total.prompt += one.prompt;
  total.completion += one.completion;
  total.cached += one.cached;
  if (one.cacheWrites) total.cacheWrites = (total.cacheWrites ?? 0) + one.cacheWrites;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
