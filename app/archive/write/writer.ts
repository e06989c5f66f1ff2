/** What the files that record events share. */
import type { Database } from '../engine/database.ts';

/** The transaction that a batch is written in. */
export type Writer = Parameters<Parameters<Database['transaction']>[0]>[0];
