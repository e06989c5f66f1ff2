import type { Log } from '../ops/logger.ts';
import type { Scrubbed } from '../privacy/scrub.ts';

/** One message of a prompt. Consecutive messages never have the same role, and the first is the only `system` one. */
export interface ModelMessage {
  role: 'system' | 'user' | 'assistant';
  content: Scrubbed | ContentPart[];
}

/** A user message may mix words and pictures. */
export type ContentPart =
  | { kind: 'text'; text: Scrubbed }
  /** `url` is always a `data:image/jpeg;base64,…` of our own making. */
  | { kind: 'image'; url: string; detail: 'low' | 'high' | 'auto' };

export interface ModelRequest {
  messages: ModelMessage[];
  /** The longest answer, in tokens. */
  maxTokens: number;
  /** Gives up when it is aborted, also while waiting between two tries. */
  signal?: AbortSignal;
  /** Who is asking, so that the provider's prompt cache and abuse checks can tell people apart. Hashed before it leaves. */
  conversation: string;
  /** Knows for whom it is asked. Default: the model's own. */
  log?: Log;
  /** What the call is for: picks the model and labels the figures. */
  purpose: 'answer' | 'summary';
}

export interface ModelAnswer {
  /** Never empty. */
  text: Scrubbed;
  /** False when the answer was cut at `maxTokens`. */
  complete: boolean;
  /** As the provider counted, in tokens; zeros when it did not say. */
  usage: { prompt: number; completion: number; cached: number };
  /** How many requests it took. */
  attempts: number;
}

/**
 * Something that answers. The OpenAI client (and whatever speaks its protocol) is one, a plain HTTP chat API the other.
 * It leaves out streaming: WhatsApp shows whole messages.
 *
 * Within its own deadline it tries again what is worth trying again. It rejects with a `Failure` whose code starts
 * with `model.`, or with the signal's reason.
 */
export interface ChatModel {
  /** The model that answers, for people: `gpt-5.4-mini`. */
  readonly name: string;
  answer(request: ModelRequest): Promise<ModelAnswer>;
  /** Is the server there? Rejects like `answer`; costs no tokens. */
  ping(signal?: AbortSignal): Promise<void>;
}
