/** What went wrong, as sentences for the team: codes are for operators. */
import { FAILURES, type FailureCode } from '../errors.ts';
import type { SpamReason } from '../events.ts';

/**
 * Why a message did not arrive.
 * @param providerCode a code that the channel does not explain; null when there is none
 * @param failureCode one of `errors.ts`; null when there is none
 */
export function explainDelivery(providerCode: string | null, failureCode: string | null): string {
  if (failureCode !== null && isFailureCode(failureCode)) return BY_FAILURE[failureCode];
  return providerCode === null
    ? 'It was not delivered. The log has the reason.'
    : `It was not delivered (the provider's code is ${providerCode}).`;
}

/** Why a person got an apology, or no answer. `reason` is what the program noted. */
export function explainFailure(code: string, reason: string | null): string {
  return isFailureCode(code) ? BY_FAILURE[code] : (reason ?? 'An unexpected error. The log has the details.');
}

/** Why what a contact writes looks like spam. `reason` is a `SpamReason`; one of a newer version is shown as it is. */
export function explainSpam(reason: string): string {
  return Object.hasOwn(BY_SPAM_REASON, reason) ? BY_SPAM_REASON[reason as SpamReason] : reason;
}

const BY_SPAM_REASON: Record<SpamReason, string> = {
  flood: 'far more messages than anybody types',
  repeats: 'the same text again and again',
  links: 'many messages with links',
  campaign: 'others sent the same text',
  neighbours: 'many new contacts with nearly the same number',
};

function isFailureCode(code: string): code is FailureCode {
  return Object.hasOwn(FAILURES, code);
}

const BUG = 'The program refused it; the log has the details.';
const SERVER = 'The program was stopping or busy. It tries again automatically.';
const MODEL = 'The model could not answer';

const BY_FAILURE: Record<FailureCode, string> = {
  'request.signature': BUG,
  'request.invalid': BUG,
  'request.too_large': BUG,
  'request.type': BUG,
  'request.unauthorized': BUG,
  'request.forbidden': BUG,
  'request.not_found': BUG,
  'request.method': BUG,
  'request.too_many': 'They wrote more in a minute than the limit allows and were asked to slow down.',
  'server.stopping': SERVER,
  'server.busy': SERVER,
  'server.error': BUG,
  'store.unavailable': "The bot's memory (Redis) did not answer.",
  'store.format': "The bot's memory (Redis) holds data of another version.",
  'turn.overtaken':
    'A person or another responder took over, or the contact was blocked, before it was certain that this was sent. Check the conversation on WhatsApp before you try again.',
  'turn.crashed':
    'The bot crashed several times while it answered this. See the log. Try again when the cause is fixed.',
  'turn.throttled': 'What this contact wrote looked like spam.',
  'archive.unavailable': 'The archive did not answer.',
  'desk.unavailable': SERVER,
  'archive.format': 'The archive holds data of another version.',
  'model.unavailable': `${MODEL}: its server did not respond correctly.`,
  'model.timeout': `${MODEL} in time.`,
  'model.rate_limited': `${MODEL}: its server got too many requests.`,
  'model.credentials': `${MODEL}: its server does not accept our key.`,
  'model.quota': `${MODEL}: the account's credit is used up.`,
  'model.request': `${MODEL}: its server refused the request.`,
  'model.empty': `${MODEL}: it returned an empty answer.`,
  'model.too_long': `${MODEL}: the conversation is longer than it takes.`,
  'model.filtered': `${MODEL}: its server's content filter blocked the answer.`,
  'model.budget': "This month's budget is used up, so that no model is asked.",
  'media.unsupported': 'This kind of file cannot be read.',
  'media.unreadable': 'The file is damaged or is not what it says.',
  'media.too_large': 'The file is too large.',
  'media.gone': 'The file is no longer at the provider.',
  'media.credentials': 'The provider refused access to the file. Check the account in the settings.',
  'media.refused': 'The file has an address that is not trusted.',
  'media.timeout': 'The file took too long to fetch.',
  'media.unreachable': 'The file could not be fetched.',
  'channel.daily_limit': "The account's messages for today are used up. It is sent again in a few hours.",
  'channel.rate_limited': 'The provider got too many requests. Send it again in a moment.',
  'channel.unreachable': 'The provider could not be reached.',
  'channel.ambiguous':
    'It is not known whether the provider accepted the message. Check the conversation on WhatsApp before you send it again.',
  'channel.credentials': 'The provider does not accept our account. Check the settings.',
  'channel.window':
    'More than 24 hours passed since their last message: WhatsApp only allows an approved template now.',
  'channel.blocked': 'The contact is blocked. Unblock them to write.',
  'channel.recipient': 'This person cannot be reached on WhatsApp.',
  'channel.opted_out': 'They have opted out of messages. They must write START before they can get any.',
  'channel.sender': 'The provider does not let us send from our number. Check the settings.',
  'channel.template':
    'The template cannot be sent like this: it must be approved, in this language, and all its variables filled in.',
  'channel.rejected': 'The provider refused the message.',
};
