/** Takes in what the channels parsed: stores it, and starts a turn when nobody is at the conversation. */
import type { OpenResponse } from '../channels/channel.ts';
import { Failure } from '../errors.ts';
import { encodeEvent } from '../events.ts';
import type { Allowance } from '../memory/allowance.ts';
import type { Accepted, Mailbox } from '../memory/mailbox.ts';
import { conversationId, type InboundMessage } from '../message.ts';
import { newId } from '../ops/id.ts';
import type { Log } from '../ops/logger.ts';
import type { Metrics } from '../ops/metrics.ts';
import { placeholdersIn } from '../privacy/scrub.ts';
import type { Turns } from './turns.ts';

/**
 * Takes in one message, unless so much waits already that it would wait too long: then `server.busy`, and nothing is stored.
 * Resolves when the message is stored (or was before). The response is then in the hands of the turn, or was ended
 * because another turn answers, or somebody did already.
 * Rejects with `store.unavailable` when it is not stored.
 */
export type Accept = (message: InboundMessage, response: OpenResponse) => Promise<void>;

export interface AcceptOptions {
  mailbox: Mailbox;
  turns: Turns;
  allowance: Allowance;
  metrics: Metrics;
  log: Log;
  /** How many messages may wait to be stored, or for a place to be answered. */
  maxWaiting: number;
}

export function createAccept({ mailbox, turns, allowance, metrics, log, maxWaiting }: AcceptOptions): Accept {
  let storing = 0;
  return async (message, response) => {
    if (storing + turns.waiting >= maxWaiting) {
      metrics.messageReceived(kindOf(message), 'busy');
      throw new Failure(
        'server.busy',
        `More than ${maxWaiting} messages wait. Is Redis or the model slow? See MAX_WAITING.`,
      );
    }
    const conversation = conversationId(message);
    const stored = store(message);
    // What else is asked leaves in the same tick and so in the same round trip.
    const [accepted, usage] = await Promise.all([stored, allowance.of(conversation, stored.then(writtenOf))]);
    metrics.messageReceived(kindOf(message), accepted.kind === 'turn' ? 'accepted' : accepted.kind);
    if (accepted.kind !== 'known') metrics.scrubbed('message', placeholdersIn(message.text));
    const messageLog = log.child({ requestId: message.requestId });
    if (accepted.kind === 'turn') {
      void turns.start(accepted.held, response, messageLog, usage);
      return;
    }
    messageLog.info(accepted.kind === 'known' ? 'Known already' : 'Waits for the turn at work', {
      contact: message.contact,
    });
    response.end();
  };

  async function store(message: InboundMessage): Promise<Accepted> {
    storing++;
    try {
      return await mailbox.accept(message, newId(), encodeEvent({ type: 'message.received', message }));
    } catch (error) {
      metrics.messageReceived(kindOf(message), 'unavailable');
      throw error;
    } finally {
      storing--;
    }
  }
}

function writtenOf(accepted: Accepted): number {
  return accepted.kind === 'turn' ? accepted.written : 0;
}

function kindOf(message: InboundMessage): string {
  return message.attachments[0]?.kind ?? (message.location ? 'location' : message.buttonPayload ? 'button' : 'text');
}
