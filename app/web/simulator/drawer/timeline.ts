/** What went over the wire, one entry for each request, out of the events of one phone. */
import type { Delivery, OutgoingState, PageEvent, Provider, Written } from '../../../simulator/contract.ts';

export type WireEntry = { key: string; at: number; provider: Provider } & (
  | {
      kind: 'webhook';
      sid: string;
      attempt: number;
      preview: string;
      /** It only changes another message, and gets no answer. */
      isUpdate: boolean;
      delivery: Delivery | null;
      stages: Stages | null;
    }
  | { kind: 'model'; asked: Asked; replied: Replied | null }
  | {
      kind: 'answer';
      answer: Extract<PageEvent, { type: 'answer' }>;
      states: { state: OutgoingState; at: number; told: number | null | undefined }[];
    }
  | { kind: 'typing' }
  | { kind: 'fetched'; step: 'api' | 'cdn'; status: number }
  | { kind: 'routed'; other: boolean; delivery: Delivery | null }
  | { kind: 'forgotten' }
);

export type Asked = Extract<PageEvent, { type: 'asked' }>;
export type Replied = Extract<PageEvent, { type: 'replied' }>;

/** Where the time between a message and its answer went, ms. */
export interface Stages {
  before: number;
  model: number;
  after: number;
}

export function wireEntries(log: readonly PageEvent[]): WireEntry[] {
  const entries: WireEntry[] = [];
  for (const event of log) add(entries, event);
  for (const entry of entries)
    if (entry.kind === 'webhook' && entry.attempt === 1 && !entry.isUpdate) entry.stages = stagesOf(entry.at, log);
  return entries;
}

/** What belongs to one answer: the message or messages it is for, and every step up to the next message. */
export interface WireGroup {
  key: string;
  at: number;
  /** The messages' own words. */
  messages: string[];
  entries: WireEntry[];
}

/** Oldest first, and so are the entries of each. A message that comes in before the answer is in its group; a repeat is with its message. */
export function wireGroups(log: readonly PageEvent[]): WireGroup[] {
  const groups: WireGroup[] = [];
  for (const entry of wireEntries(log)) {
    const last = groups.at(-1);
    const isNewMessage = entry.kind === 'webhook' && entry.attempt === 1;
    const own = entry.kind === 'webhook' && !isNewMessage ? groups.find((group) => hasMessage(group, entry.sid)) : last;
    const isAnswered = last?.entries.some(({ kind }) => kind === 'answer');
    const isApart = entry.kind === 'forgotten' || last?.entries.some(({ kind }) => kind === 'forgotten');
    const messages = isNewMessage ? [entry.preview] : [];
    if (!own || isApart || (isNewMessage && isAnswered)) {
      groups.push({ key: entry.key, at: entry.at, messages, entries: [entry] });
    } else {
      own.entries.push(entry);
      own.messages.push(...messages);
    }
  }
  return groups;
}

function hasMessage({ entries }: WireGroup, sid: string): boolean {
  return entries.some((entry) => entry.kind === 'webhook' && entry.sid === sid);
}

/** Model requests and what became of them, oldest first. */
export function modelRequests(log: readonly PageEvent[]): { asked: Asked; replied: Replied | null }[] {
  return wireEntries(log).flatMap((entry) => (entry.kind === 'model' ? [entry] : []));
}

function add(entries: WireEntry[], event: PageEvent): void {
  const base = { key: event.id, at: event.at, provider: event.provider };
  switch (event.type) {
    case 'written': {
      const { sid, message } = event;
      const facts = { sid, attempt: 1, preview: previewOf(message), isUpdate: message.about !== undefined };
      entries.push({ ...base, kind: 'webhook', ...facts, delivery: null, stages: null });
      return;
    }
    case 'delivered': {
      const { sid, attempt, delivery } = event;
      const own = entries.filter((entry) => entry.kind === 'webhook').filter((entry) => entry.sid === sid);
      const [first] = own;
      const known = own.find((entry) => entry.attempt === attempt);
      if (known) known.delivery = delivery;
      else
        entries.push({
          ...base,
          at: event.at - delivery.ms,
          kind: 'webhook',
          sid,
          attempt,
          preview: delivery.fields.Body ?? first?.preview ?? '',
          isUpdate: first?.isUpdate ?? false,
          delivery,
          stages: null,
        });
      return;
    }
    case 'asked':
      entries.push({ ...base, kind: 'model', asked: event, replied: null });
      return;
    case 'replied': {
      const entry = entries.findLast((candidate) => candidate.kind === 'model' && candidate.asked.ask === event.ask);
      if (entry?.kind === 'model') entry.replied = event;
      return;
    }
    case 'answer':
      entries.push({ ...base, kind: 'answer', answer: event, states: [] });
      return;
    case 'status':
    case 'told': {
      const entry = entries.findLast((candidate) => candidate.kind === 'answer' && candidate.answer.sid === event.sid);
      if (entry?.kind !== 'answer') return;
      const known = entry.states.find(({ state }) => state === event.state);
      if (event.type === 'status') entry.states.push({ state: event.state, at: event.at, told: undefined });
      else if (known) known.told = event.status;
      return;
    }
    case 'typing':
      entries.push({ ...base, kind: 'typing' });
      return;
    case 'fetched':
      entries.push({ ...base, kind: 'fetched', step: event.step, status: event.status });
      return;
    case 'routed':
      entries.push({ ...base, kind: 'routed', other: event.other, delivery: event.delivery });
      return;
    case 'forgotten':
      entries.push({ ...base, kind: 'forgotten' });
  }
}

/** A message in a few words. */
function previewOf({ about, text, media, location, card }: Written): string {
  switch (about?.as) {
    case 'edit':
      return `edit: ${text}`;
    case 'revoke':
      return 'deleted';
    case 'reaction':
      return text ? `reaction ${text}` : 'reaction taken back';
    default:
      return text || media?.contentType || (location ? 'a place' : card ? 'a contact' : '');
  }
}

function stagesOf(writtenAt: number, log: readonly PageEvent[]): Stages | null {
  const answer = log.find((event) => event.type === 'answer' && event.at >= writtenAt);
  if (!answer) return null;
  const during = log.filter((event) => event.at >= writtenAt && event.at <= answer.at);
  const asked = during.find((event) => event.type === 'asked' && event.purpose === 'answer');
  const replied = during.findLast((event) => event.type === 'replied');
  if (!asked || !replied) return { before: answer.at - writtenAt, model: 0, after: 0 };
  return { before: asked.at - writtenAt, model: replied.at - asked.at, after: answer.at - replied.at };
}
