/** What those who write events down share. */
import type { Event } from '../../events.ts';
import type { Database } from '../engine/database.ts';

/** The transaction that a batch is written in. */
export type Writer = Parameters<Parameters<Database['transaction']>[0]>[0];

/** Events of one kind. */
export type EventOf<Type extends Event['type']> = Extract<Event, { type: Type }>;
