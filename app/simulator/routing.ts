/** Who owns a person's thread with the Cloud API number: the bot, or another responder beside it. */
import type { Journal } from './journal.ts';
import type { MetaCarrier } from './meta-carrier.ts';
import type { Switchboard } from './switchboard.ts';

export interface ThreadRouting {
  /** The bot took the thread, or released it: nobody is told. */
  set(contact: string, others: boolean): void;
  /** The other responder steps in; or it steps back, and passes the control to the bot with a summary. */
  hand(contact: string, toOthers: boolean): Promise<void>;
  forget(contact: string): void;
}

export interface RoutingOptions {
  carrier: Pick<MetaCarrier, 'isOthers' | 'setOthers' | 'passControl' | 'forget'>;
  switchboard: Pick<Switchboard, 'writtenIn'>;
  journal: Pick<Journal, 'add'>;
}

/** How much of what was said meanwhile is in a summary, messages. */
const SUMMED_UP = 5;

export function createRouting({ carrier, switchboard, journal }: RoutingOptions): ThreadRouting {
  return { set, hand, forget: (contact) => carrier.forget(contact) };

  function set(contact: string, others: boolean): void {
    if (carrier.isOthers(contact) === others) return;
    carrier.setOthers(contact, others);
    journal.add({ provider: 'meta', contact }, { type: 'routed', other: others, delivery: null });
  }

  async function hand(contact: string, toOthers: boolean): Promise<void> {
    if (toOthers || !carrier.isOthers(contact)) return set(contact, toOthers);
    const delivery = await carrier.passControl(contact, summaryOf(contact));
    journal.add({ provider: 'meta', contact }, { type: 'routed', other: false, delivery });
  }

  function summaryOf(contact: string): string {
    const written = switchboard.writtenIn({ provider: 'meta', contact });
    const words = written.map(({ text }) => text.trim()).filter(Boolean);
    const last = words.slice(-SUMMED_UP).map((text) => `“${text.slice(0, 200)}”`);
    return last.length === 0 ? 'They have not said what they want.' : `They wrote: ${last.join(', ')}.`;
  }
}
