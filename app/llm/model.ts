import type { SpentOn } from '../message.ts';
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

/** Something the model may call instead of answering. */
export interface Tool {
  /** Letters, digits and `_`. */
  name: string;
  /** When to call it, for the model. */
  description: string;
  /** Of its arguments: a JSON schema of an object. */
  parameters: Record<string, unknown>;
}

export interface ModelRequest {
  messages: ModelMessage[];
  /** Offered to the model; a server that takes none is asked without them. Default: none. */
  tools?: readonly Tool[] | undefined;
  /** The longest answer, in tokens. */
  maxTokens: number;
  /** After a failure no other try begins later than this, ms; one that is open goes on. Default: the model's own deadline. */
  retryForMs?: number | undefined;
  /** Gives up when it is aborted, also while waiting between two tries. */
  signal?: AbortSignal;
  /** Names the person, so that the provider's prompt cache and abuse checks can distinguish people. Only a hash of it is sent. */
  conversation: string;
  /** The log of the turn. Default: the model's own. */
  log?: Log;
  /** What the call is for: picks the model and labels the figures. */
  purpose: 'answer' | 'summary';
  /** Whose call it is, for the ledger of costs. */
  spentOn?: SpentOn;
}

/** What a call used, in tokens as the provider counted; zeros when it did not say. */
export interface TokenUsage {
  prompt: number;
  completion: number;
  /** The part of `prompt` that the provider had in its cache. */
  cached: number;
  /** The part of `prompt` that the provider put there, where that has a price of its own. */
  cacheWrites?: number;
}

export interface ModelAnswer {
  /** Empty only when a tool was called. */
  text: Scrubbed;
  /** The tool it called, one of those that were offered. `arguments` are as the model wrote them, unchecked; {} when they are no JSON. */
  call?: { name: string; arguments: Record<string, unknown> };
  /** False when the answer was cut at `maxTokens`, or by the server's filter. */
  complete: boolean;
  usage: TokenUsage;
  /** How many requests it took. */
  attempts: number;
}

/**
 * A language model. The OpenAI client (for every server with its protocol) is one implementation, a plain HTTP chat API the other.
 * It leaves out streaming: WhatsApp shows whole messages.
 *
 * Within its own deadline it repeats calls that may succeed later. It rejects with a `Failure` whose code starts
 * with `model.`, or with the signal's reason.
 */
export interface ChatModel {
  /** The model that answers, for people: `gpt-5.4-mini`. */
  readonly name: string;
  answer(request: ModelRequest): Promise<ModelAnswer>;
  /** Is the server there? Rejects like `answer`; costs no tokens. */
  ping(signal?: AbortSignal): Promise<void>;
}
