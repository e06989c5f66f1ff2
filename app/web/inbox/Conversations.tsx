import { CloseButton, Kbd, SegmentedControl, Select, Stack, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { useLocation, useRoute } from 'wouter';
import type { Conversation } from '../../inbox/contract.ts';
import { Icon } from '../parts/Icon.tsx';
import { conversations } from './api.ts';
import { ConversationRow } from './ConversationRow.tsx';
import classes from './inbox.module.css';
import { More, Nothing, Problem, Waiting } from './States.tsx';
import { Thread } from './Thread.tsx';
import { useKeys } from './useKeys.ts';
import { SENTIMENTS } from './words.ts';

const FILTERS = [
  { value: 'all', label: 'All' },
  { value: 'unread', label: 'Unread' },
  { value: 'voice', label: 'Voice' },
  { value: 'picture', label: 'Picture' },
  { value: 'text', label: 'Text' },
  { value: 'tasks', label: 'Tasks' },
] as const;
type Filter = (typeof FILTERS)[number]['value'];

const STATUSES = [
  { value: 'active', label: 'Active' },
  { value: 'archived', label: 'Archived' },
  { value: 'blocked', label: 'Blocked' },
];

/** By the last message: from the other end stands who waits longest. */
const ORDERS = [
  { value: 'newest', label: 'Newest' },
  { value: 'oldest', label: 'Oldest' },
];
type Order = 'newest' | 'oldest';

/** The list of conversations, and the one that is open. j and k move, / searches. */
export function Conversations() {
  const [filter, setFilter] = useState<Filter>('all');
  const [sentiment, setSentiment] = useState<string | null>(null);
  const [status, setStatus] = useState<string | null>('active');
  const [order, setOrder] = useState<Order>('newest');
  const [words, setWords] = useState('');
  const [search] = useDebouncedValue(words.trim(), 250);
  const searchBox = useRef<HTMLInputElement>(null);
  const [, route] = useRoute('/with/:phone');
  const [, navigate] = useLocation();
  const chosen = route ? decodeURIComponent(route.phone ?? '') : null;
  const query = {
    filter,
    search,
    order,
    // The selects offer what the contract names, and nothing else.
    ...(sentiment ? { sentiment: sentiment as Conversation['last_sentiment'] & string } : {}),
    ...(status ? { status: status as Conversation['conversation_status'] } : {}),
  };
  const list = useInfiniteQuery({
    queryKey: ['conversations', query],
    placeholderData: keepPreviousData,
    queryFn: ({ pageParam }) => conversations({ ...query, limit: 30, ...(pageParam ? { cursor: pageParam } : {}) }),
    initialPageParam: '',
    getNextPageParam: (last) => last.next_cursor,
  });
  const rows = list.data?.pages.flatMap((page) => page.conversations) ?? [];
  const narrowed = search !== '' || filter !== 'all' || sentiment !== null || status !== 'active';
  // Who was found by what was said is shown where it was said.
  const find = search === '' ? '' : `?find=${encodeURIComponent(search)}`;
  const open = (phone: string) => navigate(`/with/${encodeURIComponent(phone)}${find}`);

  function step(by: number): void {
    const at = rows.findIndex((row) => row.phone_number === chosen);
    const next = rows[Math.min(rows.length - 1, Math.max(0, at + by))];
    if (next) open(next.phone_number);
  }
  /** On to the next one: the list no longer has it. */
  function archived(): void {
    const at = rows.findIndex((row) => row.phone_number === chosen);
    const next = rows[at + 1] ?? rows[at - 1];
    if (status === 'active') navigate(next ? `/with/${encodeURIComponent(next.phone_number)}` : '/');
  }
  useKeys([
    ['j', () => step(1)],
    ['k', () => step(-1)],
    ['/', () => searchBox.current?.focus()],
    ['Escape', () => navigate('/')],
  ]);

  return (
    <div className={classes.conversations} data-open={chosen !== null}>
      <section className={classes.list} aria-label="Conversations">
        <Stack gap="xs" p="sm" className={classes.filters}>
          <TextInput
            ref={searchBox}
            aria-label="Search conversations"
            placeholder="Search names and messages"
            leftSection={<Icon name="search" size={16} />}
            value={words}
            onChange={(event) => setWords(event.currentTarget.value)}
            rightSection={
              words === '' ? (
                <Kbd size="xs" aria-hidden="true" className={classes.hint}>
                  /
                </Kbd>
              ) : (
                <CloseButton size="sm" aria-label="Clear the search" onClick={() => setWords('')} />
              )
            }
            onKeyDown={(event) => event.key === 'Escape' && event.currentTarget.blur()}
          />
          <SegmentedControl
            aria-label="Show"
            size="xs"
            fullWidth
            data={[...FILTERS]}
            value={filter}
            onChange={(value) => setFilter(value)}
          />
          <div className={classes.selects}>
            <Select
              aria-label="Sentiment"
              placeholder="Any sentiment"
              size="xs"
              clearable
              data={Object.entries(SENTIMENTS).map(([value, { word }]) => ({ value, label: word }))}
              value={sentiment}
              onChange={setSentiment}
            />
            <Select
              aria-label="Status"
              placeholder="Any status"
              size="xs"
              clearable
              data={STATUSES}
              value={status}
              onChange={setStatus}
            />
            <Select
              aria-label="Order"
              size="xs"
              allowDeselect={false}
              data={ORDERS}
              value={order}
              // One of the two that are offered.
              onChange={(value) => setOrder(value as Order)}
            />
          </div>
        </Stack>
        <div className={classes.rows} aria-busy={list.isPlaceholderData}>
          {list.isPending && <Waiting />}
          {list.isError && <Problem message={list.error.message} onRetry={() => list.refetch()} />}
          {list.isSuccess && rows.length === 0 && (
            <Nothing icon="text" title={narrowed ? 'No conversation fits these filters.' : 'Nobody has written yet.'}>
              {narrowed ? undefined : 'As soon as somebody writes to the number, it shows up here by itself.'}
            </Nothing>
          )}
          <ul className={classes.plain}>
            {rows.map((row) => (
              <ConversationRow
                key={row.id}
                conversation={row}
                chosen={row.phone_number === chosen}
                onOpen={() => open(row.phone_number)}
              />
            ))}
          </ul>
          {list.hasNextPage && (
            <More
              label="Show older ones"
              loading={list.isFetchingNextPage}
              onMore={() => void list.fetchNextPage({ cancelRefetch: false })}
            />
          )}
        </div>
      </section>
      <section className={classes.thread} aria-label="Conversation">
        {chosen ? (
          <Thread key={chosen} phone={chosen} onClose={() => navigate('/')} onArchived={archived} />
        ) : (
          <Nothing icon="text" title="Choose a conversation">
            <Kbd size="xs">j</Kbd> <Kbd size="xs">k</Kbd> next and previous, <Kbd size="xs">/</Kbd> search,{' '}
            <Kbd size="xs">r</Kbd> answer, <Kbd size="xs">e</Kbd> archive
          </Nothing>
        )}
      </section>
    </div>
  );
}
