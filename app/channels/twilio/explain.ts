/** Twilio's error codes as sentences for the team. https://www.twilio.com/docs/api/errors */

/** @returns null for what is no code of Twilio. A code without a sentence of ours gets one that says where it is explained. */
export function explainTwilioCode(code: string): string | null {
  if (Object.hasOwn(SENTENCES, code)) return SENTENCES[code] ?? null;
  if (!/^\d{4,6}$/.test(code)) return null;
  return `It was not delivered (Twilio's code ${code}, explained at https://www.twilio.com/docs/api/errors/${code}).`;
}

const SENTENCES: Record<string, string> = {
  '20429': 'Twilio got too many requests. Send it again in a moment.',
  '21211': 'This number does not exist.',
  '21408': 'Messages to this country are switched off in the Twilio Console (Geo permissions).',
  '21608': 'A Twilio trial account only writes to verified numbers.',
  '21610': 'They have opted out of messages. They must write START before they can get any.',
  '21611': 'Too many messages wait at Twilio already. Send it again later.',
  '21614': 'This is not a mobile number.',
  '21617': 'The message is too long.',
  '21620': 'The file could not be fetched by Twilio.',
  '30007': 'The carrier blocked it as spam.',
  '30036': 'It waited too long and was not sent.',
  '63001': 'Twilio could not sign in to WhatsApp with our sender. Check the sender in the Twilio Console.',
  '63003': 'This number is not on WhatsApp.',
  '63005': 'WhatsApp did not accept what is in the message.',
  '63007': 'Our number is not a WhatsApp sender of this Twilio account.',
  '63009': 'WhatsApp had an internal error. Send it again.',
  '63012': 'WhatsApp had an internal error. Send it again.',
  '63013': "WhatsApp held it back because of its policy. Look at the sender's quality in the Twilio Console.",
  '63015': 'They have not joined the Twilio sandbox. They must send it the "join" words first.',
  '63016': 'More than 24 hours passed since their last message: WhatsApp only allows an approved template now.',
  '63018': 'Our sender sent too many messages. Send it again later.',
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
