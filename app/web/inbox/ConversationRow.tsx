import { Badge, Text, UnstyledButton, VisuallyHidden } from '@mantine/core';
import { useEffect, useRef } from 'react';
import type { Conversation } from '../../inbox/contract.ts';
import { Avatar } from '../parts/Avatar.tsx';
import classes from './inbox.module.css';
import { SpamNote } from './SpamNote.tsx';
import { Tag } from './Tag.tsx';
import { useNow } from './useNow.ts';
import { nameOf, previewOf, sentimentInWords, when } from './words.ts';

interface ConversationRowProps {
  conversation: Conversation;
  chosen: boolean;
  /** Shows which of our numbers it is with. */
  numbered: boolean;
  onOpen: () => void;
}

export function ConversationRow({ conversation, chosen, numbered, onOpen }: ConversationRowProps) {
  const row = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (chosen) row.current?.scrollIntoView({ block: 'nearest' });
  }, [chosen]);
  const { unread_count, open_tasks, last_sentiment, takeover_until, spam } = conversation;
  const now = useNow([takeover_until], 60_000);
  const isPaused = takeover_until !== null && Date.parse(takeover_until) > now;
  const mood = last_sentiment && last_sentiment !== 'neutral' ? sentimentInWords(last_sentiment) : null;
  return (
    <li>
      <UnstyledButton ref={row} className={classes.row} data-chosen={chosen} aria-current={chosen} onClick={onOpen}>
        <Avatar name={nameOf(conversation)} size={42} />
        <span className={classes.rowText}>
          <span className={classes.rowLine}>
            <Text component="span" fw={unread_count > 0 ? 700 : 500} truncate dir="auto">
              {nameOf(conversation)}
            </Text>
            <Text component="span" size="xs" className={classes.quiet}>
              {when(conversation.last_message_at, now)}
            </Text>
          </span>
          <span className={classes.rowLine}>
            <Text component="span" size="sm" truncate dir="auto" className={classes.quiet}>
              {previewOf(conversation)}
            </Text>
            {unread_count > 0 && (
              <Badge circle={unread_count < 10} size="md" className={classes.unread}>
                {unread_count > 99 ? '99+' : unread_count}
                <VisuallyHidden> unread</VisuallyHidden>
              </Badge>
            )}
          </span>
          {(numbered || mood || open_tasks > 0 || isPaused) && (
            <span className={classes.badges}>
              {numbered && <Tag tone="plain">to {conversation.business_number}</Tag>}
              {mood && <Tag tone={mood.tone}>{mood.word}</Tag>}
              {open_tasks > 0 && <Tag tone="info">{open_tasks === 1 ? '1 task' : `${open_tasks} tasks`}</Tag>}
              {isPaused && <Tag tone="person">Bot paused</Tag>}
            </span>
          )}
        </span>
      </UnstyledButton>
      {spam && <SpamNote conversation={conversation} spam={spam} />}
    </li>
  );
}
