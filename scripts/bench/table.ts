/** The arithmetic of the bench and its table. */

/** NaN for none. */
export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** The smallest number that `percent` of them do not exceed ("nearest rank"); NaN for none. */
export function percentile(sorted: readonly number[], percent: number): number {
  return sorted[Math.max(0, Math.ceil((sorted.length * percent) / 100) - 1)] ?? Number.NaN;
}

/** One line of the table. */
export interface Row {
  name: string;
  /** What each round, or the only measurement, gave; none when it was not measured. */
  floor: number[];
  bot: number[];
  digits: number;
  /** False where a ratio says nothing. */
  ratio?: boolean;
  /** What we aim at, and what is compared with it. */
  aim?: { most: number; of: 'ratio' | 'bot' | 'difference' };
}

/** What a row says: medians, and the median of the rounds' ratios, so that what slowed both for a while cancels out. */
export interface RowFigures {
  floor: number;
  bot: number;
  ratio: number;
  difference: number;
  /** Null without an aim. */
  reached: boolean | null;
}

export function figuresOf({ floor, bot, aim }: Row): RowFigures {
  const paired = bot.flatMap((value, i) => {
    const below = floor[i];
    return below === undefined ? [] : [{ ratio: value / below, difference: value - below }];
  });
  const figures = {
    floor: median(floor),
    bot: median(bot),
    ratio: median(paired.map(({ ratio }) => ratio)),
    difference: median(paired.map(({ difference }) => difference)),
  };
  return { ...figures, reached: aim ? figures[aim.of] <= aim.most : null };
}

/** The table as text, with a heading for each group of rows. */
export function tableOf(groups: { heading: string; rows: Row[] }[]): string {
  const lines = groups.flatMap(({ heading, rows }) => [[heading], ...rows.map(cellsOf)]);
  const head = ['', 'floor', 'bot', 'ratio', 'aim'];
  const widths = head.map((title, column) =>
    Math.max(title.length, ...lines.map((cells) => (cells.length === 1 ? 0 : (cells[column]?.length ?? 0)))),
  );
  const text = (cells: string[]) =>
    cells
      .map((cell, i) => (i === 0 || i === 4 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join('  ')
      .trimEnd();
  const rule = '-'.repeat(widths.reduce((sum, width) => sum + width + 2, -2));
  return [text(head), ...lines.map((cells) => (cells.length === 1 ? `${rule}\n${cells[0]}` : text(cells)))].join('\n');
}

function cellsOf(row: Row): string[] {
  const { floor, bot, ratio, reached } = figuresOf(row);
  return [
    `  ${row.name}`,
    shown(floor, row.digits),
    shown(bot, row.digits),
    row.ratio === false ? '' : shown(ratio, 2),
    row.aim ? `${aimOf(row.aim)}: ${reached ? 'reached' : 'NOT REACHED'}` : '',
  ];
}

function aimOf({ most, of }: NonNullable<Row['aim']>): string {
  return { ratio: `at most ${most} times the floor`, bot: `at most ${most}`, difference: `at most ${most} more` }[of];
}

/** `-` for what was not measured. */
export function shown(value: number, digits: number): string {
  return Number.isNaN(value)
    ? '-'
    : value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
