/** Texts on their way into the tables. */
import { type Scrubbed, scrub } from '../../privacy/scrub.ts';

/**
 * Scrubbed, and without what Postgres does not store: NUL goes, halves of a character become `�`.
 * @param most characters (code points); what is longer is cut.
 */
export function clean(text: string, most = Number.POSITIVE_INFINITY): Scrubbed {
  const kept = storable(text);
  if (kept.length <= most) return scrub(kept);
  // Cut again: a placeholder may be longer than what it replaces.
  return scrub([...scrub(kept)].slice(0, most).join(''));
}

/** As it is, but for what Postgres does not store. For what no person reads. */
export function storable(text: string): string {
  return text.replaceAll('\0', '').replace(/\p{Surrogate}/gu, '\ufffd');
}

/** The same for every text in a value, as JSON for a `jsonb` column. */
export function cleanJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => (typeof inner === 'string' ? clean(inner) : inner));
}

/** JSON for a `jsonb` column whose texts are our own and must stay as they are, such as the name of a file at the provider. */
export function storableJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => (typeof inner === 'string' ? storable(inner) : inner));
}
