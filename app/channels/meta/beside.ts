/** What arrives beside messages to us: the Business app's and other responders' words, handovers, preferences, calls, what was before. */
import { createHash } from 'node:crypto';
import { contactIdOf } from '../../contacts/addresses.ts';
import type { InboundMessage, OverheardMessage, Route } from '../../message.ts';
import { type Scrubbed, scrub } from '../../privacy/scrub.ts';
import { clean, isAddress, LONGEST_TEXT } from '../reading.ts';
import { attachmentsIn, textIn, UPDATES } from './content.ts';
import {
  digitsOf,
  type Inbound,
  ignored,
  isWord,
  type Place,
  type Request,
  secondsIn,
  sentAtIn,
  stampIn,
} from './inbound.ts';
import { Call, type Content, Echo, Handovers, OthersEcho, type Past, Preference } from './shapes.ts';
import { META } from './status.ts';

/** What the team sent from the Business app; what they edited or took back is ignored. */
export function readEcho(one: unknown, { business }: Place, { next }: Request): Inbound {
  const read = Echo.safeParse(one);
  if (!read.success) return ignored('A message of the Business app has no id.');
  const { id, timestamp, ...content } = read.data;
  const to = digitsOf(content.to) ?? content.to;
  if (to === undefined || !isAddress(to)) return ignored('A message of the Business app does not say to whom.');
  if (isUpdate(content)) return ignored(`What came from the Business app is only an update (${content.type}).`);
  const receivedAt = next();
  const at = sentAtIn(timestamp, receivedAt).sentAt ?? receivedAt;
  return {
    kind: 'echo',
    echo: { id, channel: META, business, to, contact: contactIdOf(to), text: wordsIn(content), at },
  };
}

/** What another responder wrote in a thread that it owns. */
export function readOthersEcho(one: unknown, { business }: Place, { next }: Request): Inbound {
  const read = OthersEcho.safeParse(one);
  if (!read.success) return ignored('A message of another responder has no id.');
  const { id, timestamp, message } = read.data;
  const address = digitsOf(message.to) ?? message.recipient;
  if (address === undefined || !isAddress(address))
    return ignored('A message of another responder does not say to whom.');
  if (isUpdate(message)) return ignored(`What another responder sent is only an update (${message.type}).`);
  const receivedAt = next();
  // As messages to us: by when it was received, unless that was long after it was sent.
  const at = sentAtIn(timestamp, receivedAt).sentAt ?? receivedAt;
  const [text, attachments] = [wordsIn(message), attachmentsIn(message)];
  const said: OverheardMessage = { id, author: 'other', text, attachments, at };
  const route = { owner: 'other', at: stampIn(timestamp, receivedAt) } as const;
  return overheard({ business, address, messages: [said], route });
}

/** So many past messages become one event, so that none is too large. */
const PAST_AT_ONCE = 50;

/** Messages from the time before the number came to this API. @param thread the contact's number */
export function readPast(
  thread: string | undefined,
  messages: readonly Past[],
  { business }: Place,
  { next }: Request,
): Inbound[] {
  const address = digitsOf(thread);
  if (address === undefined || !isAddress(address)) return [ignored('Past messages do not say whose they are.')];
  const receivedAt = next();
  const said = messages
    .filter((message) => !isUpdate(message))
    .map((message): OverheardMessage => {
      const isTheirs = contactIdOf(digitsOf(message.from) ?? '') === contactIdOf(address);
      const at = Math.min(secondsIn(message.timestamp) ?? receivedAt, receivedAt);
      const attachments = attachmentsIn(message);
      return { id: message.id, author: isTheirs ? 'contact' : 'desk', text: wordsIn(message), attachments, at };
    })
    .sort((a, b) => a.at - b.at);
  const chunks = Array.from({ length: Math.ceil(said.length / PAST_AT_ONCE) }, (_, i) =>
    said.slice(i * PAST_AT_ONCE, (i + 1) * PAST_AT_ONCE),
  );
  return chunks.map((chunk) => overheard({ business, address, messages: chunk }));
}

/** A file of a past message comes later, by itself. */
export function readPastFile(one: Past, place: Place, request: Request): Inbound[] {
  const theirs = one.to ?? one.from;
  return readPast(theirs, [one], place, request);
}

function overheard(said: { business: string; address: string; messages: OverheardMessage[]; route?: Route }): Inbound {
  return { kind: 'report', report: { kind: 'overheard', overheard: { channel: META, ...said } } };
}

/** We got a thread, or lost it. */
export function readHandover(value: unknown, { business }: Place, { next }: Request): Inbound {
  const read = Handovers.safeParse(value);
  if (!read.success) return ignored('A handover cannot be read.');
  const { sender, timestamp, type, control_passed: passed } = read.data;
  const number = digitsOf(sender?.phone_number);
  if (number === undefined) return ignored('A handover does not say whose thread it is.');
  const kind = type ?? (passed ? 'control_passed' : '');
  if (kind !== 'control_passed' && kind !== 'control_taken')
    return ignored('A handover is of a kind that is not known.');
  const contact = contactIdOf(number);
  // Whoever passes a thread on passes it to us, unless it says that it goes to the assistant of Meta.
  const owner = kind === 'control_passed' && passed?.new_owner_role !== 'ai_agent' ? 'us' : 'other';
  const name = createHash('sha256')
    .update(JSON.stringify([business, contact, kind, timestamp, passed]))
    .digest('hex');
  const handover = {
    id: `handover-${name.slice(0, 32)}`,
    channel: META,
    business,
    contact,
    route: { owner, at: stampIn(timestamp, next()) } as const,
    context: owner === 'us' ? contextIn(passed) : scrub(''),
  };
  return { kind: 'report', report: { kind: 'handover', handover } };
}

/** The longest that another responder tells of a conversation, in UTF-16 units. */
const LONGEST_CONTEXT = 4_000;

/** A summary, or the last things that were said, one in each line; the newest of them when they are too long. */
function contextIn(passed: Handovers['control_passed']): Scrubbed {
  const { summary, history } = passed?.conversation_context ?? {};
  const lines = (history?.items ?? []).flatMap(({ role, sender_type, type, text }) => {
    const who = [role, sender_type].find(isWord) ?? 'somebody';
    const words = text ?? (isWord(type) ? `[${type}]` : '');
    return words === '' ? [] : `${who}: ${words}`;
  });
  const told = [passed?.metadata, summary?.text, lines.join('\n').slice(-LONGEST_CONTEXT)];
  return clean(told.filter(Boolean).join('\n').trim(), LONGEST_CONTEXT);
}

/** Whether they want marketing messages from us. */
export function readPreference(one: unknown, { business }: Place, { next }: Request): Inbound {
  const read = Preference.safeParse(one);
  const { wa_id, user_id, category, value, timestamp } = read.data ?? {};
  const address = digitsOf(wa_id) ?? user_id;
  if (address === undefined || !isAddress(address)) return ignored('A preference does not say whose it is.');
  const consent = value === 'stop' ? 'opt-out' : value === 'resume' ? 'opt-in' : null;
  if (category !== 'marketing_messages' || consent === null)
    return ignored('A preference is of a kind that is not known.');
  const receivedAt = next();
  const at = Math.min(secondsIn(timestamp) ?? receivedAt, receivedAt);
  const preference = { channel: META, business, contact: contactIdOf(address), consent, at } as const;
  return { kind: 'report', report: { kind: 'preference', preference } };
}

/** Of a call: the addresses that called, and what a message of it has. Null when we called, or nobody knows who. */
export function readCall(
  one: unknown,
  { business }: Place,
): { call: Call; content: Pick<InboundMessage, 'text' | 'attachments' | 'unread' | 'answered'> } | null {
  const read = Call.safeParse(one);
  if (!read.success) return null;
  const { direction, from } = read.data;
  if (direction !== undefined && direction !== 'USER_INITIATED') return null;
  if (direction === undefined && digitsOf(from) === business) return null;
  const text = scrub('They called us on WhatsApp.');
  return {
    call: read.data,
    content: { text, attachments: [], unread: { kind: 'call', isUpdate: true }, answered: true },
  };
}

function isUpdate({ type }: Content): boolean {
  return type !== undefined && UPDATES.has(type);
}

function wordsIn(content: Content): Scrubbed {
  const words = textIn(content, undefined);
  return words === '' ? scrub(`[${isWord(content.type) ? content.type : 'message'}]`) : clean(words, LONGEST_TEXT);
}
