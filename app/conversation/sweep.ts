/** Resumes unfinished work: turns that crashed, contacts whose retry is due, replies that an earlier turn left. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Aliases } from '../memory/aliases.ts';
import type { Claimed, Mailbox } from '../memory/mailbox.ts';
import type { ContactId } from '../message.ts';
import { newId } from '../ops/id.ts';
import type { Log } from '../ops/logger.ts';
import type { LookAfter } from './look-after.ts';
import { SUSPICIOUS_CRASHES } from './retries.ts';
import type { Turns } from './turns.ts';

export interface Sweep {
  /** Sweeps at once, then every `everyMs`. */
  start(): void;
  /** Sweeps at once, when it was started and is not sweeping: work came to be due out of turn. */
  look(): void;
  stop(): void;
}

export interface SweepOptions {
  mailbox: Mailbox;
  aliases: Pick<Aliases, 'link'>;
  turns: Turns;
  /** Looks after the conversations that wait for a person. */
  lookAfter: LookAfter;
  log: Log;
  /** Work that is due is found within this time, ms. */
  everyMs?: number;
}

/** How many contacts of a shard one sweep takes over: a large backlog is shared with the other processes. */
const MOST_AT_ONCE = 50;

/** How often is looked whether a place is free, ms. */
const LOOK_MS = 50;

/** How long a contact whose turns crashed is answered alone, ms: as long as a model may take; the others do not wait longer. */
const ALONE_MS = 60_000;

/** Every process sweeps; a lease decides which one gets a contact. */
export function createSweep({ mailbox, aliases, turns, lookAfter, log, everyMs = 2_000 }: SweepOptions): Sweep {
  let timer: NodeJS.Timeout | undefined;
  let sweeping = false;
  let stopped = false;
  let claiming: { contact: ContactId; turn: string } | null = null;
  return { start, look, stop };

  function start(): void {
    void sweep();
    timer = setInterval(() => void sweep(), everyMs);
  }

  function look(): void {
    if (timer) void sweep();
  }

  function stop(): void {
    stopped = true;
    clearInterval(timer);
  }

  async function sweep(): Promise<void> {
    if (sweeping || stopped) return;
    sweeping = true;
    try {
      await giveBackUncertain();
      await lookAfter();
      for (let mayBeMore = true; mayBeMore && !stopped; ) mayBeMore = await take(await mailbox.due(MOST_AT_ONCE));
    } catch (error) {
      log.warn('The sweep for unfinished work failed; the next one tries again', { error });
    } finally {
      sweeping = false;
    }
  }

  /** @returns whether there may be more to take, and room for it */
  async function take(contacts: readonly ContactId[]): Promise<boolean> {
    let taken = 0;
    for (const contact of contacts) {
      if (stopped) return false;
      const claimed = await claim(contact);
      if (claimed.kind === 'moved') await aliases.link(contact, claimed.to);
      if (claimed.kind !== 'turn') continue;
      taken++;
      const requestId = claimed.held.messages[0]?.requestId;
      const ended = turns.start(claimed.held, { log: requestId ? log.child({ requestId }) : log });
      if (claimed.held.crashes >= SUSPICIOUS_CRASHES)
        await Promise.race([ended, sleep(ALONE_MS, null, { ref: false })]);
      // The other processes may have room. One contact is always taken, so that a busy process still makes progress.
      if (turns.waiting > 0) return roomSoon();
    }
    return taken > 0 && contacts.length >= MOST_AT_ONCE;
  }

  /** Waits for a free place, until the next sweep is due. */
  async function roomSoon(): Promise<boolean> {
    for (let waitedMs = 0; waitedMs < everyMs; waitedMs += LOOK_MS) {
      if (turns.waiting === 0 || stopped) return !stopped;
      await sleep(LOOK_MS, null, { ref: false });
    }
    return false;
  }

  async function claim(contact: ContactId): Promise<Claimed> {
    claiming = { contact, turn: newId() };
    const claimed = await mailbox.claim(contact, claiming.turn);
    claiming = null;
    return claimed;
  }

  /** A claim that failed may have been carried out: then nothing would happen to that contact for a whole lease. */
  async function giveBackUncertain(): Promise<void> {
    if (claiming) await mailbox.release(claiming.contact, claiming.turn, 0);
    claiming = null;
  }
}
