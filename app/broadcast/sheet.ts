/** A list of people as a CSV file: a header, one person in each line. */
import { Readable } from 'node:stream';
import { CsvError, parse } from 'csv-parse';
import { Failure } from '../errors.ts';

/** One entry of a list, as it was written. */
export interface Entry {
  number: string;
  /** By the name of the variable. */
  variables: Record<string, string>;
}

export interface Sheet {
  /** The columns beside the number: names of variables. */
  columns: string[];
  /** In the order of the file; read once. */
  entries: AsyncIterable<Entry>;
}

/** What the column with the number may be called, in any case. */
const NUMBER_COLUMNS = ['number', 'phone', 'phone_number', 'numbers'];
/** More columns are no list of people. */
const MOST_COLUMNS = 100;
const LONGEST_CELL = 10_000;
/** Bytes. */
const PIECE = 65_536;

/**
 * Reads CSV: UTF-8, with commas, semicolons or tabs, quoted as RFC 4180 says. A line with too few or too many cells is an entry all the same.
 * Rejects with `request.invalid` when there is no header with a column for the number; `entries` does for what is no CSV.
 */
export async function readSheet(bytes: Buffer): Promise<Sheet> {
  const lines = parse({
    bom: true,
    delimiter: delimiterOf(bytes),
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
    skip_records_with_empty_values: true,
    trim: true,
    max_record_size: LONGEST_CELL * 10,
  });
  const rows: AsyncIterator<string[]> = Readable.from(piecesOf(bytes)).pipe(lines)[Symbol.asyncIterator]();
  const header = await next(rows);
  const names = (header ?? []).map((name) => name.trim());
  const at = names.findIndex((name) => NUMBER_COLUMNS.includes(name.toLowerCase()));
  if (at === -1) throw invalid('The first line must name the columns, one of them number or phone.');
  if (names.length > MOST_COLUMNS) throw invalid(`The list has more than ${MOST_COLUMNS} columns.`);
  const variables = names.map((name, i) => (i === at || name === '' ? null : name));
  const columns = variables.filter((name) => name !== null);
  if (new Set(columns).size < columns.length) throw invalid('Two columns of the list have the same name.');
  return { columns, entries: entries() };

  async function* entries(): AsyncGenerator<Entry> {
    for (let cells = await next(rows); cells; cells = await next(rows)) {
      const named = variables.flatMap((name, i) => (name === null ? [] : [[name, cells?.[i] ?? ''] as const]));
      yield { number: cells[at] ?? '', variables: Object.fromEntries(named) };
    }
  }
}

/** So that a long list is read while its rows are written, and not before. */
function* piecesOf(bytes: Buffer): Generator<Buffer> {
  for (let from = 0; from < bytes.length; from += PIECE) yield bytes.subarray(from, from + PIECE);
}

async function next(rows: AsyncIterator<string[]>): Promise<string[] | null> {
  try {
    const { done, value } = await rows.next();
    return done ? null : value;
  } catch (error) {
    if (error instanceof CsvError) throw invalid('The list is no CSV that can be read. Is a quotation mark left open?');
    throw error;
  }
}

/** The one that the first line has most of. */
function delimiterOf(bytes: Buffer): string {
  const [first = ''] = bytes.subarray(0, 10_000).toString('utf8').split(/\r?\n/, 1);
  const counts = [',', ';', '\t'].map((delimiter) => [delimiter, first.split(delimiter).length] as const);
  return counts.reduce((most, one) => (one[1] > most[1] ? one : most))[0];
}

function invalid(sentence: string): Failure {
  return new Failure('request.invalid', sentence);
}
