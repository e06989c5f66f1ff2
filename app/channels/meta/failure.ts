/** What Meta's API refuses and how a connection breaks → a `Failure`: may it be tried again, and what can be done. */
import { Failure, type FailureCode } from '../../errors.ts';
import { isRecord, neverLeft, slim } from '../connection.ts';

type ChannelCode = Exclude<Extract<FailureCode, `channel.${string}`>, 'channel.blocked'>;

/**
 * Makes a `Failure` of an answer that is an error. Neither it nor its cause holds the request (token, texts) or a number.
 * @param body the answer as JSON, if it is
 * @param repeatable true when it does no harm to make the same call twice: then nothing about it is ambiguous
 */
export function refusal(status: number, body: unknown, repeatable: boolean): Failure<ChannelCode> {
  const metaCode = codeIn(body);
  const known = (metaCode === null ? undefined : BY_META_CODE.get(metaCode)) ?? byStatus(status, metaCode, repeatable);
  return new Failure(known, MESSAGES[known], {
    providerCode: metaCode === null ? `HTTP ${status}` : String(metaCode),
    cause: new Error(`Meta answered ${status}`),
  });
}

/** For a success that does not say what it should: the request has probably been carried out. */
export function unreadableAnswer(): Failure<ChannelCode> {
  return new Failure('channel.ambiguous', 'Meta took the request but answered with something else than its API does.');
}

/** @param error what `fetch` rejected with, or reading its answer */
export function connectionFailure(error: unknown, repeatable: boolean): Failure<ChannelCode> {
  if (error instanceof Failure) return error;
  const cause = isRecord(error) && isRecord(error.cause) ? error.cause : {};
  const code = typeof cause.code === 'string' ? cause.code : '';
  const failure = repeatable || neverLeft(error, code) ? 'channel.unreachable' : 'channel.ambiguous';
  return new Failure(failure, MESSAGES[failure], { providerCode: code || undefined, cause: slim(error) });
}

/** `{"error":{"code":131047,…}}`; null when the answer has no code. Of a few errors only the second code says what they are. */
function codeIn(body: unknown): number | null {
  const error = isRecord(body) && isRecord(body.error) ? body.error : {};
  if (typeof error.error_subcode === 'number' && BY_META_CODE.has(error.error_subcode)) return error.error_subcode;
  return typeof error.code === 'number' ? error.code : null;
}

/** Only the escalation partner may take a thread. */
const NOT_ESCALATION = 2494191;

/**
 * Meta's codes: https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes. Its words are not used: they name numbers
 * and change. What is not here is judged by its HTTP status.
 */
const BY_META_CODE = new Map<number, ChannelCode>([
  ...codes('channel.rate_limited', 4, 80007, 130429, 131048, 131056),
  ...codes('channel.credentials', 0, 3, 10, 190, ...range(200, 299)),
  ...codes('channel.window', 131047),
  ...codes('channel.opted_out', 131050),
  ...codes('channel.recipient', 130403, 130472, 130497, 131021, 131026, 131030, 131049),
  ...codes('channel.sender', 368, 131031, 131042, 131045, 133010),
  ...codes('channel.rejected', 33, 100, 131008, 131009, 131051, 131052, 131053, NOT_ESCALATION),
  ...codes('channel.template', ...range(132000, 132099)),
]);

/** Something went wrong at Meta; whether it was carried out is not said. */
const TRANSIENT = new Set([1, 2, 131000, 131016, 131057]);

const MESSAGES: Record<ChannelCode, string> = {
  'channel.rate_limited': 'Meta takes no more messages right now; it is tried again a little later.',
  'channel.daily_limit': "The account's messages for today are used up; it is tried again every few hours.",
  'channel.unreachable': 'Meta cannot be reached. Check the network, DNS and GRAPH_API_BASE.',
  'channel.ambiguous': 'Meta did not say whether the request was carried out; its status reports will tell.',
  'channel.credentials':
    'Meta does not accept the token. Check ACCESS_TOKEN: it needs whatsapp_business_messaging, and must not have expired.',
  'channel.window': 'The person last wrote more than 24 hours ago: only an approved template may be sent now.',
  'channel.opted_out': 'The person has switched off messages of this kind from us in WhatsApp.',
  'channel.recipient': 'Meta cannot deliver to this recipient. Is it a WhatsApp user who may be written to?',
  'channel.sender': 'Meta does not let us send from this number. Look at its state in the WhatsApp Manager.',
  'channel.template':
    'Meta does not send the template like this. Is it approved, in this language, and are all its variables filled in?',
  'channel.rejected': "Meta refused the message. Its code in the log is explained in Meta's list of error codes.",
};

function codes(failure: ChannelCode, ...meta: number[]): [number, ChannelCode][] {
  return meta.map((code) => [code, failure]);
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}

function byStatus(status: number, metaCode: number | null, repeatable: boolean): ChannelCode {
  if (metaCode !== null && TRANSIENT.has(metaCode)) return repeatable ? 'channel.unreachable' : 'channel.ambiguous';
  if (status === 429) return 'channel.rate_limited';
  if (status === 401 || status === 403) return 'channel.credentials';
  if (status >= 400 && status < 500) return 'channel.rejected';
  return repeatable ? 'channel.unreachable' : 'channel.ambiguous';
}
