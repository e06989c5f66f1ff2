/** People who write, and the provider between them and the bot: it repeats a webhook when the connection breaks, nobody answers or the answer is a 5xx. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Letter, Provider } from './provider.ts';

/** How one request of the provider ended. */
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
  /** Writes the next message; resolves when the provider has delivered it to the bot, or given up. */
  write(overrides?: Partial<Pick<Letter, 'id' | 'text' | 'file'>>): Promise<Sent>;
  /** Sends the next message as a file with a caption. @param ref as `Provider.addFile` gives it */
  show(ref: string, contentType: string): Promise<Sent>;
}

export interface PeopleOptions {
  provider: Provider;
  /** A bot that takes requests now, as a load balancer knows it; null = none. */
  route: () => string | null;
  /** How often the provider repeats, and how long it waits for an answer. */
  repeats?: number;
  timeoutMs?: number;
}

export function createPeople(count: number, options: PeopleOptions): Person[] {
  return Array.from({ length: count }, (_, number) => createPerson(number, options));
}

function createPerson(number: number, { provider, route, repeats = 2, timeoutMs = 15_000 }: PeopleOptions): Person {
  const sent: Sent[] = [];
  const phone = `1555010${String(number).padStart(4, '0')}`;
  return { number, phone, sent, write, show: (ref, contentType) => write({ file: { ref, contentType } }) };

  async function write(overrides: Partial<Letter> = {}): Promise<Sent> {
    const message: Sent = { index: sent.length, acknowledged: false, tries: [] };
    sent.push(message);
    const letter: Letter = {
      id: provider.newId(overrides.file !== undefined),
      text: `c${number}m${message.index}`,
      ...overrides,
      from: phone,
    };
    for (let tries = 0; tries <= repeats && !message.acknowledged; tries++) {
      if (tries > 0) await sleep(50);
      await deliver(letter, message);
    }
    return message;
  }

  async function deliver(letter: Letter, message: Sent): Promise<void> {
    const at = Date.now();
    const url = await somewhere();
    const status = url ? await provider.bring(url, letter, timeoutMs) : 0;
    message.tries.push({ status, at, tookMs: Date.now() - at });
    if (status === 0 || status >= 500) return;
    assert.equal(status, 200, 'a good webhook is never refused');
    message.acknowledged = true;
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
