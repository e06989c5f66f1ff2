/**
 * Makes attachments readable: a picture as an image for the model, a voice note as its transcript, and everything else as a sentence
 * that says what was sent and why it cannot be opened. It never fails a turn.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { DownloadOptions } from '../channels/channel.ts';
import { Failure, type FailureCode, isFailure } from '../errors.ts';
import { encodeEvent } from '../events.ts';
import type { ContentPart } from '../llm/model.ts';
import { countTokens } from '../llm/tokens.ts';
import { describeContactCard, readContactCard } from '../media/contact-card.ts';
import { kindOfBytes } from '../media/kind.ts';
import type { Held } from '../memory/mailbox.ts';
import type { Publish } from '../memory/publish.ts';
import {
  type Attachment,
  type ChannelName,
  conversationId,
  type InboundMessage,
  type Line,
  type Location,
  type Referral,
  type SpentOn,
  wordsOf,
} from '../message.ts';
import { createGate } from '../ops/gate.ts';
import type { Log } from '../ops/logger.ts';
import type { Metrics } from '../ops/metrics.ts';
import { type Scrubbed, scrub } from '../privacy/scrub.ts';
import { shownLines } from './hidden.ts';

/** A new message: the line that is remembered of it, and what the model is shown beside it, this time only. */
export interface Fresh {
  line: Line;
  hint: Scrubbed | null;
  pictures: ContentPart[];
  /** What was said in voice notes; null when that could not be found out. Undefined when there are none. */
  transcript?: Scrubbed | null;
  /** Why there is no transcript, for the team. */
  unheard?: Scrubbed;
}

/** In the order of the messages. A message is read once, however often a turn asks. `signal` ends downloads early. */
export type Read = (
  held: Pick<Held, 'messages' | 'history' | 'turn'>,
  signal: AbortSignal,
  log: Log,
) => Promise<Fresh[]>;

export interface ReadOptions {
  download: (channel: ChannelName, attachment: Attachment, how: DownloadOptions) => Promise<Buffer>;
  /** Bytes → a picture the model can look at. */
  seePicture: (bytes: Buffer, log: Log) => Promise<Extract<ContentPart, { kind: 'image' }>>;
  /** Bytes → the words that were said, '' when nothing was. */
  hearVoice: (bytes: Buffer, on: SpentOn, signal: AbortSignal, log: Log) => Promise<Scrubbed>;
  /** The words of one of our messages that a person answers; null when they cannot be had soon. Never rejects. */
  quoted: (channel: ChannelName, id: string, signal: AbortSignal) => Promise<Scrubbed | null>;
  publish: Publish;
  metrics: Metrics;
  now: () => number;
}

/** The turn in which a message is read. */
interface Reading extends Pick<Held, 'history' | 'turn'> {
  signal: AbortSignal;
  log: Log;
}

/** So many characters of a message are quoted when it is answered. */
const LONGEST_QUOTE = 200;

/** How long a turn that begins with an attachment waits for its siblings: several photos sent at once are several webhooks. */
export const SIBLINGS_MS = 600;

/**
 * How many files are in memory at once: each may have as many bytes as MAX_MEDIA_BYTES says. Recordings and all else have places of their
 * own: nobody's picture waits for a speech server that hangs.
 */
const MOST_FILES = 8;

export function hasAttachments(messages: readonly InboundMessage[]): boolean {
  return messages.some((message) => message.attachments.length > 0);
}

export function waitForSiblings(signal: AbortSignal): Promise<void> {
  return sleep(SIBLINGS_MS, undefined, { signal });
}

export function createRead({ download, seePicture, hearVoice, quoted, publish, metrics, now }: ReadOptions): Read {
  const gates = { audio: createGate(MOST_FILES), other: createGate(MOST_FILES) };
  const known = new WeakMap<InboundMessage, Promise<Fresh>>();
  return read;

  function read({ messages, ...held }: Parameters<Read>[0], signal: AbortSignal, log: Log) {
    return Promise.all(messages.map((message) => once(message, { ...held, signal, log })));
  }

  function once(message: InboundMessage, turn: Reading): Promise<Fresh> {
    const reading = known.get(message) ?? readOne(message, turn);
    known.set(message, reading);
    return reading;
  }

  async function readOne(message: InboundMessage, turn: Reading): Promise<Fresh> {
    const { attachments } = message;
    const [answered, ...parts] = await Promise.all([
      answeredWords(message, turn),
      ...attachments.map((attachment) => open(message, attachment, turn)),
    ]);
    const notes = [...aboutMessage(message, answered), ...parts.map(({ note }) => note), ...aboutPlace(message)];
    const hints = parts.map(({ hint }) => hint).filter(Boolean);
    if (message.unread && !message.unread.isUpdate) hints.push(UNREAD);
    const pictures = parts.flatMap(({ picture }) => picture ?? []);
    if (pictures.length > 0 && message.text === '') hints.push(PICTURE_ALONE);
    const said = parts.flatMap((part) => part.said ?? []);
    const line = lineOf(
      message,
      notes.flatMap((note) => note ?? []),
      said,
    );
    const fresh: Fresh = { line, hint: hints.length > 0 ? scrub(`(${hints.join(' ')})`) : null, pictures };
    const hasVoice = said.length > 0 || attachments.some(({ kind }) => kind === 'audio');
    if (!hasVoice) return fresh;
    if (said.length > 0) return { ...fresh, transcript: scrub(said.join('\n')) };
    return { ...fresh, transcript: null, unheard: scrub(parts.flatMap(({ unheard }) => unheard ?? []).join(' ')) };
  }

  /** Of the message that this one answers: theirs are in the history, ours are with the provider. */
  async function answeredWords(
    { inReplyTo, channel }: InboundMessage,
    { history, signal }: Reading,
  ): Promise<Scrubbed | null> {
    if (inReplyTo === undefined) return null;
    const isIt = ({ id, role }: Line) => role === 'user' && id === inReplyTo;
    if (!history.some(isIt)) return quoted(channel, inReplyTo, signal);
    const theirs = shownLines(history).find(isIt);
    return theirs ? scrub([...(theirs.notes ?? []).map((note) => `[${note}]`), theirs.text].join(' ')) : null;
  }

  async function open(message: InboundMessage, attachment: Attachment, turn: Reading): Promise<Opened> {
    const { signal, log } = turn;
    const startedAt = performance.now();
    if (attachment.kind === 'audio') void tellListening(message);
    let outcome = 'read';
    const leave = await gates[attachment.kind === 'audio' ? 'audio' : 'other'].enter(1);
    try {
      const isWanted = isHardlyOpened(attachment) ? canBeOpened : undefined;
      const bytes = await download(message.channel, attachment, { signal, log, isWanted });
      return await openBytes(bytes, message, attachment, turn);
    } catch (error) {
      const code = isFailure(error) ? error.code : 'media.unreadable';
      outcome = code;
      // People send films and documents every day.
      log[code === 'media.unsupported' ? 'info' : 'warn']('An attachment could not be read', {
        kind: attachment.kind,
        code,
        error,
      });
      const why = isFailure(error) ? error.message : 'Something unexpected went wrong; the log has the details.';
      return { ...unopened(attachment, code), unheard: why };
    } finally {
      leave();
      metrics.mediaRead(attachment.kind, outcome, performance.now() - startedAt);
    }
  }

  /** The inbox shows it. Where nobody hears of it, the transcript just appears. */
  async function tellListening(message: InboundMessage): Promise<void> {
    const conversation = conversationId(message);
    const event = encodeEvent({ type: 'voice.opened', conversation, at: now(), message: message.id });
    await publish(message.contact, event).catch(() => {});
  }

  /** The bytes decide what it is; where they say nothing, what the provider claims. */
  async function openBytes(
    bytes: Buffer,
    message: InboundMessage,
    { kind: claimed }: Attachment,
    { turn, signal, log }: Reading,
  ): Promise<Opened> {
    const found = await kindOfBytes(bytes);
    switch (found === 'other' ? claimed : found) {
      case 'image':
        return { note: 'picture', picture: await seePicture(bytes, log) };
      case 'audio': {
        const said = await hearVoice(bytes, { conversation: conversationId(message), turn }, signal, log);
        return said === '' ? { note: 'voice note', hint: NOTHING_SAID, unheard: NOTHING_SAID } : { said };
      }
      case 'contact-card': {
        if (readContactCard(bytes).length === 0) throw new Failure('media.unreadable', 'A contact card has no end.');
        const described = describeContactCard(bytes);
        return { note: described === '' ? 'contact card without a name or a number' : `contact card: ${described}` };
      }
      default:
        throw new Failure('media.unsupported', 'A file is neither a picture, a recording nor a contact card.');
    }
  }
}

/** Types of files that cannot be opened, if they are right: no more than their beginning is downloaded. */
const DOCUMENTS =
  /^(text\/(?!vcard|x-vcard|directory)|application\/(pdf|msword|rtf|zip|json|xml|vnd\.|x-(zip|rar|7z)))/;

function isHardlyOpened({ kind, contentType }: Attachment): boolean {
  return kind === 'video' || (kind === 'document' && DOCUMENTS.test(contentType));
}

async function canBeOpened(beginning: Buffer): Promise<boolean> {
  return (await kindOfBytes(beginning)) !== 'other';
}

interface Opened {
  /** Stands in the history beside their words. */
  note?: string;
  /** Told to the model, this time only. */
  hint?: string;
  picture?: ContentPart;
  /** What was said in a voice note. */
  said?: Scrubbed;
  /** Why nothing is known of what was said, for the team. */
  unheard?: string;
}

const NOTHING_SAID = 'Nothing could be heard in the voice note.';

function lineOf(message: InboundMessage, notes: readonly string[], said: readonly Scrubbed[]): Line {
  const text = scrub([...said, wordsOf(message)].filter((words) => words !== '').join('\n'));
  const tokens = countTokens([...notes, text].join('\n'));
  const line: Line = { role: 'user', text, at: message.receivedAt, id: message.id, tokens };
  return notes.length === 0 ? line : { ...line, notes: notes.map((note) => scrub(note)) };
}

/** What stands around the message: where it comes from, and what it answers. */
function aboutMessage({ referral, forwarded, inReplyTo }: InboundMessage, answered: Scrubbed | null): string[] {
  const notes: string[] = [];
  if (referral) notes.push(adOf(referral));
  if (forwarded) notes.push('forwarded from another chat');
  if (answered) notes.push(`in answer to: ${quoteOf(answered)}`);
  else if (inReplyTo !== undefined) notes.push('in answer to an earlier message');
  return notes;
}

function quoteOf(words: Scrubbed): string {
  const line = words.replace(/\s+/g, ' ').trim();
  return line.length <= LONGEST_QUOTE ? line : `${line.slice(0, LONGEST_QUOTE).toWellFormed()}…`;
}

function aboutPlace({ location, buttonPayload }: InboundMessage): string[] {
  const notes: string[] = [];
  if (location) notes.push(`location: ${placeOf(location)}`);
  if (buttonPayload) notes.push(`pressed the button ${buttonPayload}`);
  return notes;
}

const PICTURE_ALONE = 'They sent the picture without a word: say what you see and what you can do with it.';

const UNREAD =
  'WhatsApp did not pass on what they sent: it may be too large, or of a kind that businesses do not get. Tell them so kindly in one sentence, and ask them to write it or to send it in another form.';

const NAMES = {
  image: 'picture',
  audio: 'voice note',
  video: 'video',
  'contact-card': 'contact card',
  document: 'document',
};

function unopened({ kind, contentType }: Attachment, code: FailureCode): Opened {
  const name = NAMES[kind];
  const why = REASONS[code] ?? 'it could not be opened';
  return {
    note: name,
    hint: `You cannot see the ${name} (${contentType}): ${why}. Tell them so kindly, and how they can help you.`,
  };
}

/** Why something cannot be opened, for the model to explain. For problems on our side it is just "it could not be opened". */
const REASONS: Partial<Record<FailureCode, string>> = {
  'media.unsupported':
    'you can look at pictures, listen to voice notes and read contact cards, but not open this kind of file',
  'media.too_large': 'it is too large; a smaller one would work',
  'media.unreadable': 'the file seems to be damaged; sending it again may help',
  'media.gone': 'it is no longer there; sending it again may help',
};

/** What the advertisement said that they come from: "Tell me more" means nothing without it. */
function adOf({ headline, body }: Referral): string {
  const said = [headline, body].filter(Boolean).join(': ');
  return said === '' ? 'comes from an ad' : `comes from the ad: ${said}`;
}

function placeOf({ latitude, longitude, label, address }: Location): string {
  return [label, address, `${latitude}, ${longitude}`].filter(Boolean).join(', ');
}
