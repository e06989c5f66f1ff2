import type { Turns } from '../conversation/turns.ts';
import type { Metrics } from '../ops/metrics.ts';
import { remember } from '../ops/remember.ts';
import type { MemoryParts } from './memory.ts';

/** How long the figures of the backlog are reused, ms. */
const BACKLOG_MS = 500;

/** The figures of what is in work and what waits. */
export function measureBacklog({ mailbox }: MemoryParts, turns: Turns, metrics: Metrics): void {
  metrics.gauge('turns_running', 'Contacts in work', () => turns.running);
  metrics.gauge('turns_waiting', 'Contacts that wait for a free place', () => turns.waiting);
  // Three figures of one query; they may be requested often.
  const counted = remember(() => mailbox.backlog(), BACKLOG_MS);
  const backlog = (figure: 'unfinished' | 'due' | 'dead') => async () => (await counted())[figure];
  metrics.gauge('conversations_unfinished', 'Contacts in work or waiting, of all processes', backlog('unfinished'));
  metrics.gauge('conversations_due', 'Contacts whose work is due while no turn is running', backlog('due'));
  metrics.gauge('dead_letters', 'Dead letters that need attention', backlog('dead'));
}
