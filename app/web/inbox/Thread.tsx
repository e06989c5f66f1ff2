import { ActionIcon } from '@mantine/core';
import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { useSearchParams } from 'wouter';
import type { Conversation } from '../../inbox/contract.ts';
import { Icon } from '../parts/Icon.tsx';
import { conversation as load, markRead } from './api.ts';
import { FindBar, useFound } from './FindBar.tsx';
import { MessageList } from './MessageList.tsx';
import type { Place } from './paths.ts';
import { Reply } from './Reply.tsx';
import { SharedNote } from './SharedNote.tsx';
import { SpamNote } from './SpamNote.tsx';
import { Problem, Waiting } from './States.tsx';
import classes from './Thread.module.css';
import { ThreadHeader } from './ThreadHeader.tsx';
import { useKeys } from './useKeys.ts';
import { useNow } from './useNow.ts';
import { useOutbox } from './useOutbox.ts';
import { useStatus } from './useStatus.tsx';
import { HANDOFF_REASONS, nameOf, problemOf, waited } from './words.ts';

interface ThreadProps {
  place: Place;
  onClose: () => void;
  onArchived: () => void;
  /** A change of this conversation was undone. */
  onUndone: () => void;
}

/** Enough to fill a tall screen; more on demand. */
const AT_ONCE = 40;

/** One conversation: messages, analysis, and the field to answer. r answers, e archives. */
export function Thread({ place, onClose, onArchived, onUndone }: ThreadProps) {
  const { phone } = place;
  const setStatus = useStatus();
  const field = useRef<HTMLTextAreaElement>(null);
  const thread = useInfiniteQuery({
    queryKey: ['thread', phone, place.business ?? ''],
    queryFn: ({ pageParam }) => load(place, { limit: AT_ONCE, ...(pageParam ? { cursor: pageParam } : {}) }),
    initialPageParam: '',
    getNextPageParam: (last) => last.next_cursor,
  });
  const pages = thread.data?.pages ?? [];
  const conversation = pages[0]?.conversation;
  const messages = pages.flatMap((page) => page.messages).reverse();
  const business = conversation?.business_number;
  const outbox = useOutbox({ phone, business }, messages);
  const found = useFound({ phone, business });
  const wanted = useWantedMessage(found?.ids[found.at], messages, thread);
  useReading(conversation, messages.findLast(({ direction }) => direction === 'inbound')?.received_at);

  async function change(status: Conversation['conversation_status']): Promise<void> {
    if (!conversation || !(await setStatus(conversation, status, onUndone))) return;
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
      {conversation.waiting && <WaitingNote waiting={conversation.waiting} />}
      {conversation.answered_by === 'other' && <SharedNote conversation={conversation} />}
      {conversation.spam && <SpamNote conversation={conversation} spam={conversation.spam} />}
      {found && <FindBar found={found} />}
      <MessageList
        // A message that failed is in the outbox, where it can be sent again, as long as this conversation is open.
        messages={messages.filter(({ reply_id }) => !outbox.has(reply_id))}
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
      <Reply key={`${phone} ${business}`} ref={field} conversation={conversation} onSend={outbox.send} />
    </div>
  );
}

/** Why a person is needed here, for whoever picks it up. */
function WaitingNote({ waiting }: { waiting: NonNullable<Conversation['waiting']> }) {
  const now = useNow([], 30_000);
  return (
    <aside className={classes.waiting} aria-label="Waiting for a person">
      <strong>
        {HANDOFF_REASONS[waiting.reason]}, {waited(waiting.since, now)} ago.
      </strong>{' '}
      {waiting.note} {waiting.summary && <span dir="auto">{waiting.summary}</span>}
    </aside>
  );
}

/** Opening a conversation marks the messages that are shown as read; `newest` is when the last of them came in. */
function useReading(conversation: Conversation | undefined, newest: string | undefined): void {
  const queries = useQueryClient();
  const [visible, setVisible] = useState(() => document.visibilityState === 'visible');
  useEffect(() => {
    const look = () => setVisible(document.visibilityState === 'visible');
    document.addEventListener('visibilitychange', look);
    return () => document.removeEventListener('visibilitychange', look);
  }, []);
  const { phone_number: phone, business_number: business, unread_count: unread = 0 } = conversation ?? {};
  useEffect(() => {
    if (!visible || !phone || !business || !newest || unread === 0) return;
    // What could not be marked stays unread, and is marked when it is looked at again.
    markRead({ phone_number: phone, business_number: business, up_to: newest })
      .then(() => queries.invalidateQueries({ queryKey: ['conversations'] }))
      .catch(() => {});
  }, [queries, visible, phone, business, unread, newest]);
}

/** A task or a search leads to a message: older messages are loaded until it is found, up to a limit. */
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
