/** Asks until the answer covers everything that came in, and makes it final: history, mailbox, reply record and event at once. */
import type { OpenResponse } from '../channels/channel.ts';
import type { Channels } from '../channels/channels.ts';
import type { Confirmed } from '../contacts/confirm.ts';
import type { Ledger } from '../costs/ledger.ts';
import type { FailureCode } from '../errors.ts';
import { type EventOf, encodeEvent, type ModelUse } from '../events.ts';
import { countTokens } from '../llm/tokens.ts';
import type { Admission } from '../memory/allowance.ts';
import { addMessages, type Held, type Mailbox } from '../memory/mailbox.ts';
import { conversationOf, type Line, type Reply } from '../message.ts';
import type { Log } from '../ops/logger.ts';
import { partsOfMarkdown, reserveResponse } from '../outbound/prepare.ts';
import type { Answered, Asker } from './answer.ts';
import { type Fresh, hasAttachments, type Read, waitForSiblings } from './attachments.ts';
import { type ContextSettings, promptFor, toRemember } from './context.ts';
import { suspectsIn } from './hidden.ts';
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
  /** Including what was waited for the archive's word beyond the model's time. */
  commit: number;
}

export interface Composing {
  response: OpenResponse | null;
  signal: AbortSignal;
  confirmed: Confirmed;
  log: Log;
}

export type Compose = (
  held: Held,
  admission: Exclude<Admission, 'silence'>,
  composing: Composing,
) => Promise<
  | Made
  | { kind: 'silence'; failure: FailureCode }
  | { kind: 'lost' }
  /** The person is known by another id: `next` answers what waits, or a turn that is running already. */
  | { kind: 'moved'; next: Held | null }
  /**
   * Meanwhile a person took over or blocked the contact, or they got the same apology a moment ago: `fresh` are the messages as they are
   * remembered.
   */
  | { kind: 'quiet'; why: 'blocked' | 'takeover' | 'apologized'; fresh: Fresh[] }
>;

export interface ComposeOptions {
  mailbox: Mailbox;
  channels: Channels;
  asker: Asker;
  read: Read;
  context: ContextSettings;
  ledger: Pick<Ledger, 'of' | 'told'>;
}

/** Within this time, ms, nobody gets the same apology twice: who writes three messages while the model is down reads it once. */
const SAME_APOLOGY_MS = 120_000;

/** How often a turn adds messages that came in meanwhile before it answers with what it has. */
const MOST_MERGES = 3;

export function createCompose({ mailbox, channels, asker, read, context, ledger }: ComposeOptions): Compose {
  return async function compose(held, admission, { response, signal, confirmed, log }) {
    const channel = channels.of(conversationOf(held.conversation).channel);
    const took: Stages = { media: 0, model: 0, commit: 0 };
    const lap = stopwatch(took);
    if (hasAttachments(held.messages)) {
      await waitForSiblings(signal);
      await mailbox.takeMore(held);
    }
    for (let asks = 1; ; asks++) {
      const fresh = await read(held, signal, log);
      lap('media');
      const answered: Answered =
        admission === 'welcome'
          ? await asker.ask(held, promptFor(held, fresh, context), signal, log)
          : { kind: 'notice', text: NOTICES[admission] };
      lap('model');
      if (answered.kind === 'silence') return answered;
      const same = asks === 1 ? await confirmed() : held;
      if (same !== held) return { kind: 'moved', next: same };
      if (hasJustApologized(held, answered, context.now())) return { kind: 'quiet', why: 'apologized', fresh };
      const parts = partsOfMarkdown(answered.text, channel);
      const via = reserveResponse(response, parts);
      const reply = replyTo(held, parts, via, context.now());
      const spent = ledger.of(held.turn);
      const committed = await mailbox.commit(held, {
        mayTakeMore: answered.kind === 'answer' && asks <= MOST_MERGES,
        lines: [
          ...fresh.map(({ line }) => toRemember(line, context.historyTokens)),
          replyLine(reply, answered, refusedLines(held, fresh, answered)),
        ],
        reply,
        event: encodeEvent(replyMade(held, fresh, reply, answered, spent)),
      });
      lap('commit');
      if (committed.kind === 'committed') {
        ledger.told(held.turn, spent);
        return { kind: 'made', reply, answered, roll: committed.roll, asks, took };
      }
      if (via === 'response') response?.unclaim();
      if (committed.kind === 'lost') return committed;
      if (committed.kind === 'quiet') return { ...committed, fresh };
      addMessages(held, committed.messages);
    }
  };
}

/** A refused message gets its apology each time: the line of the reply hides it. */
function hasJustApologized({ history }: Held, answered: Answered, now: number): boolean {
  if (answered.kind !== 'apology' || answered.failure === 'model.filtered') return false;
  const last = history.findLast(({ role }) => role === 'assistant');
  return last?.apology === true && last.text === answered.text && now - last.at < SAME_APOLOGY_MS;
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

/** An answer goes to the address they wrote from last. */
function replyTo({ turn, conversation, messages }: Held, parts: Reply['parts'], via: Reply['via'], at: number): Reply {
  const to = messages.at(-1)?.from ?? conversationOf(conversation).contact;
  return { id: turn, conversation, to, parts, via, at };
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

function replyMade(
  held: Held,
  fresh: readonly Fresh[],
  { to, parts, via, at }: Reply,
  answered: Made['answered'],
  spent: ModelUse[],
): EventOf<'reply.made'> {
  const event = { ...madeBy(held, fresh, spent), at, reply: { to, parts, via } };
  if (answered.kind === 'answer') return { ...event, usage: answered.usage };
  return answered.kind === 'apology' ? { ...event, failure: answered.failure } : event;
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
  return answered.kind === 'answer' ? line : { ...line, apology: true };
}
