/** A contact card (vCard, RFC 6350 and the versions before it) → the people in it, as far as somebody would read them out. */

export interface CardEntry {
  /** '' when the card has none. */
  name: string;
  organization: string;
  phones: string[];
  emails: string[];
}

/** More is no card that somebody shares in a chat. */
const MOST_ENTRIES = 20;
const MOST_VALUES = 5;
const LONGEST_VALUE = 200;
/** Pictures make cards large; they stand behind what is read here, or are skipped. Bytes. */
const LARGEST_CARD = 2 * 1_024 * 1_024;

export function isContactCard(bytes: Buffer): boolean {
  return /^\uFEFF?\s*BEGIN:VCARD/i.test(bytes.subarray(0, 100).toString());
}

/** In the order of the card; none when it cannot be read. */
export function readContactCard(bytes: Buffer): CardEntry[] {
  const entries: CardEntry[] = [];
  let entry: CardEntry | null = null;
  for (const { name, parameters, value } of propertiesOf(bytes.subarray(0, LARGEST_CARD).toString())) {
    if (name === 'BEGIN') entry = { name: '', organization: '', phones: [], emails: [] };
    if (entry === null) continue;
    if (name === 'END') {
      if (entries.length < MOST_ENTRIES) entries.push(entry);
      entry = null;
      continue;
    }
    take(entry, name, textOf(value, parameters));
  }
  return entries;
}

/** One line for each person: `Ana Torres, Acme, +1 555 0100, ana@example.com`. */
export function describeContactCard(bytes: Buffer): string {
  return readContactCard(bytes)
    .map(({ name, organization, phones, emails }) => [name, organization, ...phones, ...emails])
    .map((values) => values.filter((value) => value !== '').join(', '))
    .filter((line) => line !== '')
    .join('; ');
}

function take(entry: CardEntry, name: string, value: string): void {
  if (value === '') return;
  if (name === 'FN') entry.name = value;
  // Family; given; further names; title; suffix.
  if (name === 'N' && entry.name === '') {
    const [family = '', given = '', further = ''] = value.split(';');
    entry.name = [given, further, family].filter((part) => part !== '').join(' ');
  }
  if (name === 'ORG') entry.organization = value.split(';').filter(Boolean).join(', ');
  if (name === 'TEL' && entry.phones.length < MOST_VALUES) entry.phones.push(value.replace(/^tel:/i, ''));
  if (name === 'EMAIL' && entry.emails.length < MOST_VALUES) entry.emails.push(value.replace(/^mailto:/i, ''));
}

/** `item1.TEL;TYPE=CELL:+1 555 0100` → its name without the group, its parameters, its value. Folded lines are joined first. */
function propertiesOf(text: string): { name: string; parameters: string; value: string }[] {
  return unfolded(text).flatMap((line) => {
    const [, name = '', parameters = '', value = ''] =
      /^\uFEFF?\s*(?:[\w-]+\.)?([\w-]+)((?:;(?:"[^"]*"|[^":])*)?):(.*)$/.exec(line) ?? [];
    return name === '' ? [] : { name: name.toUpperCase(), parameters: parameters.toUpperCase(), value };
  });
}

/** A line goes on in one that begins with a space; quoted-printable also behind `=`, which elsewhere is the end of a picture in base64. */
function unfolded(text: string): string[] {
  const lines: string[] = [];
  for (const line of text.replace(/\r?\n[ \t]/g, '').split(/\r?\n/)) {
    const last = lines.at(-1) ?? '';
    if (last.endsWith('=') && /^[^:]*QUOTED-PRINTABLE/i.test(last)) lines[lines.length - 1] = last.slice(0, -1) + line;
    else lines.push(line);
  }
  return lines;
}

function textOf(value: string, parameters: string): string {
  const decoded = parameters.includes('QUOTED-PRINTABLE') ? quotedPrintable(value) : value;
  const plain = decoded.replace(/\\n/gi, ' ').replace(/\\([,;:\\])/g, '$1');
  return plain.replace(/\s+/g, ' ').trim().slice(0, LONGEST_VALUE).toWellFormed();
}

/** RFC 2045 6.7; the text is UTF-8, as phones write it. */
function quotedPrintable(value: string): string {
  return Buffer.from(
    value.replace(/=([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  ).toString();
}
