/** Answers by OpenAI, or by any server with its chat completions protocol. */
import { APIError } from 'openai/core/error';
import { Failure } from '../../errors.ts';
import type { Log } from '../../ops/logger.ts';
import { scrub } from '../../privacy/scrub.ts';
import { lastLook } from '../last-look.ts';
import type { ChatModel, ModelAnswer, ModelMessage, ModelRequest, TokenUsage } from '../model.ts';
import { type Clock, retry } from '../retry.ts';
import { addUsage, type Completion, readCompletion, usageIn } from './answer.ts';
import { createOpenAiClient, type OpenAiClientOptions } from './client.ts';
import { explain } from './failure.ts';
import { type ChatBodySettings, chatBody, createRefusals } from './request.ts';

export interface OpenAiModelOptions extends OpenAiClientOptions, Omit<ChatBodySettings, 'tellPeopleApart'> {
  /** For one answer, all tries and waits included, ms. */
  timeoutMs: number;
  log: Log;
  /** Told how much the last look found in a prompt. */
  onLeaks?: (count: number) => void;
  /** Told what each completion used, also one that is asked for again or fails in the end. */
  onUsage?: (request: Pick<ModelRequest, 'purpose' | 'spentOn'>, usage: TokenUsage) => void;
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
/** Tokens beside the caller's limit for a model that spent all of it on thinking. */
const ROOM_TO_THINK = 8_192;
/** A server whose model takes less than that is asked for so many times the caller's limit. */
const LESS_ROOM = 4;

/**
 * Opens no connection before the first request. Nothing is kept with the provider (`store: false`), and who asks is told to
 * OpenAI's own servers alone, as a hash. Errors, tries and their limits: `openai-failure.ts` and `retry.ts`.
 */
export function createOpenAiModel(options: OpenAiModelOptions): OpenAiModel {
  const { models, timeoutMs, log, clock } = options;
  const client = createOpenAiClient(options);
  const settings = { ...options, tellPeopleApart: isOpenAi(options.baseUrl) };
  const refusals = createRefusals(log);
  /** Models that were seen to spend a whole limit on thinking. */
  const thinkers = new Set<string>();
  const logOf = (request: ModelRequest) => request.log ?? log;

  /** One completion; a server that refuses a parameter is asked again without it at once. */
  async function complete(asked: Asked, maxTokens: number, signal: AbortSignal): Promise<Completion> {
    const model = models[asked.request.purpose];
    const without = new Set(refusals.of(model));
    for (;;) {
      const body = chatBody(asked.request, asked.messages, maxTokens, without, settings);
      try {
        asked.attempts++;
        const received = await client.complete(body, signal);
        const usage = usageIn(received);
        if (usage) addUsage(asked.usage, usage);
        if (usage) options.onUsage?.(asked.request, usage);
        const completion = readCompletion(received);
        refusals.believe(model, without);
        return completion;
      } catch (error) {
        const refused = refusals.read(error, body);
        if (!refused) throw error;
        without.add(refused);
      }
    }
  }

  /** After an empty answer the model is asked again, with room to think when the tokens were used for that; the model keeps the room. */
  async function answerInWords(asked: Asked, signal: AbortSignal): Promise<ModelAnswer> {
    const { maxTokens, purpose } = asked.request;
    const model = models[purpose];
    let completion = await (thinkers.has(model) ? withRoom : complete)(asked, maxTokens, signal);
    if (completion.text === '' && !offeredCall(asked, completion)) {
      logOf(asked.request).warn('The answer was empty; asking again', { cut: completion.cut, maxTokens });
      const { cut } = completion;
      completion = await (cut ? withRoom : complete)(asked, maxTokens, signal);
      if (cut && completion.text !== '') thinkers.add(model);
    }
    const call = offeredCall(asked, completion);
    if (call) return { text: scrub(''), call, complete: true, usage: asked.usage, attempts: asked.attempts };
    if (completion.text === '') throw withoutWords(purpose, completion.cut);
    const { text, complete: whole } = await (purpose === 'answer' ? wholeAnswer : wholeSummary)(
      asked,
      completion,
      signal,
    );
    return { text: scrub(text), complete: whole, usage: asked.usage, attempts: asked.attempts };
  }

  /** What a filter stopped has an ellipsis at its end; what a limit stopped is continued. */
  async function wholeAnswer(asked: Asked, { text, cut, filtered }: Completion, signal: AbortSignal): Promise<Words> {
    if (cut) return continued(asked, text, signal);
    return filtered ? unfinished(text) : { text, complete: true };
  }

  /** With a limit that leaves room to think; a server that refuses one so high is asked for less. */
  async function withRoom(asked: Asked, maxTokens: number, signal: AbortSignal): Promise<Completion> {
    try {
      return await complete(asked, maxTokens + ROOM_TO_THINK, signal);
    } catch (error) {
      const { code } = explain(error).failure;
      if (signal.aborted || (code !== 'model.request' && code !== 'model.too_long')) throw error;
      return complete(asked, maxTokens * LESS_ROOM, signal);
    }
  }

  /** The rest of an answer that reached the limit is asked for once; what is cut even so says so by an ellipsis. */
  async function continued(asked: Asked, text: string, signal: AbortSignal): Promise<Words> {
    const begun = withoutHalfWord(text);
    try {
      const messages: ModelMessage[] = [
        ...asked.messages,
        { role: 'assistant', content: scrub(begun.trimEnd()) },
        { role: 'user', content: GO_ON },
      ];
      const rest = await complete({ ...asked, messages }, asked.request.maxTokens, signal);
      asked.attempts++;
      const whole = begun + rest.text;
      if (rest.text !== '') return rest.cut || rest.filtered ? unfinished(whole) : { text: whole, complete: true };
    } catch (error) {
      if (signal.aborted) throw error;
      logOf(asked.request).warn('The rest of an answer could not be had', { code: explain(error).failure.code });
    }
    return unfinished(begun);
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
      return retry(
        { timeoutMs, retryForMs: request.retryForMs, signal: request.signal, explain, log, clock },
        (signal) => answerInWords(asked, signal),
      );
    },
    async ping(signal) {
      const once = (error: unknown) => ({ ...explain(error), again: false });
      await retry({ timeoutMs: PING_MS, signal, explain: once, log, clock }, async (ending) => {
        try {
          await client.listModels(ending);
        } catch (error) {
          if (!(error instanceof APIError && THERE.includes(error.status))) throw error;
        }
      });
    },
    close: client.close,
  };
}

/** A tool that nobody offered is none. */
function offeredCall({ request: { tools = [] } }: Asked, { call }: Completion): Completion['call'] {
  return call && tools.some(({ name }) => name === call.name) ? call : null;
}

function withoutWords(purpose: ModelRequest['purpose'], cut: boolean): Failure {
  const advice =
    purpose === 'summary'
      ? ': lower OPENAI_REASONING_EFFORT, or name a model that thinks less in OPENAI_SUMMARY_MODEL'
      : ': raise MAX_REPLY_TOKENS or lower OPENAI_REASONING_EFFORT';
  return new Failure('model.empty', `The model answered without words twice${cut ? advice : ''}.`);
}

const GO_ON = scrub(
  'Your message was cut off by its length limit. Continue it exactly where it stops: repeat nothing, add no introduction, and come to an end soon.',
);

/** Ends a cut text behind its last whole word, with the space there; as it is in languages that write without spaces. */
function withoutHalfWord(text: string): string {
  return /^.*\s(?=\S{0,40}$)/s.exec(text)?.[0] ?? text;
}

type Words = Pick<ModelAnswer, 'complete'> & { text: string };

/**
 * A refusal, or the beginning of a summary that a filter stopped, must not take the place of what is remembered.
 * @throws Failure `model.filtered`
 */
async function wholeSummary(_: Asked, { text, cut, filtered, refused }: Completion): Promise<Words> {
  if (filtered || refused) throw new Failure('model.filtered', 'The model refused to summarize the history.');
  return { text, complete: !cut };
}

function unfinished(text: string): Words {
  return { text: `${withoutHalfWord(text).trimEnd()} …`, complete: false };
}

/** One call of `answer` on its way: what is asked, and what it has cost so far. */
interface Asked {
  readonly request: ModelRequest;
  readonly messages: ModelRequest['messages'];
  attempts: number;
  readonly usage: TokenUsage;
}

/** Does this address, or none, lead to OpenAI's own servers? */
export function isOpenAi(baseUrl: string | undefined): boolean {
  if (baseUrl === undefined) return true;
  const { hostname } = new URL(baseUrl);
  return hostname === 'api.openai.com' || hostname.endsWith('.api.openai.com');
}
