import { readFileSync } from 'node:fs';
import { O200K_TOKEN_SPLIT_REGEX } from 'gpt-tokenizer/encodingParams/constants';
import type { ContentPart, ModelMessage } from './model.ts';
import { createCounter } from './pieces.ts';
import { readVocabulary } from './vocabulary.ts';

/** Up to so many UTF-16 code units are counted; of a longer text samples are. The longest WhatsApp text has 4,096. */
const COUNTED_LENGTH = 16_384;
/** How many samples, spread evenly over the text and together `COUNTED_LENGTH` long. */
const SAMPLES = 16;
/**
 * The tokenizer's time grows with the square of a run without a break (one letter a thousand times), so longer runs are
 * cut here. Costs at most a token per cut, and cuts come in long links and in languages that write without spaces.
 */
const RUN = /\S{64}|\s{64}/g;

/** What a message costs beside its words, and what the start of the answer costs. OpenAI's cookbook, "How to count tokens". */
const PER_MESSAGE = 4;
const PER_PROMPT = 3;
/** Pictures as the dearer of today's models count them: 32-pixel patches, 256 or 1,536 of them, times 1.62. */
const PER_IMAGE = { low: 415, high: 2_488, auto: 2_488 } as const;

/**
 * What a text costs in a prompt, in tokens of o200k_base (gpt-4o and later; other models differ by some percent).
 * Exact for ordinary texts, an estimate for those with very long runs or beyond 16,384 characters; some 70 µs per
 * 1,000 characters, and bounded for any text.
 */
export function countTokens(text: string): number {
  if (text.length <= COUNTED_LENGTH) return countRuns(text);
  const length = COUNTED_LENGTH / SAMPLES;
  const step = (text.length - length) / (SAMPLES - 1);
  let tokens = 0;
  for (let i = 0; i < SAMPLES; i++)
    tokens += countRuns(text.slice(Math.round(i * step), Math.round(i * step) + length));
  return Math.ceil((tokens * text.length) / COUNTED_LENGTH);
}

/**
 * A text of at most about `most` tokens: the middle of a longer one gives way to ` […] `, because what matters stands at the beginning and
 * what is asked at the end.
 * @param tokens what `countTokens` says of the text, when that is known
 */
export function shortenToTokens(text: string, most: number, tokens = countTokens(text)): string {
  if (tokens <= most) return text;
  const kept = Math.floor((text.length * most) / tokens);
  const tail = Math.floor(kept / 3);
  const head = text.slice(0, kept - tail).trimEnd();
  return `${head} […] ${text.slice(text.length - tail).trimStart()}`.toWellFormed();
}

/** What a whole prompt costs, pictures and the wrapping of the messages included. */
export function countMessageTokens(messages: readonly ModelMessage[]): number {
  return messages.reduce((sum, { content }) => sum + PER_MESSAGE + contentTokens(content), PER_PROMPT);
}

function contentTokens(content: ModelMessage['content']): number {
  if (typeof content === 'string') return countTokens(content);
  return content.reduce((sum, part) => sum + partTokens(part), 0);
}

function partTokens(part: ContentPart): number {
  return part.kind === 'text' ? countTokens(part.text) : PER_IMAGE[part.detail];
}

function countRuns(text: string): number {
  counter ??= readCounter();
  let tokens = 0;
  let from = 0;
  for (const { index } of text.matchAll(RUN)) {
    tokens += counter(text.slice(from, index + 64));
    from = index + 64;
  }
  return tokens + counter(from === 0 ? text : text.slice(from));
}

/** Read at the first count. For it, `<|endoftext|>` is thirteen characters of a text. */
let counter: ((text: string) => number) | undefined;

function readCounter(): (text: string) => number {
  const file = readFileSync(new URL(import.meta.resolve('gpt-tokenizer/data/o200k_base.tiktoken')));
  return createCounter(readVocabulary(file), O200K_TOKEN_SPLIT_REGEX);
}
