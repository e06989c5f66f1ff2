import { ActionIcon, CloseButton, Kbd, SegmentedControl, Select, Stack, TextInput, Tooltip } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useRef } from 'react';
import { useLocation, useRoute, useSearchParams } from 'wouter';
import type { Conversation } from '../../inbox/contract.ts';
import { Icon } from '../parts/Icon.tsx';
import { conversations, numbers, sentiments } from './api.ts';
import { ConversationRow } from './ConversationRow.tsx';
import classes from './inbox.module.css';
import { type Place, threadPath, withQuery } from './paths.ts';
import { More, Nothing, Problem, Waiting } from './States.tsx';
import { NewMessageDialog } from './TemplateDialog.tsx';
import { Thread } from './Thread.tsx';
import { useFilters, useSearchWords } from './useFilters.ts';
import { useKeys } from './useKeys.ts';
import { useSteady } from './useSteady.ts';
import { sentimentInWords } from './words.ts';

const FILTERS = [
  { value: 'all', label: 'All' },
  { value: 'unread', label: 'Unread' },
  { value: 'voice', label: 'Voice' },
  { value: 'picture', label: 'Picture' },
  { value: 'text', label: 'Text' },
  { value: 'tasks', label: 'Tasks' },
] as const;

const STATUSES = [
  { value: 'active', label: 'Active' },
  { value: 'archived', label: 'Archived' },
  { value: 'blocked', label: 'Blocked' },
  { value: 'spam', label: 'Looks like spam' },
];
/** In the address, where no parameter means active conversations. */
const ANY = 'any';

/** By the last message: 'oldest' begins with the contact who waits longest. */
const ORDERS = [
  { value: 'newest', label: 'Newest' },
  { value: 'oldest', label: 'Oldest' },
];

const DEFAULTS = { show: 'all', sentiment: '', status: 'active', order: 'newest', our: '', q: '' };

/** So near to the top of the list, what is new is shown, px. */
const NEAR_TOP = 5;

/** The list of conversations, and the one that is open. j and k move, / searches. */
export function Conversations() {
  const [filters, setFilters, filtered] = useFilters(DEFAULTS);
  const { our: business, q: search } = filters;
  const { sentiment } = filters;
  const known = useQuery({ queryKey: ['sentiments'], queryFn: sentiments }).data?.sentiments ?? [];
  const offered = [...new Set([...known, sentiment])].filter((name) => name !== '');
  const filter = FILTERS.find(({ value }) => value === filters.show)?.value ?? 'all';
  const order = filters.order === 'oldest' ? ('oldest' as const) : ('newest' as const);
  const status = STATUSES.find(({ value }) => value === filters.status)?.value ?? '';
  const [words, setWords] = useSearchWords(search, (q) => setFilters({ q }));
  const searchBox = useRef<HTMLInputElement>(null);
  const section = useRef<HTMLElement>(null);
  const [wall, plain] = [useRef<HTMLDivElement>(null), useRef<HTMLUListElement>(null)];
  const looked = useSteady(wall, plain, () => (wall.current?.scrollTop ?? 0) < NEAR_TOP);
  const own = useQuery({ queryKey: ['numbers'], queryFn: numbers }).data?.numbers ?? [];
  const numbered = own.length > 1;
  const [, route] = useRoute('/with/:phone');
  const [, navigate] = useLocation();
  const [params] = useSearchParams();
  const chosen: Place | null = route
    ? { phone: decodeURIComponent(route.phone ?? ''), business: params.get('number') ?? undefined }
    : null;
  const isChosen = (row: Conversation) =>
    row.phone_number === chosen?.phone && (chosen.business === undefined || row.business_number === chosen.business);
  const query = {
    filter,
    search,
    order,
    // The selects offer what the contract names, and nothing else.
    ...(sentiment ? { sentiment } : {}),
    ...(status === 'spam' ? { spam: 'true' as const } : {}),
    ...(status && status !== 'spam' ? { status: status as Conversation['conversation_status'] } : {}),
    ...(business ? { business_number: business } : {}),
  };
  const list = useInfiniteQuery({
    queryKey: ['conversations', query],
    placeholderData: keepPreviousData,
    queryFn: ({ pageParam }) => conversations({ ...query, limit: 30, ...(pageParam ? { cursor: pageParam } : {}) }),
    initialPageParam: '',
    getNextPageParam: (last) => last.next_cursor,
  });
  const listed = list.data?.pages.flatMap((page) => page.conversations) ?? [];
  const rows = useKept(listed, isChosen, filter === 'unread' && !list.isPlaceholderData);
  const narrowed = search !== '' || filter !== 'all' || sentiment !== '' || status !== 'active' || business !== '';
  const pathTo = ({ phone_number: phone, business_number }: Conversation, more: Record<string, string> = {}) =>
    threadPath({ phone, business: numbered ? business_number : undefined }, { ...filtered, ...more });
  const toList = () => navigate(withQuery('/', filtered));
  // A conversation that a search found opens at the message that has the words.
  const open = (row: Conversation) => navigate(pathTo(row, search === '' ? {} : { find: search }));

  function step(by: number): void {
    const at = rows.findIndex(isChosen);
    const next = rows[Math.min(rows.length - 1, Math.max(0, at + by))];
    if (next) open(next);
  }
  /** Opens the next conversation: the list does not have this one any more. */
  function archived(): void {
    const at = rows.findIndex(isChosen);
    const next = rows[at + 1] ?? rows[at - 1];
    if (status !== 'active') return;
    if (next) navigate(pathTo(next));
    else toList();
    // What had the focus is gone.
    setTimeout(() => {
      const row = section.current?.querySelector<HTMLElement>('[aria-current="true"]');
      (row ?? searchBox.current)?.focus();
    });
  }
  useKeys([
    ['j', () => step(1)],
    ['k', () => step(-1)],
    ['/', () => searchBox.current?.focus()],
    ['Escape', toList],
  ]);

  return (
    <div className={classes.conversations} data-open={chosen !== null}>
      <section ref={section} className={classes.list} aria-label="Conversations">
        <Stack gap="xs" p="sm" className={classes.filters}>
          <div className={classes.top}>
            <TextInput
              ref={searchBox}
              className={classes.search}
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
            <NewMessage onSent={(phone) => navigate(threadPath({ phone }, filtered))} />
          </div>
          <SegmentedControl
            aria-label="Show"
            size="xs"
            fullWidth
            data={[...FILTERS]}
            value={filter}
            onChange={(show) => setFilters({ show })}
          />
          <div className={classes.selects}>
            <Select
              aria-label="Sentiment"
              placeholder="Any sentiment"
              size="xs"
              clearable
              data={offered.map((value) => ({ value, label: sentimentInWords(value).word }))}
              value={sentiment || null}
              onChange={(value) => setFilters({ sentiment: value ?? '' })}
            />
            <Select
              aria-label="Status"
              placeholder="Any status"
              size="xs"
              clearable
              data={STATUSES}
              value={status || null}
              onChange={(value) => setFilters({ status: value ?? ANY })}
            />
            {numbered && (
              <Select
                aria-label="Number"
                placeholder="Any number"
                size="xs"
                clearable
                data={[...new Set(own.map((one) => one.business_number))]}
                value={business || null}
                onChange={(value) => setFilters({ our: value ?? '' })}
              />
            )}
            <Select
              aria-label="Order"
              size="xs"
              allowDeselect={false}
              data={ORDERS}
              value={order}
              onChange={(value) => setFilters({ order: value ?? 'newest' })}
            />
          </div>
        </Stack>
        <div className={classes.rows} ref={wall} onScroll={looked} aria-busy={list.isPlaceholderData}>
          {list.isPending && <Waiting />}
          {list.isError && !list.data && <Problem message={list.error.message} onRetry={() => list.refetch()} />}
          {list.data && rows.length === 0 && (
            <Nothing icon="text" title={narrowed ? 'No conversation matches these filters.' : 'No conversations yet.'}>
              {narrowed ? undefined : 'A conversation appears here when a person writes to the number.'}
            </Nothing>
          )}
          <ul className={classes.plain} ref={plain}>
            {rows.map((row) => (
              <ConversationRow
                key={row.id}
                conversation={row}
                chosen={isChosen(row)}
                numbered={numbered}
                onOpen={() => open(row)}
              />
            ))}
          </ul>
          {list.hasNextPage && (
            <More
              label="Show older"
              loading={list.isFetchingNextPage}
              onMore={() => void list.fetchNextPage({ cancelRefetch: false })}
            />
          )}
        </div>
      </section>
      <section className={classes.thread} aria-label="Conversation">
        {chosen ? (
          <Thread
            key={threadPath(chosen)}
            place={chosen}
            onClose={toList}
            onArchived={archived}
            onUndone={() => navigate(threadPath(chosen, filtered))}
          />
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

/** A button and its dialog. */
function NewMessage({ onSent }: { onSent: (phone: string) => void }) {
  const button = useRef<HTMLButtonElement>(null);
  const [writing, dialog] = useDisclosure(false, { onClose: () => setTimeout(() => button.current?.focus()) });
  return (
    <>
      <Tooltip label="New message">
        <ActionIcon ref={button} size={36} variant="light" aria-label="New message" onClick={dialog.open}>
          <Icon name="plus" />
        </ActionIcon>
      </Tooltip>
      {writing && (
        <NewMessageDialog
          onClose={dialog.close}
          onSent={(phone) => {
            dialog.close();
            onSent(phone);
          }}
        />
      )}
    </>
  );
}

/** An unread conversation that was opened has been read; its row stays until another one is opened. */
function useKept(listed: Conversation[], isChosen: (row: Conversation) => boolean, keeps: boolean): Conversation[] {
  const kept = useRef<{ row: Conversation; at: number } | null>(null);
  const at = listed.findIndex(isChosen);
  const [row] = at < 0 ? [] : listed.slice(at, at + 1);
  if (row) kept.current = { row, at };
  const { current } = kept;
  if (!keeps || row || !current || !isChosen(current.row)) return listed;
  return [...listed.slice(0, current.at), { ...current.row, unread_count: 0 }, ...listed.slice(current.at)];
}
