/** A status callback of Twilio: the delivery status of a message we sent. https://www.twilio.com/docs/messaging/guides/track-outbound-message-status */
import type { DeliveryStatus, Pricing } from '../../message.ts';
import { readAmount } from '../../money.ts';
import type { PartOf } from '../channel.ts';
import { fromAddress } from './address.ts';

/**
 * Whether a form is a status of what we sent rather than a message: one that comes in is at most `received`. `SmsStatus` says nothing:
 * both carry it.
 */
export function isStatus(form: URLSearchParams): boolean {
  const word = (form.get('MessageStatus') ?? '').trim().toLowerCase();
  return word !== '' && !RECEIVED.has(word);
}

/** The states of inbound messages, see https://www.twilio.com/docs/messaging/api/message-resource#message-status-values */
const RECEIVED = new Set(['receiving', 'received']);

/**
 * Reads a status callback. The direction is that of the message: its sender is the business.
 * @param url path and query that the callback was posted to; `?reply=` and `&part=` name the part of the reply, see `statusCallbackFor`
 * @returns undefined when it names no message
 */
export function parseStatus(form: URLSearchParams, url: string): DeliveryStatus | undefined {
  const sid = form.get('MessageSid') || form.get('SmsSid');
  if (!sid) return undefined;
  const errorCode = form.get('ErrorCode');
  return {
    channel: 'twilio',
    sid,
    state: stateOf(form.get('MessageStatus') ?? ''),
    ...(errorCode && /^[1-9]\d*$/.test(errorCode) ? { errorCode } : {}),
    business: fromAddress(form.get('From') ?? ''),
    to: fromAddress(form.get('To') ?? ''),
    ...partIn(url),
  };
}

/**
 * Where Twilio is to report the delivery status of a message. The address names the part of the reply, because Twilio does not tell us
 * the id of a message that was sent as TwiML.
 * @param url our address for status callbacks; undefined when it is not known, and then so is the result
 */
export function statusCallbackFor(url: string | undefined, { replyId, part }: PartOf): string | undefined {
  return url && `${url}${url.includes('?') ? '&' : '?'}${REPLY}=${encodeURIComponent(replyId)}&${PART}=${part}`;
}

const REPLY = 'reply';
const PART = 'part';

function partIn(url: string): Pick<DeliveryStatus, 'replyId' | 'part'> {
  const start = url.indexOf('?');
  const query = new URLSearchParams(start === -1 ? '' : url.slice(start));
  const replyId = query.get(REPLY);
  const part = query.get(PART);
  return {
    ...(replyId !== null && /^[\w-]{1,64}$/.test(replyId) ? { replyId } : {}),
    ...(part !== null && /^\d{1,3}$/.test(part) ? { part: Number(part) } : {}),
  };
}

/** Twilio's words, see `MessageStatus` in https://www.twilio.com/docs/messaging/api/message-resource */
const STATES: ReadonlyMap<string, DeliveryStatus['state']> = new Map([
  ['sent', 'sent'],
  ['delivered', 'delivered'],
  ['partially_delivered', 'delivered'],
  ['read', 'read'],
  ['undelivered', 'failed'],
  ['failed', 'failed'],
  ['canceled', 'failed'],
]);

/** Accepted, scheduled, queued, sending, and words that are not known: not sent yet. */
export function stateOf(word: string): DeliveryStatus['state'] {
  return STATES.get(word.toLowerCase()) ?? 'queued';
}

/**
 * What Twilio says it charges for a message: an amount that it takes is negative, `-0.00500`. It is there some time after the message was
 * sent. https://www.twilio.com/docs/messaging/api/message-resource
 * @returns undefined while Twilio has not said it
 */
export function pricingOf(price: string | null, unit: string | null): Pricing | undefined {
  const billionths = price === null ? null : readAmount(price.replace(/^-/, ''));
  const currency = unit?.toUpperCase() ?? '';
  return billionths === null || !/^[A-Z]{3}$/.test(currency) ? undefined : { cost: { billionths, currency } };
}
