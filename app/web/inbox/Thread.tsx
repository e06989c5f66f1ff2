import { ActionIcon, Button, Group } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { useLocation, useSearchParams } from 'wouter';
import type { Conversation } from '../../inbox/contract.ts';
import { Icon } from '../parts/Icon.tsx';
import { conversation as load, markRead, setStatus } from './api.ts';
import { FindBar, useFound } from './FindBar.tsx';
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
  const [, navigate] = useLocation();
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
  const found = useFound(phone);
  const wanted = useWantedMessage(found?.ids[found.at], messages, thread);
  useReading(conversation);

  async function put(status: Status): Promise<boolean> {
    const done = await setStatus({ phone_number: phone, status }).then(
      () => true,
      (error) => {
        notifications.show({ color: 'red', title: 'That did not work', message: problemOf(error) });
        return false;
      },
    );
    void Promise.all(['thread', 'conversations'].map((key) => queries.invalidateQueries({ queryKey: [key] })));
    return done;
  }
  async function change(status: Status): Promise<void> {
    const before = conversation?.conversation_status ?? 'active';
    if (!(await put(status))) return;
    const undo = () => {
      notifications.hide(CHANGE);
      void put(before).then((done) => done && navigate(`/with/${encodeURIComponent(phone)}`));
    };
    notifications.hide(CHANGE);
    notifications.show({ id: CHANGE, message: <Changed status={status} onUndo={undo} />, autoClose: UNDO_MS });
    if (status === 'archived') onArchived();
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
      {found && <FindBar found={found} />}
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

type Status = Conversation['conversation_status'];

const CHANGE = 'status-changed';
/** How long a change can be undone from where it is told, ms. */
const UNDO_MS = 6_000;

function Changed({ status, onUndo }: { status: Status; onUndo: () => void }) {
  return (
    <Group gap="xs" wrap="nowrap" justify="space-between">
      {CHANGED[status]}
      <Button variant="subtle" size="compact-sm" flex="none" onClick={onUndo}>
        Undo
      </Button>
    </Group>
  );
}

const CHANGED: Record<Status, string> = {
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

/** A task or a search leads to a message: as much is loaded as it takes to find it, within reason. */
function useWantedMessage(
  searched: string | undefined,
  messages: readonly { id: string }[],
  {
    hasNextPage,
    isFetching,
    fetchNextPage,
  }: { hasNextPage: boolean; isFetching: boolean; fetchNextPage: () => unknown },
): string | null {
  const [search] = useSearchParams();
  const wanted = searched ?? search.get('message');
  const found = messages.some(({ id }) => id === wanted);
  const missing = wanted !== null && !found && messages.length > 0 && messages.length < 25 * AT_ONCE;
  useEffect(() => {
    if (missing && hasNextPage && !isFetching) fetchNextPage();
  }, [missing, hasNextPage, isFetching, fetchNextPage]);
  return found ? wanted : null;
}
