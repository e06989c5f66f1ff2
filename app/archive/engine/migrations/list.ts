import type { Migration } from 'kysely';
import * as inbox from './0001-inbox.ts';
import * as numbers from './0002-numbers.ts';

/** In this order; a migration that was released is never changed, only followed by another one. */
export const MIGRATIONS: Record<string, Migration> = {
  '0001-inbox': inbox,
  '0002-numbers': numbers,
};
