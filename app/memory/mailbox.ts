/**
 * Waiting messages, leases and answers: one method per script, one round trip each.
 * Everything rejects with `store.unavailable` when Redis cannot be asked.
 */
import {
  type Consent,
  type ContactId,
  type ConversationId,
  conversationId,
  conversationOf,
  type FilledTemplate,
  type InboundMessage,
  type Line,
  type Reply,
} from '../message.ts';
import { type Scrubbed, scrub } from '../privacy/scrub.ts';
import { MINUTE_MS } from './allowance.ts';
import { type Keys, threadOf } from './keys.ts';
import { leaseOf } from './processes.ts';
import { type RedisClient, type RunScript, unavailable } from './redis.ts';
import { MOST_EVENTS } from './stream.ts';
import { isOther, markOf } from './threads.ts';

/** What is remembered of a contact, as a turn needs it. */
export interface Memory {
  /** '' when there is none. */
  summary: Scrubbed;
  /** Of the summary; a roll compares it. */
  version: string;
  profileName: Scrubbed | null;
  /** Verbatim, oldest first. */
  history: Line[];
}

/** A contact whose lease one turn holds: no other turn answers until this one finishes or the lease runs out. */
export interface Held extends Memory {
  contact: ContactId;
  /** The conversation this turn is about: that of `pending`, else that of the oldest message. */
  conversation: ConversationId;
  turn: string;
  /** Oldest first, at most `MOST_MESSAGES`, all of one conversation; none when there is only a reply to deliver. */
  messages: InboundMessage[];
  /** What waits next belongs to another conversation of the contact: the next turn answers it. */
  complete: boolean;
  /** A reply of a turn that ended early: it may have been sent, or not. */
  pending: Reply | null;
  /** How often a turn took over what waits, this time included; 0 at the first try. */
  attempts: number;
  /** How many processes crashed over what waits, since one last gave it back in order. */
  crashes: number;
  /** In this conversation a person answers until then, unix ms; 0 = the model does. */
  takeoverUntil: number;
  /** Another responder owns the thread of this conversation: nothing is sent. */
  isOthers: boolean;
  /** When the person last wrote in this conversation, unix ms; 0 when it is not known. */
  lastInboundAt: number;
  /** The contact is not answered. */
  blocked: boolean;
  /** Since when they have opted out of messages, unix ms; 0 = they have not. */
  optedOutAt: number;
  /** When they last agreed to get messages, unix ms; 0 = that is not remembered. */
  optedInAt: number;
  /** What was said in this conversation about getting messages, and is to be confirmed; null = nothing. */
  toConfirm: Consent | null;
  /** They were told that software answers. */
  isDisclosed: boolean;
  /** What the bot asked last in this conversation, to be answered with yes or no, and when, unix ms; null = nothing. */
  asked: { what: 'reset' | 'forget'; at: number } | null;
  /** How many answers in this conversation failed in a row. */
  failures: number;
  /** What they write looks like spam: they are not answered before this, unix ms; 0 = they are. */
  throttledUntil: number;
  /** Until then the team says that it is no spam, unix ms; 0 = it has not said so. */
  excusedUntil: number;
  /** Block, opt-out and takeover were compared with the archive, so that the copy here is complete. */
  confirmed: boolean;
}

export type Accepted =
  /** The contact is an alias of `to`: nothing was stored. */
  | { kind: 'moved'; to: ContactId }
  | { kind: 'known' }
  | { kind: 'waiting'; counts: Counts }
  | { kind: 'turn'; held: Held; counts: Counts };

/** What of a message is counted to recognise spam. */
export interface Traits {
  /** Names its words; '' when they are not compared with others. */
  words: string;
  hasLink: boolean;
  /** The numbers around the contact's; '' when the contact has no number. */
  block: string;
}

/** How often, in the hour that began with the first of them. All but `minute` are 0 for a repeat. */
export interface Counts {
  /** Messages of this contact in this minute. */
  minute: number;
  /** Messages of this contact. */
  messages: number;
  /** Of these, with the same words as this one. */
  sameWords: number;
  /** Of these, with a link; 0 when this message has none. */
  links: number;
  /** Contacts that wrote the same words, this one included; 0 for a contact that is not new and has no link. */
  writers: number;
  /** New contacts around this one's number; 0 when this contact is not new. */
  newcomers: number;
  /** The score that is recorded for this contact, see `suspects.ts`. */
  recorded: number;
}

export type Committed =
  | { kind: 'lost' }
  /** Meanwhile the contact was blocked or opted out, another responder got the thread, or a person took over: nothing was changed. */
  | { kind: 'quiet'; why: Quiet }
  | { kind: 'more'; messages: InboundMessage[] }
  | { kind: 'committed'; roll: boolean };

export type Quiet = 'blocked' | 'standby' | 'opted out' | 'takeover';

export type Claimed =
  /** The contact became an alias of `to`, but its memory was not moved completely. */
  { kind: 'moved'; to: ContactId } | { kind: 'busy' } | { kind: 'idle' } | { kind: 'turn'; held: Held };

export type Finished = { kind: 'lost' } | { kind: 'done' } | { kind: 'turn'; held: Held };

/** What a commit makes final. */
export interface Answer {
  /** May the turn still take in what came meanwhile? */
  mayTakeMore: boolean;
  lines: Line[];
  /** What to send; null when there is nothing to say. */
  reply: Reply | null;
  /** The reply says that software answers. Default: false. */
  discloses?: boolean;
  /** A person is called: why (JSON), and so long the bot is silent, ms. Default: none is. */
  handoff?: { why: string; silentMs: number };
  /** Did the model fail? Default: it was not asked. */
  failed?: boolean;
  /** The reply asks this, to be answered with yes or no. Default: nothing. */
  asks?: 'reset' | 'forget' | undefined;
  /** History and summary go, but for `lines`. Default: false. */
  forgets?: boolean | undefined;
  /** For the event stream, JSON. */
  event: string;
}

export interface Mailbox {
  /**
   * Stores a message; gives its contact to `turn` when no turn is running. `event` is JSON for the event stream.
   * @param turn null when this process starts none: then the work is due at once, for another one
   * @param traits default: nothing is compared with other messages
   */
  accept(message: InboundMessage, turn: string | null, event: string, traits?: Traits): Promise<Accepted>;
  /** Makes the answer to `held.messages` final. */
  commit(held: Held, answer: Answer): Promise<Committed>;
  /** Takes over a contact that is due. */
  claim(contact: ContactId, turn: string): Promise<Claimed>;
  /** Adds to `held.messages` what came in meanwhile, as far as the same turn can answer it. */
  takeMore(held: Held): Promise<void>;
  /** Contacts whose work is due, of all shards, the longest due first; at most `most` of each shard. */
  due(most: number): Promise<ContactId[]>;
  /** Of all shards: contacts with work, those of them that are due while no turn is running, and dead letters. */
  backlog(): Promise<{ unfinished: number; due: number; dead: number }>;
  /**
   * Ends the turn, whose reply `replyId` was sent; what came in meanwhile goes to `nextTurn`.
   * @param handed that reply, when it was handed to a webhook's response: whether it arrived shows when the provider repeats the webhook
   */
  finish(held: Held, replyId: string, nextTurn: string, event: string, handed?: Reply): Promise<Finished>;
  /** Keeps the lease of `turn`; false when it belongs to another turn by now. */
  extend(contact: ContactId, turn: string): Promise<boolean>;
  /** Gives the contact back unanswered, to be due again after `retryMs`. */
  release(contact: ContactId, turn: string, retryMs: number): Promise<void>;
  /** Gives up the reply and the `taken` oldest messages: a dead letter. False when the lease is lost. */
  bury(held: Held, taken: number, why: { code: string; reason: string }, event: string): Promise<boolean>;
}

export interface MailboxOptions {
  redis: RedisClient;
  run: RunScript;
  keys: Keys;
  leaseMs: number;
  /** Idle time after which a contact's memory expires. */
  historyTtlMs: number;
  /** Tokens of verbatim history at which it is rolled into the summary. */
  historyTokens: number;
  /** Names this process, see `processes.ts`. */
  processId: string;
  /** Told of lines of a history that cannot be read. */
  onDamaged?: OnDamaged;
}

export type OnDamaged = (contact: ContactId, lines: number) => void;

/** A provider repeats a webhook for hours at most; Meta for 7 days (webhooks overview). */
const SEEN_MS = 8 * 86_400_000;

/**
 * How many messages one turn answers. More messages get further turns, each of which counts against the limit of a minute: a flood never
 * becomes one endless prompt.
 */
export const MOST_MESSAGES = 20;

/** A prompt never needs more lines than this; it bounds what a turn loads when rolls keep failing. */
const MOST_LINES = 500;

/** How long a reply is kept that went out in a webhook's response, and how many of a contact: a repeat comes within minutes. */
const HANDED_MS = 15 * 60_000;
const MOST_HANDED = 5;

/** So many lines are rolled even when they are short: well before the oldest are not loaded any more. */
const ROLLED_LINES = 400;

/** How long is counted to recognise spam, ms. */
export const SPAM_MS = 3_600_000;

/** How many texts of a contact are compared in that time, and how many texts and blocks of numbers in a shard: about 2 MB. */
const MOST_OWN_TEXTS = 50;
const MOST_COMPARED = 20_000;

const NO_TRAITS: Traits = { words: '', hasLink: false, block: '' };

/** A message as it waits: what is for the archive alone is in the event, and who owns the thread in the state. */
function waiting({ original: _, route: __, ...message }: InboundMessage): string {
  return JSON.stringify(message);
}

/** How many dead letters a shard keeps, roughly. */
const MOST_DEAD = 10_000;

export function createMailbox(options: MailboxOptions): Mailbox {
  const { redis, run, keys, leaseMs, historyTtlMs, historyTokens, processId, onDamaged } = options;
  const lease = (turn: string) => leaseOf(processId, turn);
  return { accept, commit, claim, takeMore, due, backlog, finish, extend, release, bury };

  async function accept(
    message: InboundMessage,
    turn: string | null,
    event: string,
    { words, hasLink, block }: Traits = NO_TRAITS,
  ): Promise<Accepted> {
    const { contact } = message;
    const key = keys.of(contact);
    const result = await run(
      'accept',
      [
        key.seen,
        key.mailbox,
        key.lease,
        key.state,
        key.history,
        key.reply,
        key.due,
        key.events,
        key.rate,
        key.alias,
        key.handed,
        key.processes,
        key.spam,
        key.texts,
        key.blocks,
      ],
      [
        message.id,
        waiting(message),
        turn === null ? '' : lease(turn),
        leaseMs,
        SEEN_MS,
        historyTtlMs,
        event,
        MOST_EVENTS,
        contact,
        message.profileName ?? '',
        MOST_LINES,
        MOST_MESSAGES,
        MINUTE_MS,
        threadOf(conversationId(message)),
        message.from,
        words,
        hasLink ? '1' : '',
        block,
        SPAM_MS,
        MOST_OWN_TEXTS,
        MOST_COMPARED,
        message.consent ?? '',
        message.answered ? '' : '1',
        message.sentAt === undefined ? 0 : Math.max(0, message.receivedAt - message.sentAt),
        message.route ? markOf(message.route) : 0,
      ],
    );
    const [kind, ...rest] = listOf(result);
    if (kind === 'turn')
      return { kind, held: readHeld(contact, turn ?? '', rest, onDamaged), counts: countsOf(rest[5]) };
    if (kind === 'moved') return { kind, to: String(rest[0]) };
    return kind === 'waiting' ? { kind, counts: countsOf(rest[0]) } : { kind: 'known' };
  }

  async function commit(held: Held, answer: Answer): Promise<Committed> {
    const { mayTakeMore, lines, reply, discloses = false, handoff, failed, asks = '', forgets = false, event } = answer;
    const { contact, conversation, turn, messages } = held;
    const key = keys.of(contact);
    const result = await run(
      'commit',
      [key.lease, key.mailbox, key.history, key.state, key.reply, key.due, key.events, key.handoffs],
      [
        lease(turn),
        turn,
        messages.length,
        mayTakeMore && !held.complete ? MOST_MESSAGES : 0,
        leaseMs,
        contact,
        lines.reduce((sum, line) => sum + line.tokens, 0),
        historyTokens,
        event,
        MOST_EVENTS,
        reply ? JSON.stringify(reply.parts) : '',
        reply?.via ?? '',
        conversation,
        reply?.to ?? '',
        threadOf(conversation),
        held.confirmed ? '1' : '',
        ROLLED_LINES,
        reply?.purpose ?? '',
        discloses ? '1' : '',
        handoff?.silentMs ?? 0,
        failed === undefined ? '' : failed ? '1' : '0',
        handoff?.why ?? '',
        asks,
        forgets ? '1' : '',
        reply?.template ? JSON.stringify(reply.template) : '',
        ...lines.map((line) => JSON.stringify(line)),
      ],
    );
    const [kind, detail] = listOf(result);
    if (kind === 'committed') return { kind, roll: detail === 1 };
    if (kind === 'quiet') return { kind, why: detail as Quiet };
    if (kind === 'more') return { kind, messages: readMessages(contact, detail, onDamaged) };
    return { kind: 'lost' };
  }

  async function claim(contact: ContactId, turn: string): Promise<Claimed> {
    const key = keys.of(contact);
    const result = await run(
      'claim',
      [key.lease, key.mailbox, key.state, key.history, key.reply, key.due, key.alias, key.processes],
      [lease(turn), leaseMs, contact, MOST_LINES, MOST_MESSAGES, historyTtlMs],
    );
    const [kind, ...rest] = listOf(result);
    if (kind === 'turn') return { kind, held: readHeld(contact, turn, rest, onDamaged) };
    if (kind === 'moved') return { kind, to: String(rest[0]) };
    return { kind: kind === 'busy' ? 'busy' : 'idle' };
  }

  async function takeMore(held: Held): Promise<void> {
    const entries = redis.lrange(keys.of(held.contact).mailbox, held.messages.length, MOST_MESSAGES - 1);
    const more = await entries.catch((error) => Promise.reject(unavailable(error)));
    addMessages(held, readMessages(held.contact, more, onDamaged));
  }

  async function due(most: number): Promise<ContactId[]> {
    const found = await Promise.all(keys.shards.map((shard) => run('due', [shard.due], [most])));
    return found.flatMap(listOf).map(String);
  }

  async function backlog(): Promise<{ unfinished: number; due: number; dead: number }> {
    const counts = await Promise.all(keys.shards.map((shard) => run('backlog', [shard.due, shard.dead], [])));
    const total = (figure: number) => counts.reduce((sum: number, one) => sum + Number(listOf(one)[figure]), 0);
    return { unfinished: total(0), due: total(1), dead: total(2) };
  }

  async function finish(
    held: Held,
    replyId: string,
    nextTurn: string,
    event: string,
    handed?: Reply,
  ): Promise<Finished> {
    const { contact, turn } = held;
    const key = keys.of(contact);
    const result = await run(
      'finish',
      [key.lease, key.reply, key.mailbox, key.state, key.history, key.due, key.events, key.handed],
      [
        lease(turn),
        lease(nextTurn),
        leaseMs,
        historyTtlMs,
        event,
        MOST_EVENTS,
        contact,
        MOST_LINES,
        replyId,
        MOST_MESSAGES,
        handed ? handedRecord(held, handed) : '',
        HANDED_MS,
        MOST_HANDED,
      ],
    );
    const [kind, ...rest] = listOf(result);
    if (kind === 'turn') return { kind, held: readHeld(contact, nextTurn, rest, onDamaged) };
    return { kind: kind === 'done' ? 'done' : 'lost' };
  }

  async function extend(contact: ContactId, turn: string): Promise<boolean> {
    const key = keys.of(contact);
    const args = [lease(turn), leaseMs, contact, processId];
    return (await run('extend', [key.lease, key.due, key.processes], args)) === 1;
  }

  async function release(contact: ContactId, turn: string, retryMs: number): Promise<void> {
    const key = keys.of(contact);
    await run('release', [key.lease, key.due, key.state], [lease(turn), retryMs, contact]);
  }

  async function bury(
    held: Held,
    taken: number,
    why: { code: string; reason: string },
    event: string,
  ): Promise<boolean> {
    const { contact, conversation, turn } = held;
    const key = keys.of(contact);
    const result = await run(
      'bury',
      [key.lease, key.mailbox, key.reply, key.state, key.due, key.dead, key.events, key.history],
      [lease(turn), conversation, why.code, why.reason, event, MOST_EVENTS, MOST_DEAD, taken, contact, historyTtlMs],
    );
    return listOf(result)[0] === 'buried';
  }
}

/** Adds messages that came in meanwhile to those a turn answers, up to the first of another conversation. */
export function addMessages(held: Held, more: readonly InboundMessage[]): void {
  const [first] = held.messages;
  for (const message of more) {
    const isSame = first && message.business === first.business && message.channel === first.channel;
    if (!isSame && conversationId(message) !== held.conversation) {
      held.complete = true;
      return;
    }
    held.messages.push(message);
  }
}

function handedRecord({ messages }: Held, { id, conversation, to, parts, at, purpose }: Reply): string {
  return JSON.stringify({
    messages: messages.map((message) => message.id),
    id,
    conversation,
    to,
    parts: JSON.stringify(parts),
    at: String(at),
    purpose: purpose ?? '',
  });
}

function readHeld(
  contact: ContactId,
  turn: string,
  [state, history, mailbox, reply, crashes = 0]: unknown[],
  onDamaged: OnDamaged | undefined,
): Held {
  const fields = fieldsOf(state);
  const waiting = readMessages(contact, mailbox, onDamaged);
  const pending = readReply(contact, reply, onDamaged);
  const [first] = waiting;
  const conversation = pending?.conversation ?? (first ? conversationId(first) : '');
  const thread = threadOf(conversation);
  const held: Held = {
    contact,
    conversation,
    turn,
    // A border: what was stored is scrubbed again when it is loaded.
    summary: scrub(fields.get('summary') ?? ''),
    version: fields.get('version') ?? '0',
    profileName: fields.has('profile') ? scrub(fields.get('profile') ?? '') : null,
    history: readLines(String(history), (lines) => onDamaged?.(contact, lines)),
    messages: [],
    complete: false,
    pending,
    attempts: Number(fields.get('attempts') ?? 0),
    crashes: Number(crashes),
    takeoverUntil: Number(fields.get(`takeover@${thread}`) ?? 0),
    isOthers: isOther(fields.get(`owner@${thread}`)),
    lastInboundAt: Number(fields.get(`lastInbound@${thread}`) ?? 0),
    blocked: fields.has('blocked'),
    optedOutAt: Number(fields.get('optedOut') ?? 0),
    optedInAt: Number(fields.get('optedIn') ?? 0),
    isDisclosed: fields.has('disclosed'),
    asked: askedIn(fields.get(`asked@${thread}`)),
    failures: Number(fields.get(`failures@${thread}`) ?? 0),
    toConfirm: consentIn(fields.get(`confirm@${thread}`)),
    throttledUntil: Number(fields.get('throttled') ?? 0),
    excusedUntil: Number(fields.get('excused') ?? 0),
    confirmed: fields.has('standing'),
  };
  if (!pending) addMessages(held, waiting);
  return held;
}

function countsOf(list: unknown): Counts {
  const [minute = 0, messages = 0, sameWords = 0, links = 0, writers = 0, newcomers = 0, recorded = 0] =
    listOf(list).map(Number);
  return { minute, messages, sameWords, links, writers, newcomers, recorded };
}

/** A reply that was made under an alias belongs to the contact from now on. One that cannot be read is none: the messages are answered again. */
function readReply(contact: ContactId, record: unknown, onDamaged: OnDamaged | undefined): Reply | null {
  const [id, conversation, to, parts, via, at, purpose, template] = listOf(record);
  if (typeof id !== 'string' || typeof parts !== 'string') return null;
  const texts = parsed(parts)?.filter((part) => typeof part === 'string');
  if (!texts || texts.length === 0 || !Number.isFinite(Number(at))) {
    onDamaged?.(contact, 1);
    return null;
  }
  const known = purpose === 'handoff' ? purpose : consentIn(purpose);
  const filled = templateIn(template);
  return {
    id,
    conversation: conversationId({ ...conversationOf(String(conversation)), contact }),
    to: String(to),
    parts: texts.map((part) => scrub(part)),
    ...(filled && { template: filled }),
    via: via === 'response' ? 'response' : 'call',
    at: Number(at),
    ...(known && { purpose: known }),
  };
}

/** As `commit` stored it; null for a reply that is no template, or for one that cannot be read: then its text is sent. */
function templateIn(stored: unknown): FilledTemplate | null {
  const read = typeof stored === 'string' && stored !== '' ? parsed(`[${stored}]`)?.[0] : undefined;
  if (!isRecord(read) || !isRecord(read.template) || !isRecord(read.variables)) return null;
  // It was written by `commit`.
  const { template, variables, body } = read as unknown as FilledTemplate;
  const values = Object.entries(variables).map(([name, value]) => [name, scrub(value)] as const);
  return { template, variables: Object.fromEntries(values), body: scrub(body) };
}

function askedIn(stored: string | undefined): Held['asked'] {
  const [what, at] = stored?.split(':') ?? [];
  return what === 'reset' || what === 'forget' ? { what, at: Number(at) } : null;
}

function consentIn(stored: unknown): Consent | null {
  return stored === 'opt-out' || stored === 'opt-in' ? stored : null;
}

/**
 * Lines as `commit` stored them, scrubbed again as they are loaded. One that cannot be read becomes an empty line that no model is
 * shown: rolls count lines from the oldest.
 * @param json an array: one long text is read quicker than fifty short ones
 * @param onDamaged is told how many lines cannot be read, if any
 */
export function readLines(json: string, onDamaged: (lines: number) => void): Line[] {
  const stored = parsed(json) ?? eachParsed(json);
  const lines = stored.map((line) => (isLine(line) ? wholeLine(line) : { ...UNREADABLE }));
  const damaged = stored.length - stored.filter(isLine).length;
  if (damaged > 0) onDamaged(damaged);
  return lines;
}

const UNREADABLE: Line = { role: 'assistant', text: scrub(''), at: 0, id: '', tokens: 0, apology: true };

function isLine(value: unknown): value is Pick<Line, 'role' | 'text'> & Record<string, unknown> {
  return isRecord(value) && (value.role === 'user' || value.role === 'assistant') && typeof value.text === 'string';
}

/** What is not of its type is left out or found again: role and words are what must not be lost. */
function wholeLine(stored: Pick<Line, 'role' | 'text'> & Record<string, unknown>): Line {
  const { role, at, id, tokens, notes, sent, hides, apology, desk } = stored;
  const text = scrub(stored.text);
  const line: Line = {
    role,
    text,
    at: typeof at === 'number' && at >= 0 ? at : 0,
    id: typeof id === 'string' ? id : '',
    tokens: typeof tokens === 'number' && tokens >= 0 ? tokens : Math.ceil(text.length / 2), // rather too many
  };
  if (isTexts(notes)) line.notes = notes.map((note) => scrub(note));
  if (isTexts(sent)) line.sent = sent.map((part) => scrub(part));
  if (isTexts(hides)) line.hides = hides;
  if (apology === true) line.apology = true;
  if (desk === true) line.desk = true;
  return line;
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}

function parsed(json: string): unknown[] | null {
  try {
    return listOf(JSON.parse(json));
  } catch {
    return null;
  }
}

/** Every line begins with its role, and a text cannot contain that beginning: its quotation marks are escaped. */
function eachParsed(json: string): unknown[] {
  return json
    .slice(1, -1)
    .split(/,(?=\{"role":")/)
    .flatMap((piece) => parsed(`[${piece}]`) ?? beforeDamage(piece));
}

/** The line that a piece begins with, if it is whole, and null for what follows it. */
function beforeDamage(piece: string): unknown[] {
  for (const { index } of piece.matchAll(/\},/g)) {
    const line = parsed(`[${piece.slice(0, index + 1)}]`);
    if (line) return [...line, null];
  }
  return [null];
}

/**
 * One that cannot be read becomes a message without content, which the person is told of: turns count messages from the oldest. What is
 * missing in one is taken from those beside it: its words are what must not be lost.
 */
function readMessages(contact: ContactId, entries: unknown, onDamaged: OnDamaged | undefined): InboundMessage[] {
  const read = listOf(entries).map((entry) => (parsed(`[${entry}]`) ?? [])[0]);
  const damaged = read.filter((message) => !hasWords(message)).length;
  if (damaged > 0) onDamaged?.(contact, damaged);
  const { channel = 'twilio', business = '', from = contact } = read.find(hasWords) ?? {};
  return read.map((message, i) => {
    const id = `unreadable-${i}`;
    const unread = { kind: 'unknown', isUpdate: false };
    const nothing = {
      id,
      channel,
      business,
      from,
      profileName: null,
      receivedAt: Date.now(),
      requestId: id,
      attachments: [],
    };
    const whole: Omit<InboundMessage, 'contact'> = hasWords(message)
      ? { ...nothing, ...message }
      : { ...nothing, text: scrub(''), unread };
    return { ...whole, contact }; // one that came in under an alias belongs to the contact from now on
  });
}

function hasWords(value: unknown): value is Partial<InboundMessage> & Pick<InboundMessage, 'id' | 'text'> {
  return isRecord(value) && typeof value.id === 'string' && typeof value.text === 'string';
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** A hash as scripts return it: field, value, field, value … */
function fieldsOf(flat: unknown): Map<string, string> {
  const list = listOf(flat);
  const fields = new Map<string, string>();
  // Redis answers with texts.
  for (let i = 0; i < list.length; i += 2) fields.set(list[i] as string, list[i + 1] as string);
  return fields;
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
