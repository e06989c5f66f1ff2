/** The body of a webhook's response: what Twilio is to send. https://www.twilio.com/docs/messaging/twiml */
import type { Scrubbed } from '../../privacy/scrub.ts';

/** Twilio sends no more than this many messages of one response (error 14109): https://www.twilio.com/docs/api/errors/14109 */
export const MOST_MESSAGES = 10;

/** Nothing to send. */
export const EMPTY_TWIML = '<?xml version="1.0" encoding="UTF-8"?><Response/>';

/**
 * One `<Message>` per text, in order. A text without a visible character is left out, for Twilio has nothing to send then.
 * @param statusCallbackOf where Twilio reports the delivery status of a part. Never as `action`: that would end the document
 * at the first message.
 * @returns what Twilio's own builder makes of it, which takes ten times as long
 */
export function messagesTwiml(
  texts: readonly Scrubbed[],
  statusCallbackOf: (part: number) => string | undefined = () => undefined,
): string {
  let messages = '';
  texts.forEach((text, part) => {
    const body = sendable(text);
    if (body.trim() === '') return;
    const callback = statusCallbackOf(part);
    const attribute = callback === undefined ? '' : ` statusCallback="${escaped(callback).replaceAll('"', '&quot;')}"`;
    messages += `<Message${attribute}>${escaped(body)}</Message>`;
  });
  return messages === '' ? EMPTY_TWIML : EMPTY_TWIML.replace('<Response/>', () => `<Response>${messages}</Response>`);
}

function escaped(text: string): string {
  return TO_ESCAPE.test(text) ? text.replace(TO_ESCAPE_EACH, (character) => ENTITIES[character] ?? '') : text;
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };
const TO_ESCAPE_EACH = /[&<>]/g;
const TO_ESCAPE = new RegExp(TO_ESCAPE_EACH.source);

/**
 * Drops the characters that XML 1.0 does not allow, halves of characters among them.
 * https://www.w3.org/TR/xml/#charsets
 */
export function sendable(text: string): string {
  return NOT_XML.test(text) ? text.replace(/\r\n?/g, '\n').replace(NOT_XML_EACH, '') : text;
}

const NOT_XML_EACH = /[^\t\n\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;
const NOT_XML = new RegExp(NOT_XML_EACH.source, 'u');
