/** A list of people as somebody pastes or picks it: numbers, or CSV with a header. */

/** What is sent to the server, and what the preview shows of the first person. */
export interface PeopleList {
  /** CSV with a header; '' when there is nobody. */
  csv: string;
  /** The columns beside the number. */
  columns: string[];
  /** The first person's values, by column. */
  first: Record<string, string>;
  /** About: blank lines and lines inside quotation marks count, too. */
  lines: number;
}

const NUMBER_COLUMN = /^"?(number|numbers|phone|phone_number)"?$/i;

/** Numbers in any arrangement get a header; what has one stays as it is. */
export function readPeople(text: string): PeopleList {
  const trimmed = text.replace(/^\ufeff/, '').trim();
  if (trimmed === '') return { csv: '', columns: [], first: {}, lines: 0 };
  const [header = '', second = ''] = trimmed.split(/\r?\n/);
  const delimiter = delimiterOf(header);
  const names = cellsOf(header, delimiter);
  const at = names.findIndex((name) => NUMBER_COLUMN.test(name));
  if (at === -1) {
    const numbers = trimmed.split(/[\n,;\t]+/).map((number) => number.trim());
    const given = numbers.filter((number) => number !== '');
    return { csv: `number\n${given.map(quoted).join('\n')}`, columns: [], first: {}, lines: given.length };
  }
  const cells = cellsOf(second, delimiter);
  const columns = names.filter((name, i) => i !== at && name !== '');
  const first = Object.fromEntries(names.flatMap((name, i) => (i === at ? [] : [[name, cells[i] ?? '']])));
  return { csv: trimmed, columns, first, lines: trimmed.split('\n').length - 1 };
}

/** A template's text with what is known of its variables. */
export function filled(text: string, values: Readonly<Record<string, string>>, prefix = ''): string {
  return text.replace(/\{\{\s*([\w.]+)\s*\}\}/g, (place, name: string) => {
    return values[prefix + name]?.trim() || values[name]?.trim() || place;
  });
}

function quoted(cell: string): string {
  return /["\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}

function delimiterOf(line: string): string {
  const counts = [',', ';', '\t'].map((delimiter) => [delimiter, line.split(delimiter).length] as const);
  return counts.reduce((most, one) => (one[1] > most[1] ? one : most))[0];
}

/** The cells of one line, with quotation marks as RFC 4180 has them. */
function cellsOf(line: string, delimiter: string): string[] {
  const cells: string[] = [];
  let cell = '';
  let isQuoted = false;
  for (let i = 0; i < line.length; i++) {
    const char = line[i] ?? '';
    if (char === '"' && isQuoted && line[i + 1] === '"') {
      cell += '"';
      i++;
    } else if (char === '"') {
      isQuoted = !isQuoted;
    } else if (char === delimiter && !isQuoted) {
      cells.push(cell.trim());
      cell = '';
    } else {
      cell += char;
    }
  }
  return [...cells, cell.trim()];
}
