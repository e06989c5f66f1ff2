/** Joins what the operator should know or mend, for the inbox. */
import type { Channels } from '../channels/channels.ts';
import type { Overview } from '../costs/overview.ts';
import { isFailure } from '../errors.ts';
import { noticesOf } from '../inbox/account-notices.ts';
import type { Accounts } from '../memory/accounts.ts';
import type { BroadcastParts } from './broadcast.ts';
import type { PurposeParts } from './purpose.ts';

export interface NoticeTools {
  purpose: Pick<PurposeParts, 'notices'>;
  costs: Pick<Overview, 'notices'>;
  broadcasts: Pick<BroadcastParts, 'notices'>;
  accounts: Pick<Accounts, 'all'>;
  channels: Pick<Channels, 'all'>;
  now: () => number;
}

export function createNoticesOf({ purpose, costs, broadcasts, accounts, channels, now }: NoticeTools) {
  return async function notices(): Promise<{ code: string; text: string }[]> {
    const known = await Promise.all(channels.all.map(({ name }) => accounts.all(name))).catch((error: unknown) => {
      // The others are shown all the same.
      if (isFailure(error) && error.code === 'store.unavailable') return [];
      throw error;
    });
    return [
      ...purpose.notices,
      ...(await costs.notices()),
      ...(await broadcasts.notices()),
      ...noticesOf(known.flat(), now()),
    ];
  };
}
