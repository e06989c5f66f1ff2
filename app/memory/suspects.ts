/** Contacts whose messages look like spam: what was found out about them, for all processes. */
import type { ContactId } from '../message.ts';
import type { Keys } from './keys.ts';
import { SPAM_MS } from './mailbox.ts';
import type { RunScript } from './redis.ts';
import { MOST_EVENTS } from './stream.ts';

export interface Suspects {
  /**
   * Records it, unless the contact is blocked or the team says that it is no spam: then 'refused'.
   * @param score 1 to 100
   * @param until the contact is not answered before, unix ms; 0 = it is
   * @param event JSON, for the event stream; left out while the same was recorded not long ago
   * @returns 'throttled' when the contact was answered until now. Rejects with `store.unavailable`.
   */
  record(
    contact: ContactId,
    score: number,
    until: number,
    event: string,
  ): Promise<'refused' | 'recorded' | 'throttled'>;
}

/** Time between two events about a contact of whom nothing new is known, ms. */
const EVENT_MS = 60_000;

const OUTCOMES = ['refused', 'recorded', 'throttled'] as const;

export function createSuspects({ run, keys }: { run: RunScript; keys: Keys }): Suspects {
  return {
    async record(contact, score, until, event) {
      const { state, spam, events } = keys.of(contact);
      const args = [score, until, event, MOST_EVENTS, SPAM_MS, EVENT_MS];
      return OUTCOMES[Number(await run('suspect', [state, spam, events], args))] ?? 'refused';
    },
  };
}
