import { Button, Group, Modal, Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'wouter';
import type { DeadLetter, Message } from '../../inbox/contract.ts';
import { Icon } from '../parts/Icon.tsx';
import { WhatsAppText } from '../parts/WhatsAppText.tsx';
import { deadLetters, drop, failedAnalyses, replay, retryAnalyses } from './api.ts';
import classes from './DeadLetters.module.css';
import { threadPath } from './paths.ts';
import { More, Nothing, Problem, Waiting } from './States.tsx';
import { Tag } from './Tag.tsx';
import { nameOf, problemOf, when } from './words.ts';

/** Dead letters with their reasons: to be tried again, or dismissed. */
export function DeadLetters() {
  const list = useLetters();
  const letters = list.data?.pages.flatMap((page) => page.dead_letters) ?? [];
  const failed = useFailed();
  const unanalysed = failed.data?.pages.flatMap((page) => page.messages) ?? [];
  const [dropping, setDropping] = useState<DeadLetter | null>(null);
  const act = useAct();
  return (
    <div className={classes.page}>
      <h1 className={classes.title}>Needs attention</h1>
      <p className={classes.intro}>
        What the bot could not answer, deliver or analyse. Nothing here is tried again automatically.
      </p>
      {list.isPending && <Waiting />}
      {list.isError && !list.data && <Problem message={list.error.message} onRetry={() => void list.refetch()} />}
      {list.data && letters.length === 0 && unanalysed.length === 0 && (
        <Nothing icon="check" title="Nothing needs attention">
          Every message was answered.
        </Nothing>
      )}
      <ul className={classes.list}>
        {letters.map((letter) => (
          <Letter
            key={letter.id}
            letter={letter}
            onReplay={() => act(() => replay(letter.id), 'Trying again now.')}
            onDrop={() => setDropping(letter)}
          />
        ))}
      </ul>
      {list.hasNextPage && (
        <More label="Show older" loading={list.isFetchingNextPage} onMore={() => void list.fetchNextPage()} />
      )}
      {unanalysed.length > 0 && (
        <Unanalysed
          messages={unanalysed}
          onAll={() => act(() => retryAnalyses(), 'They are analysed again.')}
          onOne={(id) => act(() => retryAnalyses(id), 'It is analysed again.')}
        />
      )}
      {failed.hasNextPage && unanalysed.length > 0 && (
        <More label="Show older" loading={failed.isFetchingNextPage} onMore={() => void failed.fetchNextPage()} />
      )}
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

/** How many things need attention, for the tab: '' when nothing does, '50+' when there are more than were fetched. */
export function useAttention(): string {
  const [letters, failed] = [useLetters(), useFailed()];
  const count =
    (letters.data?.pages.flatMap((page) => page.dead_letters).length ?? 0) +
    (failed.data?.pages.flatMap((page) => page.messages).length ?? 0);
  if (count === 0) return '';
  return letters.hasNextPage || failed.hasNextPage ? `${count}+` : `${count}`;
}

function useLetters() {
  return useInfiniteQuery({
    queryKey: ['dead-letters'],
    queryFn: ({ pageParam }) => deadLetters(pageParam ? { cursor: pageParam } : {}),
    initialPageParam: '',
    getNextPageParam: (last) => last.next_cursor,
  });
}

function useFailed() {
  return useInfiniteQuery({
    queryKey: ['failed-analyses'],
    queryFn: ({ pageParam }) => failedAnalyses(pageParam ? { cursor: pageParam } : {}),
    initialPageParam: '',
    getNextPageParam: (last) => last.next_cursor,
  });
}

interface UnanalysedProps {
  messages: readonly Message[];
  onAll: () => Promise<void>;
  onOne: (id: string) => Promise<void>;
}

/** Messages that were answered, but of which nobody knows what they are about. */
function Unanalysed({ messages, onAll, onOne }: UnanalysedProps) {
  return (
    <section aria-label="Could not be analysed" className={classes.unanalysed}>
      <div className={classes.head}>
        <h2 className={classes.subtitle}>Could not be analysed</h2>
        <Button size="xs" ml="auto" leftSection={<Icon name="repeat" size={14} />} onClick={() => void onAll()}>
          Analyse all again
        </Button>
      </div>
      <ul className={classes.list}>
        {messages.map((message) => (
          <li key={message.id} className={classes.letter}>
            <div className={classes.head}>
              <Link href={threadPath({ phone: message.phone_number }, { message: message.id })}>{nameOf(message)}</Link>
              <time dateTime={message.received_at} className={classes.quiet}>
                {when(message.received_at, Date.now())}
              </time>
              <Button size="compact-sm" variant="subtle" ml="auto" onClick={() => void onOne(message.id)}>
                Analyse again
              </Button>
            </div>
            <p className={classes.reason}>{message.processing_error}</p>
          </li>
        ))}
      </ul>
    </section>
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
    await Promise.all(['dead-letters', 'failed-analyses'].map((key) => queries.invalidateQueries({ queryKey: [key] })));
  };
}
