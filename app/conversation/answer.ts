/** Asks the model, and knows what to say when it does not answer. */
import { type FailureCode, isFailure } from '../errors.ts';
import type { ChatModel, ModelMessage } from '../llm/model.ts';
import type { ContactId } from '../message.ts';
import type { Log } from '../ops/logger.ts';
import { type Scrubbed, scrub } from '../privacy/scrub.ts';

/**
 * The model's words; or the operator's apology and why; or nothing to say, because there is no apology either; or, without
 * asking the model, a word about a limit.
 */
export type Answered =
  | { kind: 'answer'; text: Scrubbed; usage: { prompt: number; completion: number; cached: number } }
  | { kind: 'apology'; text: Scrubbed; failure: FailureCode }
  | { kind: 'silence'; failure: FailureCode }
  | { kind: 'notice'; text: Scrubbed };

export interface Asker {
  /**
   * Never rejects for what the model does, only when `signal` is aborted.
   * The model's own deadline bounds it.
   */
  ask(
    contact: ContactId,
    messages: ModelMessage[],
    signal: AbortSignal,
    log: Log,
  ): Promise<Exclude<Answered, { kind: 'notice' }>>;
}

export interface AskerOptions {
  model: ChatModel;
  /** The longest answer, in tokens. */
  maxReplyTokens: number;
  /** What a person reads when the model stays down; '' = nothing. */
  failureReply: string;
}

export function createAsker({ model, maxReplyTokens, failureReply }: AskerOptions): Asker {
  const apology = failureReply === '' ? null : scrub(failureReply);
  return { ask };

  async function ask(
    contact: ContactId,
    messages: ModelMessage[],
    signal: AbortSignal,
    log: Log,
  ): Promise<Exclude<Answered, { kind: 'notice' }>> {
    try {
      const request = {
        messages,
        maxTokens: maxReplyTokens,
        signal,
        conversation: contact,
        purpose: 'answer',
        log,
      } as const;
      const answer = await model.answer(request);
      return { kind: 'answer', text: answer.text, usage: answer.usage };
    } catch (error) {
      if (signal.aborted) throw error;
      const failure = isFailure(error) ? error.code : 'model.unavailable';
      log.error('The model did not answer', { code: failure, error });
      return apology === null ? { kind: 'silence', failure } : { kind: 'apology', text: apology, failure };
    }
  }
}
