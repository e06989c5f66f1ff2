/** A model for those who have none yet: a small server that speaks OpenAI's chat completions and remembers what it is shown. */
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';
import { type PracticeMessage, practiceAnswer, practiceSummary } from './practice-answers.ts';

/** The models it serves: the second writes notes instead of answers. */
export const PRACTICE_MODELS = { answer: 'practice', summary: 'practice-summary' } as const;

export interface PracticeModel {
  /** The base URL for a client, with `/v1`. */
  readonly url: string;
  /** The only key it accepts. */
  readonly apiKey: string;
  close(): Promise<void>;
}

export interface PracticeModelOptions {
  /** Default: this machine alone. */
  host?: string;
  /** Default: any free port. */
  port?: number;
  /** Default: made up anew. */
  apiKey?: string;
}

/** Holds a prompt with many pictures, bytes. */
const LONGEST_BODY = 32 * 1_024 * 1_024;

/**
 * Starts it. `POST /v1/chat/completions` answers by `practiceAnswer`, or by `practiceSummary` for a model whose name ends
 * in `-summary`; `GET /v1/models` lists both. Errors have OpenAI's shape.
 */
export async function startPracticeModel(options: PracticeModelOptions = {}): Promise<PracticeModel> {
  const { host = '127.0.0.1', port = 0, apiKey = randomBytes(24).toString('base64url') } = options;
  const server = createServer((request, response) => {
    serve(request, response, apiKey).catch(() => refuse(response, 500, 'The practice model failed.'));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  // A server that listens on a port has an address of this shape.
  const address = server.address() as AddressInfo;
  const name = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return {
    url: `http://${name}:${address.port}/v1`,
    apiKey,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function serve(request: IncomingMessage, response: ServerResponse, apiKey: string) {
  const body = await bodyOf(request);
  if (request.headers.authorization !== `Bearer ${apiKey}`)
    return refuse(response, 401, 'The key is not the one I was started with.');
  const route = `${request.method} ${request.url}`;
  if (route === 'GET /v1/models') return send(response, 200, { object: 'list', data: MODELS });
  if (route !== 'POST /v1/chat/completions') return refuse(response, 404, `There is nothing at ${route}.`);
  if (body === null) return refuse(response, 413, 'The request is too long.');
  const parsed = CHAT.safeParse(jsonOf(body));
  if (!parsed.success) return refuse(response, 400, z.prettifyError(parsed.error));
  send(response, 200, completion(parsed.data, body.length));
}

const PART = z.looseObject({ type: z.string(), text: z.string().optional() });
const CHAT = z.object({
  model: z.string(),
  messages: z.array(z.object({ role: z.string(), content: z.union([z.string(), z.array(PART)]) })).min(1),
  max_completion_tokens: z.number().positive().optional(),
  max_tokens: z.number().positive().optional(),
});

const MODELS = Object.values(PRACTICE_MODELS).map((id) => ({ id, object: 'model', created: 0, owned_by: 'recado' }));

function completion(chat: z.infer<typeof CHAT>, requestBytes: number) {
  const messages = chat.messages.map(practiceMessage);
  const maxTokens = chat.max_completion_tokens ?? chat.max_tokens ?? 1_000;
  const text = chat.model.endsWith('-summary') ? practiceSummary(messages, maxTokens) : practiceAnswer(messages);
  const whole = text.length <= maxTokens * 4;
  const words = whole ? text : text.slice(0, maxTokens * 4);
  // Four characters count as one token: near enough to see what memory costs.
  const usage = { prompt_tokens: Math.ceil(requestBytes / 4), completion_tokens: Math.ceil(words.length / 4) };
  return {
    id: `chatcmpl-${randomBytes(9).toString('base64url')}`,
    object: 'chat.completion',
    created: Math.floor(Date.now() / 1_000),
    model: chat.model,
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: words, refusal: null },
        finish_reason: whole ? 'stop' : 'length',
      },
    ],
    usage: { ...usage, total_tokens: usage.prompt_tokens + usage.completion_tokens },
  };
}

function practiceMessage({ role, content }: z.infer<typeof CHAT>['messages'][number]): PracticeMessage {
  if (typeof content === 'string') return { role, text: content, pictures: 0 };
  const text = content.flatMap((part) => part.text ?? []).join('\n');
  return { role, text, pictures: content.filter((part) => part.type === 'image_url').length };
}

/** The body as text, or null when it is too long; read to its end all the same, so that the refusal arrives. */
async function bodyOf(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length <= LONGEST_BODY) chunks.push(chunk);
  }
  return length <= LONGEST_BODY ? Buffer.concat(chunks).toString() : null;
}

function jsonOf(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function refuse(response: ServerResponse, status: number, message: string) {
  if (!response.headersSent)
    send(response, status, { error: { message, type: 'practice_model', code: null, param: null } });
}

function send(response: ServerResponse, status: number, body: object) {
  const json = JSON.stringify(body);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(json) });
  response.end(json);
}
