import { ActionIcon } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { useSearchParams } from 'wouter';
import type { Conversation } from '../../inbox/contract.ts';
import { Icon } from '../parts/Icon.tsx';
import { conversation as load, markRead, setStatus } from './api.ts';
import { MessageList } from './MessageList.tsx';
import { Reply } from './Reply.tsx';
import { Problem, Waiting } from './States.tsx';
import classes from './Thread.module.css';
import { ThreadHeader } from './ThreadHeader.tsx';
import { useKeys } from './useKeys.ts';
import { useOutbox } from './useOutbox.ts';
import { nameOf, problemOf } from './words.ts';

interface ThreadProps {
  phone: string;
  onClose: () => void;
  onArchived: () => void;
}

/** As many as fill a tall screen; more on demand. */
const AT_ONCE = 40;

/** One conversation: what was said, what it was about, and the place to answer. r answers, e archives. */
export function Thread({ phone, onClose, onArchived }: ThreadProps) {
  const queries = useQueryClient();
  const field = useRef<HTMLTextAreaElement>(null);
  const thread = useInfiniteQuery({
    queryKey: ['thread', phone],
    queryFn: ({ pageParam }) => load(phone, { limit: AT_ONCE, ...(pageParam ? { cursor: pageParam } : {}) }),
    initialPageParam: '',
    getNextPageParam: (last) => last.next_cursor,
  });
  const pages = thread.data?.pages ?? [];
  const conversation = pages[0]?.conversation;
  const messages = pages.flatMap((page) => page.messages).reverse();
  const outbox = useOutbox(phone, messages);
  const wanted = useWantedMessage(messages, thread);
  useReading(conversation);

  async function change(status: Conversation['conversation_status']): Promise<void> {
    try {
      await setStatus({ phone_number: phone, status });
      notifications.show({ message: CHANGED[status], autoClose: 2_500 });
      if (status === 'archived') onArchived();
    } catch (error) {
      notifications.show({ color: 'red', title: 'That did not work', message: problemOf(error) });
    }
    await Promise.all(['thread', 'conversations'].map((key) => queries.invalidateQueries({ queryKey: [key] })));
  }
  useKeys([
    ['r', () => field.current?.focus()],
    ['e', () => void change(conversation?.conversation_status === 'archived' ? 'active' : 'archived')],
  ]);

  if (thread.isPending) return <Waiting />;
  if (!conversation) {
    return (
      <>
        <ActionIcon variant="subtle" color="gray" m="sm" aria-label="Back to the list" onClick={onClose}>
          <Icon name="back" />
        </ActionIcon>
        <Problem message={problemOf(thread.error)} onRetry={() => void thread.refetch()} />
      </>
    );
  }
  return (
    <div className={classes.frame}>
      <ThreadHeader conversation={conversation} onClose={onClose} onChange={(status) => void change(status)} />
      <MessageList
        messages={messages}
        outbox={outbox.waiting}
        onDiscard={outbox.discard}
        onAgain={outbox.again}
        name={nameOf(conversation)}
        wanted={wanted}
        older={{
          more: thread.hasNextPage,
          loading: thread.isFetchingNextPage,
          load: () => void thread.fetchNextPage({ cancelRefetch: false }),
        }}
      />
      <Reply key={phone} ref={field} conversation={conversation} onSend={outbox.send} />
    </div>
  );
}

const CHANGED: Record<Conversation['conversation_status'], string> = {
  active: 'The conversation is active again.',
  archived: 'Archived. It comes back when they write again, or from the status filter.',
  blocked: 'Blocked: the bot neither answers nor remembers what they write.',
};

/** Somebody who looks at a conversation has seen what is in it. */
function useReading(conversation: Conversation | undefined): void {
  const queries = useQueryClient();
  const [visible, setVisible] = useState(() => document.visibilityState === 'visible');
  useEffect(() => {
    const look = () => setVisible(document.visibilityState === 'visible');
    document.addEventListener('visibilitychange', look);
    return () => document.removeEventListener('visibilitychange', look);
  }, []);
  const { phone_number: phone, unread_count: unread = 0 } = conversation ?? {};
  useEffect(() => {
    if (!visible || !phone || unread === 0) return;
    // What could not be marked stays unread, and is marked when it is looked at again.
    markRead(phone)
      .then(() => queries.invalidateQueries({ queryKey: ['conversations'] }))
      .catch(() => {});
  }, [queries, visible, phone, unread]);
}

/** A task leads to the message it came from: as much is loaded as it takes to find it, within reason. */
function useWantedMessage(
  messages: readonly { id: string }[],
  {
    hasNextPage,
    isFetching,
    fetchNextPage,
  }: { hasNextPage: boolean; isFetching: boolean; fetchNextPage: () => unknown },
): string | null {
  const [search] = useSearchParams();
  const wanted = search.get('message');
  const found = messages.some(({ id }) => id === wanted);
  const missing = wanted !== null && !found && messages.length > 0 && messages.length < 25 * AT_ONCE;
  useEffect(() => {
    if (missing && hasNextPage && !isFetching) fetchNextPage();
  }, [missing, hasNextPage, isFetching, fetchNextPage]);
  return found ? wanted : null;
}
