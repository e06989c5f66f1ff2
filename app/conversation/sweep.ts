/** Finishes what nobody is at any more: crashed turns, conversations whose retry time has come, replies without a sender. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Mailbox } from '../memory/mailbox.ts';
import type { ConversationId } from '../message.ts';
import { newId } from '../ops/id.ts';
import type { Log } from '../ops/logger.ts';
import { SUSPICIOUS_CRASHES } from './retries.ts';
import type { Turns } from './turns.ts';

export interface Sweep {
  /** Sweeps at once, then every `everyMs`. */
  start(): void;
  stop(): void;
}

export interface SweepOptions {
  mailbox: Mailbox;
  turns: Turns;
  log: Log;
  /** A crashed turn is taken over within its lease plus this, ms. */
  everyMs?: number;
}

/** How many conversations of a shard one sweep takes over: a large backlog is shared with the other processes. */
const MOST_AT_ONCE = 50;

/** How long a conversation that crashed others is alone: as long as a model may take, then the others have waited enough. */
const ALONE_MS = 60_000;

/** Every process sweeps; a lease decides who gets a conversation. */
export function createSweep({ mailbox, turns, log, everyMs = 2_000 }: SweepOptions): Sweep {
  let timer: NodeJS.Timeout | undefined;
  let sweeping = false;
  let stopped = false;
  let claiming: { conversation: ConversationId; turn: string } | null = null;

  async function sweep(): Promise<void> {
    if (sweeping) return;
    sweeping = true;
    try {
      await giveBackUnheard();
      for (const conversation of await mailbox.due(MOST_AT_ONCE)) {
        if (stopped) break;
        claiming = { conversation, turn: newId() };
        const claimed = await mailbox.claim(conversation, claiming.turn);
        claiming = null;
        if (claimed.kind !== 'turn') continue;
        const requestId = claimed.held.messages[0]?.requestId;
        const ended = turns.start(claimed.held, null, requestId ? log.child({ requestId }) : log);
        if (claimed.held.crashes >= SUSPICIOUS_CRASHES)
          await Promise.race([ended, sleep(ALONE_MS, null, { ref: false })]);
        // The others may have room. One is always taken, so that a busy process does not let them starve.
        if (turns.waiting > 0) break;
      }
    } catch (error) {
      log.warn('The sweep for unfinished work failed; the next one tries again', { error });
    } finally {
      sweeping = false;
    }
  }

  /** A claim that failed may have been carried out all the same: then nobody works at that conversation, for a whole lease. */
  async function giveBackUnheard(): Promise<void> {
    if (claiming) await mailbox.release(claiming.conversation, claiming.turn, 0);
    claiming = null;
  }

  return {
    start() {
      void sweep();
      timer = setInterval(() => void sweep(), everyMs);
    },
    stop() {
      stopped = true;
      clearInterval(timer);
    },
  };
}
