/** The accounts of the simulator: invented, and valid nowhere else. */
import { createHash, randomBytes } from 'node:crypto';

/** The same at every start. */
export const SIMULATED_ACCOUNT_SID = `AC${'fa4e'.repeat(8)}`;

/** Signs the webhooks and opens the REST API. Everybody knows it: it protects nothing. */
export const SIMULATED_AUTH_TOKEN = 'simulator';

/** The sender of Twilio's own WhatsApp sandbox, without `+`. */
export const SIMULATED_NUMBER = '14155238886';

/** Twilio's account in the shape of the settings of a real one. */
export interface SimulatedAccount {
  accountSid: string;
  authToken: string;
  secondaryToken: undefined;
  number: string;
  messagingServiceSid: undefined;
  /** Where the simulated REST API listens: this machine alone. */
  apiBaseUrl: string;
}

export function simulatedAccount(apiBaseUrl: string): SimulatedAccount {
  return {
    accountSid: SIMULATED_ACCOUNT_SID,
    authToken: SIMULATED_AUTH_TOKEN,
    secondaryToken: undefined,
    number: SIMULATED_NUMBER,
    messagingServiceSid: undefined,
    apiBaseUrl,
  };
}

/** The simulated number of the Cloud API, without `+`: one that is reserved for fiction. */
export const SIMULATED_CLOUD_NUMBER = '15550100190';
export const SIMULATED_PHONE_NUMBER_ID = '100000000000190';
export const SIMULATED_ACCOUNT_ID = '100000000000191';

/** A number of the Cloud API in the shape of the settings of a real one. */
export interface SimulatedCloudNumber {
  accessToken: string;
  phoneNumberIds: string[];
  /** Of the account that has the templates. */
  accountId: string;
  verifyToken: string;
  appSecret: string;
  /** Where the simulated Graph API listens, with its version: this machine alone. */
  apiBase: string;
}

/** With a token and secrets of its own at every start: nobody has to know them. */
export function simulatedCloudNumber(apiBase: string): SimulatedCloudNumber {
  const secret = () => randomBytes(24).toString('base64url');
  return {
    accessToken: secret(),
    phoneNumberIds: [SIMULATED_PHONE_NUMBER_ID],
    accountId: SIMULATED_ACCOUNT_ID,
    verifyToken: secret(),
    appSecret: secret(),
    apiBase,
  };
}

/** Whether Twilio would take it as a WhatsApp address, with `whatsapp:`: a number, or a username id with its country. */
export function isChannelAddress(address: string): boolean {
  return /^whatsapp:(\+\d{6,15}|[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128})$/.test(address);
}

/** Hex digits of a message's id that name the phone it was written on. */
const PHONE_DIGITS = 8;

/**
 * A new id for a message that a person writes. It begins with a mark of their phone: "typing…" names nothing but the
 * message it answers, and must find the phone, also when another process made that message.
 */
export function newInboundSid(contact: string): string {
  return `SM${phoneMark(contact)}${randomBytes(16).toString('hex').slice(PHONE_DIGITS)}`;
}

/** Whether a message was written on the phone of this contact. */
export function isWrittenBy(contact: string, messageSid: string): boolean {
  return messageSid.slice(2, 2 + PHONE_DIGITS) === phoneMark(contact);
}

/** The username id of a contact. Both providers send one along with every number, always the same one. */
export function usernameId(contact: string): string {
  return /^\d+$/.test(contact) ? `US.${digest(contact).slice(0, 16).toUpperCase()}` : contact;
}

function phoneMark(contact: string): string {
  return digest(contact).slice(0, PHONE_DIGITS);
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
