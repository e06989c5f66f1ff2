import { ActionIcon, Button } from '@mantine/core';
import { Fragment, useEffect, useLayoutEffect, useRef, useState } from 'react';
import type { Message } from '../../inbox/contract.ts';
import { Bubble } from '../parts/Bubble.tsx';
import { Icon } from '../parts/Icon.tsx';
import { dayOf } from '../parts/time.ts';
import { WhatsAppText } from '../parts/WhatsAppText.tsx';
import { MessageItem } from './MessageItem.tsx';
import classes from './Thread.module.css';
import type { Outgoing } from './useOutbox.ts';

interface MessageListProps {
  /** Oldest first. */
  messages: readonly Message[];
  outbox: readonly Outgoing[];
  onAgain: (key: number) => void;
  onDiscard: (key: number) => void;
  /** What the contact is called. */
  name: string;
  /** The message somebody came here for. */
  wanted: string | null;
  older: { more: boolean; loading: boolean; load: () => void };
}

/** So near to the end, what comes in is followed, px. */
const NEAR = 90;
/** So near to the beginning, more is fetched. */
const SOON = 300;

/** The messages, the newest at the end and in sight, unless somebody reads further up. */
export function MessageList({ messages, outbox, onAgain, onDiscard, name, wanted, older }: MessageListProps) {
  const wall = useRef<HTMLDivElement>(null);
  const list = useRef<HTMLUListElement>(null);
  const seen = useRef({ follows: true, top: 0, height: 0, first: '' });
  const [atEnd, setAtEnd] = useState(true);
  const first = messages[0]?.id ?? '';
  const count = messages.length + outbox.length;

  function toEnd(behavior: ScrollBehavior = 'auto'): void {
    wall.current?.scrollTo({ top: wall.current.scrollHeight, behavior });
  }
  function look(): void {
    const { scrollHeight = 0, scrollTop = 0, clientHeight = 0 } = wall.current ?? {};
    const near = scrollHeight - scrollTop - clientHeight < NEAR;
    const up = scrollTop < seen.current.top;
    // What grows below moves the end away; only somebody who scrolls up wants to stay.
    const follows = near || (seen.current.follows && !up);
    seen.current = { ...seen.current, follows, top: scrollTop, height: scrollHeight };
    setAtEnd(follows);
    if (up && scrollTop < SOON && older.more && !older.loading) older.load();
  }
  // biome-ignore lint/correctness/useExhaustiveDependencies: what comes in is the reason, whatever it is
  useLayoutEffect(() => {
    const { height, first: before, follows } = seen.current;
    const element = wall.current;
    if (!element) return;
    // What is added above must not move what is being read.
    if (before !== '' && before !== first) element.scrollTop += element.scrollHeight - height;
    else if (follows || outbox.length > 0) toEnd();
    seen.current = { ...seen.current, first, height: element.scrollHeight, top: element.scrollTop };
  }, [count, first]);
  // Pictures grow when they are there.
  useEffect(() => {
    if (!list.current) return;
    const growth = new ResizeObserver(() => {
      if (seen.current.follows) wall.current?.scrollTo({ top: wall.current.scrollHeight });
    });
    growth.observe(list.current);
    return () => growth.disconnect();
  }, []);
  useEffect(() => {
    if (!wanted) return;
    seen.current.follows = false;
    document.getElementById(`message-${wanted}`)?.scrollIntoView({ block: 'center' });
  }, [wanted]);

  return (
    <div className={classes.stage}>
      <div
        className={classes.wall}
        ref={wall}
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
        <ul className={classes.messages} ref={list}>
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
      {!atEnd && (
        <ActionIcon
          className={classes.toEnd}
          variant="default"
          radius="xl"
          size={40}
          aria-label="To the newest message"
          onClick={() => toEnd('smooth')}
        >
          <Icon name="down" />
        </ActionIcon>
      )}
    </div>
  );
}

interface OutgoingItemProps {
  outgoing: Outgoing;
  onAgain: (key: number) => void;
  onDiscard: (key: number) => void;
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
            <Button variant="subtle" color="red" size="compact-xs" onClick={() => onAgain(key)}>
              Try again
            </Button>
            <Button variant="subtle" color="gray" size="compact-xs" onClick={() => onDiscard(key)}>
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
