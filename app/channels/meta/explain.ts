/** Meta's error codes as sentences for the team. https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes */

/** @returns null for what is no code of Meta. A code without a sentence of ours gets one that says where it is explained. */
export function explainMetaCode(code: string): string | null {
  if (Object.hasOwn(SENTENCES, code)) return SENTENCES[code] ?? null;
  if (!/^\d{1,7}$/.test(code)) return null;
  return `It was not delivered (Meta's code ${code}, explained at https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes).`;
}

const SENTENCES: Record<string, string> = {
  '4': 'Meta got too many requests. Send it again in a moment.',
  '190': "Meta's access token has expired or was revoked. Make a new one (ACCESS_TOKEN).",
  '368': 'Meta has locked our account because of its policy. See the WhatsApp Manager.',
  '80007': 'Our WhatsApp account got too many requests. Send it again in a moment.',
  '130403': 'They have blocked our number.',
  '130429': 'Our number sent too many messages. Send it again in a moment.',
  '130472': 'This number takes part in an experiment of Meta and gets no marketing messages.',
  '130497': 'Our account may not write to people in this country.',
  '131000': 'Meta had an internal error. Send it again.',
  '131016': 'Meta is not available right now. Send it again later.',
  '131021': 'It would have gone to our own number.',
  '131026': 'It cannot be delivered: they are not on WhatsApp, use an old version, or have not accepted its terms.',
  '131031': 'Meta has locked our account. See the WhatsApp Manager.',
  '131042': 'A payment method is missing or was refused. See Billing in the WhatsApp Manager.',
  '131047': 'More than 24 hours passed since their last message: WhatsApp only allows an approved template now.',
  '131048': 'Meta holds our messages back: too many of them were blocked or reported as spam.',
  '131049': 'Meta chose not to deliver this marketing message. Not again before 24 hours have passed.',
  '131050': 'They have switched off marketing messages from us.',
  '131051': 'WhatsApp does not know this kind of message.',
  '131052': 'The file that they sent could not be fetched.',
  '131053': 'The file could not be uploaded: its type or its size is not allowed.',
  '131056': 'Too many messages to this person in a short time. Send it again in some seconds.',
  '131057': 'Our account is in maintenance at Meta. Send it again later.',
  '132000': 'The template needs another number of values.',
  '132001': 'The template is not there in this language, or is not approved.',
  '132005': 'The template is too long with these values.',
  '132007': "WhatsApp's policy does not allow what the template says.",
  '132012': 'A value of the template has the wrong form.',
  '132015': 'WhatsApp has paused the template.',
  '132016': 'WhatsApp has switched the template off.',
  '2494191':
    'Only the escalation partner of this number may take a conversation. Write to them instead: what you send takes it, too.',
  '133010': 'Our number is not registered with the Cloud API.',
};
