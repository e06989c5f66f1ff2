/** What happened on all phones, kept for a while, so that a page that opens or comes back sees it all. In memory alone. */
import { randomBytes } from 'node:crypto';
import type { PageEvent, PageEventBody, Provider } from './contract.ts';

/** A person's conversation with one of the two numbers. */
export interface Chat {
  provider: Provider;
  contact: string;
}

export interface Journal {
  /** Stores an event and calls all listeners. */
  add(chat: Chat, body: PageEventBody, at?: number): void;
  /**
   * What came after an event, oldest first; everything for an id that is not known (any more).
   * @returns `all` when it is everything, so that what a page knew before is to be thrown away.
   */
  after(id: string): { all: boolean; events: PageEvent[] };
  /** Everything of one contact goes. */
  drop(contact: string): void;
  /** Calls back for every event from now on, until the returned function is called. */
  listen(listener: (event: PageEvent) => void): () => void;
}

/** How much is kept: a long day of trying things out. */
const MOST_EVENTS = 3_000;
const MOST_CHARACTERS = 16_000_000;

export function createJournal(): Journal {
  // Ids of an earlier process must not be taken for ours.
  const start = randomBytes(4).toString('hex');
  const listeners = new Set<(event: PageEvent) => void>();
  let kept: { number: number; length: number; event: PageEvent }[] = [];
  let length = 0;
  let count = 0;

  return {
    add({ provider, contact }, body, at = Date.now()) {
      const number = ++count;
      const event: PageEvent = { id: `${start}-${number}`, at, provider, contact, ...body };
      kept.push({ number, length: JSON.stringify(event).length, event });
      length += kept.at(-1)?.length ?? 0;
      while (kept.length > MOST_EVENTS || (length > MOST_CHARACTERS && kept.length > 1))
        length -= kept.shift()?.length ?? 0;
      for (const listener of listeners) listener(event);
    },
    after(id) {
      const [, known, number] = /^([0-9a-f]{8})-(\d+)$/.exec(id) ?? [];
      const oldest = kept[0]?.number ?? count + 1;
      const all = known !== start || Number(number) + 1 < oldest;
      return { all, events: kept.filter((entry) => all || entry.number > Number(number)).map(({ event }) => event) };
    },
    drop(contact) {
      kept = kept.filter(({ event }) => event.contact !== contact);
      length = kept.reduce((sum, entry) => sum + entry.length, 0);
    },
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
