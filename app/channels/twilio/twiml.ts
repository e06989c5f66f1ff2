/** The body of a webhook's response: what Twilio is to send. https://www.twilio.com/docs/messaging/twiml */
// The package's front door loads the whole SDK; this file of it needs nothing but the XML builder.
import MessagingResponse from 'twilio/lib/twiml/MessagingResponse.js';
import type { Scrubbed } from '../../privacy/scrub.ts';

/** Twilio sends no more than this many messages of one response (error 14109): https://www.twilio.com/docs/api/errors/14109 */
export const MOST_MESSAGES = 10;

/** Nothing to send. */
export const EMPTY_TWIML = new MessagingResponse().toString();

/**
 * One `<Message>` per text, in order. A text without a visible character is left out, for Twilio has nothing to send then.
 * @param statusCallbackOf where Twilio reports the delivery status of a part. Never as `action`: that would end the document
 * at the first message.
 */
export function messagesTwiml(
  texts: readonly Scrubbed[],
  statusCallbackOf: (part: number) => string | undefined = () => undefined,
): string {
  const response = new MessagingResponse();
  texts.forEach((text, part) => {
    const body = sendable(text);
    const statusCallback = statusCallbackOf(part);
    if (body.trim() !== '') response.message(statusCallback === undefined ? {} : { statusCallback }, body);
  });
  return response.toString();
}

/**
 * Drops the characters that XML 1.0 does not allow, halves of characters among them: the builder throws for each.
 * https://www.w3.org/TR/xml/#charsets
 */
export function sendable(text: string): string {
  return NOT_XML.test(text) ? text.replace(/\r\n?/g, '\n').replace(NOT_XML_EACH, '') : text;
}

const NOT_XML_EACH = /[^\t\n\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;
const NOT_XML = new RegExp(NOT_XML_EACH.source, 'u');
