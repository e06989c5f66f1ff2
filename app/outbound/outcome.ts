/** What became of a message that no turn sent, as the archive is told it. */
import type { FailureCode } from '../errors.ts';
import { encodeEvent } from '../events.ts';
import type { Reply } from '../message.ts';

/** @param sids the provider's ids of its parts  @param at unix ms */
export function sentEvent({ id: turn, conversation, via }: Reply, sids: string[], at: number): string {
  return encodeEvent({ type: 'reply.sent', conversation, turn, at, via, sids });
}

/** @param at unix ms */
export function goneEvent(
  { id: turn, conversation }: Reply,
  { code, reason }: { code: FailureCode; reason: string },
  at: number,
): string {
  return encodeEvent({ type: 'given.up', conversation, turn, at, code, reason, reply: turn, messages: [] });
}
