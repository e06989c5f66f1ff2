/** How a turn ends: sent and handed over, to be tried again later, or given up visibly. What leads to what is one table, in `retries.ts`. */
import type { FailureCode } from '../errors.ts';
import { encodeEvent } from '../events.ts';
import type { Held, Mailbox } from '../memory/mailbox.ts';
import type { Reply } from '../message.ts';
import { newId } from '../ops/id.ts';
import type { Log } from '../ops/logger.ts';
import type { Metrics } from '../ops/metrics.ts';
import type { Delivered } from '../outbound/deliver.ts';
import { MOST_ATTEMPTS, patiently, retryWaitMs, worthAnotherTry } from './retries.ts';

export interface Ending {
  /** After a delivery. @returns what came in meanwhile, in the hands of the next turn. */
  delivered(held: Held, reply: Reply, delivered: Delivered, log: Log): Promise<Held | null>;
  /** After a turn that had nothing to say. @returns as `delivered`. */
  quiet(held: Held): Promise<Held | null>;
  /** The messages could not be answered. */
  unanswered(held: Held, code: FailureCode, log: Log): Promise<null>;
  /** Before its reply surely went out, somebody at the desk took over or blocked the contact. */
  overtaken(held: Held, log: Log): Promise<null>;
  /** Turn after turn died over it. */
  crashed(held: Held, log: Log): Promise<null>;
  /** Gives the conversation back as it is, to be looked at again after `waitMs`. Never rejects. */
  giveBack(held: Held, waitMs: number, log: Log): Promise<void>;
}

export interface EndingOptions {
  mailbox: Mailbox;
  metrics: Metrics;
  now: () => number;
}

export function createEnding({ mailbox, metrics, now }: EndingOptions): Ending {
  return { delivered, quiet, unanswered, overtaken, crashed, giveBack };

  async function delivered(held: Held, reply: Reply, outcome: Delivered, log: Log): Promise<Held | null> {
    if (outcome.kind === 'failed') {
      if (worthAnotherTry(outcome.code, held.attempts)) return tryLater(held, outcome.code, log);
      return giveUp(held, 0, outcome.code, outcome.reason, log);
    }
    const { conversation } = held;
    const sent = { conversation, turn: reply.id, at: now(), via: reply.via, sids: outcome.sids };
    return handOver(held, reply.id, encodeEvent({ type: 'reply.sent', ...sent }));
  }

  function quiet(held: Held): Promise<Held | null> {
    return handOver(held, '', '');
  }

  function unanswered(held: Held, code: FailureCode, log: Log): Promise<null> {
    if (held.attempts < MOST_ATTEMPTS) return tryLater(held, code, log);
    return giveUp(held, held.messages.length, code, 'The model did not answer, and there is no apology to send.', log);
  }

  function overtaken(held: Held, log: Log): Promise<null> {
    const who = held.blocked ? 'The contact was blocked' : 'Somebody at the desk took over';
    return giveUp(held, 0, 'turn.overtaken', `${who} before it was clear that this had gone out.`, log);
  }

  function crashed(held: Held, log: Log): Promise<null> {
    const reason = `${held.crashes} turns in a row broke off at this, most likely with the process; the log says how.`;
    return giveUp(held, held.pending ? 0 : held.messages.length, 'turn.crashed', reason, log);
  }

  async function giveBack({ conversation, turn }: Held, waitMs: number, log: Log): Promise<void> {
    try {
      await patiently(() => mailbox.release(conversation, turn, waitMs));
    } catch (error) {
      log.warn('The conversation could not be given back; its lease runs out by itself', { error });
    }
  }

  async function handOver(held: Held, replyId: string, event: string): Promise<Held | null> {
    const finished = await mailbox.finish(held.conversation, held.turn, replyId, newId(), event);
    return finished.kind === 'turn' ? finished.held : null;
  }

  async function tryLater(held: Held, code: FailureCode, log: Log): Promise<null> {
    const waitMs = retryWaitMs(held.attempts);
    metrics.retried('turn');
    log.warn('It is tried again later', { code, waitMs, attempts: held.attempts });
    await giveBack(held, waitMs, log);
    return null;
  }

  /** @param messages how many messages are at stake; 0 when only the reply is. */
  async function giveUp(held: Held, messages: number, code: FailureCode, reason: string, log: Log): Promise<null> {
    metrics.turnEnded('dead', 'none');
    log.error('Given up: a dead letter', { code, reason, attempts: held.attempts });
    const { conversation, turn } = held;
    const event = encodeEvent({ type: 'given.up', conversation, turn, at: now(), code, reason });
    await mailbox.bury(conversation, turn, messages, { code, reason }, event);
    return null;
  }
}
