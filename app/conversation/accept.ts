/** Takes in what the channels parsed: finds out who wrote, stores the message, and starts a turn when none is running. */
import type { OpenResponse } from '../channels/channel.ts';
import type { Identify } from '../contacts/identify.ts';
import { Failure } from '../errors.ts';
import { encodeEvent } from '../events.ts';
import type { Allowance } from '../memory/allowance.ts';
import type { Accepted, Mailbox } from '../memory/mailbox.ts';
import { type Consent, type InboundMessage, kindOf } from '../message.ts';
import { newId } from '../ops/id.ts';
import type { Log } from '../ops/logger.ts';
import type { Metrics } from '../ops/metrics.ts';
import { placeholdersIn } from '../privacy/scrub.ts';
import { consentWordIn } from './keywords/consent.ts';
import { traitsOf } from './spam.ts';
import type { Suspect } from './suspect.ts';
import type { Turns } from './turns.ts';

/**
 * Takes in one message, unless so many wait already that it would wait too long: then `server.busy`, and nothing is stored.
 * Resolves when the message is stored (or was before). Then the turn answers the response, or it was ended because another turn
 * answers the message, or it was answered before.
 * Rejects with `store.unavailable` when it is not stored. While this process stops, it stores, and leaves the turn to another one.
 */
export type Accept = (message: InboundMessage, response: OpenResponse) => Promise<void>;

export interface AcceptOptions {
  identify: Identify;
  mailbox: Mailbox;
  turns: Turns;
  allowance: Allowance;
  suspect: Suspect;
  metrics: Metrics;
  log: Log;
  /** How many messages may wait to be stored, or to be answered. */
  maxWaiting: number;
}

/** A message that Redis took, under the contact it belongs to. */
interface Stored {
  message: InboundMessage;
  accepted: Exclude<Accepted, { kind: 'moved' }>;
}

/** An alias of an alias of an alias: more than this are a circle. */
const MOST_MOVES = 8;

export function createAccept(options: AcceptOptions): Accept {
  const { identify, mailbox, turns, allowance, suspect, metrics, log, maxWaiting } = options;
  let storing = 0;
  return accept;

  async function accept(received: InboundMessage, response: OpenResponse): Promise<void> {
    const kind = kindOf(received);
    if (storing + turns.waiting >= maxWaiting) {
      metrics.messageReceived(kind, 'busy');
      throw new Failure(
        'server.busy',
        `More than ${maxWaiting} messages wait. Is Redis or the model slow? See MAX_WAITING.`,
      );
    }
    const identified = identify.identify(received);
    const message = identified instanceof Promise ? await identified : identified;
    const storedSoon = store(message);
    // What else is asked leaves in the same tick and so in the same round trip.
    const [stored, usage] = await Promise.all([storedSoon, allowance.of(message.contact, storedSoon.then(writtenOf))]);
    const { accepted } = stored;
    metrics.messageReceived(kind, accepted.kind === 'turn' ? 'accepted' : accepted.kind);
    if (accepted.kind !== 'known') metrics.scrubbed('message', placeholdersIn(message.text));
    const messageLog = log.child({ requestId: message.requestId });
    if (accepted.kind === 'turn') {
      const { contact } = accepted.held;
      void turns.start(accepted.held, {
        waiting: { response, message: stored.message },
        log: messageLog,
        ...(contact === message.contact ? { usage } : {}),
      });
      return;
    }
    const queued = turns.stopping ? 'Stored for the next process' : 'Queued behind the running turn';
    messageLog.info(accepted.kind === 'known' ? 'Duplicate ignored' : queued, { contact: message.from });
    response.end();
  }

  async function store(first: InboundMessage): Promise<Stored> {
    storing++;
    try {
      let message = withConsent(first);
      for (let moves = 0; moves < MOST_MOVES; moves++) {
        const event = encodeEvent({ type: 'message.received', message });
        const traits = traitsOf(message);
        const accepted = await mailbox.accept(message, turns.stopping ? null : newId(), event, traits);
        if (accepted.kind !== 'moved') {
          if (accepted.kind !== 'known') await suspect(message, traits, accepted);
          return { message, accepted };
        }
        message = identify.moved(message, accepted.to);
      }
      throw new RangeError('the aliases of a contact lead in a circle');
    } catch (error) {
      metrics.messageReceived(kindOf(first), 'unavailable');
      throw error;
    } finally {
      storing--;
    }
  }
}

/** What the provider says counts; else the words do. */
function withConsent(message: InboundMessage): InboundMessage {
  if (message.consent) return message;
  const word = consentWordIn(message.text);
  return word === null ? message : { ...message, consent: CONSENT[word] };
}

const CONSENT = { stop: 'opt-out', start: 'opt-in' } as const satisfies Record<string, Consent>;

function writtenOf({ accepted }: Stored): number {
  return accepted.kind === 'turn' ? accepted.counts.minute : 0;
}
