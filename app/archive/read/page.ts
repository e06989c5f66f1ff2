/** A page of a list, and where the next one begins. */
import { sql } from 'kysely';
import { Failure } from '../../errors.ts';

export interface Page<Item> {
  items: Item[];
  /** Give it back as `cursor` for the next page; null when this is the last one. */
  next: string | null;
}

/** Which page. With a `cursor` the cost does not grow with the number of pages; `offset` is for few. */
export interface Paging {
  /** How many items at most. */
  limit: number;
  cursor?: string | undefined;
  offset?: number | undefined;
}

/** Where the next page of a list begins: behind the item with these sort keys. */
export type Place = readonly [key: string, id: string];

/**
 * Makes a page of rows that were read with `limit + 1`: the additional row shows that there is a next page.
 * @param placeOf the row's place in the order of the list.
 */
export function pageOf<Row, Item>(
  rows: readonly Row[],
  limit: number,
  placeOf: (row: Row) => Place,
  present: (row: Row) => Item,
): Page<Item> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return { items: shown.map(present), next: rows.length > limit && last ? encode(placeOf(last)) : null };
}

/**
 * Null when there is no cursor.
 * @throws Failure `request.invalid` when it is none of ours.
 */
export function readCursor(cursor: string | undefined): Place | null {
  if (cursor === undefined) return null;
  try {
    const place: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    const [key, id] = Array.isArray(place) ? place : [];
    if (typeof key === 'string' && typeof id === 'string' && UUID.test(id)) return [key, id];
  } catch {
    // not ours
  }
  throw new Failure(
    'request.invalid',
    'The cursor is none that this list gave. Leave it out to begin at the first page.',
  );
}

/** A cursor of a list that is sorted by time. */
export function readTimeCursor(cursor: string | undefined): { at: Date; id: string } | null {
  const place = readCursor(cursor);
  if (!place) return null;
  const at = new Date(place[0]);
  // Node knows years that PostgreSQL does not.
  if (!(at.getTime() >= 0 && at.getUTCFullYear() <= 9999))
    throw new Failure('request.invalid', 'The cursor belongs to another list.');
  return { at, id: place[1] };
}

/** How a list by time is sorted, and what is behind a place in it. */
export const ORDERS = {
  newest: { direction: 'desc', behind: sql.raw('<') },
  oldest: { direction: 'asc', behind: sql.raw('>') },
} as const;
export type Order = keyof typeof ORDERS;

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Can this be the id of a row? Asking the database would be an error for anything else. */
export function isId(id: string): boolean {
  return UUID.test(id);
}

function encode(place: Place): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url');
}
