/** What somebody typed into the search box, as a question to the full-text index. */
import { type RawBuilder, sql } from 'kysely';

/**
 * All words must be there, in any order; the last one may be unfinished. With quotation marks it is read as search engines do:
 * `"exact words"`, `this or that`, `-without`. Null when nothing that was typed is a word.
 */
export function searchQuery(typed: string): RawBuilder<string | null> {
  if (typed.includes('"')) return sql<string>`websearch_to_tsquery('simple', ${typed})`;
  return sql<string | null>`(nullif(plainto_tsquery('simple', ${typed})::text, '') || ':*')::tsquery`;
}

/** A pattern for `ilike` that finds the text anywhere, whatever is in it. */
export function containing(text: string): string {
  return `%${text.replace(/[\\%_]/g, '\\$&')}%`;
}
