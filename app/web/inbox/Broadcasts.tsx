import { Button } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link, Redirect, Route, Switch, useLocation } from 'wouter';
import type { Broadcast } from '../../inbox/contract.ts';
import { Icon } from '../parts/Icon.tsx';
import { broadcasts } from './api.ts';
import { BroadcastForm } from './BroadcastForm.tsx';
import classes from './Broadcasts.module.css';
import { BroadcastView } from './BroadcastView.tsx';
import { BROADCAST_STATES, done } from './broadcast-words.ts';
import { More, Nothing, Problem, Waiting } from './States.tsx';
import { Tag } from './Tag.tsx';
import { minuteOf } from './words.ts';

/** One template to many people: what was sent, what is being sent, and a form for a new one. */
export default function Broadcasts() {
  return (
    <Switch>
      <Route path="/broadcasts/new">
        <BroadcastForm />
      </Route>
      <Route path="/broadcasts/:id">{({ id }) => <BroadcastView id={id} />}</Route>
      <Route path="/broadcasts">
        <List />
      </Route>
      <Redirect to="/broadcasts" />
    </Switch>
  );
}

/** Progress is watched for minutes: fetched again so often, ms. */
const AGAIN_MS = 5_000;

function List() {
  const [, navigate] = useLocation();
  const list = useInfiniteQuery({
    queryKey: ['broadcasts'],
    queryFn: ({ pageParam }) => broadcasts({ limit: 30, ...(pageParam ? { cursor: pageParam } : {}) }),
    initialPageParam: '',
    getNextPageParam: (last) => last.next_cursor,
    refetchInterval: AGAIN_MS,
  });
  const all = list.data?.pages.flatMap((page) => page.broadcasts) ?? [];
  return (
    <div className={classes.page}>
      <div className={classes.head}>
        <h1 className={classes.title}>Broadcasts</h1>
        <Button ml="auto" leftSection={<Icon name="plus" size={16} />} onClick={() => navigate('/broadcasts/new')}>
          New broadcast
        </Button>
      </div>
      {list.isPending && <Waiting />}
      {list.isError && !list.data && <Problem message={list.error.message} onRetry={() => void list.refetch()} />}
      {list.data && all.length === 0 && (
        <Nothing icon="megaphone" title="No broadcasts yet">
          A broadcast sends one approved template to many people.
        </Nothing>
      )}
      <ul className={classes.list}>
        {all.map((broadcast) => (
          <Row key={broadcast.id} broadcast={broadcast} />
        ))}
      </ul>
      {list.hasNextPage && (
        <More label="Show older" loading={list.isFetchingNextPage} onMore={() => void list.fetchNextPage()} />
      )}
    </div>
  );
}

function Row({ broadcast }: { broadcast: Broadcast }) {
  const { id, name, state, template, total, created_at, reason } = broadcast;
  const { word, tone } = BROADCAST_STATES[state];
  return (
    <li className={classes.card}>
      <div className={classes.head}>
        <Link href={`/broadcasts/${id}`}>{name}</Link>
        <Tag tone={tone}>{word}</Tag>
        <time dateTime={created_at} className={classes.quiet}>
          {minuteOf(created_at)}
        </time>
      </div>
      <p className={classes.line}>
        {template} · {done(broadcast).toLocaleString('en')} of {total.toLocaleString('en')} done
      </p>
      {reason !== null && <p className={classes.reason}>{reason}</p>}
    </li>
  );
}
