/** The figures as people read them. */
import type { Measure } from './measure.ts';

/** A measure beside that of an archive with few messages. */
export interface Compared extends Measure {
  /** How many times the median of then; null when it was not measured, or the answers do not have as many rows. */
  ratio: number | null;
}

/** Answers with other numbers of rows are not the same work. */
export function compare(few: readonly Measure[], all: readonly Measure[]): Compared[] {
  return all.map((measure) => {
    const before = few.find(({ group, name }) => group === measure.group && name === measure.name);
    return { ...measure, ratio: before && before.rows === measure.rows ? measure.p50 / before.p50 : null };
  });
}

const COLUMNS = ['', 'min', 'p50', 'p95', 'max', 'rows'];

/** @param few how many messages the ratios are to; null for no such column. */
export function tableOf(measures: readonly Compared[], few: number | null): string {
  const head = few === null ? COLUMNS : [...COLUMNS, `p50 to ${few.toLocaleString('en-US')}`];
  const rows = measures.map((measure) => cellsOf(measure).slice(0, head.length));
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((cells) => cells[i]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join('  ')
      .trimEnd();
  const body = measures.flatMap(({ group }, i) => {
    const heading = measures[i - 1]?.group === group ? [] : [group];
    return [...heading, line(rows[i] ?? [])];
  });
  return [line(head), ...body].join('\n');
}

function cellsOf({ name, min, p50, p95, max, rows, ratio }: Compared): string[] {
  const times = [min, p50, p95, max].map((ms) => ms.toFixed(1));
  return [`  ${name}`, ...times, String(rows), ratio === null ? '-' : `${ratio.toFixed(2)} times`];
}
