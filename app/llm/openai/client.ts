import { OpenAI } from 'openai';
import { createModelHttp } from '../http.ts';

export interface OpenAiClientOptions {
  apiKey: string;
  /** Where `/chat/completions` is below, e.g. `http://localhost:11434/v1`. Default: OpenAI's own. */
  baseUrl?: string | undefined;
}

export interface OpenAiClient {
  readonly sdk: OpenAI;
  close(): Promise<void>;
}

export const OPENAI_URL = 'https://api.openai.com/v1';

/**
 * The SDK on a thin connection. It does not repeat calls and has no timeout: the caller passes a signal.
 * The SDK's settings from the environment (organization, project, log level) are left out: ours are all in `config.ts`.
 */
export function createOpenAiClient({ apiKey, baseUrl = OPENAI_URL }: OpenAiClientOptions): OpenAiClient {
  const { origin, pathname } = new URL(baseUrl);
  const http = createModelHttp(origin);
  const sdk = new LeanOpenAI(apiKey, `${origin}${pathname.replace(/\/+$/, '')}`, http.fetch);
  return { sdk, close: http.close };
}

/**
 * A chat request's address and headers are always the same, but the SDK builds them again for each (five Headers objects,
 * a URL, a timer, a second signal), which costs as much as the request itself. So this one keeps them, by overriding the
 * two public methods that make a request; all other paths are the SDK's own.
 */
class LeanOpenAI extends OpenAI {
  private readonly headers: Record<string, string>;
  private readonly send: typeof fetch;

  constructor(apiKey: string, baseURL: string, send: typeof fetch) {
    super({ apiKey, baseURL, fetch: send, maxRetries: 0, logLevel: 'off', organization: null, project: null });
    this.send = send;
    this.headers = {
      accept: 'application/json',
      'content-type': 'application/json',
      'user-agent': 'recado',
      authorization: `Bearer ${apiKey}`,
    };
  }

  override async buildRequest(options: Parameters<OpenAI['buildRequest']>[0]): ReturnType<OpenAI['buildRequest']> {
    if (options.path !== '/chat/completions') return super.buildRequest(options);
    // The headers follow in `fetchWithTimeout`: the SDK would only copy them for a debug log that is off.
    const req = { method: 'POST', body: JSON.stringify(options.body), signal: options.signal ?? null };
    // Declared with Headers, which nothing between here and `fetchWithTimeout` needs.
    type Request = Awaited<ReturnType<OpenAI['buildRequest']>>['req'];
    return { req: req as unknown as Request, url: `${this.baseURL}${options.path}`, timeout: this.timeout };
  }

  override fetchWithTimeout(url: Parameters<typeof fetch>[0], init: RequestInit = {}): Promise<Response> {
    const { method = 'GET', headers = this.headers } = init;
    return this.send(url, { ...init, method: method.toUpperCase(), headers });
  }
}
