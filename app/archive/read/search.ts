/** The text of the search box as a condition on the folded texts; see the migration `0004-search`. */
import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { Tables } from '../engine/schema.ts';
import { ORDERS, type Order } from './page.ts';

/**
 * Up to so many hits are sorted by time. For words that more messages have, going through the newest messages finds a page sooner. The
 * planner cannot tell, because it does not know how common a part of a word is.
 */
const FEW = 5_000;

/** More words than anybody types; each is one more condition of the query. */
const MOST_WORDS = 20;

/**
 * All words must be there, in any order, as parts of words; one of one or two letters as the beginning of a word. Capitals and accents
 * do not matter. With quotation marks it is read as search engines do: `"exact words"`, `this or that`, `-without`. Nothing fits when
 * nothing that was typed has a letter, a digit or a sign.
 */
export function hasWords(typed: string, column = 'search_text'): RawBuilder<boolean> {
  const alternatives = alternativesOf(typed).map((words) =>
    sql.join(
      words.map((word) => conditionOf(word, sql.ref(column))),
      sql` and `,
    ),
  );
  if (alternatives.length === 0) return sql<boolean>`false`;
  return sql<boolean>`(${sql.join(alternatives, sql` or `)})`;
}

interface Word {
  text: string;
  isExact: boolean;
  isUnwanted: boolean;
}

/** One of these has to be there, with all of its words. */
function alternativesOf(typed: string): Word[][] {
  const alternatives: Word[][] = [[]];
  for (const word of typed.includes('"') ? withOperators(typed) : plain(typed)) {
    if (word === 'or') alternatives.push([]);
    else if (/[\p{L}\p{N}\p{S}]/u.test(word.text)) alternatives.at(-1)?.push(word);
  }
  return alternatives
    .map((words) => words.slice(0, MOST_WORDS))
    .filter((words) => words.some((word) => !word.isUnwanted));
}

function plain(typed: string): Word[] {
  return typed.split(/\s+/).map((text) => ({ text, isExact: false, isUnwanted: false }));
}

function withOperators(typed: string): (Word | 'or')[] {
  return [...typed.matchAll(/(-?)(?:"([^"]*)"?|([^\s"]+))/g)].map(([token, sign, exact, word = '']) =>
    token.toLowerCase() === 'or'
      ? 'or'
      : { text: exact ?? word, isExact: exact !== undefined, isUnwanted: sign === '-' },
  );
}

/** `recado_fold` and `recado_pattern` are functions of the database, so that texts and searches are folded by the same one. */
function conditionOf({ text, isExact, isUnwanted }: Word, column: RawBuilder<unknown>): RawBuilder<boolean> {
  const folded = sql`recado_fold(${text})`;
  const pattern = isExact ? sql`('%' || ${folded} || '%')` : sql`coalesce(recado_pattern(${folded}), '%')`;
  return isUnwanted ? sql<boolean>`${column} not like ${pattern}` : sql<boolean>`${column} like ${pattern}`;
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
