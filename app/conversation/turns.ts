/**
 * One turn: context → answer → commit → deliver → finish, under the lease of the conversation.
 *
 * What comes in while the model thinks is seen at commit: the turn takes it in and asks again, so that a burst gets one
 * answer. What comes in later is handed over at finish, to a turn of its own.
 */
import type { Channel, OpenResponse } from '../channels/channel.ts';
import { isFailure } from '../errors.ts';
import { encodeEvent } from '../events.ts';
import { createGate } from '../media/gate.ts';
import type { Allowance, Usage } from '../memory/allowance.ts';
import type { Held, Mailbox } from '../memory/mailbox.ts';
import { addressesOf, type Line, type Reply } from '../message.ts';
import type { Log } from '../ops/logger.ts';
import type { Metrics } from '../ops/metrics.ts';
import type { Deliver, Delivered } from '../outbound/deliver.ts';
import { placeholdersIn } from '../privacy/scrub.ts';
import type { Read } from './attachments.ts';
import { type Compose, type Made, madeBy, type Stages } from './compose.ts';
import type { Ending } from './ending.ts';
import { keepLease, type Lease } from './lease.ts';
import { MOST_CRASHES } from './retries.ts';
import type { Summarize } from './summarize.ts';

export interface Turns {
  /**
   * Starts to answer a conversation that was handed over; the turn answers the response.
   * @param usage how much the person has written; looked up when it is not known.
   * @returns when nothing of the conversation waits any more, or its work is left to others. Never rejects.
   */
  start(held: Held, response: OpenResponse | null, log: Log, usage?: Usage): Promise<void>;
  /** Starts nothing new from now on, and resolves when what runs has ended. */
  drain(): Promise<void>;
  /** How many conversations are in work, those that wait for a place included. */
  readonly running: number;
  /** How many conversations wait for a free place; they get one in the order they came. */
  readonly waiting: number;
}

export interface TurnsOptions {
  mailbox: Mailbox;
  allowance: Allowance;
  channel: Channel;
  read: Read;
  compose: Compose;
  deliver: Deliver;
  ending: Ending;
  summarize: Summarize;
  metrics: Metrics;
  leaseMs: number;
  /** How many conversations are answered at the same time. */
  maxConcurrent: number;
  now: () => number;
}

/** How long a conversation rests whose turn could not go on without Redis, ms: until the provider's list shows what was sent, too. */
const REDIS_REST_MS = 5_000;

export function createTurns(options: TurnsOptions): Turns {
  const { mailbox, allowance, channel, read, compose, deliver, ending, summarize, metrics, leaseMs, now } = options;
  const running = new Set<Promise<void>>();
  const places = createGate(options.maxConcurrent);
  let stopping = false;

  return {
    start(held, response, log, usage) {
      return track(answerAll(held, response, log, usage));
    },
    async drain() {
      stopping = true;
      while (running.size > 0) await Promise.all(running);
    },
    get running() {
      return running.size;
    },
    get waiting() {
      return places.waiting;
    },
  };

  function track(work: Promise<void>): Promise<void> {
    running.add(work);
    void work.finally(() => running.delete(work));
    return work;
  }

  /** Turn after turn until nothing waits. An open response is for the first that answers messages. Never rejects. */
  async function answerAll(first: Held, response: OpenResponse | null, log: Log, usage?: Usage): Promise<void> {
    let open = response;
    let counted = usage;
    for (let held: Held | null = first; held; ) {
      const current: Held = held;
      const turnLog = log.child({ turn: held.turn, contact: addressesOf(held.conversation).contact });
      const lease = keepLease(mailbox, held.conversation, held.turn, leaseMs, turnLog);
      const leave = await places.enter(1);
      try {
        // A webhook that waits for its answer gets it; all else can wait for the next start.
        if (stopping && open === null) return await ending.giveBack(held, 0, turnLog);
        if (held.crashes >= MOST_CRASHES) {
          held = await ending.crashed(held, turnLog);
        } else if (held.pending && isSilenced(held)) {
          held = await ending.overtaken(held, turnLog);
        } else if (held.pending) {
          held = await bringToItsEnd(held, held.pending, lease, turnLog);
        } else {
          counted ??= await allowance.look(held.conversation);
          held = await answerOne(held, open, lease, counted, turnLog);
          open = null;
          counted = undefined;
        }
      } catch (error) {
        // The messages are safe in the mailbox; whoever looks at the conversation next finishes the work.
        turnLog.error('The turn ended early', { error });
        metrics.turnEnded('failed', 'none');
        // We are alive: let it not be counted as a crash, nor wait for the lease to run out.
        if (isFailure(error) && error.code === 'store.unavailable')
          track(ending.giveBack(current, REDIS_REST_MS, turnLog));
        if (lease.signal.aborted) open?.end();
        else open?.fail(isFailure(error) ? error.status : 500);
        return;
      } finally {
        leave();
        lease.stop();
      }
    }
    open?.end();
  }

  /** Did somebody at the desk see to it that the bot says nothing? */
  function isSilenced({ blocked, takeoverUntil }: Held): boolean {
    return blocked || takeoverUntil > now();
  }

  /** @returns what came in too late for this turn, in the hands of the next one. */
  async function answerOne(
    held: Held,
    response: OpenResponse | null,
    lease: Lease,
    usage: Usage,
    log: Log,
  ): Promise<Held | null> {
    const { signal } = lease;
    if (held.blocked) return keepQuiet(held, [], response, 'blocked', log);
    if (isSilenced(held)) return keepQuiet(held, await linesOf(held, signal, log), response, 'takeover', log);
    const admission = await allowance.judge(held.conversation, usage);
    if (admission === 'silence') return keepQuiet(held, [], response, 'over the limit', log);
    const startedAt = now();
    showTyping(held, response, signal);
    // From the oldest message's arrival, so that waiting for a place or for another turn counts.
    const waitedMs = startedAt - (held.messages[0]?.receivedAt ?? startedAt);
    const made = await compose(held, response, admission, signal, log);
    const madeAt = performance.now();
    if (made.kind === 'lost') {
      log.warn('Somebody else took the conversation over');
      response?.end();
      return null;
    }
    if (made.kind === 'quiet') {
      return keepQuiet(held, made.why === 'blocked' ? [] : made.lines, response, made.why, log);
    }
    if (made.kind === 'silence') {
      // Given back first: the provider repeats at once what was refused, and the repeat is to find nobody at work.
      const next = await ending.unanswered(held, made.failure, log);
      response?.fail(502);
      return next;
    }
    const delivered = await deliver(made.reply, addressesOf(held.conversation), response, log, {
      lease,
      history: held.history,
    });
    const next = await ending.delivered(held, made.reply, delivered, log);
    if (made.roll) track(summarize(held.conversation, log));
    countCosts(held, made, log);
    tell(held, made, delivered, { waited: waitedMs, ...made.took, deliver: performance.now() - madeAt }, log);
    return next;
  }

  /** A reply whose sender is gone: the provider is asked what of it went out, and the rest is sent. */
  async function bringToItsEnd(held: Held, reply: Reply, lease: Lease, log: Log): Promise<Held | null> {
    const delivered = await deliver({ ...reply, uncertain: true }, addressesOf(held.conversation), null, log, {
      lease,
      history: held.history,
    });
    log.info('Brought an earlier reply to its end', { outcome: delivered.kind, attempts: held.attempts });
    metrics.retried('send');
    return ending.delivered(held, reply, delivered, log);
  }

  /** Takes the messages in without an answer; `lines` are what is remembered of them. */
  async function keepQuiet(
    held: Held,
    lines: Line[],
    response: OpenResponse | null,
    why: string,
    log: Log,
  ): Promise<Held | null> {
    const event = encodeEvent({ ...madeBy(held), at: now(), lines, via: null });
    const taken = held.messages.length;
    const committed = await mailbox.commit(held.conversation, {
      turn: held.turn,
      taken,
      mayTakeMore: false,
      lines,
      reply: null,
      event,
    });
    response?.end();
    log.info('Not answered', { why, messages: taken });
    metrics.turnEnded('quiet', 'none');
    if (committed.kind !== 'committed') return null;
    if (committed.roll) track(summarize(held.conversation, log));
    return ending.quiet(held);
  }

  async function linesOf(held: Held, signal: AbortSignal, log: Log): Promise<Line[]> {
    const fresh = await read(held.messages, signal, log);
    return fresh.map(({ line }) => line);
  }

  function showTyping(held: Held, response: OpenResponse | null, signal: AbortSignal): void {
    const newest = held.messages.at(-1);
    if (!newest) return;
    const show = () => void channel.typing(newest.id, signal).catch(() => {});
    if (response) response.whenLate(show);
    else show();
  }

  function countCosts(held: Held, { answered }: Made, log: Log): void {
    if (answered.kind !== 'answer') return;
    allowance.spend(held.conversation, answered.usage.prompt + answered.usage.completion).catch((error) => {
      log.warn('The tokens of an answer were not counted', { error });
    });
  }

  /** The line and the figures an operator sees of a turn. */
  function tell(
    held: Held,
    made: Made,
    delivered: Delivered,
    took: Stages & { waited: number; deliver: number },
    log: Log,
  ): void {
    const outcome = delivered.kind === 'failed' ? delivered.code : made.answered.kind;
    metrics.turnEnded(outcome, made.reply.via);
    const stages = Object.entries(took);
    const total = stages.reduce((sum, [, ms]) => sum + ms, 0);
    for (const [stage, ms] of [...stages, ['total', total] as const]) metrics.stageTook(stage, ms);
    metrics.scrubbed('answer', placeholdersIn(made.reply.text));
    log.info('Answered', {
      messages: held.messages.length,
      outcome,
      via: made.reply.via,
      asks: made.asks,
      ...(held.attempts > 0 ? { attempts: held.attempts } : {}),
      ...(made.answered.kind === 'answer' ? { tokens: made.answered.usage } : {}),
      ...(made.answered.kind === 'apology' ? { failure: made.answered.failure } : {}),
      ms: Object.fromEntries(stages.map(([stage, ms]) => [stage, Math.round(ms)])),
    });
  }
}
