import { Button, Switch } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { Link } from 'wouter';
import type { Conversation } from '../../inbox/contract.ts';
import { Icon } from '../parts/Icon.tsx';
import { conversations } from './api.ts';
import classes from './DeadLetters.module.css';
import { threadPath } from './paths.ts';
import { Nothing, Problem, Waiting } from './States.tsx';
import { Tag } from './Tag.tsx';
import { useAlert } from './useAlert.ts';
import { useNow } from './useNow.ts';
import { HANDOFF_REASONS, nameOf, waited } from './words.ts';

/** So many are shown and counted; the longest waiting first. */
const MOST = 50;

function useWaiting() {
  return useQuery({
    queryKey: ['conversations', 'waiting'],
    queryFn: () => conversations({ filter: 'waiting', status: 'active', order: 'oldest', limit: MOST }),
  });
}

/** Conversations in which a person of the team is needed. */
export function WaitingRoom() {
  const list = useWaiting();
  const alert = useAlert();
  const rows = list.data?.conversations ?? [];
  return (
    <div className={classes.page}>
      <h1 className={classes.title}>Waiting for a person</h1>
      <p className={classes.intro}>
        The bot is silent in these conversations until somebody answers, hands them back, or the time is over. Whoever
        has waited longest is the first.
      </p>
      {alert.canBeAsked && (
        <Switch
          mb="md"
          label="Tell me with a notification and a sound"
          description={
            alert.isRefused ? 'The browser does not allow notifications of this page: see its settings.' : undefined
          }
          checked={alert.isOn}
          onChange={(event) => void alert.set(event.currentTarget.checked)}
        />
      )}
      {list.isPending && <Waiting />}
      {list.isError && !list.data && <Problem message={list.error.message} onRetry={() => void list.refetch()} />}
      {list.data && rows.length === 0 && (
        <Nothing icon="check" title="Nobody waits">
          Whoever asks for a person appears here.
        </Nothing>
      )}
      <ul className={classes.list}>
        {rows.map((row) => (
          <WaitingConversation key={row.id} conversation={row} />
        ))}
      </ul>
      {list.data?.next_cursor && <p className={classes.intro}>More wait behind them.</p>}
    </div>
  );
}

function WaitingConversation({ conversation }: { conversation: Conversation }) {
  const { waiting, phone_number: phone, business_number: business, contact_name } = conversation;
  const now = useNow([], 30_000);
  if (!waiting) return null;
  const path = threadPath({ phone, business });
  return (
    <li className={classes.letter}>
      <div className={classes.head}>
        <Link href={path}>{nameOf(conversation)}</Link>
        <Tag tone="person">{HANDOFF_REASONS[waiting.reason]}</Tag>
        <span className={classes.quiet}>
          {contact_name ? `${phone} · ` : ''}waits {waited(waiting.since, now)}
        </span>
      </div>
      {waiting.note && (
        <p className={classes.reason}>
          <Icon name="alarm" size={16} />
          {waiting.note}
        </p>
      )}
      <div className={classes.said}>
        <small>{waiting.summary ? 'What it is about' : 'Last message'}</small>
        <div dir="auto">{waiting.summary ?? conversation.last_message_text}</div>
      </div>
      <Button component={Link} href={path} size="compact-md" variant="light">
        Open
      </Button>
    </li>
  );
}

/**
 * How many conversations wait for a person, for the tab: '' when none does, '50+' when there are more than were fetched. Alerts when another
 * one comes.
 */
export function useWaitingCount(): string {
  const { data } = useWaiting();
  const { tell } = useAlert();
  const known = useRef<ReadonlySet<string> | null>(null);
  useEffect(() => {
    if (!data) return;
    const rows = data.conversations;
    const fresh = known.current ? rows.filter((row) => !known.current?.has(keyOf(row))) : [];
    known.current = new Set(rows.map(keyOf));
    for (const row of fresh)
      tell(`${nameOf(row)} waits for a person`, row.waiting?.note ?? row.last_message_text ?? '');
  }, [data, tell]);
  const count = data?.conversations.length ?? 0;
  if (count === 0) return '';
  return data?.next_cursor ? `${count}+` : `${count}`;
}

/** A conversation that waits once more is another one. */
function keyOf({ id, waiting }: Conversation): string {
  return `${id} ${waiting?.since ?? ''}`;
}
