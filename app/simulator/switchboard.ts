/** Between the phones and the bot: what is written becomes webhooks, and everything that happens is written down. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isWrittenBy } from './account.ts';
import type { Delivery, PageEventBody, Provider, Sent, SimulatedPerson, Written } from './contract.ts';
import type { Chat, Journal } from './journal.ts';
import type { Outgoing, StatusCallback } from './outgoing.ts';

/** How one provider brings what people write. */
export interface Carrier {
  /** Makes a message of it. */
  pack(written: Written): Parcel;
}

export interface Parcel {
  sid: string;
  /** Brings it to the bot, the same message however often. Never rejects. */
  bring(): Promise<Brought>;
}

export interface Brought {
  delivery: Delivery;
  /** What the response says, in order; none of it is empty. */
  replies: Reply[];
}

export interface Reply {
  text: string;
  /** Where to report what became of it. */
  statusCallback?: string;
}

export interface Switchboard {
  /** Sends what a person wrote; its webhook is on its way when this returns. */
  write(written: Written): Sent;
  /** Several messages: all at once, or written in this order and delivered in the reverse order. */
  writeAll(messages: readonly Written[], order: 'together' | 'reversed'): Sent[];
  /** Delivers a message again, as a provider does that is not sure. False when it is not known. */
  repeat(sid: string): boolean;
  /** What somebody wrote, by its id; undefined when it is not known (any more). */
  find(sid: string): Written | undefined;
  /** Who has written something. */
  people(): SimulatedPerson[];
  /** Everything that somebody wrote in a conversation, oldest first. */
  writtenIn(chat: Chat): Written[];
  /** Forgets what it knows of a contact. */
  forget(contact: string): void;
  onOutgoing(provider: Provider, outgoing: Outgoing): void;
  onCallback(provider: Provider, callback: StatusCallback): void;
  onFetched(messageSid: string, step: 'api' | 'cdn', status: number): void;
  onModel(event: Extract<PageEventBody, { type: 'asked' | 'replied' }>): void;
}

export interface SwitchboardOptions {
  carriers: Record<Provider, Carrier>;
  journal: Journal;
  /** Sends what the response to a webhook says. */
  reply: (contact: string, reply: Reply) => void;
}

/** A message that a person sent. */
interface Letter {
  written: Written;
  chat: Chat;
  parcel: Parcel;
  attempts: number;
  answered: boolean;
}

/** How many messages can be delivered again. */
const MOST_LETTERS = 1_000;
/** From one webhook to the next, so that they also arrive in the order in which they are sent. */
const BETWEEN_MS = 100;

export function createSwitchboard({ carriers, journal, reply }: SwitchboardOptions): Switchboard {
  const letters = new Map<string, Letter>();
  /** Ask → what it was about. */
  const asks = new Map<string, Chat>();

  return {
    write(written) {
      const letter = post(written);
      void bringAll([letter], 0);
      return { sid: letter.parcel.sid };
    },
    writeAll(messages, order) {
      const posted = messages.map(post);
      void (order === 'reversed' ? bringAll(posted.toReversed(), BETWEEN_MS) : bringAll(posted, 1));
      return posted.map(({ parcel: { sid } }) => ({ sid }));
    },
    repeat(sid) {
      const letter = letters.get(sid);
      if (letter) void bring(letter);
      return letter !== undefined;
    },
    find: (sid) => letters.get(sid)?.written,
    people: () => [...letters.values()].map(({ written }) => written),
    writtenIn: (chat) => [...letters.values()].filter((one) => isSame(one.chat, chat)).map(({ written }) => written),
    forget(contact) {
      for (const [sid, { chat }] of letters) if (chat.contact === contact) letters.delete(sid);
    },
    onOutgoing(provider, outgoing) {
      if (outgoing.type === 'typing') return showTyping(outgoing.messageSid, outgoing.at);
      const { contact, sid, at } = outgoing;
      const chat = { provider, contact };
      if (outgoing.type === 'status') return journal.add(chat, { type: 'status', sid, state: outgoing.state }, at);
      for (const letter of letters.values()) if (isSame(letter.chat, chat)) letter.answered = true;
      const { text, request } = outgoing;
      const via = provider === 'meta' ? 'graph' : request ? 'rest' : 'twiml';
      journal.add(chat, { type: 'answer', sid, via, text, request }, at);
    },
    onCallback(provider, { contact, sid, state, url, status }) {
      journal.add({ provider, contact }, { type: 'told', sid, state, url, status });
    },
    onFetched(sid, step, status) {
      const chat = letters.get(sid)?.chat;
      if (chat) journal.add(chat, { type: 'fetched', sid, step, status });
    },
    onModel(event) {
      const about = event.type === 'asked' ? whatIsAsked(event.messages.map(({ text }) => text)) : asks.get(event.ask);
      if (event.type === 'replied') asks.delete(event.ask);
      else if (about) asks.set(event.ask, about);
      if (about) journal.add(about, event);
    },
  };

  function post(written: Written): Letter {
    const provider = written.to ?? 'twilio';
    const chat = { provider, contact: written.contact };
    const parcel = carriers[provider].pack(written);
    // What only changes another message gets no answer.
    const letter = { written, chat, parcel, attempts: 0, answered: written.about !== undefined };
    letters.set(parcel.sid, letter);
    for (const [oldest] of letters) {
      if (letters.size <= MOST_LETTERS) break;
      letters.delete(oldest);
    }
    journal.add(chat, { type: 'written', sid: parcel.sid, message: written });
    return letter;
  }

  /** One after the other, without waiting for what the bot answers. The pause counts from when the one before was sent. */
  async function bringAll(posted: readonly Letter[], pauseMs: number): Promise<void> {
    for (const letter of posted) {
      await sleep(pauseMs);
      void bring(letter);
    }
  }

  async function bring(letter: Letter): Promise<void> {
    const { chat, parcel } = letter;
    const attempt = ++letter.attempts;
    const { delivery, replies } = await parcel.bring();
    journal.add(chat, { type: 'delivered', sid: parcel.sid, attempt, delivery });
    for (const one of replies) reply(chat.contact, one);
  }

  /** Another process may have written the message: then its id names the phone. */
  function showTyping(sid: string, at: number): void {
    const chats = [...letters.values()].map(({ chat }) => chat).filter(({ provider }) => provider === 'twilio');
    const chat = letters.get(sid)?.chat ?? chats.find(({ contact }) => isWrittenBy(contact, sid));
    if (chat) journal.add(chat, { type: 'typing', sid }, at);
  }

  /**
   * A request to a model does not say whom it is about. When several people wait for an answer, it is the one whose words
   * are in it.
   */
  function whatIsAsked(texts: readonly string[]): Chat | undefined {
    const newestFirst = [...letters.values()].reverse();
    const waiting = newestFirst.filter(({ answered }) => !answered);
    const said = texts.at(-1) ?? '';
    const named = (waiting.length > 0 ? waiting : newestFirst).find(
      ({ written: { text } }) => text && said.includes(text),
    );
    return (named ?? waiting[0] ?? newestFirst[0])?.chat;
  }
}

function isSame(one: Chat, other: Chat): boolean {
  return one.contact === other.contact && one.provider === other.provider;
}
