/** Asks until the answer covers everything that came in, and makes it final: history, mailbox, reply record and event at once. */
import type { OpenResponse } from '../channels/channel.ts';
import type { Channels } from '../channels/channels.ts';
import type { Confirmed } from '../contacts/confirm.ts';
import type { Ledger } from '../costs/ledger.ts';
import type { FailureCode } from '../errors.ts';
import { type EventOf, encodeEvent, type ModelUse } from '../events.ts';
import { countTokens } from '../llm/tokens.ts';
import { type Answer, addMessages, type Held, type Mailbox, type Quiet } from '../memory/mailbox.ts';
import { type Consent, conversationOf, type HandoffReason, type Line, type Reply, templateName } from '../message.ts';
import type { Log } from '../ops/logger.ts';
import { partsOfMarkdown, reserveResponse } from '../outbound/prepare.ts';
import { type Scrubbed, scrub } from '../privacy/scrub.ts';
import type { Answered, Asker } from './answer.ts';
import { type Fresh, hasAttachments, type Read, waitForSiblings } from './attachments.ts';
import type { Obey } from './commands.ts';
import { type ContextSettings, promptFor, toRemember } from './context.ts';
import type { Greet } from './greet.ts';
import { type HandoffSettings, isAskedFor } from './handoff.ts';
import { suspectsIn } from './hidden.ts';

/** What is said, by whomever. */
type Words = Exclude<Answered, { kind: 'silence' }>;

/** A reply that is final, and how it came about. */
export interface Made {
  kind: 'made';
  reply: Reply;
  answered: Words;
  /** Should the history be folded into the summary? */
  roll: boolean;
  /** How often the model was asked. */
  asks: number;
  took: Stages;
}

/** How long the stages took, all asks together, ms. */
export interface Stages {
  media: number;
  model: number;
  /** Including what was waited for the archive's word beyond the model's time. */
  commit: number;
}

export interface Composing {
  response: OpenResponse | null;
  signal: AbortSignal;
  confirmed: Confirmed;
  log: Log;
}

/** What is said without asking the model. */
export interface Notice {
  text: Scrubbed;
  /** It confirms this. */
  confirms?: Consent;
}

/** @param notice null when the model is to answer */
export type Compose = (held: Held, notice: Notice | null, composing: Composing) => Promise<Composed>;

export type Composed =
  | Made
  | { kind: 'silence'; failure: FailureCode }
  | { kind: 'lost' }
  /** The person is known by another id: `next` answers what waits, or a turn that is running already. */
  | { kind: 'moved'; next: Held | null }
  /**
   * Meanwhile a person took over or blocked the contact, another responder got the thread, they opted out, or they got the same apology or
   * notice before: `fresh` are the messages as they are remembered.
   */
  | { kind: 'quiet'; why: Quiet | 'said before'; fresh: Fresh[] };

/** What belongs to an answer of ours, whatever the model says. */
export interface Policy {
  handoff: HandoffSettings;
  /** Opens the first answer to a contact; null = nothing does. */
  disclosure: Scrubbed | null;
}

export interface ComposeOptions {
  policy: Policy;
  /** Greets somebody new with a template; null when they are answered like everybody. */
  greet: Greet | null;
  /** Answers commands; null when they are switched off. */
  obey: Obey | null;
  mailbox: Mailbox;
  channels: Channels;
  asker: Asker;
  read: Read;
  context: ContextSettings;
  ledger: Pick<Ledger, 'of' | 'told'>;
}

/** Within these times, ms, nobody gets the same apology, or the same notice, twice in a row: who writes three messages while the model is down reads it once. */
const SAME_MS = { apology: 120_000, notice: 3_600_000 };

/** How often a turn adds messages that came in meanwhile before it answers with what it has. */
const MOST_MERGES = 3;

export function createCompose(options: ComposeOptions): Compose {
  const { policy, greet, obey, mailbox, channels, asker, read, context, ledger } = options;
  const { handoff, disclosure } = policy;
  return compose;

  async function compose(held: Held, notice: Notice | null, composing: Composing): Promise<Composed> {
    const { response, signal, confirmed, log } = composing;
    const took: Stages = { media: 0, model: 0, commit: 0 };
    const lap = stopwatch(took);
    if (hasAttachments(held.messages)) {
      await waitForSiblings(signal);
      await mailbox.takeMore(held);
    }
    for (let asks = 1; ; asks++) {
      const fresh = await read(held, signal, log);
      lap('media');
      const answered: Answered = notice
        ? { kind: 'notice', text: notice.text }
        : await answerTo(held, fresh, signal, log);
      lap('model');
      if (answered.kind === 'silence') return answered;
      const same = asks === 1 ? await confirmed() : held;
      if (same !== held) return { kind: 'moved', next: same };
      if (!notice?.confirms && hasJustSaid(held, answered, context.now()))
        return { kind: 'quiet', why: 'said before', fresh };
      const isOpening = !notice?.confirms && answered.kind !== 'template' && !held.isDisclosed;
      const opening = isOpening ? disclosure : null;
      const reply = replyTo(held, answered, opening, response);
      if (notice?.confirms) reply.purpose = notice.confirms;
      else if (answered.kind === 'handoff') reply.purpose = 'handoff';
      const spent = ledger.of(held.turn);
      const committed = await mailbox.commit(held, {
        mayTakeMore: answered.kind === 'answer' && asks <= MOST_MERGES,
        lines: [
          ...(forgets(answered) ? [] : fresh.map(({ line }) => toRemember(line, context.historyTokens))),
          replyLine(reply, answered, refusedLines(held, fresh, answered)),
        ],
        reply,
        discloses: opening !== null,
        ...outcomeOf(answered),
        event: encodeEvent(replyMade(held, fresh, reply, answered, spent)),
      });
      lap('commit');
      if (committed.kind === 'committed') {
        ledger.told(held.turn, spent);
        return { kind: 'made', reply, answered, roll: committed.roll, asks, took };
      }
      if (reply.via === 'response') response?.unclaim();
      if (committed.kind === 'lost') return committed;
      if (committed.kind === 'quiet') return { ...committed, fresh };
      addMessages(held, committed.messages);
    }
  }

  /** Whoever asks for a person is not asked to wait for the model; nor is somebody whom it has failed again and again. */
  async function answerTo(held: Held, fresh: Fresh[], signal: AbortSignal, log: Log): Promise<Answered> {
    const toPerson = (reason: HandoffReason): Answered => ({
      kind: 'handoff',
      text: handoff.reply,
      handoff: { reason, note: null, summary: null },
    });
    if (isAskedFor(fresh)) return toPerson('asked');
    const obeyed = (await obey?.(held, fresh, log)) ?? null;
    if (obeyed) return obeyed;
    const greeting = (await greet?.(held, log)) ?? null;
    if (greeting) return { kind: 'template', ...greeting };
    const answered = await asker.ask(held, promptFor(held, fresh, context), signal, log);
    if ((answered.kind !== 'apology' && answered.kind !== 'silence') || handoff.afterFailures === 0) return answered;
    // Without an apology the same messages are tried again and again.
    const failures = held.failures + 1 + (answered.kind === 'silence' ? held.attempts : 0);
    return failures >= handoff.afterFailures ? toPerson('failed') : answered;
  }

  /** An answer goes to the address they wrote from last. */
  function replyTo(held: Held, answered: Words, opening: Scrubbed | null, response: OpenResponse | null): Reply {
    const { turn, conversation, messages } = held;
    const to = messages.at(-1)?.from ?? conversationOf(conversation).contact;
    const at = context.now();
    if (answered.kind === 'template') {
      // No webhook's response can carry it.
      response?.end();
      const { text, template } = answered;
      return { id: turn, conversation, to, parts: [text], template, via: 'call', at };
    }
    const text = opening === null ? answered.text : scrub(`${opening}\n\n${answered.text}`);
    const parts = partsOfMarkdown(text, channels.of(conversationOf(conversation).channel));
    return { id: turn, conversation, to, parts, via: reserveResponse(response, parts), at };
  }

  /** What changes beside the history. */
  function outcomeOf(answered: Words): Pick<Answer, 'handoff' | 'failed' | 'asks' | 'forgets'> {
    switch (answered.kind) {
      case 'notice':
      case 'template':
        return {};
      case 'command':
        return { asks: answered.asks, forgets: answered.forgets };
      case 'handoff': {
        const why = JSON.stringify(answered.handoff);
        return { handoff: { why, silentMs: handoff.silentMs }, failed: false, forgets: answered.forgets };
      }
      default:
        return { failed: answered.kind === 'apology' };
    }
  }

  function replyMade(
    held: Held,
    fresh: Fresh[],
    { at, to, parts, via, template }: Reply,
    answered: Words,
    spent: ModelUse[],
  ): EventOf<'reply.made'> {
    const sent = { to, parts, via, ...(template && { template: templateName(template.template) }) };
    const event = { ...madeBy(held, fresh, spent), at, reply: sent };
    if (answered.kind === 'apology') return { ...event, failure: answered.failure };
    if (answered.kind === 'notice' || answered.kind === 'command' || answered.kind === 'template') return event;
    const used = answered.usage ? { ...event, usage: answered.usage } : event;
    return answered.kind === 'handoff'
      ? { ...used, handoff: { ...answered.handoff, until: at + handoff.silentMs } }
      : used;
  }
}

function forgets(answered: Words): boolean {
  return 'forgets' in answered && answered.forgets === true;
}

/** A refused message gets its apology each time: the line of the reply hides it. */
function hasJustSaid({ history }: Held, answered: Answered, now: number): boolean {
  if (answered.kind !== 'apology' && answered.kind !== 'notice') return false;
  if (answered.kind === 'apology' && answered.failure === 'model.filtered') return false;
  const last = history.findLast(({ role }) => role === 'assistant');
  return last?.apology === true && last.text === answered.text && now - last.at < SAME_MS[answered.kind];
}

/** @returns adds the time since the last lap to a stage */
function stopwatch(took: Stages): (stage: keyof Stages) => void {
  let last = performance.now();
  return (stage) => {
    const now = performance.now();
    took[stage] += now - last;
    last = now;
  };
}

/** The fields of `reply.made` that every turn has. */
export function madeBy({ conversation, turn, messages }: Held, fresh: readonly Fresh[], spent: ModelUse[]) {
  return {
    type: 'reply.made' as const,
    conversation,
    turn,
    answers: messages.map((message) => message.id),
    heard: fresh.flatMap(({ line, transcript, unheard }) => {
      if (transcript === undefined) return [];
      return { id: line.id, transcript, ...(unheard ? { reason: unheard } : {}) };
    }),
    ...(spent.length > 0 ? { spent } : {}),
  };
}

/** Ids of the lines that the model server does not take. */
function refusedLines(held: Held, fresh: readonly Fresh[], answered: Made['answered']): string[] {
  if (answered.kind === 'answer' && answered.refused === 'history') return suspectsIn(held);
  if (answered.kind === 'answer' && answered.refused === 'others') return fresh.slice(0, -1).map(({ line }) => line.id);
  const isRefused = answered.kind === 'apology' && answered.failure === 'model.filtered';
  return isRefused ? fresh.slice(-1).map(({ line }) => line.id) : [];
}

function replyLine({ id, at, parts }: Reply, answered: Made['answered'], hides: string[]): Line {
  const { text } = answered;
  const line: Line = { role: 'assistant', text, at, id, tokens: countTokens(text) };
  if (parts.length !== 1 || parts[0] !== text) line.sent = parts;
  if (hides.length > 0) line.hides = hides;
  if (answered.kind === 'template') return { ...line, desk: true };
  // People see the rest, the model does not: it must not take our words for its own.
  return answered.kind === 'answer' ? line : { ...line, apology: true };
}
