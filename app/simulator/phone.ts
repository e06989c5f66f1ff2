/** A person's phone, and Twilio between it and the bot: a text becomes a signed webhook, its TwiML becomes messages. */
import { randomUUID } from 'node:crypto';
import { toAddress } from '../channels/twilio/address.ts';
import { sign } from '../channels/twilio/signature.ts';
import { newInboundSid, usernameId } from './account.ts';
import { type Posted, postWebhook } from './post.ts';

export interface PhoneOptions {
  /** Where the bot listens: `http://localhost:3002/whatsapp`. */
  webhookUrl: string;
  /** The address that Twilio would call, when it is another one; the signature is made over it. */
  signedUrl?: string;
  authToken: string;
  accountSid: string;
  /** Whom it writes to, without `+`. */
  businessNumber: string;
}

export interface Phone {
  /**
   * Sends a text and waits for the response to the webhook, as long as Twilio does.
   * Never rejects: the exchange says what went wrong.
   * @param overrides form fields to change or add; a known `MessageSid` delivers a message again.
   */
  write(from: Person, text: string, overrides?: Record<string, string>): Promise<Exchange>;
}

/** Who holds the phone. */
export interface Person {
  /** Digits, or a username id such as `US.1A2B`. */
  contact: string;
  profileName: string;
}

/** One webhook: what went over the wire, both ways. */
export interface Exchange extends Posted {
  /** The form, in the order it was sent. */
  fields: Record<string, string>;
  /** The address that the signature was made over. */
  signedUrl: string;
  signature: string;
  /** What the person gets to see, in order. */
  messages: TwimlMessage[];
}

export interface TwimlMessage {
  text: string;
  mediaUrls: string[];
  /** Where to report what became of it; left out when the document does not say. */
  statusCallback?: string;
}

export function createPhone(options: PhoneOptions): Phone {
  const { webhookUrl, authToken } = options;
  const signedUrl = options.signedUrl ?? webhookUrl;
  return {
    async write(from, text, overrides = {}) {
      const fields = { ...textFields(from, text, options), ...overrides };
      const pairs = new URLSearchParams(fields);
      const signature = sign(authToken, signedUrl, pairs);
      const posted = await postWebhook(webhookUrl, pairs, {
        'User-Agent': 'TwilioProxy/1.1',
        'I-Twilio-Idempotency-Token': randomUUID(),
        'X-Twilio-Signature': signature,
      });
      return { fields, signedUrl, signature, ...posted, messages: messagesIn(posted.response) };
    },
  };
}

/** The fields of a text message: https://www.twilio.com/docs/messaging/guides/webhook-request */
function textFields(from: Person, text: string, { accountSid, businessNumber }: PhoneOptions): Record<string, string> {
  const { contact, profileName } = from;
  const sid = newInboundSid(contact);
  const waId = /^\d+$/.test(contact) ? contact : '';
  const context = { ProfileName: profileName, ...(waId ? { WaId: waId } : {}) };
  return {
    SmsMessageSid: sid,
    NumMedia: '0',
    ProfileName: profileName,
    MessageType: 'text',
    SmsSid: sid,
    WaId: waId,
    SmsStatus: 'received',
    Body: text,
    To: toAddress(businessNumber),
    NumSegments: '1',
    ReferralNumMedia: '0',
    MessageSid: sid,
    AccountSid: accountSid,
    ChannelMetadata: JSON.stringify({ type: 'whatsapp', data: { context } }),
    From: toAddress(contact),
    ExternalUserId: toAddress(usernameId(contact)),
    ApiVersion: '2010-04-01',
  };
}

/** What Twilio makes of a response. A plain text is sent as it is, which is why a webhook must never answer with one. */
function messagesIn(response: Exchange['response']): TwimlMessage[] {
  if (!response || response.status < 200 || response.status > 299) return [];
  if (!response.contentType.startsWith('text/plain')) return parseTwiml(response.body);
  return response.body.trim() === '' ? [] : [{ text: response.body, mediaUrls: [] }];
}

/** The messages of a TwiML document. Takes what it understands and leaves the rest, like a browser. */
export function parseTwiml(xml: string): TwimlMessage[] {
  const document = xml.replace(/<!--[\s\S]*?-->/g, '');
  return [...document.matchAll(/<Message(\s[^>]*[^/>])?>([\s\S]*?)<\/Message>/g)].map(
    ([, attributes = '', inside = '']) => {
      const bodies = contentsOf(inside, 'Body');
      const statusCallback = /\sstatusCallback="([^"]*)"/.exec(attributes)?.[1];
      return {
        // Without a Body the words themselves are the text.
        text: bodies.length > 0 ? bodies.join('') : textOf(inside),
        mediaUrls: contentsOf(inside, 'Media'),
        ...(statusCallback ? { statusCallback: textOf(statusCallback) } : {}),
      };
    },
  );
}

function contentsOf(xml: string, element: string): string[] {
  const found = xml.matchAll(new RegExp(`<${element}(?:\\s[^>]*[^/>])?>([\\s\\S]*?)</${element}>`, 'g'));
  return [...found].map(([, inside = '']) => textOf(inside));
}

/** The text of an XML fragment, without its tags. */
function textOf(xml: string): string {
  return xml.replace(/<!\[CDATA\[([\s\S]*?)\]\]>|<[^>]*>|&(#x[0-9a-fA-F]+|#\d+|\w+);/g, (whole, cdata, entity) => {
    if (cdata !== undefined) return cdata;
    return entity === undefined ? '' : (characterOf(entity) ?? whole);
  });
}

const NAMED: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function characterOf(entity: string): string | undefined {
  if (!entity.startsWith('#')) return NAMED[entity];
  const code = entity.startsWith('#x') ? Number.parseInt(entity.slice(2), 16) : Number(entity.slice(1));
  return code <= 0x10ffff ? String.fromCodePoint(code) : undefined;
}
