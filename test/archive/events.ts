/** Events as the bot writes them, with what a test does not care about filled in. */
import type { Event } from '../../app/events.ts';
import type { InboundMessage, Line } from '../../app/message.ts';
import { scrub } from '../../app/privacy/scrub.ts';

type EventOf<Type extends Event['type']> = Extract<Event, { type: Type }>;

export const BUSINESS = '14155238886';
export const CONTACT = '15550100123';
export const PHONE = `+${CONTACT}`;
export const CONVERSATION = `${BUSINESS}:${CONTACT}`;
/** 2026-11-20, a Friday, 10:00 UTC */
export const NOON = Date.UTC(2026, 10, 20, 10);

let count = 0;

/** A provider's id, a new one each time. */
export function newSid(prefix = 'SM'): string {
  return `${prefix}${String(++count).padStart(32, '0')}`;
}

export function received(overrides: Partial<Omit<InboundMessage, 'text'>> & { text?: string } = {}) {
  const message: InboundMessage = {
    id: newSid(),
    channel: 'twilio',
    business: BUSINESS,
    contact: CONTACT,
    profileName: scrub('Ana'),
    receivedAt: NOON,
    attachments: [],
    requestId: 'request',
    ...overrides,
    text: scrub(overrides.text ?? 'Hello'),
  };
  return { type: 'message.received', message } satisfies Event;
}

export function line(role: Line['role'], id: string, text: string, at = NOON): Line {
  return { role, id, text: scrub(text), at, tokens: 1 };
}

/** A reply to messages; `words` are what the model was shown of each, its text unless given. */
export function made(
  answered: readonly EventOf<'message.received'>[],
  text: string,
  overrides: Partial<EventOf<'reply.made'>> & { words?: string[] } = {},
): EventOf<'reply.made'> {
  const { words, ...rest } = overrides;
  const turn = rest.turn ?? `turn${++count}`;
  const at = rest.at ?? NOON + 2_000;
  const [first] = answered;
  return {
    type: 'reply.made',
    conversation: first ? `${first.message.business}:${first.message.contact}` : CONVERSATION,
    turn,
    at,
    answers: answered.map(({ message }) => message.id),
    lines: [
      ...answered.map(({ message }, i) => line('user', message.id, words?.[i] ?? message.text, message.receivedAt)),
      ...(text === '' ? [] : [line('assistant', turn, text, at)]),
    ],
    via: text === '' ? null : 'twiml',
    ...rest,
  };
}

export function sent(reply: EventOf<'reply.made'>, overrides: Partial<EventOf<'reply.sent'>> = {}) {
  const { conversation, turn } = reply;
  const facts = { conversation, turn, at: reply.at + 500, via: 'twiml' as const, sids: [] };
  return { type: 'reply.sent', ...facts, ...overrides } satisfies Event;
}

export function delivery(sid: string, state: EventOf<'delivery.changed'>['status']['state'], replyId?: string) {
  const status = { sid, state, business: BUSINESS, contact: CONTACT, ...(replyId === undefined ? {} : { replyId }) };
  return { type: 'delivery.changed', conversation: CONVERSATION, at: NOON + 9_000, status } satisfies Event;
}

/** A voice note, as Twilio announces it. */
export const VOICE = { kind: 'audio', contentType: 'audio/ogg', ref: 'MM1/ME1' } as const;
export const PICTURE = { kind: 'image', contentType: 'image/jpeg', ref: 'MM2/ME2' } as const;
