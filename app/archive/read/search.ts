/** The text of the search box as a query of the full-text index. */
import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { Tables } from '../engine/schema.ts';
import { ORDERS, type Order } from './page.ts';

/**
 * Up to so many hits are sorted by time. For words that more messages have, going through the newest messages finds a page sooner. The
 * planner cannot tell, because it does not know how common the beginning of a word is.
 */
const FEW = 5_000;

/**
 * All words must be there, in any order; the last one may be unfinished. With quotation marks it is read as search engines
 * do: `"exact words"`, `this or that`, `-without`. Nothing fits when nothing that was typed is a word.
 */
export function hasWords(typed: string): RawBuilder<boolean> {
  if (typed.includes('"')) return sql<boolean>`search @@ websearch_to_tsquery('simple', ${typed})`;
  return sql<boolean>`search @@ (nullif(plainto_tsquery('simple', ${typed})::text, '') || ':*')::tsquery`;
}

/**
 * The first `most` hits behind a place, and whose they are; null when there are too many to sort.
 * @param narrow what else has to hold of a message. The view would look up its conversation for every hit.
 */
export async function fewHits(
  db: Kysely<Tables>,
  narrow: readonly RawBuilder<boolean>[],
  typed: string,
  {
    most,
    place,
    order = 'newest',
  }: { most: number; place: { at: Date; id: string } | null; order?: Order | undefined },
): Promise<Hits | null> {
  const hits = db
    .selectFrom('whatsapp_messages')
    .select(['id', 'conversation_id', 'received_at'])
    .where(({ and }) => and([hasWords(typed), ...narrow]))
    .limit(FEW + 1);
  const behind = place
    ? sql`where (received_at, id) ${ORDERS[order].behind} (${place.at}::timestamptz, ${place.id}::uuid)`
    : sql``;
  const direction = sql.raw(ORDERS[order].direction);
  const { rows } = await sql<Hits>`
    with hits as materialized (${hits})
    select array(select id::text from hits ${behind} order by received_at ${direction}, id ${direction} limit ${most}) as ids,
      array(select distinct conversation_id::text from hits) as conversations
    where (select count(*) from hits) <= ${FEW}`.execute(db);
  return rows[0] ?? null;
}

export interface Hits {
  ids: string[];
  conversations: string[];
}

/** A pattern for `ilike` that finds the text anywhere; special characters are escaped. */
export function containing(text: string): string {
  return `%${text.replace(/[\\%_]/g, '\\$&')}%`;
}
