/**
 * A hop on the way to the model's server: passes every request on as it is, writes down what was asked and answered, and
 * can be made to fail. It has the server's protocol, so that the bot does not notice it.
 */
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { bodyOf, jsonOf } from './body.ts';
import type { Faults, PageEventBody, ShownMessage } from './contract.ts';

export interface ModelHop {
  /** The base URL for a client, with the path of the server's own. */
  readonly url: string;
  stop(): Promise<void>;
}

export interface ModelHopOptions {
  /** The server's base URL. */
  target: string;
  /** What goes wrong on purpose, asked at every request. */
  faults: () => Faults;
  onAsked: (event: Extract<PageEventBody, { type: 'asked' }>) => void;
  onReplied: (event: Extract<PageEventBody, { type: 'replied' }>) => void;
  countTokens: (text: string) => number;
  asksForSummary: (system: string) => boolean;
}

/** Holds a prompt with many pictures, or the longest voice note, bytes. */
const LONGEST_BODY = 48 * 1_024 * 1_024;

export async function startModelHop(options: ModelHopOptions): Promise<ModelHop> {
  const target = new URL(options.target);
  const base = target.pathname.replace(/\/+$/, '');
  const server = createServer((request, response) => {
    serve(request, response).catch(() => {
      if (!response.headersSent) send(response, 502, 'The model’s server cannot be reached.');
      else response.destroy();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    // A server that listens on a port has an address of this shape.
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${base}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await bodyOf(request, LONGEST_BODY);
    if (body === null) return send(response, 413, 'The request is too long.');
    const asked = request.method === 'POST' ? readRequest(body, request, options) : null;
    if (!asked) return void (await pass(request, body, response));
    const ask = randomBytes(6).toString('hex');
    const startedAt = performance.now();
    options.onAsked({ type: 'asked', ask, ...asked });
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    let text = '';
    try {
      if (await failedOnPurpose(response, gone.signal)) return;
      text = await pass(request, body, response);
    } finally {
      const ms = Math.round(performance.now() - startedAt);
      const status = gone.signal.aborted && !response.writableFinished ? 0 : response.statusCode;
      options.onReplied({ type: 'replied', ask, ms, status, ...readAnswer(text) });
    }
  }

  async function failedOnPurpose(response: ServerResponse, signal: AbortSignal): Promise<boolean> {
    const { model, slowMs } = options.faults();
    if (model === 'slow') await sleep(slowMs, undefined, { signal, ref: false }).catch(() => {});
    if (model === 'down') send(response, 503, 'Switched off in the simulator.');
    if (model === 'refusing') send(response, 401, 'The key is refused: switched on in the simulator.');
    return signal.aborted || model === 'down' || model === 'refusing';
  }

  /** @returns what the server answered, as text. */
  async function pass(request: IncomingMessage, body: Buffer, response: ServerResponse): Promise<string> {
    const answer = await fetch(`${target.origin}${request.url ?? '/'}`, {
      method: request.method ?? 'GET',
      headers: passedOn(request),
      ...(body.length > 0 ? { body: new Uint8Array(body) } : {}),
    });
    const bytes = Buffer.from(await answer.arrayBuffer());
    const headers = [...answer.headers].filter(([name]) => !OWN_HEADERS.has(name));
    response.writeHead(answer.status, Object.fromEntries(headers));
    response.end(bytes);
    return bytes.toString();
  }
}

/** Belong to one connection, or to the body as it was before fetch unpacked it. */
const OWN_HEADERS = new Set([
  'connection',
  'content-encoding',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'transfer-encoding',
]);

function passedOn(request: IncomingMessage): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) {
    if (typeof value === 'string' && !OWN_HEADERS.has(name)) headers.set(name, value);
  }
  return headers;
}

const PART = z.looseObject({ type: z.string(), text: z.string().optional() });
const CHAT = z.object({
  model: z.string(),
  messages: z.array(z.object({ role: z.string(), content: z.union([z.string(), z.array(PART)]).nullish() })),
  max_completion_tokens: z.number().optional(),
  max_tokens: z.number().optional(),
  response_format: z.unknown().optional(),
});
const ANSWER = z.object({
  text: z.string().optional(),
  choices: z.array(z.object({ message: z.object({ content: z.string().nullish() }) })).optional(),
  error: z.object({ message: z.string() }).optional(),
  usage: z
    .object({
      prompt_tokens: z.number().optional(),
      completion_tokens: z.number().optional(),
      prompt_tokens_details: z.object({ cached_tokens: z.number().nullish() }).nullish(),
    })
    .nullish(),
});

type Asked = Omit<Extract<PageEventBody, { type: 'asked' }>, 'type' | 'ask'>;

function readRequest(body: Buffer, request: IncomingMessage, options: ModelHopOptions): Asked | null {
  if (request.url?.endsWith('/audio/transcriptions')) {
    const text = `${body.length.toLocaleString('en')} bytes of speech`;
    return {
      model: '',
      purpose: 'speech',
      messages: [{ role: 'user', text, pictures: 0, tokens: 0 }],
      maxTokens: null,
    };
  }
  const parsed = CHAT.safeParse(jsonOf(body.toString()));
  if (!parsed.success) return null;
  const { model, messages, max_completion_tokens, max_tokens } = parsed.data;
  const system = messages.find(({ role }) => role === 'system');
  const isSummary = system !== undefined && options.asksForSummary(wordsOf(system.content));
  // Only the analysis wants a form filled in.
  const purpose = parsed.data.response_format !== undefined ? 'analysis' : isSummary ? 'summary' : 'answer';
  const shown = messages.map((message) => shownMessage(message, options.countTokens));
  return { model, purpose, messages: shown, maxTokens: max_completion_tokens ?? max_tokens ?? null };
}

type Content = z.infer<typeof CHAT>['messages'][number]['content'];

function shownMessage(
  { role, content }: { role: string; content?: Content },
  countTokens: (text: string) => number,
): ShownMessage {
  const text = wordsOf(content);
  const pictures = Array.isArray(content) ? content.filter(({ type }) => type === 'image_url').length : 0;
  return { role, text, pictures, tokens: countTokens(text) };
}

function wordsOf(content: Content): string {
  if (!Array.isArray(content)) return content ?? '';
  return content.flatMap(({ text }) => text ?? []).join('\n');
}

function readAnswer(body: string): Pick<Extract<PageEventBody, { type: 'replied' }>, 'text' | 'tokens'> {
  const parsed = ANSWER.safeParse(jsonOf(body));
  if (!parsed.success) return { text: body.slice(0, 2_000), tokens: null };
  const { text, choices, error, usage } = parsed.data;
  const tokens = usage && {
    prompt: usage.prompt_tokens ?? 0,
    completion: usage.completion_tokens ?? 0,
    cached: usage.prompt_tokens_details?.cached_tokens ?? 0,
  };
  return { text: choices?.[0]?.message.content ?? text ?? error?.message ?? '', tokens: tokens ?? null };
}

function send(response: ServerResponse, status: number, message: string): void {
  response.writeHead(status, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify({ error: { message, type: 'simulator', code: null, param: null } }));
}
