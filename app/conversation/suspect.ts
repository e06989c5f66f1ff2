/** Looks whether a message that came in is part of spam, and records it: the team sees it, and the contact is not answered for a while. */
import { encodeEvent } from '../events.ts';
import type { Accepted, Traits } from '../memory/mailbox.ts';
import type { Suspects } from '../memory/suspects.ts';
import { conversationId, type InboundMessage } from '../message.ts';
import type { Log } from '../ops/logger.ts';
import type { Metrics } from '../ops/metrics.ts';
import { judgeSpam, SHOWN_SCORE, THROTTLED_MS, THROTTLED_SCORE, type Verdict } from './spam.ts';

/**
 * Asks Redis only for a message that looks like spam. A contact that is throttled is so in `accepted.held`, too.
 * Never rejects: a contact that could not be recorded is judged again with the next message.
 */
export type Suspect = (message: InboundMessage, traits: Traits, accepted: Stored) => Promise<void> | undefined;

/** A message that is new to Redis. */
type Stored = Extract<Accepted, { kind: 'turn' | 'waiting' }>;

export interface SuspectOptions {
  suspects: Suspects;
  /** See RATE_LIMIT_PER_MINUTE. */
  messagesPerMinute: number;
  metrics: Metrics;
  log: Log;
  now: () => number;
}

export function createSuspect({ suspects, messagesPerMinute, metrics, log, now }: SuspectOptions): Suspect {
  return suspect;

  function suspect(message: InboundMessage, traits: Traits, accepted: Stored): Promise<void> | undefined {
    const verdict = judgeSpam(accepted.counts, traits, messagesPerMinute);
    const { score } = verdict;
    if (score < SHOWN_SCORE || (score < THROTTLED_SCORE && score <= accepted.counts.recorded)) return undefined;
    return record(message, verdict, accepted);
  }

  async function record(message: InboundMessage, { score, reasons }: Verdict, accepted: Stored): Promise<void> {
    const { contact } = message;
    const at = now();
    const until = score >= THROTTLED_SCORE ? at + THROTTLED_MS : 0;
    const conversation = conversationId(message);
    const event = encodeEvent({ type: 'contact.suspected', conversation, at, score, reasons, until });
    try {
      const outcome = await suspects.record(contact, score, until, event);
      if (outcome !== 'refused' && accepted.kind === 'turn' && until > 0) accepted.held.throttledUntil = until;
      if (outcome !== 'throttled') return;
      metrics.throttled(reasons[0] ?? '');
      log.warn('Not answered for a while: it looks like spam', { contact, score, reasons });
    } catch (error) {
      log.warn('What looks like spam was not recorded', { contact, score, reasons, error });
    }
  }
}
