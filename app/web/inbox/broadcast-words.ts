/** Labels and colours of broadcasts on the page. */
import type { Broadcast, RowState } from '../../inbox/contract.ts';
import type { Tone } from './Tag.tsx';

export const BROADCAST_STATES: Record<Broadcast['state'], { word: string; tone: Tone }> = {
  scheduled: { word: 'Scheduled', tone: 'info' },
  running: { word: 'Sending', tone: 'good' },
  paused: { word: 'Paused', tone: 'warn' },
  stopped: { word: 'Stopped', tone: 'bad' },
  cancelled: { word: 'Cancelled', tone: 'plain' },
  done: { word: 'Done', tone: 'plain' },
};

/** In the order of the progress bar. Colours of a bar are seen beside a word, never alone. */
export const ROW_STATES: { state: RowState; word: string; tone: Tone; color: string }[] = [
  { state: 'read', word: 'Read', tone: 'good', color: 'teal.7' },
  { state: 'delivered', word: 'Delivered', tone: 'good', color: 'teal.5' },
  { state: 'sent', word: 'Sent', tone: 'info', color: 'blue.5' },
  { state: 'sending', word: 'Being sent', tone: 'info', color: 'blue.3' },
  { state: 'uncertain', word: 'Uncertain', tone: 'warn', color: 'yellow.5' },
  { state: 'failed', word: 'Failed', tone: 'bad', color: 'red.6' },
  { state: 'skipped', word: 'Skipped', tone: 'plain', color: 'gray.5' },
  { state: 'waiting', word: 'Waiting', tone: 'outline', color: 'gray.3' },
];

export const SKIPPED: Record<string, string> = {
  double: 'twice in the list',
  invalid: 'no valid number',
  blocked: 'blocked',
  opted_out: 'opted out',
  held: 'held back by WhatsApp lately',
  no_opt_in: 'no record that they agreed',
  variables: 'a value is missing',
  cancelled: 'cancelled before',
};

/** Rows that have come to something. */
export function done({ total, counts }: Broadcast): number {
  return total - counts.waiting - counts.sending;
}

/** `12 twice in the list, 3 blocked` */
export function skippedInWords(reasons: Readonly<Record<string, number>>): string {
  return Object.entries(reasons)
    .sort(([, one], [, other]) => other - one)
    .map(([reason, count]) => `${count.toLocaleString('en')} ${SKIPPED[reason] ?? reason}`)
    .join(', ');
}
