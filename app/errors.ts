/**
 * What can go wrong, on one page. Every failure has a stable code, the answer to "may it be tried again?" and its cause.
 * The messages are for operators; the person who writes and strangers on the network never see them.
 */

/** Code → may the same be tried again? A test compares this list with docs/troubleshooting.md. */
export const FAILURES = {
  // a request that is refused: nothing was stored
  'request.signature': { retryable: false, status: 403 },
  'request.invalid': { retryable: false, status: 400 },
  'request.too_large': { retryable: false, status: 413 },
  'request.type': { retryable: false, status: 415 },
  'request.unauthorized': { retryable: false, status: 401 },
  'request.forbidden': { retryable: false, status: 403 },
  'request.not_found': { retryable: false, status: 404 },
  'request.method': { retryable: false, status: 405 },
  'request.too_many': { retryable: true, status: 429 },
  'server.stopping': { retryable: true, status: 503 },
  'server.busy': { retryable: true, status: 503 },
  /** A bug: the log has the whole error. */
  'server.error': { retryable: true, status: 500 },
  // Redis
  'store.unavailable': { retryable: true, status: 503 },
  /** It holds data of another version. */
  'store.format': { retryable: false, status: 500 },
  // a turn that did not end
  'turn.overtaken': { retryable: false, status: 409 },
  'turn.crashed': { retryable: false, status: 500 },
  /** What the contact writes looks like spam. */
  'turn.throttled': { retryable: false, status: 429 },
  // Postgres, or the embedded archive
  'archive.unavailable': { retryable: true, status: 503 },
  /** It holds data of another version. */
  'archive.format': { retryable: false, status: 500 },
  // the process that has the inbox
  'desk.unavailable': { retryable: true, status: 503 },
  // the language model
  'model.unavailable': { retryable: true, status: 502 },
  'model.timeout': { retryable: true, status: 502 },
  'model.rate_limited': { retryable: true, status: 502 },
  'model.credentials': { retryable: false, status: 502 },
  'model.quota': { retryable: false, status: 502 },
  'model.request': { retryable: false, status: 502 },
  'model.too_long': { retryable: false, status: 502 },
  'model.empty': { retryable: true, status: 502 },
  'model.filtered': { retryable: false, status: 502 },
  /** No model is asked: the month's budget is used up. */
  'model.budget': { retryable: false, status: 502 },
  // attachments
  'media.unsupported': { retryable: false, status: 422 },
  'media.unreadable': { retryable: false, status: 422 },
  'media.too_large': { retryable: false, status: 422 },
  'media.gone': { retryable: false, status: 422 },
  'media.credentials': { retryable: false, status: 422 },
  'media.refused': { retryable: false, status: 422 },
  'media.timeout': { retryable: true, status: 422 },
  'media.unreachable': { retryable: true, status: 422 },
  // the provider that carries our messages
  'channel.rate_limited': { retryable: true, status: 502 },
  /** Not within the same turn: the limit is lifted in hours. */
  'channel.daily_limit': { retryable: false, status: 502 },
  'channel.unreachable': { retryable: true, status: 502 },
  /** The request may or may not have been carried out: ask the provider before it is repeated. */
  'channel.ambiguous': { retryable: true, status: 502 },
  'channel.credentials': { retryable: false, status: 502 },
  'channel.window': { retryable: false, status: 409 },
  /** The team blocked the contact. */
  'channel.blocked': { retryable: false, status: 409 },
  'channel.recipient': { retryable: false, status: 422 },
  'channel.opted_out': { retryable: false, status: 422 },
  'channel.sender': { retryable: false, status: 502 },
  /** There is no such template, it is not approved, or its variables do not fit. */
  'channel.template': { retryable: false, status: 422 },
  'channel.rejected': { retryable: false, status: 502 },
} as const satisfies Record<string, { retryable: boolean; status: number }>;

export type FailureCode = keyof typeof FAILURES;

interface FailureOptions {
  cause?: unknown;
  providerCode?: string | undefined;
  providerStatus?: number | undefined;
}

/** A failure that an operator can act on. `message` says what happened and what to do, in one sentence without secrets. */
export class Failure<Code extends FailureCode = FailureCode> extends Error {
  readonly code: Code;
  /** What the provider called it (`63016`, `insufficient_quota`), for the log. */
  readonly providerCode: string | undefined;
  /** The HTTP status of the provider's answer; undefined when there was none. */
  readonly providerStatus: number | undefined;

  constructor(code: Code, message: string, options: FailureOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'Failure';
    this.code = code;
    this.providerCode = options.providerCode;
    this.providerStatus = options.providerStatus;
  }

  get retryable(): boolean {
    return FAILURES[this.code].retryable;
  }

  /** The HTTP status of the response when nothing handles it earlier. */
  get status(): number {
    return FAILURES[this.code].status;
  }
}

export type ModelError = Failure<Extract<FailureCode, `model.${string}`>>;
export type ChannelError = Failure<Extract<FailureCode, `channel.${string}`>>;

/** Settings that cannot be used. Holds all problems at once, each with the setting's name and the remedy. */
export class SettingsError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`${problems.length} setting${problems.length === 1 ? '' : 's'} cannot be used`);
    this.name = 'SettingsError';
    this.problems = problems;
  }
}

export function isFailure(error: unknown): error is Failure {
  return error instanceof Failure;
}
