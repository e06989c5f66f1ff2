/** What is on every phone, made from what happened. */
import type { OutgoingState, PageEvent, Provider, Written } from '../../simulator/contract.ts';
import type { TickState } from '../parts/delivery.ts';

export interface Message {
  sid: string;
  mine: boolean;
  at: number;
  text: string;
  written: Written | null;
  /** Of the person's own messages. */
  ticks: TickState;
  /** Why it did not arrive; null when it did, or may yet. */
  trouble: string | null;
  /** Of the bot's messages. */
  via: 'twiml' | 'rest' | 'graph' | null;
  state: OutgoingState;
  /** The person has changed it, or taken it back. */
  change: 'edited' | 'revoked' | null;
  /** What the person reacted with; '' = with nothing. */
  reaction: string;
}

export interface PhoneState {
  messages: Message[];
  /** When "typing…" appeared; null when it is not there. */
  typingSince: number | null;
  /** Everything that happened, oldest first. */
  log: PageEvent[];
  /** Unread answers. */
  unread: number;
  /** Another responder owns the thread. */
  others: boolean;
}

/** Which chat → what is in it, see `chatOf`. */
export type Phones = ReadonlyMap<string, PhoneState>;

export const EMPTY_PHONE: PhoneState = { messages: [], typingSince: null, log: [], unread: 0, others: false };

/** Names a person's chat with one of the two numbers. */
export function chatOf(provider: Provider, contact: string): string {
  return provider === 'twilio' ? contact : `${provider}:${contact}`;
}

/** How much of what happened is kept for the drawer. */
const MOST_LOGGED = 600;

/** @param looking which chat is open; `null` while old events are read again, which count as read. */
export function withEvents(phones: Phones, events: readonly PageEvent[], looking: string | null): Phones {
  const next = new Map(phones);
  for (const event of events) {
    const chat = chatOf(event.provider, event.contact);
    const before = next.get(chat) ?? EMPTY_PHONE;
    const isNews = event.type === 'answer' && looking !== null && looking !== chat;
    next.set(chat, { ...withEvent(before, event), unread: before.unread + (isNews ? 1 : 0) });
    // What is remembered is the person's, whichever number they wrote to.
    if (event.type === 'forgotten') next.set(chatOf('meta', event.contact), { ...EMPTY_PHONE, log: [event] });
  }
  return next;
}

export function asRead(phones: Phones, chat: string): Phones {
  const phone = phones.get(chat);
  return phone && phone.unread > 0 ? new Map(phones).set(chat, { ...phone, unread: 0 }) : phones;
}

function withEvent(phone: PhoneState, event: PageEvent): PhoneState {
  const log = [...phone.log.slice(1 - MOST_LOGGED), event];
  switch (event.type) {
    case 'written':
      return { ...phone, log, messages: withWritten(phone.messages, event) };
    case 'delivered': {
      const trouble = troubleWith(event.delivery);
      return {
        ...phone,
        log,
        messages: change(phone.messages, event.sid, (message) =>
          trouble === null
            ? { ...message, trouble, ticks: message.ticks === 'sent' ? 'delivered' : message.ticks }
            : { ...message, trouble: message.ticks === 'read' ? null : trouble },
        ),
      };
    }
    case 'typing':
      return { ...phone, log, typingSince: event.at, messages: readUpTo(phone.messages, event.sid) };
    case 'answer':
      return { ...phone, log, typingSince: null, messages: [...readUpTo(phone.messages, null), answer(event)] };
    case 'status':
      return {
        ...phone,
        log,
        messages: change(phone.messages, event.sid, (message) => ({ ...message, state: event.state })),
      };
    case 'routed':
      return { ...phone, log, others: event.other };
    case 'forgotten':
      return { ...EMPTY_PHONE, log: [event] };
    default:
      return { ...phone, log };
  }
}

/** What only changes another message changes it, and is none of its own. */
function withWritten(messages: Message[], event: Extract<PageEvent, { type: 'written' }>): Message[] {
  const { about, text } = event.message;
  if (!about) return [...messages, ownMessage(event)];
  return change(messages, about.sid, (message) => {
    switch (about.as) {
      case 'edit':
        return { ...message, text, change: 'edited' };
      case 'revoke':
        return { ...message, text: '', written: null, change: 'revoked', reaction: '' };
      case 'reaction':
        return { ...message, reaction: text };
    }
  });
}

function ownMessage({ sid, at, message }: Extract<PageEvent, { type: 'written' }>): Message {
  return {
    sid,
    at,
    mine: true,
    text: message.text,
    written: message,
    ticks: 'sent',
    trouble: null,
    via: null,
    state: 'queued',
    change: null,
    reaction: '',
  };
}

function answer({ sid, at, text, via }: Extract<PageEvent, { type: 'answer' }>): Message {
  const mine = { mine: false, written: null, ticks: 'sent', trouble: null } as const;
  return { sid, at, ...mine, text, via, state: 'queued', change: null, reaction: '' };
}

function change(messages: Message[], sid: string, how: (message: Message) => Message): Message[] {
  return messages.map((message) => (message.sid === sid ? how(message) : message));
}

/** What was read includes what came before. What never arrived stays as it is. */
function readUpTo(messages: Message[], sid: string | null): Message[] {
  const last = sid === null ? messages.length - 1 : messages.findIndex((message) => message.sid === sid);
  return messages.map((message, i) =>
    message.mine && i <= last && (message.trouble === null || message.trouble === SLOW)
      ? { ...message, ticks: 'read', trouble: null }
      : message,
  );
}

const SLOW = 'No response within 15 seconds, when a provider gives up. The answer may still come.';

function troubleWith({ response, failure }: Extract<PageEvent, { type: 'delivered' }>['delivery']): string | null {
  if (failure === 'timeout') return SLOW;
  if (failure) return 'Nobody answered the webhook. Is the bot still running?';
  switch (response?.status) {
    case 200:
      return null;
    case 400:
      return 'The bot found nothing to answer in it (400).';
    case 403:
      return 'The bot refused the signature (403). PUBLIC_URL must be the address that Twilio calls.';
    case 502:
      return 'The model failed, and FAILURE_REPLY is empty (502).';
    case 503:
      return 'The bot cannot keep messages right now (503).';
    default:
      return `The bot answered ${response?.status}. Its log says why.`;
  }
}
