import { SegmentedControl } from '@mantine/core';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Analytics, Day } from '../../inbox/contract.ts';
import { Icon, type IconName } from '../parts/Icon.tsx';
import { took } from '../parts/time.ts';
import { analytics } from './api.ts';
import { ChartCard } from './ChartCard.tsx';
import classes from './Dashboard.module.css';
import { DashboardParts } from './DashboardParts.tsx';
import { Problem, Waiting } from './States.tsx';
import { sentimentInWords } from './words.ts';

/** The numbers of the inbox, and how they came about. */
export default function Dashboard() {
  const [days, setDays] = useState('30');
  const numbers = useQuery({
    queryKey: ['analytics', days],
    queryFn: () => analytics(Number(days)),
    placeholderData: keepPreviousData,
  });
  if (numbers.isPending) return <Waiting />;
  if (numbers.data === undefined)
    return (
      <Problem
        message={numbers.error?.message ?? 'The figures could not be loaded.'}
        onRetry={() => void numbers.refetch()}
      />
    );
  return (
    <div className={classes.page} aria-busy={numbers.isPlaceholderData}>
      <div className={classes.wide}>
        <DashboardParts heading="Dashboard" />
        <Cards totals={numbers.data.analytics} />
        <div className={classes.bar}>
          <h2 className={classes.heading}>Day by day</h2>
          <SegmentedControl aria-label="How many days" data={RANGES} value={days} onChange={setDays} />
        </div>
        <Charts days={numbers.data.days} />
      </div>
    </div>
  );
}

const RANGES = [
  { value: '7', label: '7 days' },
  { value: '30', label: '30 days' },
  { value: '90', label: '90 days' },
];

const CARDS: { key: keyof Analytics; word: string; icon: IconName }[] = [
  { key: 'total_messages', word: 'Messages', icon: 'text' },
  { key: 'inbound_messages', word: 'Received', icon: 'down' },
  { key: 'outbound_messages', word: 'Sent', icon: 'send' },
  { key: 'unique_contacts', word: 'Contacts', icon: 'person' },
  { key: 'voice_messages', word: 'Voice notes', icon: 'microphone' },
  { key: 'transcriptions_completed', word: 'Transcribed', icon: 'ear' },
  { key: 'tasks_created', word: 'Tasks created', icon: 'board' },
  { key: 'avg_processing_time_seconds', word: 'Average processing', icon: 'clock' },
];

/** The eight numbers, over everything that was ever recorded. */
function Cards({ totals }: { totals: Analytics }) {
  return (
    <ul className={classes.cards} aria-label="Since the beginning">
      {CARDS.map(({ key, word, icon }) => (
        <li key={key} className={classes.card} data-number={key}>
          <span className={classes.icon}>
            <Icon name={icon} size={18} />
          </span>
          <span className={classes.word}>{word}</span>
          <strong className={classes.number}>
            {key === 'avg_processing_time_seconds' ? seconds(totals[key]) : count(totals[key])}
          </strong>
        </li>
      ))}
    </ul>
  );
}

/** In this order, and whether they occurred or not; the operator's own follow. */
const SENTIMENT_COLORS = { positive: 'teal.5', neutral: 'gray.5', negative: 'orange.5', urgent: 'red.7' };
const OTHER_COLORS = ['blue.5', 'grape.5', 'yellow.6', 'cyan.6', 'pink.5', 'lime.7'];

function sentimentSeries(days: readonly Day[]) {
  const occurred = [...new Set(days.flatMap(({ sentiments }) => Object.keys(sentiments)))];
  const others = occurred.filter((name) => !Object.hasOwn(SENTIMENT_COLORS, name));
  const isOwn = others.length > 0; // then the usual four may not be in use at all
  const usual = Object.entries(SENTIMENT_COLORS).filter(([name]) => !isOwn || occurred.includes(name));
  const more = others.map((name, i) => [name, OTHER_COLORS[i % OTHER_COLORS.length] ?? 'gray.7'] as const);
  return [...usual, ...more].map(([name, color]) => ({ name, label: sentimentInWords(name).word, color }));
}

function Charts({ days }: { days: Day[] }) {
  const sounds = sentimentSeries(days);
  const total = (sentiment: string) => days.reduce((sum, { sentiments }) => sum + (sentiments[sentiment] ?? 0), 0);
  const read = sum(days, 'tokens_in');
  const cached = sum(days, 'tokens_cached');
  const share = read === 0 ? 'nothing yet' : `${Math.round((cached / read) * 100)} % of what was read`;
  const tokens = days.map((day) => ({ ...day, tokens_new: day.tokens_in - day.tokens_cached }));
  return (
    <div className={classes.charts}>
      <ChartCard
        kind="bars"
        title="Messages per day"
        summary={`${count(sum(days, 'inbound'))} received, ${count(sum(days, 'outbound'))} sent.`}
        days={days}
        series={[
          { name: 'inbound', label: 'Received', color: 'teal.5' },
          { name: 'outbound', label: 'Sent', color: 'blue.5' },
        ]}
        format={count}
      />
      <ChartCard
        kind="lines"
        title="Response time"
        summary="How long people waited for an answer: half of them no longer than the typical wait; the slowest 5 % longer than the other line."
        days={days}
        series={[
          { name: 'response_p50_ms', label: 'Typical wait', color: 'teal.5' },
          { name: 'response_p95_ms', label: 'Slowest 5 %', color: 'orange.6' },
        ]}
        format={took}
      />
      <ChartCard
        kind="stacked"
        title="Sentiment"
        summary={`${sounds.map(({ name, label }) => `${count(total(name))} ${label.toLowerCase()}`).join(', ')}.`}
        days={days.map(({ day, sentiments }) => ({ ...sentiments, day }))}
        series={sounds}
        format={count}
      />
      <ChartCard
        kind="bars"
        title="Tasks"
        summary={`${count(sum(days, 'tasks_created'))} created, ${count(sum(days, 'tasks_done'))} done.`}
        days={days}
        series={[
          { name: 'tasks_created', label: 'Created', color: 'gray.5' },
          { name: 'tasks_done', label: 'Done', color: 'teal.5' },
        ]}
        format={count}
      />
      <ChartCard
        kind="stacked"
        title="Tokens"
        summary={`${count(read)} read and ${count(sum(days, 'tokens_out'))} written by the model. Served from the cache: ${share}.`}
        days={tokens}
        series={[
          { name: 'tokens_cached', label: 'Read from the cache', color: 'teal.5' },
          { name: 'tokens_new', label: 'Not cached', color: 'blue.5' },
          { name: 'tokens_out', label: 'Written', color: 'violet.5' },
        ]}
        format={count}
      />
    </div>
  );
}

function sum(days: readonly Day[], key: Exclude<keyof Day, 'day' | 'sentiments'>): number {
  return days.reduce((total, day) => total + (day[key] ?? 0), 0);
}

function count(value: number): string {
  return value.toLocaleString('en');
}

function seconds(value: number): string {
  return `${value.toFixed(value < 10 ? 2 : 1)} s`;
}
