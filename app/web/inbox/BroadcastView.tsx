import { Alert, Button, Group, Modal, Progress, Select, Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'wouter';
import type { Broadcast, BroadcastRow } from '../../inbox/contract.ts';
import { Icon } from '../parts/Icon.tsx';
import { broadcastRows, exportUrl, broadcast as load, stepBroadcast } from './api.ts';
import classes from './Broadcasts.module.css';
import { BROADCAST_STATES, done, ROW_STATES, skippedInWords } from './broadcast-words.ts';
import { money } from './money.ts';
import { threadPath } from './paths.ts';
import { More, Nothing, Problem, Waiting } from './States.tsx';
import { Tag } from './Tag.tsx';
import { useFilters } from './useFilters.ts';
import { minuteOf, problemOf, until } from './words.ts';

/** While it sends, and later, when reports of deliveries come; ms. */
const SENDING_MS = 2_000;
const LATER_MS = 15_000;

/** How far a broadcast is, and what became of each row. */
export function BroadcastView({ id }: { id: string }) {
  const found = useQuery({
    queryKey: ['broadcast', id],
    queryFn: () => load(id),
    refetchInterval: (query) => (query.state.data?.broadcast.state === 'running' ? SENDING_MS : LATER_MS),
  });
  if (found.isPending) return <Waiting />;
  if (!found.data) return <Problem message={found.error.message} onRetry={() => void found.refetch()} />;
  const { broadcast } = found.data;
  const { word, tone } = BROADCAST_STATES[broadcast.state];
  return (
    <div className={classes.page}>
      <Link href="/broadcasts" className={classes.back}>
        <Icon name="back" size={16} /> All broadcasts
      </Link>
      <div className={classes.head}>
        <h1 className={classes.title}>{broadcast.name}</h1>
        <Tag tone={tone}>{word}</Tag>
      </div>
      <p className={classes.line}>{aboutOf(broadcast)}</p>
      {broadcast.reason !== null && (
        <Alert color="red" title="It stopped automatically" my="sm" className={classes.alert}>
          {broadcast.reason}
        </Alert>
      )}
      <ProgressOf broadcast={broadcast} />
      <Steps broadcast={broadcast} />
      <Rows broadcast={broadcast} />
    </div>
  );
}

function aboutOf({ template, business_number, channel, created_at, estimated_cost: cost }: Broadcast): string {
  const from = business_number === '' ? channel : business_number;
  const costs = cost === null ? '' : ` · about ${money(cost.amount, cost.currency)}`;
  return `${template} from ${from} · ${minuteOf(created_at)}${costs}`;
}

function ProgressOf({ broadcast }: { broadcast: Broadcast }) {
  const { counts, total, skipped_reasons, pace } = broadcast;
  const parts = ROW_STATES.filter(({ state }) => counts[state] > 0);
  const waits = waitsIn(broadcast);
  return (
    <section aria-label="Progress" className={classes.progress}>
      <p className={classes.amount}>
        {done(broadcast).toLocaleString('en')} <small>of {total.toLocaleString('en')} done</small>
      </p>
      <Progress.Root size="xl" aria-hidden="true">
        {parts.map(({ state, color }) => (
          <Progress.Section key={state} value={(counts[state] / Math.max(1, total)) * 100} color={color} />
        ))}
      </Progress.Root>
      <ul className={classes.legend}>
        {parts.map(({ state, word, color }) => (
          <li key={state}>
            <span className={classes.dot} style={{ background: `var(--mantine-color-${color.replace('.', '-')})` }} />
            {word} <b>{counts[state].toLocaleString('en')}</b>
          </li>
        ))}
      </ul>
      {counts.skipped > 0 && <p className={classes.line}>Skipped: {skippedInWords(skipped_reasons)}.</p>}
      {waits !== '' && <p className={classes.line}>{waits}</p>}
      {pace !== null && waits === '' && counts.waiting > 0 && (
        <p className={classes.line}>{pace.per_second.toLocaleString('en')} messages per second.</p>
      )}
    </section>
  );
}

function waitsIn({ waits_for, waits_until }: Broadcast): string {
  const at = waits_until === null ? '' : until(waits_until, Date.now());
  switch (waits_for) {
    case 'schedule':
      return `It begins ${at}.`;
    case 'quiet':
      return `It is quiet until ${at}: nothing is sent before.`;
    case 'day':
      return 'It waits: no more people may be written to within 24 hours.';
    case 'provider':
      return 'The provider asked to slow down. It goes on in a moment.';
    case null:
      return '';
  }
}

function Steps({ broadcast: { id, state, counts } }: { broadcast: Broadcast }) {
  const queries = useQueryClient();
  const [cancelling, setCancelling] = useState(false);
  const isOpen = state !== 'done' && state !== 'cancelled';
  async function step(name: 'pause' | 'resume' | 'cancel'): Promise<void> {
    try {
      await stepBroadcast(id, name);
    } catch (error) {
      notifications.show({ color: 'red', title: 'The action failed', message: problemOf(error) });
    }
    setCancelling(false);
    await Promise.all(
      ['broadcast', 'broadcasts', 'broadcast-rows'].map((key) => queries.invalidateQueries({ queryKey: [key] })),
    );
  }
  return (
    <Group gap="xs" my="md">
      {(state === 'running' || state === 'scheduled') && (
        <Button variant="default" onClick={() => void step('pause')}>
          Pause
        </Button>
      )}
      {(state === 'paused' || state === 'stopped') && <Button onClick={() => void step('resume')}>Resume</Button>}
      {isOpen && (
        <Button variant="subtle" color="red" onClick={() => setCancelling(true)}>
          Cancel the broadcast
        </Button>
      )}
      <a href={exportUrl(id)} download className={classes.export}>
        Export as CSV
      </a>
      {cancelling && (
        <Modal
          opened
          onClose={() => setCancelling(false)}
          title="Cancel the broadcast?"
          closeButtonProps={{ 'aria-label': 'Close' }}
        >
          <Text size="sm">
            {counts.waiting.toLocaleString('en')} people get no message. What was sent stays sent. It cannot be resumed.
          </Text>
          <Group justify="flex-end" mt="md">
            <Button variant="default" onClick={() => setCancelling(false)}>
              Go on
            </Button>
            <Button color="red" onClick={() => void step('cancel')}>
              Cancel it
            </Button>
          </Group>
        </Modal>
      )}
    </Group>
  );
}

const DEFAULTS = { state: '' };

function Rows({ broadcast: { id, state: whole, counts } }: { broadcast: Broadcast }) {
  const [{ state }, set] = useFilters(DEFAULTS);
  const chosen = ROW_STATES.find((one) => one.state === state)?.state;
  const list = useInfiniteQuery({
    queryKey: ['broadcast-rows', id, chosen],
    queryFn: ({ pageParam }) => broadcastRows(id, { limit: 100, state: chosen, cursor: pageParam }),
    initialPageParam: 0,
    getNextPageParam: (last) => (last.next_cursor === null ? null : Number(last.next_cursor)),
    refetchInterval: whole === 'running' ? SENDING_MS : LATER_MS,
  });
  const rows = list.data?.pages.flatMap((page) => page.rows) ?? [];
  return (
    <section aria-label="Results">
      <div className={classes.head}>
        <h2 className={classes.subtitle}>Results</h2>
        <Select
          aria-label="Which results"
          ml="auto"
          w={190}
          data={[
            { value: '', label: 'All' },
            ...ROW_STATES.map(({ state, word }) => ({ value: state, label: `${word} (${counts[state]})` })),
          ]}
          value={chosen ?? ''}
          onChange={(value) => set({ state: value ?? '' })}
          allowDeselect={false}
        />
      </div>
      {list.isPending && <Waiting />}
      {list.isError && !list.data && <Problem message={list.error.message} onRetry={() => void list.refetch()} />}
      {list.data && rows.length === 0 && <Nothing icon="check" title="No such row" />}
      <ul className={classes.rows}>
        {rows.map((row) => (
          <Row key={row.position} row={row} />
        ))}
      </ul>
      {list.hasNextPage && (
        <More label="Show more" loading={list.isFetchingNextPage} onMore={() => void list.fetchNextPage()} />
      )}
    </section>
  );
}

function Row({ row: { position, number, state, note, reply_id, changed_at } }: { row: BroadcastRow }) {
  const { word, tone } = ROW_STATES.find((one) => one.state === state) ?? { word: state, tone: 'plain' as const };
  const phone = /^\d+$/.test(number) ? `+${number}` : number;
  return (
    <li>
      <span className={classes.position}>{position}</span>
      {reply_id === null ? <span>{phone}</span> : <Link href={threadPath({ phone })}>{phone}</Link>}
      <Tag tone={tone}>{word}</Tag>
      {note !== null && <span className={classes.note}>{note}</span>}
      {changed_at !== null && reply_id !== null && (
        <time dateTime={changed_at} className={classes.quiet}>
          {minuteOf(changed_at)}
        </time>
      )}
    </li>
  );
}
