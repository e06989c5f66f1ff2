/** A contact has another number now, as the provider says: they stay the same contact, and the old number is nobody's. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../errors.ts';
import type { Aliases } from '../memory/aliases.ts';
import type { Publish } from '../memory/publish.ts';
import type { NumberChange } from '../message.ts';
import type { Log } from '../ops/logger.ts';

/** Rejects with `store.unavailable`, or with `server.busy` while an answer to them is under way: then the same is to come again. */
export type Renumber = (change: NumberChange) => Promise<void>;

export interface RenumberTools {
  aliases: Pick<Aliases, 'renumber'>;
  publish: Publish;
  /** As events have it in the stream, JSON. */
  eventOf: (change: NumberChange) => string;
  log: Log;
  /** How long an answer that is under way is waited for, ms. Default: 5,000. */
  patienceMs?: number;
}

const LOOK_MS = 200;

export function createRenumber({ aliases, publish, eventOf, log, patienceMs = 5_000 }: RenumberTools): Renumber {
  return async function renumber(change) {
    const { from, to } = change;
    for (const givenUpAt = performance.now() + patienceMs; !(await aliases.renumber(from, to)); ) {
      if (performance.now() >= givenUpAt)
        throw new Failure('server.busy', 'Somebody whose number changed is being answered just now.');
      await sleep(LOOK_MS);
    }
    // After what the old number wrote, in the same stream.
    await publish(from, eventOf(change));
    log.info('A contact has another number', { contact: to, before: from });
  };
}
