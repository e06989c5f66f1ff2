/** Between the phones and the bot: what is written becomes webhooks, and everything that happens is written down. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isWrittenBy, newInboundSid } from './account.ts';
import type { PageEventBody, Sent, Written } from './contract.ts';
import type { Journal } from './journal.ts';
import type { Phone } from './phone.ts';
import type { Outgoing, StatusCallback } from './twilio-api.ts';

export interface Switchboard {
  /** Sends what a person wrote; its webhook is on its way when this returns. */
  write(written: Written): Sent;
  /** Several messages: all at once, or written in this order and delivered in the reverse order. */
  writeAll(messages: readonly Written[], order: 'together' | 'reversed'): Sent[];
  /** Delivers a message again, as a provider does that is not sure. False when it is not known. */
  repeat(sid: string): boolean;
  /** Forgets what it knows of a contact. */
  forget(contact: string): void;
  onOutgoing(outgoing: Outgoing): void;
  onCallback(callback: StatusCallback): void;
  onFetched(messageSid: string, step: 'api' | 'cdn', status: number): void;
  onModel(event: Extract<PageEventBody, { type: 'asked' | 'replied' }>): void;
}

export interface SwitchboardOptions {
  phone: Phone;
  /** The address that webhooks go to. */
  webhookUrl: string;
  journal: Journal;
  /** Where a message's file is, on the simulated API. */
  mediaUrl: (messageSid: string, id: string) => string;
  /** Sends what TwiML says. */
  reply: (contact: string, message: { text: string; statusCallback?: string }) => void;
}

/** A message that a person sent. */
interface Letter {
  sid: string;
  written: Written;
  /** The form's fields; all of them after the first delivery. */
  fields: Record<string, string>;
  attempts: number;
  answered: boolean;
}

/** How many messages can be delivered again. */
const MOST_LETTERS = 1_000;
/** From one webhook to the next, so that they also arrive in the order in which they are sent. */
const BETWEEN_MS = 100;

export function createSwitchboard({ phone, webhookUrl, journal, mediaUrl, reply }: SwitchboardOptions): Switchboard {
  const letters = new Map<string, Letter>();
  /** Ask → whom it was about. */
  const asks = new Map<string, string>();

  return {
    write(written) {
      const letter = post(written);
      void bringAll([letter], 0);
      return { sid: letter.sid };
    },
    writeAll(messages, order) {
      const posted = messages.map(post);
      void (order === 'reversed' ? bringAll(posted.toReversed(), BETWEEN_MS) : bringAll(posted, 1));
      return posted.map(({ sid }) => ({ sid }));
    },
    repeat(sid) {
      const letter = letters.get(sid);
      if (letter) void bring(letter);
      return letter !== undefined;
    },
    forget(contact) {
      for (const [sid, letter] of letters) if (letter.written.contact === contact) letters.delete(sid);
    },
    onOutgoing(outgoing) {
      switch (outgoing.type) {
        case 'message': {
          const { contact, sid, text, request, at } = outgoing;
          for (const letter of letters.values()) if (letter.written.contact === contact) letter.answered = true;
          return journal.add(contact, { type: 'answer', sid, via: request ? 'rest' : 'twiml', text, request }, at);
        }
        case 'status':
          return journal.add(
            outgoing.contact,
            { type: 'status', sid: outgoing.sid, state: outgoing.state },
            outgoing.at,
          );
        case 'typing': {
          const contact = letters.get(outgoing.messageSid)?.written.contact ?? ownerOf(outgoing.messageSid);
          if (contact) journal.add(contact, { type: 'typing', sid: outgoing.messageSid }, outgoing.at);
        }
      }
    },
    onCallback({ contact, sid, state, url, status }) {
      journal.add(contact, { type: 'told', sid, state, url, status });
    },
    onFetched(sid, step, status) {
      const contact = letters.get(sid)?.written.contact;
      if (contact) journal.add(contact, { type: 'fetched', sid, step, status });
    },
    onModel(event) {
      if (event.type === 'asked') asks.set(event.ask, whoAsks(event.messages.map(({ text }) => text)) ?? '');
      const contact = asks.get(event.ask);
      if (event.type === 'replied') asks.delete(event.ask);
      if (contact) journal.add(contact, event);
    },
  };

  function post(written: Written): Letter {
    const sid = newSid(written);
    const letter = { sid, written, fields: fieldsOf(written, sid), attempts: 0, answered: false };
    letters.set(sid, letter);
    for (const [oldest] of letters) {
      if (letters.size <= MOST_LETTERS) break;
      letters.delete(oldest);
    }
    journal.add(written.contact, { type: 'written', sid, message: written });
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
    const { sid, written } = letter;
    const attempt = ++letter.attempts;
    const { messages, at: _at, ...exchange } = await phone.write(written, written.text, letter.fields);
    letter.fields = exchange.fields;
    journal.add(written.contact, { type: 'delivered', sid, attempt, delivery: { url: webhookUrl, ...exchange } });
    for (const { text, mediaUrls, statusCallback } of messages)
      sendReply(written.contact, text, mediaUrls, statusCallback);
  }

  function sendReply(contact: string, text: string, mediaUrls: string[], statusCallback: string | undefined): void {
    const words = [text, ...mediaUrls].filter(Boolean).join('\n');
    if (words !== '') reply(contact, { text: words, ...(statusCallback ? { statusCallback } : {}) });
  }

  function fieldsOf({ media, location, button, text, contact }: Written, sid: string): Record<string, string> {
    const ids = { MessageSid: sid, SmsMessageSid: sid, SmsSid: sid };
    if (media)
      return { ...ids, ...mediaFields(media.contentType, media.name, text), MediaUrl0: mediaUrl(sid, media.id) };
    if (location) return { ...ids, ...locationFields(location) };
    if (button) return { ...ids, ...buttonFields(text, button.payload, lastAnswerTo(contact)) };
    return ids;
  }

  /** The id of a message that a button could have stood under. */
  function lastAnswerTo(contact: string): string | undefined {
    const { events } = journal.after('');
    const answer = events.findLast((event) => event.type === 'answer' && event.contact === contact);
    return answer?.type === 'answer' ? answer.sid : undefined;
  }

  function ownerOf(messageSid: string): string | undefined {
    const contacts = new Set([...letters.values()].map(({ written }) => written.contact));
    return [...contacts].find((contact) => isWrittenBy(contact, messageSid));
  }

  /**
   * A request to a model does not say whom it is about. When several people wait for an answer, it is the one whose words
   * are in it.
   */
  function whoAsks(texts: readonly string[]): string | undefined {
    const newestFirst = [...letters.values()].reverse();
    const waiting = newestFirst.filter(({ answered }) => !answered);
    const candidates = new Set(waiting.map(({ written }) => written.contact));
    if (candidates.size === 1) return waiting[0]?.written.contact;
    const said = texts.at(-1) ?? '';
    const named = (waiting.length > 0 ? waiting : newestFirst).find(
      ({ written: { text } }) => text && said.includes(text),
    );
    return (named ?? waiting[0] ?? newestFirst[0])?.written.contact;
  }
}

/** Messages with a file have ids of their own kind. */
function newSid({ contact, media }: Written): string {
  const sid = newInboundSid(contact);
  return media ? `MM${sid.slice(2)}` : sid;
}

/** A caption comes with pictures only; a document has its name in its place. */
function mediaFields(contentType: string, name: string, caption: string): Record<string, string> {
  const family = contentType.split('/', 1)[0] ?? '';
  const known = family === 'image' || family === 'audio' || family === 'video';
  const type = /^text\/(?:x-)?vcard/.test(contentType) ? 'contacts' : known ? family : 'document';
  const body = type === 'image' ? caption : type === 'document' ? name : '';
  return { Body: body, NumMedia: '1', MessageType: type, MediaContentType0: contentType };
}

function locationFields({
  latitude,
  longitude,
  label,
  address,
}: NonNullable<Written['location']>): Record<string, string> {
  return {
    Body: '',
    MessageType: 'location',
    Latitude: String(latitude),
    Longitude: String(longitude),
    ...(label ? { Label: label } : {}),
    ...(address ? { Address: address } : {}),
  };
}

function buttonFields(title: string, payload: string, repliedTo: string | undefined): Record<string, string> {
  return {
    Body: title,
    MessageType: 'button',
    ButtonText: title,
    ButtonPayload: payload,
    ButtonType: 'REPLY',
    ...(repliedTo ? { OriginalRepliedMessageSid: repliedTo } : {}),
  };
}
