/**
 * One turn: context → answer → compose → deliver → finish, under the lease of the contact.
 *
 * What comes in while the model works is seen at the commit: the turn takes it in and asks again, so that a burst gets one answer.
 * What comes in later is handed over at finish, to a turn of its own.
 */
import type { OpenResponse } from '../channels/channel.ts';
import type { Channels } from '../channels/channels.ts';
import type { Confirmed } from '../contacts/confirm.ts';
import type { Ledger } from '../costs/ledger.ts';
import { type Failure, type FailureCode, isFailure } from '../errors.ts';
import { encodeEvent } from '../events.ts';
import type { Allowance, Usage } from '../memory/allowance.ts';
import type { Held, Mailbox } from '../memory/mailbox.ts';
import { type Consent, type ConversationId, conversationOf, type Reply } from '../message.ts';
import type { Log } from '../ops/logger.ts';
import type { Metrics } from '../ops/metrics.ts';
import type { Deliver, Delivered } from '../outbound/deliver.ts';
import { type Author, refusalOf, type Situation } from '../outbound/permission.ts';
import { placeholdersIn, type Scrubbed } from '../privacy/scrub.ts';
import type { Fresh, Read } from './attachments.ts';
import { type Compose, type Made, madeBy, type Notice, type Stages } from './compose.ts';
import type { Ending } from './ending.ts';
import { asksForPerson } from './keywords/person.ts';
import type { Lease } from './lease.ts';
import { NOTICES } from './prompts.ts';
import { isThrottled } from './spam.ts';

export interface Turn {
  /** Answers the messages of a turn, or takes them in without an answer. Ends the response. */
  answer(held: Held, turn: Answering): Promise<Ended>;
  /** A reply of a turn that ended early: the provider is asked what of it was sent, and the rest is sent. @returns as `Ended.next`. */
  deliverPending(held: Held, reply: Reply, lease: Lease, log: Log): Promise<Held | null>;
}

export interface Answering {
  response: OpenResponse | null;
  lease: Lease;
  /** How much the person has written; looked up when it is not known. */
  usage: Usage | undefined;
  /** Awaited before an answer is final. */
  confirmed: Confirmed;
  log: Log;
}

export interface Ended {
  /** What came in too late for this turn, held by the next one. */
  next: Held | null;
  /** Should the history be folded into the summary? */
  roll: boolean;
  /** The turn called a person, and nobody has written yet what it is about. */
  isToBrief?: boolean;
}

export interface TurnOptions {
  mailbox: Mailbox;
  allowance: Allowance;
  channels: Channels;
  read: Read;
  compose: Compose;
  deliver: Deliver;
  /** What Redis knows of a conversation by now. */
  situationOf: (conversation: ConversationId) => Promise<Situation>;
  /** What confirms that somebody opted out, or agreed again. */
  confirmations: Readonly<Record<Consent, Scrubbed>>;
  ending: Ending;
  ledger: Pick<Ledger, 'of' | 'told'>;
  /** Is the month's budget used up? Then the team answers. */
  isPaused: () => boolean;
  metrics: Metrics;
  now: () => number;
}

/** Is the bot to say nothing, because the contact is blocked or has opted out, another responder owns the thread, or a person took over? */
export function isSilenced(held: Held, now: number): boolean {
  const refusal = refusalOf(held.pending ? authorOf(held.pending) : 'bot', held, now);
  return refusal !== null && refusal.code !== 'channel.window';
}

/** Is an answer to be made, as far as is known before the archive has spoken? */
export function isToAnswer(held: Held, now: number): boolean {
  return !held.pending && !isSilenced(held, now) && !isThrottled(held, now) && !needNoAnswer(held);
}

/** What nobody expects an answer to, such as a message that was taken back; or what the provider has answered itself. */
function needNoAnswer({ messages }: Held): boolean {
  return messages.length > 0 && messages.every(({ unread, answered }) => unread?.isUpdate || answered);
}

/** What the bot still has to confirm; an opt-in only when nothing else was said that is to be answered. */
function confirmationFor({ toConfirm, optedOutAt, takeoverUntil, messages }: Held, now: number): Consent | null {
  if (toConfirm === 'opt-out') return optedOutAt > 0 ? 'opt-out' : null;
  const isAlone = messages.every(({ consent }) => consent);
  return toConfirm === 'opt-in' && optedOutAt === 0 && takeoverUntil <= now && isAlone ? 'opt-in' : null;
}

function authorOf({ purpose }: Reply): Author {
  return purpose === 'opt-out' || purpose === 'handoff' ? purpose : 'bot';
}

export function createTurn(options: TurnOptions): Turn {
  const { mailbox, allowance, channels, read, compose, deliver, situationOf, confirmations } = options;
  const { ending, ledger, isPaused, metrics, now } = options;
  return { answer, deliverPending };

  async function answer(held: Held, turn: Answering): Promise<Ended> {
    const { response, lease, log } = turn;
    const unconfigured = missingChannel(held);
    if (unconfigured !== null) {
      response?.end();
      return { next: await ending.undeliverable(held, unconfigured, log), roll: false };
    }
    if (held.blocked) return keepQuiet(held, [], turn, 'blocked');
    if (held.isOthers) return keepQuiet(held, await read(held, lease.signal, log), turn, 'standby');
    const confirmation = confirmationFor(held, now());
    if (confirmation) return answerWith(held, { text: confirmations[confirmation], confirms: confirmation }, turn);
    if (isSilenced(held, now())) {
      const why = held.optedOutAt > 0 ? 'opted out' : 'takeover';
      return keepQuiet(held, await read(held, lease.signal, log), turn, why);
    }
    if (needNoAnswer(held)) {
      return keepQuiet(held, await read(held, lease.signal, log), turn, 'nothing to answer');
    }
    const isSuspect = isThrottled(held, now());
    const usage = isSuspect ? 'suspect' : isPaused() ? 'paused' : (turn.usage ?? (await allowance.look(held.contact)));
    // Whoever asks for a person needs no model, and has no limit.
    if (usage !== 'within' && !isSuspect && held.messages.some(({ text }) => asksForPerson(text))) {
      return answerWith(held, null, turn);
    }
    const admission = await allowance.judge(held.contact, usage);
    if (admission === 'silence' && isSuspect) return keepQuiet(held, [], turn, 'looks like spam', 'turn.throttled');
    if (admission === 'silence' && usage === 'paused') {
      return keepQuiet(held, await read(held, lease.signal, log), turn, 'over the budget');
    }
    if (admission === 'silence') return keepQuiet(held, [], turn, 'over the limit');
    showTyping(held, response, lease.signal);
    return answerWith(held, admission === 'welcome' ? null : { text: NOTICES[admission] }, turn);
  }

  async function answerWith(held: Held, notice: Notice | null, turn: Answering): Promise<Ended> {
    const { response, lease, confirmed, log } = turn;
    const startedAt = now();
    // From the oldest message's arrival, so that waiting for a place or for another turn counts.
    const waited = startedAt - (held.messages[0]?.receivedAt ?? startedAt);
    const made = await compose(held, notice, { response, signal: lease.signal, confirmed, log });
    switch (made.kind) {
      case 'lost':
        log.warn('Lease lost to another process');
        response?.end();
        return { next: null, roll: false };
      case 'moved':
        if (made.next === null) response?.end();
        return { next: made.next, roll: false };
      case 'quiet':
        return keepQuiet(held, made.why === 'blocked' ? [] : made.fresh, turn, made.why);
      case 'silence': {
        // Given back first: the provider repeats at once what was refused, and the repeat must find the lease free.
        const next = await ending.unanswered(held, made.failure, log);
        response?.fail(502);
        return { next, roll: false };
      }
      case 'made': {
        const { answered } = made;
        const isToBrief = answered.kind === 'handoff' && answered.handoff.summary === null && !answered.forgets;
        return { next: await sendMade(held, made, waited, turn), roll: made.roll, isToBrief };
      }
    }
  }

  /** Why the conversation's channel cannot send; null when it can. */
  function missingChannel({ conversation }: Held): Failure | null {
    try {
      channels.of(conversationOf(conversation).channel);
      return null;
    } catch (error) {
      if (isFailure(error)) return error;
      throw error;
    }
  }

  async function sendMade(
    held: Held,
    made: Made,
    waited: number,
    { response, lease, log }: Answering,
  ): Promise<Held | null> {
    const madeAt = performance.now();
    const delivered = await deliver({
      reply: made.reply,
      author: authorOf(made.reply),
      situation: held,
      look: () => situationOf(held.conversation),
      response,
      history: held.history,
      lease,
      log,
    });
    const next = await ending.delivered(held, made.reply, delivered, log);
    report(held, made, delivered, { waited, ...made.took, deliver: performance.now() - madeAt }, log);
    return next;
  }

  async function deliverPending(held: Held, reply: Reply, lease: Lease, log: Log): Promise<Held | null> {
    const delivered = await deliver({
      reply: { ...reply, uncertain: true },
      author: authorOf(reply),
      situation: held,
      look: () => situationOf(held.conversation),
      response: null,
      history: held.history,
      lease,
      log,
    });
    log.info('Delivered a reply that an earlier turn had left', { outcome: delivered.kind, attempts: held.attempts });
    metrics.retried('send');
    return ending.delivered(held, reply, delivered, log);
  }

  /** Takes the messages in without an answer; `fresh` are those that are remembered. The team is told of a `failure`. */
  async function keepQuiet(
    held: Held,
    fresh: readonly Fresh[],
    turn: Answering,
    why: string,
    failure?: FailureCode,
  ): Promise<Ended> {
    const { response, log } = turn;
    const spent = ledger.of(held.turn);
    const event = encodeEvent({
      ...madeBy(held, fresh, spent),
      at: now(),
      reply: null,
      ...(failure ? { failure } : {}),
    });
    const lines = fresh.map(({ line }) => line);
    const committed = await mailbox.commit(held, { mayTakeMore: false, lines, reply: null, event });
    response?.end();
    log.info('Not answered', { why, messages: held.messages.length });
    metrics.turnEnded('quiet', 'none');
    if (committed.kind !== 'committed') return { next: null, roll: false };
    ledger.told(held.turn, spent);
    return { next: await ending.quiet(held), roll: committed.roll };
  }

  function showTyping(held: Held, response: OpenResponse | null, signal: AbortSignal): void {
    const newest = held.messages.at(-1);
    if (!newest) return;
    const { channel: name, business } = conversationOf(held.conversation);
    const channel = channels.of(name);
    const show = () => void channel.typing({ business, address: newest.from }, newest.id, signal).catch(() => {});
    if (response) response.whenLate(show);
    else show();
  }

  /** The log line and the figures of a turn. */
  function report(
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
    metrics.scrubbed('answer', placeholdersIn(made.answered.text));
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
