/** Events as the bot writes them, with what a test does not care about filled in. */
import { contactIdOf } from '../../app/contacts/addresses.ts';
import type { Event, EventOf } from '../../app/events.ts';
import { conversationId, conversationOf, type InboundMessage } from '../../app/message.ts';
import { type Scrubbed, scrub } from '../../app/privacy/scrub.ts';

export const BUSINESS = '14155238886';
export const CONTACT = '15550100123';
export const PHONE = `+${CONTACT}`;
export const CONVERSATION = `twilio:${BUSINESS}:${CONTACT}`;
/** 2026-11-20, a Friday, 10:00 UTC */
export const NOON = Date.UTC(2026, 10, 20, 10);

let count = 0;

/** A provider's id, a new one each time. */
export function newSid(prefix = 'SM'): string {
  return `${prefix}${String(++count).padStart(32, '0')}`;
}

/** @param overrides `from` alone also names the contact */
export function received(overrides: Partial<Omit<InboundMessage, 'text'>> & { text?: string } = {}) {
  const from = overrides.from ?? CONTACT;
  const message: InboundMessage = {
    id: newSid(),
    channel: 'twilio',
    business: BUSINESS,
    from,
    contact: contactIdOf(from),
    profileName: scrub('Ana'),
    receivedAt: NOON,
    attachments: [],
    requestId: 'request',
    ...overrides,
    text: scrub(overrides.text ?? 'Hello'),
  };
  return { type: 'message.received', message } satisfies Event;
}

/** A reply to messages. `said` is what was said in their voice notes, null for what could not be heard. */
export function made(
  answered: readonly EventOf<'message.received'>[],
  text: string,
  overrides: Partial<EventOf<'reply.made'>> & { said?: (string | null)[]; parts?: string[] } = {},
): EventOf<'reply.made'> {
  const { said = [], parts = [text], ...rest } = overrides;
  const turn = rest.turn ?? `turn${++count}`;
  const [first] = answered;
  const voices = answered.filter(({ message }) => message.attachments.some(({ kind }) => kind === 'audio'));
  return {
    type: 'reply.made',
    conversation: first ? conversationId(first.message) : CONVERSATION,
    turn,
    at: rest.at ?? NOON + 2_000,
    answers: answered.map(({ message }) => message.id),
    reply:
      text === ''
        ? null
        : { to: first?.message.from ?? CONTACT, parts: parts.map((part) => scrub(part)), via: 'response' },
    heard: voices.map(({ message: { id } }, i) => ({ id, transcript: scrubbedOrNull(said[i] ?? null) })),
    ...rest,
  };
}

function scrubbedOrNull(text: string | null): Scrubbed | null {
  return text === null ? null : scrub(text);
}

export function sent(reply: EventOf<'reply.made'>, overrides: Partial<EventOf<'reply.sent'>> = {}) {
  const { conversation, turn } = reply;
  const facts = { conversation, turn, at: reply.at + 500, via: 'response' as const, sids: [] };
  return { type: 'reply.sent', ...facts, ...overrides } satisfies Event;
}

export function delivery(
  sid: string,
  state: EventOf<'delivery.changed'>['status']['state'],
  replyId?: string,
  conversation = CONVERSATION,
) {
  const { channel, business, contact } = conversationOf(conversation);
  const reply = replyId === undefined ? {} : { replyId };
  const status = { channel, sid, state, business, to: contact, ...reply };
  return { type: 'delivery.changed', conversation, at: NOON + 9_000, status } satisfies Event;
}

/** A person wrote from the inbox; `desk.said` alone means that it is still being sent. */
export function deskSaid(text: string, overrides: Partial<EventOf<'desk.said'>> = {}): EventOf<'desk.said'> {
  const facts = { conversation: CONVERSATION, id: `desk${++count}`, at: NOON + 60_000, to: CONTACT };
  return { type: 'desk.said', ...facts, parts: [scrub(text)], ...overrides };
}

export function givenUp(overrides: Partial<EventOf<'given.up'>> = {}): EventOf<'given.up'> {
  const facts = { conversation: CONVERSATION, turn: `turn${++count}`, at: NOON + 9 };
  const why = { code: 'model.quota', reason: 'The quota is used up.' } as const;
  return { type: 'given.up', ...facts, ...why, reply: null, messages: [], ...overrides };
}

/** A voice note, as Twilio announces it. */
export const VOICE = { kind: 'audio', contentType: 'audio/ogg', ref: 'MM1/ME1' } as const;
export const PICTURE = { kind: 'image', contentType: 'image/jpeg', ref: 'MM2/ME2' } as const;
