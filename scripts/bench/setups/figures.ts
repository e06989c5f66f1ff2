/** What is measured of every set-up, what we aim at, and the table of it. */
import { median, shown } from '../table.ts';

/** One row of the table. `most` is what we aim at. */
interface Figure {
  name: string;
  digits: number;
  most?: number;
}

/** Headings with their rows. The sizes in them are those of the whole run. */
const GROUPS = {
  '64 conversations at a time, the model answers at once': {
    rate: { name: 'messages per second', digits: 0 },
    ownCpu: { name: 'CPU of the process that answers, × floor', digits: 2, most: 4 },
    allCpu: { name: 'CPU of all processes, × floor', digits: 2, most: 6 },
    busyDelay: { name: 'event-loop delay p99, ms', digits: 1, most: 20 },
  },
  '500 people, the model takes 1 s': {
    addedP99: { name: 'added p99, ms', digits: 1, most: 25 },
    waitingDelay: { name: 'event-loop delay p99, ms', digits: 1, most: 20 },
  },
  'memory, MB': {
    idleOwn: { name: 'idle: the process that answers', digits: 0, most: 130 },
    idleAll: { name: 'idle: all processes', digits: 0, most: 250 },
    loadedOwn: { name: 'after the load: the process that answers', digits: 0 },
    loadedAll: { name: 'after the load: all processes', digits: 0 },
  },
  'start of a new installation, s': {
    newListening: { name: 'spawn to listening', digits: 2, most: 1 },
    newReady: { name: 'spawn to all parts ready', digits: 2, most: 3 },
    firstAnswer: { name: 'listening to the first answer', digits: 2, most: 3 },
  },
  'start on what it has, s': {
    listening: { name: 'spawn to listening', digits: 2, most: 1 },
    ready: { name: 'spawn to all parts ready', digits: 2, most: 3 },
  },
  'killed with 50 messages in flight, until all are answered': {
    restart: { name: 'started again at once: since then, s', digits: 1, most: 3 },
    takeover: { name: 'another process takes over: since the kill, s', digits: 1, most: 10 },
    mistakes: { name: 'lost, doubled or wrong', digits: 0, most: 0 },
  },
} as const satisfies Record<string, Record<string, Figure>>;

type Groups = typeof GROUPS;
/** The names under which the figures are kept. */
export type FigureName = { [Heading in keyof Groups]: keyof Groups[Heading] }[keyof Groups];

/** What the rounds gave. None for what a set-up does not have. */
export type SetupFigures = Partial<Record<FigureName, number[]>>;

export interface MeasuredSetup {
  name: string;
  meaning: string;
  figures: SetupFigures;
}

const ROWS: [heading: string, [FigureName, Figure][]][] = Object.entries(GROUPS).map(([heading, figures]) => [
  heading,
  Object.entries(figures) as [FigureName, Figure][], // `Object.entries` forgets the names
]);

/** A column for each set-up, and the aims. */
export function setupTableOf(setups: readonly MeasuredSetup[]): string {
  const head = ['', ...setups.map(({ name }) => name), 'aim'];
  const lines = ROWS.flatMap(([heading, rows]) => [[heading], ...rows.map((row) => cellsOf(row, setups))]);
  const widths = head.map((title, column) =>
    Math.max(title.length, ...lines.map((cells) => (cells.length === 1 ? 0 : (cells[column]?.length ?? 0)))),
  );
  const line = (cells: string[]) =>
    cells
      .map((cell, i) =>
        i === 0 || i === head.length - 1 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0),
      )
      .join('  ')
      .trimEnd();
  const rule = '-'.repeat(widths.reduce((sum, width) => sum + width + 2, -2));
  return [line(head), ...lines.map((cells) => (cells.length === 1 ? `${rule}\n${cells[0]}` : line(cells)))].join('\n');
}

function cellsOf([name, figure]: [FigureName, Figure], setups: readonly MeasuredSetup[]): string[] {
  const values = setups.map(({ figures }) => median(figures[name] ?? []));
  const cells = values.map((value) => shown(value, figure.digits));
  return [`  ${figure.name}`, ...cells, aimOf(figure, values, setups)];
}

/** With the set-ups that miss it. What was not measured misses nothing. */
function aimOf({ most }: Figure, values: readonly number[], setups: readonly MeasuredSetup[]): string {
  if (most === undefined || values.every(Number.isNaN)) return '';
  const missed = setups.filter((_, i) => (values[i] ?? 0) > most).map(({ name }) => name);
  if (missed.length === 0) return `at most ${most}: reached`;
  return `at most ${most}: NOT REACHED${setups.length > 1 ? ` (${missed.join(', ')})` : ''}`;
}

/** Of every row the medians, and whether the aim is reached; null without one. */
export function mediansOf({ figures }: MeasuredSetup) {
  const named = ROWS.flatMap(([, rows]) => rows).map(([name, { most }]) => {
    const value = median(figures[name] ?? []);
    const reached = most === undefined || Number.isNaN(value) ? null : value <= most;
    return [name, { median: value, most: most ?? null, reached }] as const;
  });
  return Object.fromEntries(named);
}
