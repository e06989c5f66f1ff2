/** What the bot sends, and what becomes of it: the same for both providers. */
import { setTimeout as sleep } from 'node:timers/promises';

/** What the bot did that a phone notices. */
export type Outgoing =
  | { type: 'message'; contact: string; sid: string; text: string; at: number; request: Record<string, string> | null }
  | { type: 'status'; contact: string; sid: string; state: MessageState; at: number }
  /** The request only names the message that is being answered. */
  | { type: 'typing'; messageSid: string; at: number };

export type MessageState = 'queued' | 'sent' | 'delivered' | 'read';

/** A status was posted to the bot; `status` is its answer, null when there was none. */
export interface StatusCallback {
  contact: string;
  sid: string;
  state: MessageState;
  url: string;
  status: number | null;
}

/** What becomes of a message, and how long after the step before, ms. */
const JOURNEY: readonly [state: MessageState, afterMs: number][] = [
  ['sent', 100],
  ['delivered', 300],
  ['read', 600],
];

/** Every message arrives and is read, a moment later. Rejects when the simulator stops. @param onState each step waits for it */
export async function travel(onState: (state: MessageState) => Promise<void>, stopping: AbortSignal): Promise<void> {
  for (const [state, afterMs] of JOURNEY) {
    await sleep(afterMs, undefined, { signal: stopping, ref: false });
    await onState(state);
  }
}
