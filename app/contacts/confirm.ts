/** Completes what Redis knows of a contact from the archive, the source of truth: block, takeover, other addresses. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Aliases } from '../memory/aliases.ts';
import type { Desk, KnownContact } from '../memory/desk.ts';
import type { Held, Mailbox } from '../memory/mailbox.ts';
import { type ContactId, conversationId } from '../message.ts';
import { newId } from '../ops/id.ts';
import type { Log } from '../ops/logger.ts';

/** What the archive knows of a contact, see `archive/read/standing.ts`. */
export interface Standing {
  contact: ContactId;
  blocked: boolean;
  /** Since when they have opted out of messages, unix ms; 0 = they have not. */
  optedOutAt: number;
  /** Until then the team says that what they write is no spam, unix ms; 0 = it has not said so. */
  excusedUntil: number;
  conversations: {
    channel: string;
    business: string;
    address: string;
    lastInboundAt: number;
    takeoverUntil: number;
    takeoverMs: number;
    /** It waits for a person, and the bot is silent until then, unix ms; 0 = it does not. */
    handoffUntil: number;
  }[];
}

/** What the archive knows of contacts, by any of their addresses; those it does not know are missing. */
export type StandingsOf = (contacts: readonly ContactId[]) => Promise<ReadonlyMap<ContactId, Standing>>;

/** Asks the archive at once, so that it looks while the answer is made. Once in the life of a contact's memory. */
export type Confirm = (held: Held, log: Log) => Confirmed;

/**
 * The same turn, once Redis and `held` have what the archive knows. When it does not answer in time, the turn continues with what Redis has,
 * and the next one asks again.
 * @returns another turn when the person is known by another id: what waits was moved there; null when a turn of that contact is running
 * already. Rejects with `store.unavailable`.
 */
export type Confirmed = () => Promise<Held | null>;

export interface ConfirmOptions {
  standingsOf: StandingsOf;
  desk: Pick<Desk, 'restore'>;
  aliases: Pick<Aliases, 'link'>;
  mailbox: Pick<Mailbox, 'claim'>;
  /** How long a person waits for the archive at most when the answer is made, ms. Default: 1,000. */
  timeoutMs?: number;
}

/** After the archive did not answer, it is not asked again for this long, ms. */
const AWAY_MS = 5_000;

export function createConfirm(options: ConfirmOptions): Confirm {
  const { desk, aliases, mailbox, timeoutMs = 1_000 } = options;
  const standingOf = together(options.standingsOf);
  let awayUntil = 0;
  return confirm;

  function confirm(held: Held, log: Log): Confirmed {
    if (held.confirmed || performance.now() < awayUntil) return async () => held;
    const asked = standingOf(held.contact).catch((error: unknown) => ({ error }));
    return async function confirmed() {
      const standing = await inTime(asked, log);
      if (standing === 'unknown') return held;
      held.confirmed = true;
      if (standing === null) return held;
      if (standing.contact !== held.contact) return move(held, standing, log);
      const isRepeated = repeatsOptOut(held, standing);
      await desk.restore(held.contact, knownContact(standing), isRepeated ? held.conversation : null);
      return Object.assign(held, situationIn(held, standing), isRepeated ? { toConfirm: null } : {});
    };
  }

  async function inTime(asked: Promise<Standing | null | { error: unknown }>, log: Log) {
    const found = await Promise.race([asked, sleep(timeoutMs, 'late' as const, { ref: false })]);
    if (found !== 'late' && !(found && 'error' in found)) return found;
    awayUntil = performance.now() + AWAY_MS;
    log.warn(
      'The archive did not answer: going on without its blocks, opt-outs and takeovers',
      found === 'late' ? {} : found,
    );
    return 'unknown';
  }

  /** The archive knows this person by another id: what waits is answered under that one. */
  async function move(held: Held, standing: Standing, log: Log): Promise<Held | null> {
    const { contact, blocked, optedOutAt } = standing;
    const root = await aliases.link(held.contact, contact, held.turn);
    // A reply waits to be delivered.
    if (root === null)
      return Object.assign(held, { blocked: held.blocked || blocked, optedOutAt: held.optedOutAt || optedOutAt });
    const claimed = await mailbox.claim(root, newId());
    return claimed.kind === 'turn' ? confirm(claimed.held, log)() : null;
  }
}

function knownContact({ contact, blocked, optedOutAt, excusedUntil, conversations }: Standing): KnownContact {
  return {
    blocked,
    optedOutAt,
    excusedUntil,
    conversations: conversations.map(({ channel, business, ...rest }) => ({
      conversation: conversationId({ channel, business, contact }),
      ...rest,
    })),
  };
}

function situationIn(held: Held, standing: Standing): Partial<Held> {
  const { contact, blocked, optedOutAt, excusedUntil, conversations } = standing;
  const here = conversations.find(
    ({ channel, business }) => conversationId({ channel, business, contact }) === held.conversation,
  );
  return {
    blocked: held.blocked || blocked,
    optedOutAt: held.optedOutAt || (optedOutAt > held.optedInAt ? optedOutAt : 0),
    excusedUntil: Math.max(held.excusedUntil, excusedUntil),
    takeoverUntil: Math.max(held.takeoverUntil, here?.takeoverUntil ?? 0),
    lastInboundAt: Math.max(held.lastInboundAt, here?.lastInboundAt ?? 0),
  };
}

/** Had they opted out before, in words that Redis has lost? Then that was confirmed. */
function repeatsOptOut({ toConfirm, messages }: Held, { optedOutAt }: Standing): boolean {
  const said = messages.find(({ consent }) => consent === 'opt-out');
  if (toConfirm !== 'opt-out' || said === undefined) return false;
  return optedOutAt > 0 && optedOutAt < (said.sentAt ?? said.receivedAt);
}

/** Many questions of one round of the event loop become one query. */
function together(standingsOf: StandingsOf): (contact: ContactId) => Promise<Standing | null> {
  let asked: Set<ContactId> | undefined;
  let answer: Promise<ReadonlyMap<ContactId, Standing>> | undefined;
  return async function standingOf(contact) {
    if (!asked || !answer) {
      const contacts = new Set<ContactId>();
      asked = contacts;
      answer = new Promise((resolve, reject) => {
        setImmediate(() => {
          asked = undefined;
          standingsOf([...contacts]).then(resolve, reject);
        });
      });
    }
    asked.add(contact);
    return (await answer).get(contact) ?? null;
  };
}
