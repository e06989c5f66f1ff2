import { Button, Group, Modal, Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'wouter';
import type { DeadLetter } from '../../inbox/contract.ts';
import { Icon } from '../parts/Icon.tsx';
import { WhatsAppText } from '../parts/WhatsAppText.tsx';
import { deadLetters, drop, replay } from './api.ts';
import classes from './DeadLetters.module.css';
import { threadPath } from './paths.ts';
import { Nothing, Problem, Waiting } from './States.tsx';
import { Tag } from './Tag.tsx';
import { problemOf, when } from './words.ts';

/** Dead letters with their reasons: to be tried again, or dismissed. */
export function DeadLetters() {
  const list = useQuery({ queryKey: ['dead-letters'], queryFn: deadLetters });
  const [dropping, setDropping] = useState<DeadLetter | null>(null);
  const act = useAct();
  return (
    <div className={classes.page}>
      <h1 className={classes.title}>Needs attention</h1>
      <p className={classes.intro}>
        Messages and replies that the bot could not answer or deliver. Nothing here is tried again automatically.
      </p>
      {list.isPending && <Waiting />}
      {list.isError && !list.data && <Problem message={list.error.message} onRetry={() => void list.refetch()} />}
      {list.data?.count === 0 && (
        <Nothing icon="check" title="Nothing needs attention">
          Every message was answered.
        </Nothing>
      )}
      <ul className={classes.list}>
        {list.data?.dead_letters.map((letter) => (
          <Letter
            key={letter.id}
            letter={letter}
            onReplay={() => act(() => replay(letter.id), 'Trying again now.')}
            onDrop={() => setDropping(letter)}
          />
        ))}
      </ul>
      {dropping && (
        <Modal opened onClose={() => setDropping(null)} title="Dismiss?" closeButtonProps={{ 'aria-label': 'Close' }}>
          <Text size="sm">
            This will not be answered. The messages stay in the conversation with {dropping.phone_number}.
          </Text>
          <Group justify="flex-end" mt="md">
            <Button variant="default" onClick={() => setDropping(null)}>
              Cancel
            </Button>
            <Button
              color="red"
              onClick={() => {
                setDropping(null);
                void act(() => drop(dropping.id), 'Dismissed.');
              }}
            >
              Dismiss
            </Button>
          </Group>
        </Modal>
      )}
    </div>
  );
}

interface LetterProps {
  letter: DeadLetter;
  onReplay: () => Promise<void>;
  onDrop: () => void;
}

function Letter({ letter: { phone_number, at, code, reason, reply, messages }, onReplay, onDrop }: LetterProps) {
  const [busy, setBusy] = useState(false);
  async function again(): Promise<void> {
    setBusy(true);
    await onReplay();
    setBusy(false);
  }
  return (
    <li className={classes.letter}>
      <div className={classes.head}>
        <Link href={threadPath({ phone: phone_number })}>{phone_number}</Link>
        <Tag tone="bad">{code}</Tag>
        <time dateTime={at} className={classes.quiet}>
          {when(at, Date.now())}
        </time>
      </div>
      <p className={classes.reason}>
        <Icon name="alarm" size={16} /> {reason}
      </p>
      {messages.length > 0 && <Said title="They wrote" texts={messages} />}
      {reply !== null && <Said title="The answer that was not delivered" texts={[reply]} />}
      <Group gap="xs" justify="flex-end">
        <Button size="xs" variant="subtle" color="red" leftSection={<Icon name="trash" size={14} />} onClick={onDrop}>
          Dismiss
        </Button>
        <Button size="xs" leftSection={<Icon name="repeat" size={14} />} loading={busy} onClick={() => void again()}>
          Try again
        </Button>
      </Group>
    </li>
  );
}

function Said({ title, texts }: { title: string; texts: string[] }) {
  return (
    <div className={classes.said}>
      <small>{title}</small>
      {texts.map((text, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the list of one letter never changes
        <WhatsAppText key={i} text={text} />
      ))}
    </div>
  );
}

function useAct(): (work: () => Promise<unknown>, done: string) => Promise<void> {
  const queries = useQueryClient();
  return async (work, done) => {
    try {
      await work();
      notifications.show({ message: done, autoClose: 2_500 });
    } catch (error) {
      notifications.show({ color: 'red', title: 'The action failed', message: problemOf(error) });
    }
    await queries.invalidateQueries({ queryKey: ['dead-letters'] });
  };
}
