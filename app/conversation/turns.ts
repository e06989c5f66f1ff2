/**
 * Turn after turn, until nothing of a contact waits: each under the lease, each with a free place. What one turn does is in `turn.ts`.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { OpenResponse } from '../channels/channel.ts';
import type { Confirm } from '../contacts/confirm.ts';
import type { Ledger } from '../costs/ledger.ts';
import { isFailure } from '../errors.ts';
import type { Usage } from '../memory/allowance.ts';
import type { Held, Mailbox } from '../memory/mailbox.ts';
import { conversationId, type InboundMessage } from '../message.ts';
import { createGate } from '../ops/gate.ts';
import type { Log } from '../ops/logger.ts';
import type { Metrics } from '../ops/metrics.ts';
import type { Brief } from './brief.ts';
import type { Ending } from './ending.ts';
import { keepLease, type Lease } from './lease.ts';
import { MOST_CRASHES } from './retries.ts';
import type { Summarize } from './summarize.ts';
import { isSilenced, isToAnswer, type Turn } from './turn.ts';

export interface Turns {
  /**
   * Starts to answer a contact that was handed over; the turn answers the response.
   * @returns when nothing of the contact waits any more, or its work is left to other processes. Never rejects.
   */
  start(held: Held, start: Start): Promise<void>;
  /**
   * Starts nothing new from now on, and resolves when what runs has ended. What has not after `patienceMs` is ended and given back, for
   * another process or the next start: due at once, and no crash. Default: no limit.
   */
  drain(patienceMs?: number): Promise<void>;
  /** True once `drain` was called. */
  readonly stopping: boolean;
  /** How many contacts are in work, including those that wait for a place. */
  readonly running: number;
  /** How many contacts wait for a free place; they get one in the order they came. */
  readonly waiting: number;
}

export interface Start {
  /** The webhook that waits for its answer, and the message it brought. */
  waiting?: WaitingWebhook;
  /** How much the person has written; looked up when it is not given. */
  usage?: Usage;
  log: Log;
}

export interface WaitingWebhook {
  response: OpenResponse;
  message: InboundMessage;
}

export interface TurnsOptions {
  mailbox: Mailbox;
  confirm: Confirm;
  turn: Turn;
  ending: Ending;
  summarize: Summarize;
  brief: Brief;
  /** Told when a turn has ended. */
  ledger: Pick<Ledger, 'end'>;
  metrics: Metrics;
  leaseMs: number;
  /** See `Processes`. */
  aliveSince: () => number;
  /** How many contacts are answered at the same time. */
  maxConcurrent: number;
  now: () => number;
}

/** A turn under its lease. */
interface Leased {
  taken: Held;
  lease: Lease;
  log: Log;
}

/** How long turns that were ended may take to notice, ms. */
const LAST_MS = 1_000;

/** How long a contact rests whose turn could not go on without Redis, ms: the provider's list shows by then what was sent. */
const REDIS_REST_MS = 5_000;

export function createTurns(options: TurnsOptions): Turns {
  const { mailbox, confirm, turn, ending, summarize, brief, ledger, metrics, leaseMs, aliveSince } = options;
  const { maxConcurrent, now } = options;
  const running = new Set<Promise<void>>();
  const leased = new Set<Leased>();
  const places = createGate(maxConcurrent);
  let stopping = false;

  return {
    start: (held, start) => track(answerAll(held, start)),
    drain,
    get stopping() {
      return stopping;
    },
    get running() {
      return running.size;
    },
    get waiting() {
      return places.waiting;
    },
  };

  async function drain(patienceMs?: number): Promise<void> {
    stopping = true;
    if (patienceMs === undefined) return ended();
    await Promise.race([ended(), sleep(patienceMs, null, { ref: false })]);
    if (running.size === 0) return;
    await Promise.all([...leased].map(giveBack));
    await Promise.race([ended(), sleep(LAST_MS, null, { ref: false })]);
  }

  async function ended(): Promise<void> {
    while (running.size > 0) await Promise.all(running);
  }

  /** The turn ends first, so that it sends nothing any more. */
  async function giveBack({ taken, lease, log }: Leased): Promise<void> {
    lease.abort(new Error('the process stops, and the turn was given back'));
    await ending.giveBack(taken, 0, log);
    log.info('Given back: the process stops');
  }

  function track(work: Promise<void>): Promise<void> {
    running.add(work);
    void work.finally(() => running.delete(work));
    return work;
  }

  /** Never rejects. An open response is for the first turn of its conversation that answers messages. */
  async function answerAll(first: Held, { waiting, usage, log }: Start): Promise<void> {
    let open = waiting;
    let counted = usage;
    for (let next: Held | null = first; next; ) {
      const held: Held = next;
      const isAnswering = !held.pending;
      const response = isAnswering && open && isFor(held, open.message) ? open.response : null;
      next = await answerNext(held, response, counted, log);
      const hasMoved = next !== null && next.contact !== held.contact;
      if (response && !hasMoved) open = undefined;
      if (isAnswering) counted = undefined;
    }
    open?.response.end();
  }

  function isFor({ contact, conversation }: Held, message: InboundMessage): boolean {
    return conversationId({ ...message, contact }) === conversation;
  }

  /** One turn under its lease. @returns what came in too late for it, held by the next turn. Never rejects. */
  async function answerNext(
    taken: Held,
    response: OpenResponse | null,
    usage: Usage | undefined,
    log: Log,
  ): Promise<Held | null> {
    const turnLog = log.child({ turn: taken.turn, contact: taken.contact });
    const { contact, turn: id } = taken;
    const lease = keepLease({ mailbox, contact, turn: id, leaseMs, aliveSince, log: turnLog });
    const entry = { taken, lease, log: turnLog };
    leased.add(entry);
    const leave = await places.enter(1);
    try {
      // A webhook that waits for its answer gets it; all else can wait for the next start.
      if (stopping && response === null) {
        await ending.giveBack(taken, 0, turnLog);
        return null;
      }
      const confirmed = confirm(taken, turnLog);
      // An answer is made meanwhile; what is not answered, or was made before, waits for the archive's word.
      const held = isToAnswer(taken, now()) ? taken : await confirmed();
      if (held === null) {
        response?.end();
        return null;
      }
      // The person is known by another id, and what waits was moved there.
      if (held.contact !== taken.contact) return held;
      if (held.crashes >= MOST_CRASHES) return await ending.crashed(held, turnLog);
      if (held.pending && isSilenced(held, now())) return await ending.overtaken(held, turnLog);
      if (held.pending) return await turn.deliverPending(held, held.pending, lease, turnLog);
      const { next, roll, isToBrief } = await turn.answer(held, { response, lease, usage, confirmed, log: turnLog });
      if (isToBrief) track(brief(held, turnLog));
      if (roll) track(summarize(held, turnLog));
      return next;
    } catch (error) {
      // The messages are safe in the mailbox; the next sweep continues.
      if (stopping && lease.signal.aborted) turnLog.debug('The turn was given back', { error });
      else turnLog.error('The turn ended early', { error });
      metrics.turnEnded('failed', 'none');
      // The process is alive: this must not count as a crash, nor wait for the lease to run out.
      if (isFailure(error) && error.code === 'store.unavailable') track(ending.giveBack(taken, REDIS_REST_MS, turnLog));
      if (lease.signal.aborted) response?.end();
      else response?.fail(isFailure(error) ? error.status : 500);
      return null;
    } finally {
      leave();
      lease.stop();
      leased.delete(entry);
      track(ledger.end(taken));
    }
  }
}
