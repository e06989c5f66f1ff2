import { notifications } from '@mantine/notifications';
import { useEffect, useRef, useSyncExternalStore } from 'react';
import type { Message } from '../../inbox/contract.ts';
import { write } from './api.ts';
import type { Place } from './paths.ts';
import { problemOf } from './words.ts';

/** A message that was written here and is not in the archive yet. */
export interface Outgoing {
  /** Names the message; the archive has it as `reply_id`. */
  key: string;
  text: string;
  /** Unix ms. */
  at: number;
  /** It goes out although they have opted out. */
  despiteOptOut?: boolean;
  /** Why it could not be sent; null while it is being sent. */
  problem: string | null;
}

/** What it looks at of a message. */
type Archived = Pick<Message, 'reply_id' | 'delivery_status'>;

export interface Outbox {
  waiting: Outgoing[];
  /** Whether the outbox shows this message, or one that was sent again instead of it. */
  has: (replyId: string | null) => boolean;
  send: (text: string, despiteOptOut: boolean) => void;
  again: (key: string) => void;
  discard: (key: string) => void;
}

/**
 * Shows an answer at once, until the archive has it. Like a draft it stays while somebody looks elsewhere or loads the page again; what
 * was being sent then is sent again under the same name, so that nobody gets it twice.
 */
export function useOutbox({ phone, business }: Place, messages: readonly Archived[]): Outbox {
  const place = `${phone} ${business ?? ''}`;
  const all = useSyncExternalStore(subscribe, () => listOf(place));
  const arrived = all.filter((one) => messages.some((message) => takesThePlaceOf(one, message)));
  useEffect(() => {
    if (arrived.length > 0) change(place, (list) => list.filter((one) => !arrived.includes(one)));
  });
  const here = useRef(true);
  useEffect(() => {
    here.current = true;
    return () => {
      here.current = false;
    };
  }, []);

  async function deliver({ key, text, despiteOptOut = false }: Outgoing): Promise<void> {
    const to = { to_number: phone, ...(business ? { business_number: business } : {}) };
    sending.add(key);
    try {
      await write({ ...to, message: text, idempotency_key: key, despite_opt_out: despiteOptOut });
    } catch (error) {
      change(place, (list) => list.map((one) => (one.key === key ? { ...one, problem: problemOf(error) } : one)));
      if (!here.current) tellElsewhere(phone, problemOf(error), text);
    }
    sending.delete(key);
  }
  // biome-ignore lint/correctness/useExhaustiveDependencies: once, when the conversation is opened and we know which number it is with
  useEffect(() => {
    if (!business) return;
    for (const one of listOf(place)) if (one.problem === null && !sending.has(one.key)) void deliver(one);
  }, [place]);

  const waiting = all.filter((one) => !arrived.includes(one));
  return {
    waiting,
    has: (replyId) => replyId !== null && (replaced.has(replyId) || waiting.some(({ key }) => key === replyId)),
    send(text, despiteOptOut) {
      const one = { key: newKey(), text, despiteOptOut, at: Date.now(), problem: null };
      change(place, (list) => [...list, one]);
      void deliver(one);
    },
    again(key) {
      const one = listOf(place).find((other) => other.key === key);
      if (!one) return;
      // A new key: with the old one, the archive may have it as failed.
      replaced.add(key);
      const next = { ...one, key: newKey(), problem: null, at: Date.now() };
      change(place, (list) => list.map((other) => (other.key === key ? next : other)));
      void deliver(next);
    },
    discard: (key) => change(place, (list) => list.filter((one) => one.key !== key)),
  };
}

/** By place. The tab keeps it until sign-out, as it does drafts. */
const lists = new Map<string, Outgoing[]>();
const listeners = new Set<() => void>();
/** What this page is sending just now, by key. */
const sending = new Set<string>();
/** Keys of messages that were sent again under another one: the archive has them as failed. */
const replaced = new Set<string>();
const KEPT = 'recado-outbox ';
const NONE: Outgoing[] = [];

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function listOf(place: string): Outgoing[] {
  const known = lists.get(place);
  if (known) return known;
  const kept = window.sessionStorage.getItem(KEPT + place);
  // What `change` wrote.
  const list = kept === null ? NONE : (JSON.parse(kept) as Outgoing[]);
  lists.set(place, list);
  return list;
}

function change(place: string, how: (list: Outgoing[]) => Outgoing[]): void {
  const list = how(listOf(place));
  lists.set(place, list);
  if (list.length === 0) window.sessionStorage.removeItem(KEPT + place);
  else window.sessionStorage.setItem(KEPT + place, JSON.stringify(list));
  for (const listener of listeners) listener();
}

/** In another conversation, a notification says so; the message waits where it was written. */
function tellElsewhere(phone: string, problem: string, text: string): void {
  const title = `Your answer to ${phone} was not sent`;
  notifications.show({
    color: 'red',
    autoClose: false,
    title,
    message: `${problem} You wrote: ${text}`,
    closeButtonProps: { 'aria-label': 'Close' },
  });
}

/**
 * The archive has a message before it is sent: of one that failed here meanwhile, it counts only when it was sent after all.
 */
function takesThePlaceOf({ key, problem }: Outgoing, { reply_id, delivery_status }: Archived): boolean {
  if (reply_id !== key || delivery_status === 'failed') return false;
  return problem === null || delivery_status !== 'sending';
}

/** Random, of 32 hex digits; `crypto.randomUUID` needs https. */
export function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
