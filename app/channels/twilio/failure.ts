/** What Twilio's API refuses and how a connection breaks → a `Failure`: may it be tried again, and what can be done. */
import { Failure, type FailureCode } from '../../errors.ts';
import { isRecord, neverLeft, slim } from '../connection.ts';

type ChannelCode = Exclude<Extract<FailureCode, `channel.${string}`>, 'channel.blocked'>;

/**
 * Makes a `Failure` of the error that a call to Twilio's API was rejected with. Neither it nor its cause holds the request
 * (credentials, texts) or a number.
 * @param repeatable true when it does no harm to make the same call twice: then nothing about it is ambiguous
 */
export function channelFailure(error: unknown, repeatable: boolean): Failure<ChannelCode> {
  if (error instanceof Failure) return error;
  const { status, code } = shapeOf(error);
  if (status === undefined) return connectionFailure(error, code, repeatable);
  const twilioCode = Number(code);
  const known = BY_TWILIO_CODE.get(twilioCode) ?? byStatus(status, repeatable);
  return new Failure(known, REMEDIES.get(twilioCode) ?? MESSAGES[known], {
    providerCode: twilioCode > 0 ? String(twilioCode) : `HTTP ${status}`,
    cause: new Error(`Twilio answered ${status}`),
  });
}

/** For a success that does not say what it should: the request has probably been carried out. */
export function unreadableAnswer(): Failure<ChannelCode> {
  return new Failure(
    'channel.ambiguous',
    'Twilio took the request but answered with something else than its API does.',
  );
}

/**
 * Twilio's codes: https://www.twilio.com/docs/api/errors. Its words are not used: they name numbers and change.
 * What is not here is judged by its HTTP status.
 */
const BY_TWILIO_CODE = new Map<number, ChannelCode>([
  ...codes('channel.rate_limited', 20429, 21611, 63017, 63018),
  ...codes('channel.daily_limit', 63038),
  ...codes('channel.credentials', 20003, 20005, 20006, 20403, 20404),
  ...codes('channel.window', 63016),
  ...codes('channel.opted_out', 21610),
  ...codes('channel.recipient', 21211, 21408, 21604, 21608, 21614, 63003, 63015, 63024, 63031, 63032, 63033),
  ...codes('channel.template', 21654, 21655, 21656, 63027, 63028, 63040, 63041, 63042),
  ...codes('channel.sender', 21212, 21603, 21606, 21659, 21660, 21703, 63001, 63007, 63020, 63051),
]);

const MESSAGES: Record<ChannelCode, string> = {
  'channel.rate_limited': 'Twilio takes no more requests right now; it is tried again a little later.',
  'channel.daily_limit':
    "The account's messages for today are used up; it is tried again every few hours. Raise its limit in the Twilio Console.",
  'channel.unreachable': 'Twilio cannot be reached. Check the network, DNS and TWILIO_API_BASE_URL.',
  'channel.ambiguous': 'Twilio did not say whether the request was carried out; its list of messages is asked.',
  'channel.credentials': 'Twilio does not accept the account. Check TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN.',
  'channel.window': 'The person last wrote more than 24 hours ago: only an approved template may be sent now.',
  'channel.opted_out': 'The person has opted out of messages and must write START before they can get any.',
  'channel.recipient': 'Twilio cannot deliver to this recipient. Is it a WhatsApp user who may be written to?',
  'channel.sender':
    'Twilio does not let us send as this sender. Check TWILIO_WHATSAPP_NUMBER or TWILIO_MESSAGING_SERVICE_SID.',
  'channel.template':
    'Twilio does not send the template like this. Is it approved for WhatsApp, and are all its variables filled in?',
  'channel.rejected': "Twilio refused the message. Its code in the log is explained in Twilio's error dictionary.",
};

/** Where more than the general advice can be given. */
const REMEDIES = new Map<number, string>([
  [21408, 'Messages to this country are switched off. Allow it in the Twilio Console under Geo permissions.'],
  [21608, 'A Twilio trial account only writes to verified numbers. Verify the recipient or upgrade the account.'],
  [63015, "The recipient has not joined the Twilio sandbox. They must send it the 'join' words first."],
]);

function codes(failure: ChannelCode, ...twilio: number[]): [number, ChannelCode][] {
  return twilio.map((code) => [code, failure]);
}

function byStatus(status: number, repeatable: boolean): ChannelCode {
  if (status === 429) return 'channel.rate_limited';
  if (status === 401 || status === 403) return 'channel.credentials';
  if (status >= 400 && status < 500) return 'channel.rejected';
  return repeatable ? 'channel.unreachable' : 'channel.ambiguous';
}

function connectionFailure(error: unknown, code: string, repeatable: boolean): Failure<ChannelCode> {
  const failure = repeatable || neverLeft(error, code) ? 'channel.unreachable' : 'channel.ambiguous';
  return new Failure(failure, MESSAGES[failure], { providerCode: code || undefined, cause: slim(error) });
}

/** What the SDK's errors (RestException, TwilioServiceException: with a status) and Axios's (without) have in common. */
function shapeOf(error: unknown): { status: number | undefined; code: string } {
  if (!isRecord(error)) return { status: undefined, code: '' };
  const status = typeof error.status === 'number' ? error.status : undefined;
  return { status, code: error.code === undefined || error.code === null ? '' : String(error.code) };
}
