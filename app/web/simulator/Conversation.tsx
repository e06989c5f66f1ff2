import { UnstyledButton } from '@mantine/core';
import { Fragment, useLayoutEffect } from 'react';
import type { SimulatedPerson } from '../../simulator/contract.ts';
import { ToEnd } from '../parts/ToEnd.tsx';
import { dayOf } from '../parts/time.ts';
import { useEnd } from '../parts/useEnd.ts';
import classes from './Conversation.module.css';
import { MessageBubble } from './MessageBubble.tsx';
import type { Change } from './MessageMenu.tsx';
import type { PhoneState } from './phones.ts';

interface ConversationProps {
  phone: PhoneState;
  person: SimulatedPerson;
  typing: boolean;
  onSay: (text: string) => void;
  /** Edits a message, takes it back, reacts to it; undefined where the number brings no such thing. */
  onChange: Change | undefined;
}

/** The messages, the newest at the end and visible, unless the reader has scrolled up. */
export function Conversation({ phone: { messages }, person, typing, onSay, onChange }: ConversationProps) {
  const end = useEnd();
  const last = messages.at(-1);

  // biome-ignore lint/correctness/useExhaustiveDependencies: every new message is the reason
  useLayoutEffect(() => {
    if (end.seen.current.follows || last?.mine) end.toEnd();
  }, [messages.length, typing, last?.sid]);

  return (
    <>
      <div
        className={classes.wall}
        ref={end.wall}
        onScroll={end.look}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
        tabIndex={0}
        role="log"
        aria-label="Conversation with Recado"
      >
        <Greeting name={person.profileName} onSay={onSay} />
        <ul className={classes.messages} ref={end.list}>
          {messages.map((message, i) => {
            const before = messages[i - 1];
            const day = dayOf(message.at, Date.now());
            const newDay = !before || dayOf(before.at, Date.now()) !== day;
            return (
              <Fragment key={message.sid}>
                {newDay && <li className={classes.day}>{day}</li>}
                <MessageBubble message={message} first={newDay || before.mine !== message.mine} onChange={onChange} />
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
      <ToEnd end={end} />
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
