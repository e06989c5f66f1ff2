/** How a model server is reached: chat completions by a thin call, uploads by the SDK. */
import type { OpenAI } from 'openai';
import { APIError } from 'openai/core/error';
import { createModelHttp, type Incoming, refusalIn } from '../http.ts';

export interface OpenAiClientOptions {
  apiKey: string;
  /** Where `/chat/completions` is below, e.g. `http://localhost:11434/v1`. Default: OpenAI's own. */
  baseUrl?: string | undefined;
}

export interface OpenAiClient {
  /**
   * What the server answers to one request for a chat completion; not checked, see `readCompletion`.
   * Rejects with the SDK's `APIError` for a refusal, else with the connection's error or the signal's reason.
   */
  complete(body: OpenAI.ChatCompletionCreateParamsNonStreaming, signal?: AbortSignal): Promise<OpenAI.ChatCompletion>;
  /** Asks for the list of models and leaves it unread. Rejects as `complete` does. */
  listModels(signal?: AbortSignal): Promise<void>;
  /**
   * The SDK on the same connection, loaded at the first call. It does not repeat calls: the caller passes a signal. Its settings from the
   * environment (organization, project, log level) are left out: ours are all in `config.ts`.
   */
  sdk(): Promise<OpenAI>;
  close(): Promise<void>;
}

export const OPENAI_URL = 'https://api.openai.com/v1';

/**
 * Opens no connection before the first call. Address and headers of a completion are always the same; the SDK builds them again for each
 * (five Headers objects, a URL, a timer, a second signal, log lines that nobody reads), which costs more than the request itself.
 */
export function createOpenAiClient({ apiKey, baseUrl = OPENAI_URL }: OpenAiClientOptions): OpenAiClient {
  const { origin, pathname } = new URL(baseUrl);
  const base = pathname.replace(/\/+$/, '');
  const http = createModelHttp(origin);
  const headers = {
    accept: 'application/json',
    'content-type': 'application/json',
    'user-agent': 'recado',
    authorization: `Bearer ${apiKey}`,
  };
  let loading: Promise<OpenAI> | undefined;

  return {
    async complete(asked, signal) {
      const path = `${base}/chat/completions`;
      const answer = await http.send({ method: 'POST', path, headers, body: JSON.stringify(asked) }, signal);
      // What the protocol promises; the caller reads it with care.
      return bodyOf(answer) as OpenAI.ChatCompletion;
    },
    async listModels(signal) {
      bodyOf(await http.send({ method: 'GET', path: `${base}/models`, headers, body: null }, signal));
    },
    sdk() {
      loading ??= load(apiKey, `${origin}${base}`, http.fetch);
      return loading;
    },
    close: http.close,
  };
}

/** @throws APIError for every status that is no success */
function bodyOf({ status, headers, body }: Incoming): unknown {
  if (status >= 300) throw APIError.generate(status, JSON.parse(refusalIn(body)), undefined, onlyGet(headers));
  return /[/+]json\b/i.test(headers.get('content-type') ?? '') ? JSON.parse(body) : body;
}

/** `APIError` and what reads it look up single headers, and nothing else of `Headers`. */
function onlyGet(headers: Incoming['headers']): Headers {
  return headers as Headers;
}

async function load(apiKey: string, baseURL: string, send: typeof fetch): Promise<OpenAI> {
  const { OpenAI } = await import('openai');
  return new OpenAI({
    apiKey,
    baseURL,
    fetch: send,
    maxRetries: 0,
    logLevel: 'off',
    organization: null,
    project: null,
  });
}
