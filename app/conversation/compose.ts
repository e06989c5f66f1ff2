/** Asks until the answer covers everything that came in, and makes it final: history, mailbox, reply record and event at once. */
import type { OpenResponse } from '../channels/channel.ts';
import type { FailureCode } from '../errors.ts';
import { type Event, encodeEvent } from '../events.ts';
import { countTokens } from '../llm/tokens.ts';
import type { Admission } from '../memory/allowance.ts';
import type { Held, Mailbox } from '../memory/mailbox.ts';
import type { Line, Reply } from '../message.ts';
import type { Log } from '../ops/logger.ts';
import type { Answered, Asker } from './answer.ts';
import { hasAttachments, type Read, waitForSiblings } from './attachments.ts';
import { type ContextSettings, promptFor } from './context.ts';
import { NOTICES } from './prompts.ts';

/** A reply that is final, and how it came about. */
export interface Made {
  kind: 'made';
  reply: Reply;
  answered: Exclude<Answered, { kind: 'silence' }>;
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
  commit: number;
}

export type Compose = (
  held: Held,
  response: OpenResponse | null,
  admission: Exclude<Admission, 'silence'>,
  signal: AbortSignal,
  log: Log,
) => Promise<
  | Made
  | { kind: 'silence'; failure: FailureCode }
  | { kind: 'lost' }
  /** Somebody at the desk took over meanwhile, or blocked the contact: `lines` are what is remembered of the messages. */
  | { kind: 'quiet'; why: 'blocked' | 'takeover'; lines: Line[] }
>;

export interface ComposeOptions {
  mailbox: Mailbox;
  asker: Asker;
  read: Read;
  context: ContextSettings;
}

/** How often a turn takes in what came meanwhile before it answers with what it has. */
const MOST_MERGES = 3;

export function createCompose({ mailbox, asker, read, context }: ComposeOptions): Compose {
  return async (held, response, admission, signal, log) => {
    const took: Stages = { media: 0, model: 0, commit: 0 };
    const lap = stopwatch(took);
    if (hasAttachments(held.messages)) {
      await waitForSiblings(signal);
      held.messages.push(...(await mailbox.waiting(held.conversation, held.messages.length)));
    }
    for (let asks = 1; ; asks++) {
      const fresh = await read(held.messages, signal, log);
      lap('media');
      const answered: Answered =
        admission === 'welcome'
          ? await asker.ask(held.conversation, promptFor(held, fresh, context), signal, log)
          : { kind: 'notice', text: NOTICES[admission] };
      lap('model');
      if (answered.kind === 'silence') return answered;
      // Decided here, once: from now on the response waits for this reply, or it never will.
      const via = response?.claim() ? 'twiml' : 'rest';
      const reply: Reply = { id: held.turn, text: answered.text, via, at: context.now() };
      const lines = [...fresh.map(({ line }) => line), replyLine(reply, answered)];
      const committed = await mailbox.commit(held.conversation, {
        turn: held.turn,
        taken: held.messages.length,
        mayTakeMore: answered.kind === 'answer' && asks <= MOST_MERGES,
        lines,
        reply,
        event: encodeEvent(replyMade(held, reply, lines, answered)),
      });
      lap('commit');
      if (committed.kind === 'committed') return { kind: 'made', reply, answered, roll: committed.roll, asks, took };
      if (via === 'twiml') response?.unclaim();
      if (committed.kind === 'lost') return committed;
      if (committed.kind === 'quiet') return { ...committed, lines: fresh.map(({ line }) => line) };
      held.messages.push(...committed.messages);
    }
  };
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

/** What `reply.made` says of a turn, whatever it answered. */
export function madeBy({ conversation, turn, messages }: Held) {
  return { type: 'reply.made' as const, conversation, turn, answers: messages.map((message) => message.id) };
}

function replyMade(held: Held, { at, via }: Reply, lines: Line[], answered: Made['answered']): Event {
  const event = { ...madeBy(held), at, lines, via };
  if (answered.kind === 'answer') return { ...event, usage: answered.usage };
  return answered.kind === 'apology' ? { ...event, failure: answered.failure } : event;
}

function replyLine(reply: Reply, answered: Made['answered']): Line {
  const { text, at, id } = reply;
  const line: Line = { role: 'assistant', text, at, id, tokens: countTokens(text) };
  return answered.kind === 'answer' ? line : { ...line, apology: true };
}
