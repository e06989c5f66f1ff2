/** Twilio's side of a webhook: forms with made-up values, signed and posted, and what the response makes Twilio send. */
import { setTimeout as sleep } from 'node:timers/promises';
import { newSid, twilioSignature } from '../doubles/twilio.ts';

/** A webhook's fields. https://www.twilio.com/docs/messaging/guides/webhook-request */
export type Fields = Record<string, string>;

const ACCOUNT_SID = 'AC00000000000000000000000000000000';

/** A text by somebody new to the bot, each with an id of its own. Overrides are fields in Twilio's spelling. */
export function textMessage(overrides: Fields = {}): Fields {
  const sid = overrides.MessageSid ?? newSid('SM');
  const from = overrides.From ?? 'whatsapp:+15550100123';
  const number = /^whatsapp:\+(\d+)$/.exec(from)?.[1];
  return {
    AccountSid: ACCOUNT_SID,
    ApiVersion: '2010-04-01',
    Body: 'hello',
    ExternalUserId: number ? `whatsapp:US.id${number}` : from,
    From: from,
    MessageSid: sid,
    MessageType: 'text',
    NumMedia: '0',
    NumSegments: '1',
    ProfileName: 'Sheena Nelson',
    ReferralNumMedia: '0',
    SmsMessageSid: sid,
    SmsSid: sid,
    SmsStatus: 'received',
    To: 'whatsapp:+14155238886',
    WaId: number ?? '',
    ...overrides,
  };
}

/** One file, without a caption. @param url as `TwilioDouble.addMedia` gives it */
export function mediaMessage(url: string, contentType: string, overrides: Fields = {}): Fields {
  return textMessage({
    Body: '',
    MediaContentType0: contentType,
    MediaUrl0: url,
    MessageSid: newSid('MM'),
    MessageType: contentType.split('/')[0] ?? '',
    NumMedia: '1',
    ...overrides,
  });
}

export interface SignedForm {
  body: string;
  headers: Record<string, string>;
}

/** @param url the address that Twilio calls, path and query included */
export function signedForm(authToken: string, url: string, fields: Fields): SignedForm {
  return {
    body: new URLSearchParams(fields).toString(),
    headers: {
      'Content-Type': 'application/x-www-form-urlencoded; charset=UTF-8',
      'User-Agent': 'TwilioProxy/1.1',
      'X-Twilio-Signature': twilioSignature(authToken, url, fields),
    },
  };
}

export interface WebhookResponse {
  status: number;
  contentType: string;
  body: string;
  /** What Twilio sends to the person, in order. */
  texts: string[];
}

/** @param signedUrl what the signature is made over, when it is not the address that is called */
export async function postWebhook(
  url: string,
  authToken: string,
  fields: Fields,
  signal: AbortSignal | null = null,
  signedUrl = url,
): Promise<WebhookResponse> {
  const response = await fetch(url, { method: 'POST', ...signedForm(authToken, signedUrl, fields), signal });
  const body = await response.text();
  const contentType = response.headers.get('content-type') ?? '';
  return { status: response.status, contentType, body, texts: response.ok ? textsIn(body) : [] };
}

/** How often and how soon a provider repeats what was refused for the moment. */
const MOST_REPEATS = 20;
const REPEAT_MS = 500;

/** The same, as a provider does it: repeated while the answer is 503, which a busy machine may give. */
export async function deliverWebhook(url: string, authToken: string, fields: Fields): Promise<WebhookResponse> {
  for (let tries = 0; ; tries++) {
    const answer = await postWebhook(url, authToken, fields);
    if (answer.status !== 503 || tries === MOST_REPEATS) return answer;
    await sleep(REPEAT_MS);
  }
}

/** The texts of a TwiML document, with or without a `<Body>` around them. */
export function textsIn(twiml: string): string[] {
  return [...twiml.matchAll(/<Message(?:\s[^>]*)?>([\s\S]*?)<\/Message>/g)].map(([, content = '']) =>
    content.replace(/<[^>]*>/g, '').replace(/&(\w+|#x[\da-fA-F]+);/g, (whole, entity) => characterOf(entity) ?? whole),
  );
}

const NAMED: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function characterOf(entity: string): string | undefined {
  return entity.startsWith('#x') ? String.fromCodePoint(Number.parseInt(entity.slice(2), 16)) : NAMED[entity];
}
