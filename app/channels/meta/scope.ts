/** What Meta's refusals are about. https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes */
import type { RefusalScope } from '../channel.ts';

/** @returns null when the `Failure` says it already */
export function scopeOfMeta(code: string): RefusalScope | null {
  return SCOPES.get(code) ?? null;
}

const SCOPES = new Map<string, RefusalScope>([
  ['131056', 'person'],
  ['131049', 'marketing'],
  // Too many of our messages were blocked or reported: more of them make it worse.
  ['131048', 'account'],
  ['132000', 'message'],
  ['132005', 'message'],
  ['132012', 'message'],
  ['132018', 'message'],
  ['132001', 'template'],
  ['132007', 'template'],
  ['132015', 'template'],
  ['132016', 'template'],
]);
