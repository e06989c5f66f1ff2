/** A model for those who have none yet: a small server that speaks OpenAI's chat completions and remembers what it is shown. */
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { bodyOf, jsonOf } from './body.ts';
import type { InspectTools } from './inspect.ts';
import { practiceAnalysis } from './practice-analysis.ts';
import {
  type PracticeMessage,
  practiceAnswer,
  practiceComplaint,
  practicePauseMs,
  practiceSummary,
  practiceTranscript,
} from './practice-answers.ts';

/** The models it serves: the second writes notes instead of answers, the third says what messages are about, the last is for speech. */
export const PRACTICE_MODELS = {
  answer: 'practice',
  summary: 'practice-summary',
  analysis: 'practice-analysis',
  transcribe: 'practice-transcribe',
} as const;

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
  /** Default: a new one. */
  apiKey?: string;
  /** Without it the model cannot look at pictures. */
  describePicture?: InspectTools['describePicture'];
  /** Without it the model does not know how long a recording is. */
  secondsOf?: InspectTools['secondsOf'];
}

/** What it is handed to look and listen with. */
type Senses = Pick<PracticeModelOptions, 'describePicture' | 'secondsOf'>;

/** Holds a prompt with many pictures, or the longest voice note, bytes. */
const LONGEST_BODY = 32 * 1_024 * 1_024;

/**
 * Starts it. `POST /v1/chat/completions` answers by `practiceAnswer`, or by `practiceSummary` for a model whose name ends
 * in `-summary`; `POST /v1/audio/transcriptions` says how long the recording is; `GET /v1/models` lists all. Errors have
 * OpenAI's shape.
 */
export async function startPracticeModel(options: PracticeModelOptions = {}): Promise<PracticeModel> {
  const { host = '127.0.0.1', port = 0, apiKey = randomBytes(24).toString('base64url') } = options;
  const server = createServer((request, response) => {
    serve(request, response, apiKey, options).catch(() => refuse(response, 500, 'The practice model failed.'));
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

async function serve(request: IncomingMessage, response: ServerResponse, apiKey: string, senses: Senses) {
  const body = await bodyOf(request, LONGEST_BODY);
  if (request.headers.authorization !== `Bearer ${apiKey}`)
    return refuse(response, 401, 'The key is not the one I was started with.');
  const route = `${request.method} ${request.url}`;
  if (route === 'GET /v1/models') return send(response, 200, { object: 'list', data: MODELS });
  const listens = route === 'POST /v1/audio/transcriptions';
  if (!listens && route !== 'POST /v1/chat/completions') return refuse(response, 404, `There is nothing at ${route}.`);
  if (body === null) return refuse(response, 413, 'The request is too long.');
  if (listens) return transcribe(body, request.headers['content-type'] ?? '', response, senses);
  const parsed = CHAT.safeParse(jsonOf(body.toString()));
  if (!parsed.success) return refuse(response, 400, z.prettifyError(parsed.error));
  const messages = await Promise.all(parsed.data.messages.map((message) => practiceMessage(message, senses)));
  if (isAnswer(parsed.data)) await pause(practicePauseMs(messages), response);
  send(response, 200, completion(parsed.data, messages, body.length));
}

/** Waits as long as a slow model would, or until the request was aborted. */
async function pause(ms: number, response: ServerResponse): Promise<void> {
  if (ms === 0) return;
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  await sleep(ms, undefined, { signal: gone.signal, ref: false }).catch(() => {});
}

/** It does not understand speech and does not pretend to: the transcript says what was received. */
async function transcribe(
  body: Buffer,
  contentType: string,
  response: ServerResponse,
  { secondsOf }: Senses,
): Promise<void> {
  const form = await new Response(new Uint8Array(body), { headers: { 'Content-Type': contentType } })
    .formData()
    .catch(() => null);
  const file = form?.get('file');
  if (!(file instanceof Blob) || file.size === 0) return refuse(response, 400, 'The form has no file.');
  const seconds = secondsOf?.(Buffer.from(await file.arrayBuffer())) ?? null;
  const length = seconds === null ? 'of a length that I cannot tell' : `${seconds.toFixed(1)} seconds long`;
  const text = practiceTranscript(`${file.size.toLocaleString('en')} bytes of audio, ${length}`);
  if (form?.get('response_format') === 'text') {
    response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' });
    return void response.end(text);
  }
  send(response, 200, { text });
}

const PART = z.looseObject({
  type: z.string(),
  text: z.string().optional(),
  image_url: z.object({ url: z.string() }).optional(),
});
const CHAT = z.object({
  model: z.string(),
  messages: z.array(z.object({ role: z.string(), content: z.union([z.string(), z.array(PART)]) })).min(1),
  max_completion_tokens: z.number().positive().optional(),
  max_tokens: z.number().positive().optional(),
  response_format: z.unknown().optional(),
  tools: z.array(z.looseObject({ function: z.looseObject({ name: z.string() }) })).optional(),
});

const MODELS = Object.values(PRACTICE_MODELS).map((id) => ({
  id,
  object: 'model',
  created: 0,
  owned_by: 'recado',
}));

type Chat = z.infer<typeof CHAT>;

function isAnswer({ model }: Chat): boolean {
  return !model.endsWith('-summary') && !model.endsWith('-analysis');
}

function say({ model, response_format }: Chat, messages: readonly PracticeMessage[], maxTokens: number): string {
  if (model.endsWith('-analysis')) return practiceAnalysis(messages, response_format);
  return model.endsWith('-summary') ? practiceSummary(messages, maxTokens) : practiceAnswer(messages);
}

function completion(chat: Chat, messages: readonly PracticeMessage[], requestBytes: number) {
  const maxTokens = chat.max_completion_tokens ?? chat.max_tokens ?? 1_000;
  const text = say(chat, messages, maxTokens);
  const call = callFor(chat, messages);
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
        message: call ?? { role: 'assistant', content: words, refusal: null },
        finish_reason: call ? 'tool_calls' : whole ? 'stop' : 'length',
      },
    ],
    usage: { ...usage, total_tokens: usage.prompt_tokens + usage.completion_tokens },
  };
}

/** A person is called for whoever complains, when the bot offers that. */
function callFor({ tools = [] }: Chat, messages: readonly PracticeMessage[]) {
  const reason = practiceComplaint(messages);
  const name = 'hand_to_person';
  if (reason === null || !tools.some((tool) => tool.function.name === name)) return null;
  const given = JSON.stringify({ reason, summary: practiceSummary(messages, 100) });
  const tool_calls = [{ id: 'call_1', type: 'function', function: { name, arguments: given } }];
  return { role: 'assistant', content: null, refusal: null, tool_calls };
}

async function practiceMessage(
  { role, content }: Chat['messages'][number],
  { describePicture }: Senses,
): Promise<PracticeMessage> {
  if (typeof content === 'string') return { role, text: content, pictures: 0 };
  const text = content.flatMap((part) => part.text ?? []).join('\n');
  const pictures = content.filter((part) => part.type === 'image_url');
  if (!describePicture) return { role, text, pictures: pictures.length };
  const looks = pictures.map(({ image_url }) => lookAt(image_url?.url ?? '', describePicture));
  return { role, text, pictures: pictures.length, looks: await Promise.all(looks) };
}

async function lookAt(url: string, describePicture: InspectTools['describePicture']): Promise<string> {
  const base64 = /^data:image\/[\w.+-]+;base64,(.+)$/s.exec(url)?.[1];
  if (!base64) return 'a picture at an address, where I cannot look';
  return describePicture(Buffer.from(base64, 'base64')).catch(() => 'a picture that I cannot read');
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
