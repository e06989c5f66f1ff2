import { Anchor, Progress, SegmentedControl, Table } from '@mantine/core';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Link } from 'wouter';
import type { Answered, CostPurpose, PurposeCosts, Sum } from '../../inbox/contract.ts';
import { costs } from './api.ts';
import { ChartCard } from './ChartCard.tsx';
import classes from './Costs.module.css';
import shared from './Dashboard.module.css';
import { DashboardParts } from './DashboardParts.tsx';
import { inFull, money, rounded, sumsInWords } from './money.ts';
import { threadPath } from './paths.ts';
import { Problem, Waiting } from './States.tsx';
import { useFilters } from './useFilters.ts';

type Figures = Answered<'costs'>;

const DEFAULTS = { days: '30', phone: '', number: '' };
/** Costs change with every message, and nobody watches them for that: fetched again so often, ms. */
const AGAIN_MS = 30_000;

/** What messages and models cost, against the budget of the month. */
export default function Costs() {
  const [{ days, phone, number }, set] = useFilters(DEFAULTS);
  const figures = useQuery({
    queryKey: ['costs', days, phone, number],
    queryFn: () => costs({ days, phone_number: phone, business_number: phone && number }),
    placeholderData: keepPreviousData,
    refetchInterval: AGAIN_MS,
  });
  if (figures.isPending) return <Waiting />;
  if (figures.data === undefined)
    return (
      <Problem
        message={figures.error?.message ?? 'The costs could not be loaded.'}
        onRetry={() => void figures.refetch()}
      />
    );
  return (
    <div className={shared.page} aria-busy={figures.isPlaceholderData}>
      <div className={shared.wide}>
        <DashboardParts heading="Costs" />
        <Month figures={figures.data} />
        <div className={shared.bar}>
          <h2 className={shared.heading}>{phone === '' ? 'Day by day' : `Spent for ${phone}`}</h2>
          {phone !== '' && (
            <Anchor component="button" type="button" size="sm" onClick={() => set({ phone: '', number: '' })}>
              Show all conversations
            </Anchor>
          )}
          <SegmentedControl
            aria-label="How many days"
            data={RANGES}
            value={days}
            onChange={(chosen) => set({ days: chosen })}
          />
        </div>
        <div className={shared.charts}>
          <Days figures={figures.data} />
          <Purposes purposes={figures.data.purposes} />
          <Conversations figures={figures.data} />
        </div>
      </div>
    </div>
  );
}

const RANGES = [
  { value: '7', label: '7 days' },
  { value: '30', label: '30 days' },
  { value: '90', label: '90 days' },
];

/** In the order in which they are shown. */
const PURPOSES: { purpose: CostPurpose; label: string; color: string }[] = [
  { purpose: 'answer', label: 'Answers', color: 'teal.5' },
  { purpose: 'message', label: 'Messages sent', color: 'blue.5' },
  { purpose: 'analysis', label: 'Analysis', color: 'violet.5' },
  { purpose: 'summary', label: 'Summaries', color: 'orange.5' },
  { purpose: 'transcription', label: 'Voice notes', color: 'gray.5' },
];

const MONTH = new Intl.DateTimeFormat('en-GB', { month: 'long', year: 'numeric' });

/** This month by now, and how much of the budget it is. */
function Month({ figures: { month, budget, currency } }: { figures: Figures }) {
  const name = MONTH.format(new Date(`${month.name}-15T12:00:00`));
  const others = month.sums.filter((sum) => sum.currency !== budget?.limit.currency);
  return (
    <section className={classes.month} aria-label={`Costs in ${name}`}>
      <p className={classes.name}>{name}</p>
      <p className={classes.amount}>
        {budget ? money(budget.spent, budget.limit.currency) : sumsInWords(month.sums, currency)}
        {budget && <small> of {money(budget.limit.amount, budget.limit.currency)}</small>}
      </p>
      {budget && (
        <>
          <Progress
            my={8}
            size="lg"
            color={STATES[budget.state].color}
            value={Math.min(100, budget.percent)}
            aria-label="Share of the budget"
          />
          <p className={classes.words}>
            {budget.percent} % of this month's budget. {STATES[budget.state].words}
          </p>
        </>
      )}
      {budget && others.length > 0 && (
        <p className={classes.words}>Not counted, in other currencies: {sumsInWords(others, currency)}.</p>
      )}
      {!budget && <p className={classes.words}>There is no budget: MONTHLY_BUDGET is not set.</p>}
      <Unpriced count={month.unpriced} />
    </section>
  );
}

const STATES = {
  within: { color: 'teal', words: 'The bot answers.' },
  near: { color: 'orange', words: 'The bot answers until it is used up.' },
  'used-up': { color: 'red', words: 'The bot is paused until next month, and the team answers.' },
};

/** What nobody said the price of is never left out silently. */
function Unpriced({ count }: { count: number }) {
  if (count === 0) return null;
  const what =
    count === 1
      ? '1 message or call of a model has'
      : `${count.toLocaleString('en')} messages and calls of models have`;
  return <p className={classes.words}>{what} no reported price and are not in the sum.</p>;
}

function Days({ figures: { days, currency, purposes, total } }: { figures: Figures }) {
  const series = PURPOSES.filter(({ purpose }) => purposes.some((one) => one.purpose === purpose)).map(
    ({ purpose, label, color }) => ({ name: purpose, label, color }),
  );
  const drawn = days.map(({ day, purposes: spent }) => ({
    day,
    ...Object.fromEntries(spent.map(({ purpose, sums }) => [purpose, Number(amountIn(sums, currency))])),
  }));
  return (
    <ChartCard
      kind="stacked"
      title={`Costs per day, in ${currency}`}
      summary={`${money(amountIn(total.sums, currency), currency)} in ${days.length} days.`}
      days={drawn}
      series={series}
      format={rounded}
      hasDecimals
    />
  );
}

function amountIn(sums: readonly Sum[], currency: string): string {
  return sums.find((sum) => sum.currency === currency)?.amount ?? '0';
}

function Purposes({ purposes }: { purposes: PurposeCosts[] }) {
  const rows = PURPOSES.flatMap(({ purpose, label }) => {
    const found = purposes.find((one) => one.purpose === purpose);
    return found ? [{ ...found, label }] : [];
  });
  return (
    <Card title="By purpose" empty={rows.length === 0}>
      <Table.Thead>
        <Table.Tr>
          <Table.Th scope="col">Purpose</Table.Th>
          <Table.Th scope="col" ta="right">
            Cost
          </Table.Th>
          <Table.Th scope="col" ta="right">
            Number
          </Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {rows.map(({ purpose, label, sums, entries, unpriced }) => (
          <Table.Tr key={purpose}>
            <Table.Th scope="row" fw={400}>
              {label}
              <WithoutPrice count={unpriced} />
            </Table.Th>
            <Amount sums={sums} />
            <Table.Td ta="right">{entries.toLocaleString('en')}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Card>
  );
}

function Conversations({ figures: { conversations } }: { figures: Figures }) {
  return (
    <Card title="Conversations that cost most" empty={conversations.length === 0}>
      <Table.Thead>
        <Table.Tr>
          <Table.Th scope="col">Contact</Table.Th>
          <Table.Th scope="col" ta="right">
            Cost
          </Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {conversations.map(({ phone_number, contact_name, business_number, sums, unpriced }) => (
          <Table.Tr key={`${phone_number} ${business_number}`}>
            <Table.Th scope="row" fw={400}>
              <Link href={threadPath({ phone: phone_number, business: business_number })} className={classes.contact}>
                <bdi>{contact_name || phone_number}</bdi>
              </Link>
              <WithoutPrice count={unpriced} />
            </Table.Th>
            <Amount sums={sums} />
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Card>
  );
}

/** One line for each currency; the exact amount is its title. */
function Amount({ sums }: { sums: Sum[] }) {
  return (
    <Table.Td ta="right" className={classes.figure}>
      {sums.length === 0 && '–'}
      {sums.map(({ currency, amount }) => (
        <div key={currency} title={inFull(amount, currency)}>
          {money(amount, currency)}
        </div>
      ))}
    </Table.Td>
  );
}

function WithoutPrice({ count }: { count: number }) {
  return count === 0 ? null : <div className={classes.words}>{count.toLocaleString('en')} without a price</div>;
}

function Card({ title, empty, children }: { title: string; empty: boolean; children: ReactNode }) {
  return (
    <section className={shared.chart} aria-label={title}>
      <h3>{title}</h3>
      {empty ? (
        <p className={shared.empty}>Nothing in these days</p>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
        <section className={classes.table} tabIndex={0} aria-label={`${title}, a table`}>
          <Table withRowBorders={false} striped verticalSpacing={5}>
            {children}
          </Table>
        </section>
      )}
    </section>
  );
}
