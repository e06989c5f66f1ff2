import { Button, Modal, Select, Switch, TextInput } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { notifications } from '@mantine/notifications';
import { keepPreviousData, useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query';
import { type DragEvent, useRef, useState } from 'react';
import { useSearchParams } from 'wouter';
import type { Task } from '../../inbox/contract.ts';
import { Icon } from '../parts/Icon.tsx';
import { task as load, tasks, updateTask } from './api.ts';
import { More, Nothing, Problem, Waiting } from './States.tsx';
import { TaskCard } from './TaskCard.tsx';
import { TaskDialog, useTaskTypes } from './TaskDialog.tsx';
import classes from './Tasks.module.css';
import { useFilters, useSearchWords } from './useFilters.ts';
import { useKeys } from './useKeys.ts';
import { inWords, problemOf, TASK_STATES, today } from './words.ts';

interface Filters {
  search: string;
  task_type?: string;
  due_by?: string;
}

const DEFAULTS = { q: '', type: '', due: '' };
const COLUMNS = TASK_STATES.filter(({ status }) => status !== 'cancelled');

/** The board: what is to do, in progress and done. / searches, n makes a new one. */
export function Tasks() {
  const [{ q: search, type, due }, setFilters] = useFilters(DEFAULTS);
  const [words, setWords] = useSearchWords(search, (q) => setFilters({ q }));
  const dueOnly = due !== '';
  const types = useTaskTypes(type);
  const [adding, dialog] = useDisclosure(false);
  const [editing, setEditing] = useState<Task | null>(null);
  const searchBox = useRef<HTMLInputElement>(null);
  useKeys([
    ['/', () => searchBox.current?.focus()],
    ['n', dialog.open],
  ]);
  const filters = { search, ...(type ? { task_type: type } : {}), ...(dueOnly ? { due_by: today() } : {}) };

  return (
    <div className={classes.page}>
      <h1 className={classes.hidden}>Tasks</h1>
      <div className={classes.bar}>
        <TextInput
          ref={searchBox}
          aria-label="Search tasks"
          placeholder="Search tasks"
          leftSection={<Icon name="search" size={16} />}
          className={classes.search}
          value={words}
          onChange={(event) => setWords(event.currentTarget.value)}
        />
        <Select
          aria-label="Type"
          placeholder="Any type"
          clearable
          w={130}
          data={types.map((value) => ({ value, label: inWords(value) }))}
          value={type || null}
          onChange={(value) => setFilters({ type: value ?? '' })}
        />
        <Switch
          label="Due today or overdue"
          checked={dueOnly}
          onChange={(event) => setFilters({ due: event.currentTarget.checked ? 'today' : '' })}
        />
        <Button ml="auto" leftSection={<Icon name="plus" size={16} />} onClick={dialog.open}>
          New task
        </Button>
      </div>
      <div className={classes.board}>
        {COLUMNS.map(({ status, word }) => (
          <Column key={status} status={status} title={word} filters={filters} onEdit={setEditing} />
        ))}
      </div>
      {adding && <TaskDialog onClose={dialog.close} />}
      {editing && <TaskDialog task={editing} onClose={() => setEditing(null)} />}
      <Linked />
    </div>
  );
}

/** The task that a link leads to, wherever on the board it is. */
function Linked() {
  const [params, setParams] = useSearchParams();
  const id = params.get('task');
  const found = useQuery({ queryKey: ['task', id], queryFn: () => load(id ?? ''), enabled: id !== null, gcTime: 0 });
  const close = () =>
    setParams(
      (before) => {
        before.delete('task');
        return before;
      },
      { replace: true },
    );
  if (id === null) return null;
  if (found.isError) {
    return (
      <Modal opened onClose={close} title="Task" closeButtonProps={{ 'aria-label': 'Close' }}>
        <Problem message={found.error.message} onRetry={() => void found.refetch()} />
      </Modal>
    );
  }
  return found.data ? <TaskDialog task={found.data.task} onClose={close} /> : null;
}

/** What a card carries while it is dragged. */
const CARD = 'application/x-recado-task';

interface ColumnProps {
  status: Task['status'];
  title: string;
  filters: Filters;
  onEdit: (task: Task) => void;
}

function Column({ status, title, filters, onEdit }: ColumnProps) {
  const move = useMove();
  const [over, setOver] = useState(false);
  const list = useInfiniteQuery({
    queryKey: ['tasks', status, filters],
    queryFn: ({ pageParam }) => tasks({ ...filters, status, limit: 30, ...(pageParam ? { cursor: pageParam } : {}) }),
    initialPageParam: '',
    getNextPageParam: (last) => last.next_cursor,
    placeholderData: keepPreviousData,
  });
  const cards = list.data?.pages.flatMap((page) => page.tasks) ?? [];

  function allow(event: DragEvent): void {
    if (!event.dataTransfer.types.includes(CARD)) return;
    event.preventDefault();
    setOver(true);
  }
  function drop(event: DragEvent): void {
    const id = event.dataTransfer.getData(CARD);
    setOver(false);
    if (id && !cards.some((card) => card.id === id)) void move(id, status);
  }

  return (
    <section
      className={classes.column}
      aria-label={title}
      tabIndex={-1}
      data-over={over}
      onDragOver={allow}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
    >
      <h2 className={classes.title}>
        {title}
        <span className={classes.count}>{list.data && `${cards.length}${list.hasNextPage ? '+' : ''}`}</span>
      </h2>
      <div className={classes.cards}>
        {list.isPending && <Waiting />}
        {list.isError && !list.data && <Problem message={list.error.message} onRetry={() => void list.refetch()} />}
        {list.data && cards.length === 0 && <Nothing icon="check" title={EMPTY[status]} />}
        <ul className={classes.plain}>
          {cards.map((task) => (
            <TaskCard
              key={task.id}
              task={task}
              onEdit={() => onEdit(task)}
              onMove={(to) => move(task.id, to)}
              onDragStart={(event) => event.dataTransfer.setData(CARD, task.id)}
            />
          ))}
        </ul>
        {list.hasNextPage && (
          <More
            label="Show more"
            loading={list.isFetchingNextPage}
            onMore={() => void list.fetchNextPage({ cancelRefetch: false })}
          />
        )}
      </div>
    </section>
  );
}

const EMPTY: Record<Task['status'], string> = {
  pending: 'Nothing to do',
  in_progress: 'Nothing in progress',
  completed: 'Nothing done yet',
  cancelled: 'Nothing cancelled',
};

function useMove(): (id: string, status: Task['status']) => Promise<void> {
  const queries = useQueryClient();
  return async (id, status) => {
    try {
      await updateTask(id, { status });
    } catch (error) {
      notifications.show({ color: 'red', title: 'The task was not moved', message: problemOf(error) });
    }
    await Promise.all(
      ['tasks', 'thread', 'conversations'].map((key) => queries.invalidateQueries({ queryKey: [key] })),
    );
  };
}
