/** The heartbeat of a turn: while it continues, no other turn answers the contact. */
import type { Mailbox } from '../memory/mailbox.ts';
import { CERTAIN_MS } from '../memory/processes.ts';
import type { ContactId } from '../message.ts';
import { elapsed } from '../ops/elapsed.ts';
import type { Log } from '../ops/logger.ts';

export interface Lease {
  /** Aborted when the lease belongs to another turn, or was given back: the result of this turn is not used. */
  signal: AbortSignal;
  /**
   * Before anything that cannot be undone: asks Redis when this process may have been suspended for so long that its lease ran out, or
   * that it was counted gone. Rejects with the signal's reason when the lease was lost, or when Redis does not answer.
   * @returns whether Redis had to be asked
   */
  check(): Promise<boolean>;
  /** Ends the turn with this reason, before its lease is given back. */
  abort(reason: Error): void;
  /** Stops the heartbeat. The lease itself ends with `finish`, `release`, or by running out. */
  stop(): void;
}

export interface LeaseOptions {
  mailbox: Pick<Mailbox, 'extend'>;
  /** The lease that is held now. */
  contact: ContactId;
  turn: string;
  leaseMs: number;
  /** See `Processes`. */
  aliveSince: () => number;
  log: Log;
}

/**
 * Renews the lease three times within its length, so that two renewals may fail. While Redis does not answer, the turn continues, but
 * `check` ends it before it sends anything without a lease.
 */
export function keepLease({ mailbox, contact, turn, leaseMs, aliveSince, log }: LeaseOptions): Lease {
  const lost = new AbortController();
  const timer = setInterval(beat, leaseMs / 3);
  let held = { at: performance.now(), age: elapsed(), isRenewed: false };
  function isCertain(): boolean {
    const age = held.age();
    if (age > leaseMs / 2) return false;
    // A renewal is a sign of life. Without one, or with an older one, the process must have been alive ever since.
    return (held.isRenewed && age <= CERTAIN_MS) || held.at >= aliveSince();
  }
  async function beat(): Promise<void> {
    const asked = { at: performance.now(), age: elapsed(), isRenewed: true };
    try {
      if (await mailbox.extend(contact, turn)) {
        held = asked;
        return;
      }
      clearInterval(timer);
      lost.abort(new Error('the lease was lost to another turn'));
    } catch (error) {
      log.warn('The lease could not be renewed', { error });
    }
  }
  return {
    signal: lost.signal,
    async check() {
      const hadToAsk = !isCertain();
      if (hadToAsk) await beat();
      if (!isCertain()) lost.abort(new Error('Redis could not be asked whether the lease still holds'));
      lost.signal.throwIfAborted();
      return hadToAsk;
    },
    abort(reason) {
      clearInterval(timer);
      lost.abort(reason);
    },
    stop: () => clearInterval(timer),
  };
}
