import { Button } from '@mantine/core';
import { Fragment, useEffect, useLayoutEffect, useRef } from 'react';
import type { Message } from '../../inbox/contract.ts';
import { Bubble } from '../parts/Bubble.tsx';
import { Icon } from '../parts/Icon.tsx';
import { ToEnd } from '../parts/ToEnd.tsx';
import { dayOf } from '../parts/time.ts';
import { useEnd } from '../parts/useEnd.ts';
import { WhatsAppText } from '../parts/WhatsAppText.tsx';
import { MessageItem } from './MessageItem.tsx';
import classes from './Thread.module.css';
import type { Outgoing } from './useOutbox.ts';
import { useSteady } from './useSteady.ts';

interface MessageListProps {
  /** Oldest first. */
  messages: readonly Message[];
  outbox: readonly Outgoing[];
  onAgain: (key: string) => void;
  onDiscard: (key: string) => void;
  /** What the contact is called. */
  name: string;
  /** The message to scroll to. */
  wanted: string | null;
  older: { more: boolean; loading: boolean; load: () => void };
}

/** So near to the beginning, more is fetched. */
const SOON = 300;

/** The messages, the newest at the end and visible, unless the reader has scrolled up. */
export function MessageList({ messages, outbox, onAgain, onDiscard, name, wanted, older }: MessageListProps) {
  const end = useEnd();
  const first = messages[0]?.id ?? '';
  // What is added above or below must not move what is being read.
  const looked = useSteady(end.wall, end.list, () => end.seen.current.follows);
  const waiting = useRef(outbox.length);
  const count = messages.length + outbox.length;

  function look(): void {
    const up = end.look();
    const { scrollTop = 0 } = end.wall.current ?? {};
    looked();
    if (up && scrollTop < SOON && older.more && !older.loading) older.load();
  }
  // biome-ignore lint/correctness/useExhaustiveDependencies: every new message is the reason
  useLayoutEffect(() => {
    const mine = outbox.length > waiting.current;
    waiting.current = outbox.length;
    if (end.seen.current.follows || mine) end.toEnd();
    end.seen.current.top = end.wall.current?.scrollTop ?? 0;
  }, [count, first]);
  useEffect(() => {
    if (!wanted) return;
    end.seen.current.follows = false;
    document.getElementById(`message-${wanted}`)?.scrollIntoView({ block: 'center' });
  }, [wanted, end.seen]);

  return (
    <div className={classes.stage}>
      <div
        className={classes.wall}
        ref={end.wall}
        onScroll={look}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
        tabIndex={0}
        role="log"
        aria-label={`Conversation with ${name}`}
      >
        {older.more && (
          <Button
            variant="default"
            size="xs"
            radius="xl"
            className={classes.older}
            loading={older.loading}
            onClick={older.load}
          >
            Show older messages
          </Button>
        )}
        <ul className={classes.messages} ref={end.list}>
          {messages.map((message, i) => {
            const before = messages[i - 1];
            const day = dayWithYear(message.received_at);
            const newDay = !before || dayWithYear(before.received_at) !== day;
            return (
              <Fragment key={message.id}>
                {newDay && <li className={classes.day}>{day}</li>}
                <MessageItem
                  message={message}
                  name={name}
                  first={newDay || before.author !== message.author}
                  wanted={message.id === wanted}
                />
              </Fragment>
            );
          })}
          {outbox.map((one) => (
            <OutgoingItem key={one.key} outgoing={one} onAgain={onAgain} onDiscard={onDiscard} />
          ))}
        </ul>
      </div>
      <ToEnd end={end} />
    </div>
  );
}

interface OutgoingItemProps {
  outgoing: Outgoing;
  onAgain: (key: string) => void;
  onDiscard: (key: string) => void;
}

function OutgoingItem({ outgoing: { key, text, at, problem }, onAgain, onDiscard }: OutgoingItemProps) {
  return (
    <Bubble
      mine
      by="You"
      at={at}
      first
      room
      beside={<Icon name={problem === null ? 'clock' : 'alarm'} size={12} />}
      below={
        problem === null ? (
          <span className={classes.hidden} role="status">
            Sending
          </span>
        ) : (
          <div className={classes.trouble} role="alert">
            Not sent: {problem}
            <Button variant="subtle" color="red" size="compact-sm" onClick={() => onAgain(key)}>
              Try again
            </Button>
            <Button variant="subtle" color="gray" size="compact-sm" onClick={() => onDiscard(key)}>
              Discard
            </Button>
          </div>
        )
      }
    >
      <WhatsAppText text={text} />
    </Bubble>
  );
}

function dayWithYear(time: string): string {
  const date = new Date(time);
  const day = dayOf(date.getTime(), Date.now());
  return date.getFullYear() === new Date().getFullYear() ? day : `${day}, ${date.getFullYear()}`;
}
