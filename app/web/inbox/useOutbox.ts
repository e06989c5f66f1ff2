import { notifications } from '@mantine/notifications';
import { useEffect, useRef, useState } from 'react';
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
  /** Why it could not be sent; null while it is being sent. */
  problem: string | null;
}

/** What it looks at of a message. */
type Archived = Pick<Message, 'reply_id' | 'delivery_status'>;

export interface Outbox {
  waiting: Outgoing[];
  /** Whether the outbox shows this message, or one that was sent again instead of it. */
  has: (replyId: string | null) => boolean;
  send: (text: string) => void;
  again: (key: string) => void;
  discard: (key: string) => void;
}

/** Shows an answer at once, until the archive has it. */
export function useOutbox({ phone, business }: Place, messages: readonly Archived[]): Outbox {
  const [waiting, setWaiting] = useState<Outgoing[]>([]);
  const [replaced, setReplaced] = useState<string[]>([]);
  const arrived = waiting.filter((one) => messages.some((message) => takesThePlaceOf(one, message)));
  useEffect(() => {
    if (arrived.length > 0) setWaiting((all) => all.filter((one) => !arrived.includes(one)));
  });

  const here = useRef(true);
  useEffect(() => {
    here.current = true;
    return () => {
      here.current = false;
    };
  }, []);

  function update(key: string, change: Partial<Outgoing>): void {
    setWaiting((all) => all.map((one) => (one.key === key ? { ...one, ...change } : one)));
  }
  async function deliver(key: string, text: string): Promise<void> {
    const place = { to_number: phone, ...(business ? { business_number: business } : {}) };
    try {
      await write({ ...place, message: text, idempotency_key: key });
    } catch (error) {
      update(key, { problem: problemOf(error) });
      // In another conversation, a notification says so.
      if (!here.current) {
        const title = `Your answer to ${phone} was not sent`;
        notifications.show({
          color: 'red',
          autoClose: false,
          title,
          message: `${problemOf(error)} You wrote: ${text}`,
        });
      }
    }
  }

  const has = (replyId: string | null) =>
    replyId !== null &&
    (replaced.includes(replyId) ||
      waiting.some(({ key }) => key === replyId && !arrived.some((one) => one.key === key)));

  return {
    has,
    waiting: waiting.filter((one) => !arrived.includes(one)),
    send(text) {
      const key = newKey();
      setWaiting((all) => [...all, { key, text, at: Date.now(), problem: null }]);
      void deliver(key, text);
    },
    again(key) {
      const one = waiting.find((other) => other.key === key);
      if (!one) return;
      // A new key: with the old one, the archive may have it as failed.
      const next = newKey();
      setReplaced((all) => [...all, key]);
      setWaiting((all) =>
        all.map((other) => (other.key === key ? { ...other, key: next, problem: null, at: Date.now() } : other)),
      );
      void deliver(next, one.text);
    },
    discard: (key) => setWaiting((all) => all.filter((one) => one.key !== key)),
  };
}

/**
 * The archive has a message before it is sent: of one that failed here meanwhile, it counts only when it was sent after all.
 */
function takesThePlaceOf({ key, problem }: Outgoing, { reply_id, delivery_status }: Archived): boolean {
  if (reply_id !== key || delivery_status === 'failed') return false;
  return problem === null || delivery_status !== 'sending';
}

/** Random, of 32 hex digits; `crypto.randomUUID` needs https. */
function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
