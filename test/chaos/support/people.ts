/**
 * People who write, and Twilio between them and the bot: it signs webhooks, repeats them when the connection breaks, nobody
 * answers or the answer is a 5xx (`#rc=2&rp=ct,rt,5xx`), and keeps every answer that it received whole in its list of messages.
 */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { newSid, type TwilioDouble } from '../../doubles/twilio.ts';
import { AUTH_TOKEN } from '../../support/bot.ts';
import { type Fields, mediaMessage, postWebhook, textMessage } from '../../support/webhook.ts';

/** How one request of Twilio's ended. */
export interface Try {
  /** 0 = no answer, or half of one. */
  status: number;
  /** Unix ms. */
  at: number;
  tookMs: number;
}

export interface Sent {
  /** Which of this person's messages it is, from 0; its text is `c<person>m<index>`. */
  index: number;
  /** Did the bot say 200? Then it must answer. */
  acknowledged: boolean;
  tries: Try[];
}

export interface Person {
  number: number;
  phone: string;
  sent: Sent[];
  /** Writes the next message; resolves when Twilio has delivered it to the bot, or given up. */
  write(overrides?: Fields): Promise<Sent>;
  /** Sends the next message as a file with a caption. @param url as `TwilioDouble.addMedia` gives it */
  show(url: string, contentType: string): Promise<Sent>;
}

export interface PeopleOptions {
  twilio: TwilioDouble;
  /** A bot that takes requests now, as a load balancer knows it; null = none. */
  route: () => string | null;
  /** How often Twilio repeats, and how long it waits for an answer. */
  repeats?: number;
  timeoutMs?: number;
}

export const BUSINESS = '14155238886';

export function createPeople(count: number, options: PeopleOptions): Person[] {
  return Array.from({ length: count }, (_, number) => createPerson(number, options));
}

function createPerson(number: number, { twilio, route, repeats = 2, timeoutMs = 15_000 }: PeopleOptions): Person {
  const sent: Sent[] = [];
  const phone = `1555010${String(number).padStart(4, '0')}`;
  return { number, phone, sent, write, show };

  async function show(url: string, contentType: string): Promise<Sent> {
    const { Body: _, ...fields } = mediaMessage(url, contentType);
    return write(fields); // with the caption that every message of theirs has
  }

  async function write(overrides: Fields = {}): Promise<Sent> {
    const message: Sent = { index: sent.length, acknowledged: false, tries: [] };
    sent.push(message);
    const fields = textMessage({
      MessageSid: newSid('SM'),
      Body: `c${number}m${message.index}`,
      ...overrides,
      From: `whatsapp:+${phone}`,
      To: `whatsapp:+${BUSINESS}`,
      WaId: phone,
    });
    for (let tries = 0; tries <= repeats && !message.acknowledged; tries++) {
      if (tries > 0) await sleep(50);
      await deliver(fields, message);
    }
    return message;
  }

  async function deliver(fields: Fields, message: Sent): Promise<void> {
    const at = Date.now();
    const url = await somewhere();
    const answer = url
      ? await postWebhook(`${url}/whatsapp`, AUTH_TOKEN, fields, AbortSignal.timeout(timeoutMs)).catch(() => null)
      : null;
    message.tries.push({ status: answer?.status ?? 0, at, tookMs: Date.now() - at });
    if (!answer || answer.status >= 500) return;
    assert.equal(answer.status, 200, 'a good webhook is never refused');
    assert.match(answer.contentType, /^text\/xml/);
    message.acknowledged = true;
    for (const body of answer.texts) twilio.addReply({ to: `whatsapp:+${phone}`, from: `whatsapp:+${BUSINESS}`, body });
  }

  /** A load balancer lets a request wait a little when nobody is there. */
  async function somewhere(): Promise<string | null> {
    for (let waitedMs = 0; waitedMs < 5_000; waitedMs += 20) {
      const url = route();
      if (url) return url;
      await sleep(20);
    }
    return null;
  }
}
