/** Labels and colours of the inbox's values on the page. */
import type { Conversation, Message, Task } from '../../inbox/contract.ts';
import type { Tone } from './Tag.tsx';

const SENTIMENTS: Record<string, { word: string; tone: Tone }> = {
  urgent: { word: 'Urgent', tone: 'bad' },
  negative: { word: 'Negative', tone: 'warn' },
  neutral: { word: 'Neutral', tone: 'plain' },
  positive: { word: 'Positive', tone: 'good' },
};

/** The operator's own sentiments have no colour. */
export function sentimentInWords(name: string): { word: string; tone: Tone } {
  const known = Object.hasOwn(SENTIMENTS, name) ? SENTIMENTS[name] : undefined;
  return known ?? { word: capitalised(inWords(name)), tone: 'plain' };
}

export function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export const TASK_STATES: { status: Task['status']; word: string }[] = [
  { status: 'pending', word: 'To do' },
  { status: 'in_progress', word: 'In progress' },
  { status: 'completed', word: 'Done' },
  { status: 'cancelled', word: 'Cancelled' },
];

export const PRIORITIES = ['1 – most urgent', '2 – high', '3 – normal', '4 – low', '5 – least urgent'];

export const CANNED = [
  'Thank you for your message. I am looking into it and will get back to you shortly.',
  'Could you please send me a few more details?',
  'This is done. Is there anything else I can help you with?',
];

const KINDS: Partial<Record<Message['message_type'], string>> = {
  audio: 'Voice note',
  image: 'Picture',
  video: 'Video',
  document: 'Document',
  contact: 'Contact card',
  location: 'Location',
};

export function nameOf({ contact_name, phone_number }: Pick<Conversation, 'contact_name' | 'phone_number'>): string {
  return contact_name || phone_number;
}

/** The line under a name in the list. */
export function previewOf(conversation: Conversation): string {
  const { last_message_type, last_message_text, last_message_author } = conversation;
  const who = last_message_author === null ? '' : BEFORE[last_message_author];
  const kind = last_message_type ? KINDS[last_message_type] : undefined;
  return who + [kind, plain(last_message_text ?? '')].filter(Boolean).join(' · ');
}

/** Who wrote the last message. */
const BEFORE: Record<NonNullable<Conversation['last_message_author']>, string> = {
  contact: '',
  bot: 'Bot: ',
  desk: 'You: ',
  other: 'Another responder: ',
  template: 'Template: ',
};

/** Without the marks of WhatsApp's formatting. */
function plain(text: string): string {
  return text.replace(/(?<![\p{L}\p{N}])([*_~])(\S|\S[^\n]*?\S)\1(?![\p{L}\p{N}])/gu, '$2');
}

/** Why no template can be sent to the contact, as a sentence; null when one can. */
export function whyNoTemplate({ conversation_status, opted_out_at }: Conversation): string | null {
  if (conversation_status === 'blocked')
    return 'This contact is blocked: nothing is sent to them. Move the conversation to the inbox first.';
  if (opted_out_at === null) return null;
  return 'They want no more messages (STOP). No template can be sent until they write START, or you record that they agree again: see “Consent to messages” in the menu.';
}

/** `follow_up` is shown as `follow up`. */
export function inWords(name: string): string {
  return name.replaceAll('_', ' ');
}

/** Today in this browser, as a task's day is written: `2026-11-24`. */
export function today(): string {
  return DAY_OF_TASK.format(new Date());
}

/** `Tue, 24 Nov`; with the year when it is another one. */
export function dueDay(day: string): string {
  const date = new Date(`${day}T12:00:00`);
  return (date.getFullYear() === new Date().getFullYear() ? DUE_DAY : DUE_DAY_AND_YEAR).format(date);
}

/** The message of an error. */
export function problemOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

// Sweden writes days as ISO 8601 does.
const DAY_OF_TASK = new Intl.DateTimeFormat('sv-SE', { dateStyle: 'short' });
const DUE_DAY = new Intl.DateTimeFormat('en-GB', { weekday: 'short', day: 'numeric', month: 'short' });
const DUE_DAY_AND_YEAR = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric' });
const SHORT_DAY = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });
const CLOCK = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const MINUTE = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short' });

/** `14:03` today, else `21 Nov`. */
export function when(time: string, now: number): string {
  const date = new Date(time);
  return date.toDateString() === new Date(now).toDateString() ? CLOCK.format(date) : SHORT_DAY.format(date);
}

/** Why a conversation waits for a person. */
export const HANDOFF_REASONS = {
  asked: 'Asked for a person',
  model: 'The bot called somebody',
  failed: 'Got no answer again and again',
} as const;

/** How long somebody has waited: `3 min`, `2 h 5 min`, `4 days` */
export function waited(since: string, now: number): string {
  const minutes = Math.max(0, Math.floor((now - Date.parse(since)) / 60_000));
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} days`;
}

/** `14:03` */
export function clock(time: string): string {
  return CLOCK.format(new Date(time));
}

/** `24 Nov 2026, 14:03` */
export function minuteOf(time: string): string {
  return MINUTE.format(new Date(time));
}

/** `14:03` today, `tomorrow 02:52`, else `21 Nov 14:03`. */
export function until(time: string | null, now: number): string {
  if (time === null) return '';
  const date = new Date(time);
  const days = [0, 1].map((day) => new Date(now + day * 86_400_000).toDateString());
  if (date.toDateString() === days[0]) return clock(time);
  return date.toDateString() === days[1] ? `tomorrow ${clock(time)}` : `${SHORT_DAY.format(date)} ${clock(time)}`;
}
