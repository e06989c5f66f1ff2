/** A status callback of Twilio: what became of a message we sent. https://www.twilio.com/docs/messaging/guides/track-outbound-message-status */
import type { DeliveryStatus } from '../../message.ts';
import { fromAddress } from './address.ts';

/**
 * Whether a form is a status rather than a message. `SmsStatus` says nothing: messages that come in carry it, too
 * (`received`).
 */
export function isStatus(form: URLSearchParams): boolean {
  return Boolean(form.get('MessageStatus'));
}

/**
 * Reads a status callback. The direction is that of the message: its sender is the business.
 * @param url path and query that the callback was posted to; `?reply=` names the reply, see `statusCallbackFor`
 * @returns undefined when it names no message
 */
export function parseStatus(form: URLSearchParams, url: string): DeliveryStatus | undefined {
  const sid = form.get('MessageSid') || form.get('SmsSid');
  if (!sid) return undefined;
  const errorCode = form.get('ErrorCode');
  const replyId = replyIdIn(url);
  return {
    sid,
    state: stateOf(form.get('MessageStatus') ?? ''),
    ...(errorCode && /^[1-9]\d*$/.test(errorCode) ? { errorCode } : {}),
    business: fromAddress(form.get('From') ?? ''),
    contact: fromAddress(form.get('To') ?? ''),
    ...(replyId === undefined ? {} : { replyId }),
  };
}

/**
 * Where Twilio is to report what became of a message. The address names the reply, so that a message sent as TwiML,
 * whose id nobody tells us, finds it.
 * @param url our address for status callbacks; undefined when it is not known, and then so is the result
 */
export function statusCallbackFor(url: string | undefined, replyId: string): string | undefined {
  return url && `${url}${url.includes('?') ? '&' : '?'}${REPLY}=${encodeURIComponent(replyId)}`;
}

const REPLY = 'reply';

function replyIdIn(url: string): string | undefined {
  const query = url.indexOf('?');
  const id = query === -1 ? null : new URLSearchParams(url.slice(query)).get(REPLY);
  return id !== null && /^[\w-]{1,64}$/.test(id) ? id : undefined;
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

/** Accepted, scheduled, queued, sending, and words that Twilio may yet come up with: on its way, no more is known. */
function stateOf(word: string): DeliveryStatus['state'] {
  return STATES.get(word.toLowerCase()) ?? 'queued';
}
