/** The heartbeat of a turn: while it continues, no other turn answers the contact. */
import type { Mailbox } from '../memory/mailbox.ts';
import type { ContactId } from '../message.ts';
import type { Log } from '../ops/logger.ts';

export interface Lease {
  /** Aborted when the lease belongs to another turn: the result of this turn is not used. */
  signal: AbortSignal;
  /**
   * Before anything that cannot be undone: asks Redis when the last renewal is so old that this process may have been suspended for
   * longer than the lease. Rejects with the signal's reason when the lease was lost, or when Redis does not answer.
   */
  check(): Promise<void>;
  /** Stops the heartbeat. The lease itself ends with `finish`, `release`, or by running out. */
  stop(): void;
}

/**
 * Renews the lease three times within its length, so that two renewals may fail. While Redis does not answer, the turn continues, but
 * `check` ends it before it sends anything without a lease.
 */
export function keepLease(mailbox: Mailbox, contact: ContactId, turn: string, leaseMs: number, log: Log): Lease {
  const lost = new AbortController();
  const timer = setInterval(beat, leaseMs / 3);
  let heldAt = Date.now();
  const isOld = () => Date.now() - heldAt > leaseMs / 2;
  async function beat(): Promise<void> {
    const askedAt = Date.now();
    try {
      if (await mailbox.extend(contact, turn)) {
        heldAt = askedAt;
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
      if (isOld()) await beat();
      if (isOld()) lost.abort(new Error('Redis could not be asked whether the lease still holds'));
      lost.signal.throwIfAborted();
    },
    stop: () => clearInterval(timer),
  };
}
