/** The heartbeat of a turn: as long as it beats, nobody else answers the conversation. */
import type { Mailbox } from '../memory/mailbox.ts';
import type { ConversationId } from '../message.ts';
import type { Log } from '../ops/logger.ts';

export interface Lease {
  /** Aborted when the lease is somebody else's: whatever the turn is doing is in vain. */
  signal: AbortSignal;
  /**
   * Before anything that cannot be taken back: asks Redis when the last beat is so old that this process may have slept
   * through the lease. Rejects with the signal's reason when it is somebody else's, or when nobody can tell.
   */
  check(): Promise<void>;
  /** Stops the heartbeat. The lease itself ends with the commit's `finish`, a `release`, or by running out. */
  stop(): void;
}

/**
 * Beats three times in a lease, so that two beats may get lost. A Redis that cannot be asked is no reason to stop thinking,
 * but one to keep silent: `check` ends a turn that cannot be sure of its lease any more.
 */
export function keepLease(
  mailbox: Mailbox,
  conversation: ConversationId,
  turn: string,
  leaseMs: number,
  log: Log,
): Lease {
  const lost = new AbortController();
  const timer = setInterval(beat, leaseMs / 3);
  let heldAt = Date.now();
  const isOld = () => Date.now() - heldAt > leaseMs / 2;
  async function beat(): Promise<void> {
    const askedAt = Date.now();
    try {
      if (await mailbox.extend(conversation, turn)) {
        heldAt = askedAt;
        return;
      }
      clearInterval(timer);
      lost.abort(new Error('the lease ran out and somebody else took over'));
    } catch (error) {
      log.warn('The lease could not be renewed', { error });
    }
  }
  return {
    signal: lost.signal,
    async check() {
      if (isOld()) await beat();
      if (isOld()) lost.abort(new Error('nobody could be asked whether the lease is still ours'));
      lost.signal.throwIfAborted();
    },
    stop: () => clearInterval(timer),
  };
}
