/** Who of a list is written to, and who is not and why. A bad entry never fails the list. */
import type { Permission } from '../archive/read/broadcasts.ts';
import type { NewRow } from '../archive/write/broadcasts.ts';
import type { ContactId } from '../message.ts';
import { INVALID_NUMBER, readRecipient } from './recipient.ts';
import type { Entry } from './sheet.ts';

export interface PlanOptions {
  /** What the archive says of them; who is missing is not known. */
  permissionsOf: (addresses: readonly ContactId[]) => Promise<Map<ContactId, Permission>>;
  /** Only people who agreed to get messages are written to. */
  requiresOptIn: boolean;
  /** The template is one that the provider counts as marketing. */
  isMarketing: boolean;
  /** Does this code of the provider say that somebody gets no more marketing messages for a day? */
  holds: (code: string) => boolean;
  /** The template's variables; null when that is not known: then nothing is missing. */
  needed: readonly string[] | null;
  /** What stands where an entry says nothing. */
  defaults: Readonly<Record<string, string>>;
}

/** Why an entry is skipped → what is said of it. */
export const SKIPPED = {
  invalid: INVALID_NUMBER,
  double: 'The number is in the list twice: it is written to once.',
  blocked: 'The contact is blocked.',
  opted_out: 'They have opted out.',
  held: 'WhatsApp held a marketing message to them back in the last 24 hours.',
  no_opt_in: 'There is no record that they agreed to get messages.',
  variables: 'A value for the template is missing.',
} as const;
export type SkipReason = keyof typeof SKIPPED;

/** So many entries are looked up at once. */
const AT_ONCE = 500;

/** The rows of a list, in its order, in chunks. */
export async function* plan(
  entries: AsyncIterable<Entry> | Iterable<Entry>,
  options: PlanOptions,
): AsyncGenerator<NewRow[]> {
  const seen = new Set<ContactId>();
  let chunk: Entry[] = [];
  for await (const entry of entries) {
    chunk.push(entry);
    if (chunk.length < AT_ONCE) continue;
    yield await planChunk(chunk, seen, options);
    chunk = [];
  }
  if (chunk.length > 0) yield await planChunk(chunk, seen, options);
}

async function planChunk(entries: readonly Entry[], seen: Set<ContactId>, options: PlanOptions): Promise<NewRow[]> {
  const read = entries.map(({ number, variables }) => ({ number, variables, recipient: readRecipient(number) }));
  const addresses = read.flatMap(({ recipient }) => (recipient ? [recipient.address, recipient.contact] : []));
  const permissions = await options.permissionsOf([...new Set(addresses)]);
  return read.map(({ number, variables: own, recipient }) => {
    const variables = valuesOf(own, options);
    if (!recipient) return skipped({ address: number, contact: number, variables: null }, 'invalid');
    const { address, contact } = recipient;
    const row = { address, contact, variables: Object.keys(variables).length > 0 ? variables : null };
    if (seen.has(contact)) return skipped(row, 'double');
    seen.add(contact);
    const reason = refusalOf(permissions.get(contact) ?? permissions.get(address), options);
    if (reason) return skipped(row, reason);
    const missing = (options.needed ?? []).filter((name) => (variables[name] ?? '').trim() === '');
    if (missing.length > 0) return skipped(row, 'variables', `No value for ${missing.join(', ')}.`);
    return { ...row, state: 'waiting', reason: null, note: null };
  });
}

function skipped(row: Pick<NewRow, 'address' | 'contact' | 'variables'>, reason: SkipReason, note?: string): NewRow {
  return { ...row, state: 'skipped', reason, note: note ?? SKIPPED[reason] };
}

function refusalOf(permission: Permission | undefined, options: PlanOptions): SkipReason | null {
  const { requiresOptIn, isMarketing, holds } = options;
  if (permission?.blocked) return 'blocked';
  if (permission?.optedOut || (isMarketing && permission?.noMarketing)) return 'opted_out';
  if (isMarketing && permission?.failedWith.some(holds)) return 'held';
  return requiresOptIn && !permission?.optedIn ? 'no_opt_in' : null;
}

/** A template takes one line without rows of spaces: https://developers.facebook.com/docs/whatsapp/message-templates/guidelines */
function valuesOf(own: Readonly<Record<string, string>>, { defaults }: PlanOptions): Record<string, string> {
  const given = Object.entries(own).filter(([, value]) => value.trim() !== '');
  const all = Object.entries({ ...defaults, ...Object.fromEntries(given) });
  return Object.fromEntries(all.map(([name, value]) => [name, value.replace(/\s+/g, ' ').trim()]));
}
