/** An inbound message as a channel makes it, with overrides. */
import { contactIdOf } from '../../app/contacts/addresses.ts';
import type { InboundMessage } from '../../app/message.ts';
import { scrub } from '../../app/privacy/scrub.ts';
import { newSid } from '../doubles/twilio.ts';

export const BUSINESS = '14155238886';
export const ANA = '15550100101';

/** @param overrides `from` alone also names the contact */
export function inboundMessage(overrides: Partial<InboundMessage> = {}): InboundMessage {
  const from = overrides.from ?? ANA;
  return {
    id: newSid('SM'),
    channel: 'twilio',
    business: BUSINESS,
    from,
    contact: contactIdOf(from),
    profileName: null,
    receivedAt: Date.now(),
    text: scrub('hello'),
    attachments: [],
    requestId: 'request',
    ...overrides,
  };
}
