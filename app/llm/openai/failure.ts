import { APIError } from 'openai/core/error';
import { Failure, type FailureCode, isFailure, type ModelError } from '../../errors.ts';
import { retryAfter } from '../../ops/retry-after.ts';
import type { Trouble } from '../retry.ts';

/**
 * What an error of the SDK, of the connection below it or of an OpenAI-compatible server means, and whether to try again.
 * Sources: the SDK's error.mjs; OpenAI's guide to error codes; 402 is how gateways say that the credit is used up.
 */
export function explain(error: unknown): Trouble {
  if (isModelError(error)) return { failure: error, again: false };
  if (!(error instanceof APIError) || error.status === undefined) return unreachable(error);
  const code = error.code ?? error.type ?? undefined;
  // Without its cause: causes are logged, and servers quote in their words what people wrote.
  const failure = new Failure(codeOf(error, code), sentence(error), {
    providerCode: codeWord(code) ?? `${error.status}`,
    providerStatus: error.status,
  });
  const wish = error.headers?.get('x-should-retry');
  return {
    failure,
    again: wish === 'true' || (wish !== 'false' && RETRIED.has(failure.code)),
    retryAfterMs: error.headers && retryAfter(error.headers),
  };
}

/** An error that came with status 200, as some gateways do it; null when there is none. */
export function errorInside(body: unknown): APIError | null {
  if (typeof body !== 'object' || body === null || !('error' in body) || !body.error) return null;
  const { error } = body;
  const status = typeof error === 'object' && 'code' in error ? Number(error.code) : Number.NaN;
  return APIError.generate(status >= 400 && status < 600 ? status : 502, body, undefined, new Headers());
}

type ModelCode = ModelError['code'];

const RETRIED: ReadonlySet<FailureCode> = new Set(['model.unavailable', 'model.rate_limited']);

function isModelError(error: unknown): error is ModelError {
  return isFailure(error) && error.code.startsWith('model.');
}

/** Refused, cut, not found, not readable: the message stays general because an address may hold a password. */
function unreachable(error: unknown): Trouble {
  const providerCode = connectionCode(error);
  const message = `The model server cannot be reached${providerCode ? ` (${providerCode})` : ''}. Check the network and OPENAI_BASE_URL.`;
  return { failure: new Failure('model.unavailable', message, { cause: error, providerCode }), again: true };
}

/** `ECONNREFUSED`, `UND_ERR_SOCKET` and the like, from wherever in the chain of causes it stands. */
function connectionCode(error: unknown): string | undefined {
  for (let at = error; at instanceof Error; at = at.cause)
    if ('code' in at && typeof at.code === 'string' && at.code !== '') return at.code;
  return undefined;
}

function codeOf(error: APIError, code: string | undefined): ModelCode {
  const { status = 0 } = error;
  if (code === 'insufficient_quota' || error.type === 'insufficient_quota' || status === 402) return 'model.quota';
  if (isTooLong(error, code)) return 'model.too_long';
  if (isAboutContent(error, code)) return 'model.filtered';
  if (status === 401 || status === 403) return 'model.credentials';
  // Gemini's answer to a wrong key.
  if (status === 400 && /\bapi[ _]key\b/i.test(error.message)) return 'model.credentials';
  if (status === 429) return 'model.rate_limited';
  // llama.cpp and others fail with 500 at a picture that their model cannot take.
  if (status >= 500 && /\b(image|multi-?modal|vision|mmproj)/i.test(error.message)) return 'model.request';
  if (status === 408 || status === 409 || status >= 500) return 'model.unavailable';
  return 'model.request';
}

/**
 * Does the server refuse what was written, not how it was asked? Codes and words as seen: OpenAI (content_policy_violation, invalid_prompt
 * "flagged as potentially violating our usage policy"), Azure (content_filter, ResponsibleAIPolicyViolation), Alibaba
 * (data_inspection_failed, "inappropriate content"), DeepSeek ("Content Exists Risk"), Moonshot ("considered high risk"), Zhipu
 * (contentFilter), Gemini (PROHIBITED_CONTENT, "blocked"), OpenRouter (403 "flagged"), Bedrock ("guardrail").
 */
function isAboutContent({ status = 0, type, message }: APIError, code: string | undefined): boolean {
  if (![400, 403, 422, 451].includes(status)) return false;
  return ABOUT_CONTENT.test(`${code ?? ''} ${type ?? ''} ${message}`);
}

/** As OpenAI, vLLM, llama.cpp (exceed_context_size_error) and gateways say it; 413 is a proxy with a limit of its own. */
function isTooLong({ status = 0, type, message }: APIError, code: string | undefined): boolean {
  if (status === 413) return true;
  return status >= 400 && status < 500 && TOO_LONG.test(`${code ?? ''} ${type ?? ''} ${message}`);
}

const TOO_LONG =
  /context[ _](length|window|size)|(prompt|input|request)( \w+)? (is )?too (long|large)|maximum (prompt|input) length/i;

const ABOUT_CONTENT =
  /content[ _-]?(filter|policy|management|exists)|moderat|inappropriate|flagged|usage polic|high risk|prohibited|responsible ?ai|data_inspection|guardrail|sensitive content|safety (system|filter|setting|reason)|blocked (by|due to) (safety|policy)|violat\w* .{0,40}polic/i;

function sentence(error: APIError): string {
  const { status } = error;
  const code = error.code ?? error.type ?? undefined;
  switch (codeOf(error, code)) {
    case 'model.credentials':
      // The server's words are left out: they quote a part of the key.
      return `The model server refused OPENAI_API_KEY (status ${status}). Check the key and what it may be used for.`;
    case 'model.quota':
      return `The model account has no credit left (status ${status}). Check its plan and billing; OPENAI_API_KEY names the account.`;
    case 'model.rate_limited':
      return `The model server asks us to slow down (status ${status}).`;
    case 'model.unavailable':
      return `The model server failed (status ${status}${codeWord(code) ? `, ${code}` : ''}).`;
    case 'model.too_long':
      return `The prompt is longer than the model server takes (status ${status}). Lower HISTORY_TOKENS.`;
    case 'model.filtered':
      return `The model server's content filter refused the conversation (status ${status}).`;
    default:
      // Its words are left out: servers that check the request quote it, and with it what people wrote.
      return `The model server refused the request (${placeOf(error)}).${remedy(error)}`;
  }
}

function remedy(error: APIError): string {
  const { status = 0, code, message } = error;
  if (status >= 300 && status < 400) return ' It redirects: set OPENAI_BASE_URL to the address it leads to.';
  if (code === 'model_not_found' || /\bmodel\b/i.test(message)) return ' Check OPENAI_MODEL and OPENAI_SUMMARY_MODEL.';
  if (status === 404) return ' Check OPENAI_MODEL and OPENAI_BASE_URL (which usually ends in /v1).';
  return ' Check OPENAI_MODEL and the settings beside it.';
}

/** Status, code and the field that the server names. */
function placeOf({ status, code, type, param }: APIError): string {
  return [`status ${status}`, codeWord(code ?? type), codeWord(param)].filter(Boolean).join(', ');
}

/** A word of the protocol (`context_length_exceeded`, `messages[0].role`); undefined for a text, which may quote what people wrote. */
export function codeWord(said: unknown): string | undefined {
  return typeof said === 'string' && /^[\w.[\]-]{1,60}$/.test(said) ? said : undefined;
}
