/** How a turn ends: sent and handed over, to be tried again later, or given up visibly. What leads to what is one table, in `retries.ts`. */
import type { Failure, FailureCode } from '../errors.ts';
import { encodeEvent } from '../events.ts';
import type { Held, Mailbox } from '../memory/mailbox.ts';
import { repeated } from '../memory/redis.ts';
import type { Reply } from '../message.ts';
import { newId } from '../ops/id.ts';
import type { Log } from '../ops/logger.ts';
import type { Metrics } from '../ops/metrics.ts';
import type { Delivered } from '../outbound/deliver.ts';
import { MOST_ATTEMPTS, retryWaitMs, worthAnotherTry } from './retries.ts';

export interface Ending {
  /** After a delivery. @returns what came in meanwhile, held by the next turn. */
  delivered(held: Held, reply: Reply, delivered: Delivered, log: Log): Promise<Held | null>;
  /** After a turn that had nothing to say. @returns as `delivered`. */
  quiet(held: Held): Promise<Held | null>;
  /** The messages could not be answered. */
  unanswered(held: Held, code: FailureCode, log: Log): Promise<null>;
  /** The messages cannot be answered, now or later. */
  undeliverable(held: Held, failure: Failure, log: Log): Promise<null>;
  /**
   * A person took over or blocked the contact, another responder got the thread, or they opted out, while it was not certain that the
   * reply was sent.
   */
  overtaken(held: Held, log: Log): Promise<null>;
  /** Several turns in a row ended early over it. */
  crashed(held: Held, log: Log): Promise<null>;
  /** Gives the contact back as it is, to be due again after `waitMs`. Never rejects. */
  giveBack(held: Held, waitMs: number, log: Log): Promise<void>;
}

export interface EndingOptions {
  mailbox: Mailbox;
  metrics: Metrics;
  now: () => number;
}

export function createEnding({ mailbox, metrics, now }: EndingOptions): Ending {
  return { delivered, quiet, unanswered, undeliverable, overtaken, crashed, giveBack };

  async function delivered(held: Held, reply: Reply, outcome: Delivered, log: Log): Promise<Held | null> {
    if (outcome.kind === 'failed') {
      if (worthAnotherTry(outcome.code, held.attempts)) return tryLater(held, outcome.code, log);
      return giveUp(held, { reply: reply.id, code: outcome.code, reason: outcome.reason }, log);
    }
    const { conversation } = held;
    const sent = { conversation, turn: reply.id, at: now(), via: reply.via, sids: outcome.sids };
    const isHanded = reply.via === 'response' && outcome.sids.length === 0;
    return handOver(held, reply.id, encodeEvent({ type: 'reply.sent', ...sent }), isHanded ? reply : undefined);
  }

  function quiet(held: Held): Promise<Held | null> {
    return handOver(held, '', '');
  }

  function unanswered(held: Held, code: FailureCode, log: Log): Promise<null> {
    if (held.attempts < MOST_ATTEMPTS) return tryLater(held, code, log);
    return giveUp(held, { reply: null, code, reason: 'The model did not answer, and FAILURE_REPLY is empty.' }, log);
  }

  function undeliverable(held: Held, { code, message }: Failure, log: Log): Promise<null> {
    return giveUp(held, { reply: null, code, reason: message }, log);
  }

  function overtaken(held: Held, log: Log): Promise<null> {
    const what = held.blocked
      ? 'The contact was blocked'
      : held.isOthers
        ? 'Another responder got the conversation'
        : held.optedOutAt > 0
          ? 'They opted out'
          : 'A person took over';
    const reason = `${what} before it was certain that this was sent.`;
    return giveUp(held, { reply: held.pending?.id ?? null, code: 'turn.overtaken', reason }, log);
  }

  function crashed(held: Held, log: Log): Promise<null> {
    const reason = `${held.crashes} processes in a row crashed while they worked at this. See the log.`;
    return giveUp(held, { reply: held.pending?.id ?? null, code: 'turn.crashed', reason }, log);
  }

  async function giveBack({ contact, turn }: Held, waitMs: number, log: Log): Promise<void> {
    try {
      await repeated(() => mailbox.release(contact, turn, waitMs));
    } catch (error) {
      log.warn('The lease could not be released; it will run out', { error });
    }
  }

  async function handOver(held: Held, replyId: string, event: string, handed?: Reply): Promise<Held | null> {
    const finished = await mailbox.finish(held, replyId, newId(), event, handed);
    return finished.kind === 'turn' ? finished.held : null;
  }

  async function tryLater(held: Held, code: FailureCode, log: Log): Promise<null> {
    const waitMs = retryWaitMs(held.attempts, code);
    metrics.retried('turn');
    log.warn('Trying again later', { code, waitMs, attempts: held.attempts });
    await giveBack(held, waitMs, log);
    return null;
  }

  /** @param lost `reply` is the id of the reply that is given up; null when it is the messages that are. */
  async function giveUp(
    held: Held,
    lost: { reply: string | null; code: FailureCode; reason: string },
    log: Log,
  ): Promise<null> {
    const { reply, code, reason } = lost;
    metrics.turnEnded('dead', 'none');
    log.error('Given up: stored as a dead letter', { code, reason, attempts: held.attempts });
    const messages = reply === null ? held.messages.map(({ id }) => id) : [];
    const { conversation, turn } = held;
    const event = encodeEvent({ type: 'given.up', conversation, turn, at: now(), code, reason, reply, messages });
    await mailbox.bury(held, messages.length, { code, reason }, event);
    return null;
  }
}
