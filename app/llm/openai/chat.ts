/** Answers by OpenAI, or by any server with its chat completions protocol. */
import { APIError } from 'openai';
import { Failure } from '../../errors.ts';
import type { Log } from '../../ops/logger.ts';
import { scrub } from '../../privacy/scrub.ts';
import { lastLook } from '../last-look.ts';
import type { ChatModel, ModelAnswer, ModelRequest } from '../model.ts';
import { type Clock, retry } from '../retry.ts';
import { type Completion, readCompletion } from './answer.ts';
import { createOpenAiClient, type OpenAiClientOptions } from './client.ts';
import { explain } from './failure.ts';
import { type ChatBodySettings, chatBody, createRefusals } from './request.ts';

export interface OpenAiModelOptions extends OpenAiClientOptions, Omit<ChatBodySettings, 'tellPeopleApart'> {
  /** For one answer, all tries and waits included, ms. */
  timeoutMs: number;
  log: Log;
  /** Told how much the last look found in a prompt. */
  onLeaks?: (count: number) => void;
  clock?: Clock;
}

export interface OpenAiModel extends ChatModel {
  /** Cuts the connections to the server; the model cannot be used afterwards. */
  close(): Promise<void>;
}

/** How long `ping` waits, ms. */
const PING_MS = 5_000;
/** The server is there, although it does not list its models. */
const THERE: readonly (number | undefined)[] = [404, 405, 429, 501];
/** The second try's tokens, when the first spent all of them on thinking: times the caller's limit. */
const ROOM_TO_THINK = 4;

/**
 * Opens no connection before the first request. Nothing is kept with the provider (`store: false`), and who asks is told to
 * OpenAI's own servers alone, as a hash. Errors, tries and their limits: `openai-failure.ts` and `retry.ts`.
 */
export function createOpenAiModel(options: OpenAiModelOptions): OpenAiModel {
  const { models, timeoutMs, log, clock } = options;
  const client = createOpenAiClient(options);
  const settings = { ...options, tellPeopleApart: isOpenAi(options.baseUrl) };
  const refusals = createRefusals(log);
  const logOf = (request: ModelRequest) => request.log ?? log;

  /** One completion; a server that refuses a parameter is asked again without it at once. */
  async function complete(asked: Asked, maxTokens: number, signal: AbortSignal): Promise<Completion> {
    const model = models[asked.request.purpose];
    const without = new Set(refusals.of(model));
    for (;;) {
      const body = chatBody(asked.request, asked.messages, maxTokens, without, settings);
      try {
        asked.attempts++;
        const completion = readCompletion(await client.sdk.chat.completions.create(body, { signal }));
        refusals.believe(model, without);
        addUsage(asked.usage, completion.usage);
        return completion;
      } catch (error) {
        const refused = refusals.read(error, body);
        if (!refused) throw error;
        without.add(refused);
      }
    }
  }

  /** After an empty answer the model is asked again, with a higher limit when the tokens were used for thinking. */
  async function answerInWords(asked: Asked, signal: AbortSignal): Promise<ModelAnswer> {
    const { maxTokens } = asked.request;
    let completion = await complete(asked, maxTokens, signal);
    if (completion.text === '') {
      logOf(asked.request).warn('The answer was empty; asking again', {
        cut: completion.cut,
        maxTokens,
      });
      completion = await complete(asked, completion.cut ? maxTokens * ROOM_TO_THINK : maxTokens, signal);
    }
    if (completion.text === '')
      throw new Failure(
        'model.empty',
        `The model answered without words twice${completion.cut ? ': raise MAX_REPLY_TOKENS or lower OPENAI_REASONING_EFFORT' : ''}.`,
      );
    const { text, complete: whole } = completion;
    return { text: scrub(text), complete: whole, usage: asked.usage, attempts: asked.attempts };
  }

  return {
    name: models.answer,
    async answer(request) {
      const log = logOf(request);
      const asked: Asked = {
        request,
        messages: lastLook(request.messages, log, options.onLeaks),
        attempts: 0,
        usage: { prompt: 0, completion: 0, cached: 0 },
      };
      return retry({ timeoutMs, signal: request.signal, explain, log, clock }, (signal) =>
        answerInWords(asked, signal),
      );
    },
    async ping(signal) {
      const once = (error: unknown) => ({ ...explain(error), again: false });
      await retry({ timeoutMs: PING_MS, signal, explain: once, log, clock }, async (ending) => {
        try {
          await client.sdk.models.list({ signal: ending });
        } catch (error) {
          if (!(error instanceof APIError && THERE.includes(error.status))) throw error;
        }
      });
    },
    close: client.close,
  };
}

/** One call of `answer` on its way: what is asked, and what it has cost so far. */
interface Asked {
  readonly request: ModelRequest;
  readonly messages: ModelRequest['messages'];
  attempts: number;
  readonly usage: ModelAnswer['usage'];
}

/** Does this address, or none, lead to OpenAI's own servers? */
export function isOpenAi(baseUrl: string | undefined): boolean {
  if (baseUrl === undefined) return true;
  const { hostname } = new URL(baseUrl);
  return hostname === 'api.openai.com' || hostname.endsWith('.api.openai.com');
}

/** Adds what one request cost to what all have cost. */
export function addUsage(total: ModelAnswer['usage'], one: ModelAnswer['usage']): void {
  total.prompt += one.prompt;
  total.completion += one.completion;
  total.cached += one.cached;
}
