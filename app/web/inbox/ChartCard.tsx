import { BarChart, type ChartSeries, LineChart } from '@mantine/charts';
import { Table } from '@mantine/core';
import classes from './Dashboard.module.css';

interface ChartCardProps {
  kind: 'bars' | 'stacked' | 'lines';
  title: string;
  /** Describes the chart for screen readers. */
  summary: string;
  /** One entry per day, oldest first. */
  days: readonly ({ day: string } & Record<string, unknown>)[];
  series: (ChartSeries & { label: string })[];
  format: (value: number) => string;
  /** Default: the axis has whole numbers alone. */
  hasDecimals?: boolean;
}

const HEIGHT = 220;
/** Without the layer of the library: its tab stop has no name, and the table says the same. */
const TOP = { margin: { top: 8 }, accessibilityLayer: false };

/** A chart, and the same as a table for those who do not see it. */
export function ChartCard({ kind, title, summary, days, series, format, hasDecimals = false }: ChartCardProps) {
  const empty = days.every((day) => series.every(({ name }) => !day[name]));
  const shown = {
    h: HEIGHT,
    data: days.map((day) => ({ ...day, day: shortDay(day.day) })),
    dataKey: 'day',
    series,
    valueFormatter: format,
    withLegend: true,
    legendProps: { verticalAlign: 'bottom' as const },
    gridAxis: 'x' as const,
    tickLine: 'none' as const,
    // Else the uppermost number is pushed down, beside the wrong line.
    barChartProps: TOP,
    lineChartProps: TOP,
    xAxisProps: { minTickGap: 24 },
    yAxisProps: { width: 64, allowDecimals: hasDecimals },
    textColor: 'var(--wa-muted)',
  };
  return (
    <figure className={classes.chart}>
      <figcaption>
        <h3>{title}</h3>
        <p>{summary}</p>
      </figcaption>
      {empty ? (
        <p className={classes.empty}>Nothing in these days</p>
      ) : (
        <div role="img" aria-label={`${title}: ${summary}`}>
          {kind === 'lines' ? (
            <LineChart {...shown} curveType="monotone" connectNulls withDots={days.length <= 31} dotProps={{ r: 3 }} />
          ) : (
            <BarChart {...shown} type={kind === 'stacked' ? 'stacked' : 'default'} maxBarWidth={28} />
          )}
        </div>
      )}
      <details className={classes.details}>
        <summary>As a table</summary>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard */}
        <section className={classes.scroll} tabIndex={0} aria-label={`${title}, as a table`}>
          <Table striped withRowBorders={false} verticalSpacing={3}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th scope="col">Day</Table.Th>
                {series.map(({ name, label }) => (
                  <Table.Th key={name} scope="col" ta="right">
                    {label}
                  </Table.Th>
                ))}
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {days.toReversed().map((day) => (
                <Table.Tr key={day.day}>
                  <Table.Th scope="row" fw={400}>
                    {day.day}
                  </Table.Th>
                  {series.map(({ name }) => (
                    <Table.Td key={name} ta="right">
                      {typeof day[name] === 'number' ? format(day[name]) : '–'}
                    </Table.Td>
                  ))}
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </section>
      </details>
    </figure>
  );
}

const SHORT_DAY = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });

function shortDay(day: string): string {
  return SHORT_DAY.format(new Date(`${day}T12:00:00`));
}
