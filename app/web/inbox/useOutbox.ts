import { notifications } from '@mantine/notifications';
import { useEffect, useRef, useState } from 'react';
import { write } from './api.ts';
import { problemOf } from './words.ts';

/** What was written here and is not in the archive yet. */
export interface Outgoing {
  key: number;
  text: string;
  /** Unix ms. */
  at: number;
  /** Once the provider has it. */
  sid: string | null;
  /** Why it could not be sent; null while it is on its way. */
  problem: string | null;
}

export interface Outbox {
  waiting: Outgoing[];
  send: (text: string) => void;
  again: (key: number) => void;
  discard: (key: number) => void;
}

/** Shows an answer at once, until the archive has it: a moment after it was sent. */
export function useOutbox(phone: string, messages: readonly { message_sid: string | null }[]): Outbox {
  const [waiting, setWaiting] = useState<Outgoing[]>([]);
  const arrived = waiting.filter(({ sid }) => sid !== null && messages.some(({ message_sid }) => message_sid === sid));
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

  function update(key: number, change: Partial<Outgoing>): void {
    setWaiting((all) => all.map((one) => (one.key === key ? { ...one, ...change } : one)));
  }
  async function deliver(key: number, text: string): Promise<void> {
    try {
      update(key, { sid: (await write({ to_number: phone, message: text })).message_sid });
    } catch (error) {
      update(key, { problem: problemOf(error) });
      // Who has gone on to another conversation is told, too.
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

  return {
    waiting: waiting.filter((one) => !arrived.includes(one)),
    send(text) {
      const key = Math.random();
      setWaiting((all) => [...all, { key, text, at: Date.now(), sid: null, problem: null }]);
      void deliver(key, text);
    },
    again(key) {
      const one = waiting.find((other) => other.key === key);
      if (!one) return;
      update(key, { problem: null, at: Date.now() });
      void deliver(key, one.text);
    },
    discard: (key) => setWaiting((all) => all.filter((one) => one.key !== key)),
  };
}
