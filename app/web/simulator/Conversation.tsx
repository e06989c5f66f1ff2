import { ActionIcon, UnstyledButton } from '@mantine/core';
import { Fragment, useEffect, useLayoutEffect, useRef, useState } from 'react';
import type { SimulatedPerson } from '../../simulator/contract.ts';
import { Icon } from '../parts/Icon.tsx';
import { dayOf } from '../parts/time.ts';
import classes from './Conversation.module.css';
import { MessageBubble } from './MessageBubble.tsx';
import type { PhoneState } from './phones.ts';

interface ConversationProps {
  phone: PhoneState;
  person: SimulatedPerson;
  typing: boolean;
  onSay: (text: string) => void;
}

/** So near to the end, what comes in is followed, px. */
const NEAR = 90;

/** The messages, the newest at the end and in sight, unless somebody reads further up. */
export function Conversation({ phone: { messages }, person, typing, onSay }: ConversationProps) {
  const wall = useRef<HTMLDivElement>(null);
  const list = useRef<HTMLUListElement>(null);
  const seen = useRef({ follows: true, top: 0 });
  const [atEnd, setAtEnd] = useState(true);
  const last = messages.at(-1);

  function toEnd(behavior: ScrollBehavior = 'auto'): void {
    wall.current?.scrollTo({ top: wall.current.scrollHeight, behavior });
  }
  function look(): void {
    const { scrollHeight = 0, scrollTop = 0, clientHeight = 0 } = wall.current ?? {};
    const near = scrollHeight - scrollTop - clientHeight < NEAR;
    // What grows below moves the end away; only somebody who scrolls up wants to stay.
    const follows = near || (seen.current.follows && scrollTop >= seen.current.top);
    seen.current = { follows, top: scrollTop };
    setAtEnd(follows);
  }
  // biome-ignore lint/correctness/useExhaustiveDependencies: what comes in is the reason, whatever it is
  useLayoutEffect(() => {
    if (seen.current.follows || last?.mine) toEnd();
  }, [messages.length, typing, last?.sid]);
  // Pictures grow when they are there.
  useEffect(() => {
    if (!list.current) return;
    const growth = new ResizeObserver(() => {
      if (seen.current.follows) wall.current?.scrollTo({ top: wall.current.scrollHeight });
    });
    growth.observe(list.current);
    return () => growth.disconnect();
  }, []);

  return (
    <>
      <div
        className={classes.wall}
        ref={wall}
        onScroll={look}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
        tabIndex={0}
        role="log"
        aria-label="Conversation with Recado"
      >
        <Greeting name={person.profileName} onSay={onSay} />
        <ul className={classes.messages} ref={list}>
          {messages.map((message, i) => {
            const before = messages[i - 1];
            const day = dayOf(message.at, Date.now());
            const newDay = !before || dayOf(before.at, Date.now()) !== day;
            return (
              <Fragment key={message.sid}>
                {newDay && <li className={classes.day}>{day}</li>}
                <MessageBubble message={message} first={newDay || before.mine !== message.mine} />
              </Fragment>
            );
          })}
        </ul>
        {typing && (
          <div className={classes.typing}>
            <span role="img" aria-label="Recado is typing">
              <i />
              <i />
              <i />
            </span>
          </div>
        )}
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
    </>
  );
}

/** Stands above the first message, with a few to begin with. */
function Greeting({ name, onSay }: { name: string; onSay: (text: string) => void }) {
  const suggestions = [
    `My name is ${name.split(' ')[0]}`,
    'What is my name?',
    'Write 3000 characters',
    'Answer slowly',
    'I need a meeting with John Smith from ABC Corp next Tuesday. This is urgent.',
  ];
  return (
    <div className={classes.greeting}>
      <p>
        You hold the phone of <strong>{name}</strong>. Write something, send a picture, speak, or share a place. Or
        begin with one of these:
      </p>
      <ul className={classes.suggestions}>
        {suggestions.map((text) => (
          <li key={text}>
            <UnstyledButton className={classes.suggestion} onClick={() => onSay(text)}>
              {text}
            </UnstyledButton>
          </li>
        ))}
      </ul>
    </div>
  );
}
