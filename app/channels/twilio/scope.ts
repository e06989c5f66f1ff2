/** What Twilio's refusals are about. https://www.twilio.com/docs/api/errors */
import type { RefusalScope } from '../channel.ts';

/** @returns null when the `Failure` says it already */
export function scopeOfTwilio(code: string): RefusalScope | null {
  return SCOPES.get(code) ?? null;
}

const SCOPES = new Map<string, RefusalScope>([
  ['21656', 'message'],
  ['63049', 'marketing'],
  ['63028', 'message'],
  ['21654', 'template'],
  ['21655', 'template'],
  ['63027', 'template'],
  ['63040', 'template'],
  ['63041', 'template'],
  ['63042', 'template'],
]);
