/** What went wrong, in the words of the people at the desk: codes are for operators. */
import { FAILURES, type FailureCode } from '../errors.ts';

/**
 * Why a message did not arrive.
 * @param providerCode Twilio's code, https://www.twilio.com/docs/api/errors; null when there is none
 * @param failureCode one of `errors.ts`; null when there is none
 */
export function explainDelivery(providerCode: string | null, failureCode: string | null): string {
  const known = providerCode === null ? undefined : BY_TWILIO_CODE[providerCode];
  if (known !== undefined) return known;
  if (failureCode !== null && isFailureCode(failureCode)) return BY_FAILURE[failureCode];
  return providerCode === null
    ? 'It was not delivered. The log of the program has the reason.'
    : `It was not delivered (Twilio's code ${providerCode}, explained at https://www.twilio.com/docs/api/errors/${providerCode}).`;
}

/** Why a person got an apology, or no answer. `reason` is what the program noted. */
export function explainFailure(code: string, reason: string | null): string {
  return isFailureCode(code)
    ? BY_FAILURE[code]
    : (reason ?? 'Something unexpected went wrong; the log has the details.');
}

function isFailureCode(code: string): code is FailureCode {
  return Object.hasOwn(FAILURES, code);
}

const BY_TWILIO_CODE: Record<string, string> = {
  '20429': 'Twilio was asked too much at once. Send it again in a moment.',
  '21211': 'This number does not exist.',
  '21408': 'Messages to this country are switched off in the Twilio Console (Geo permissions).',
  '21608': 'A Twilio trial account only writes to verified numbers.',
  '21610': 'They have opted out of messages. They must write START before they can get any.',
  '21611': 'Too many messages wait at Twilio already. Send it again later.',
  '21614': 'This number is no mobile number.',
  '21617': 'The message is too long.',
  '21620': 'The file could not be fetched by Twilio.',
  '30007': 'It was held back as unwanted by the carrier.',
  '30036': 'It waited too long and was not sent any more.',
  '63001': 'Twilio could not sign in to WhatsApp with our sender. Check the sender in the Twilio Console.',
  '63003': 'This number is not on WhatsApp.',
  '63005': 'WhatsApp did not accept what is in the message.',
  '63007': 'Our number is not a WhatsApp sender of this Twilio account.',
  '63009': 'WhatsApp had a problem of its own. Send it again.',
  '63012': 'WhatsApp had a problem of its own. Send it again.',
  '63013': "WhatsApp held it back because of its policy. Look at the sender's quality in the Twilio Console.",
  '63015': 'They have not joined the Twilio sandbox. They must send it the "join" words first.',
  '63016': 'More than 24 hours passed since their last message: WhatsApp only allows an approved template now.',
  '63018': 'Our sender wrote too much at once. Send it again later.',
  '63019': 'The file could not be fetched by WhatsApp.',
  '63020': "Our sender's WhatsApp business account is not verified or was restricted.",
  '63021': 'WhatsApp did not accept what is in the message.',
  '63024': 'This number cannot be reached on WhatsApp.',
  '63027': 'The template is not there in this language.',
  '63028': 'The template needs another number of values.',
  '63031': 'It would have gone to our own number.',
  '63032': 'WhatsApp does not let us write to this person right now (its limit for each person).',
  '63033': 'They have blocked our number.',
  '63034': 'The file is too large for WhatsApp.',
  '63038': "The account's messages for today are used up.",
  '63040': 'WhatsApp has rejected the template.',
  '63041': 'WhatsApp has paused the template.',
  '63042': 'WhatsApp has switched the template off.',
  '63049': 'WhatsApp chose not to deliver this marketing message.',
  '63051': "Our sender's WhatsApp account is locked. See the Twilio Console.",
};

const BUG = 'The program refused it; the log has the details.';
const SERVER = 'The program was stopping or busy. It is tried again by itself.';
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
  'turn.overtaken':
    'Somebody took over, or blocked them, before it was clear that this had gone out. Look at their phone first.',
  'turn.crashed': 'The bot broke down over it again and again. The log says how; try again only when that is mended.',
  'archive.unavailable': 'The archive did not answer.',
  'model.unavailable': `${MODEL}: its server is away or has trouble.`,
  'model.timeout': `${MODEL} in time.`,
  'model.rate_limited': `${MODEL}: its server was asked too much at once.`,
  'model.credentials': `${MODEL}: its server does not accept our key.`,
  'model.quota': `${MODEL}: the account's credit is used up.`,
  'model.request': `${MODEL}: its server refused the request.`,
  'model.empty': `${MODEL}: it said nothing.`,
  'model.filtered': `${MODEL}: its server's content filter held it back.`,
  'media.unsupported': 'This kind of file cannot be read.',
  'media.unreadable': 'The file is damaged or is not what it says.',
  'media.too_large': 'The file is too large.',
  'media.gone': 'The file is no longer at the provider.',
  'media.credentials': 'The provider does not let us have the file. Check the account in the settings.',
  'media.refused': 'The file was said to be at an address that is not to be trusted.',
  'media.timeout': 'The file took too long to fetch.',
  'media.unreachable': 'The file could not be fetched.',
  'channel.rate_limited': 'The provider was asked too much at once. Send it again in a moment.',
  'channel.unreachable': 'The provider could not be reached.',
  'channel.ambiguous':
    'The provider did not say whether it took the message. Look at their phone before you send it again.',
  'channel.credentials': 'The provider does not accept our account. Check the settings.',
  'channel.window':
    'More than 24 hours passed since their last message: WhatsApp only allows an approved template now.',
  'channel.recipient': 'This person cannot be reached on WhatsApp.',
  'channel.opted_out': 'They have opted out of messages. They must write START before they can get any.',
  'channel.sender': 'The provider does not let us send from our number. Check the settings.',
  'channel.rejected': 'The provider refused the message.',
};
