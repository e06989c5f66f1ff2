import type { Migration } from 'kysely';
import * as start from './0001-start.ts';
import * as referral from './0002-referral.ts';
import * as protect from './0003-protect.ts';
import * as search from './0004-search.ts';
import * as failedAnalyses from './0005-failed-analyses.ts';
import * as analytics from './0006-analytics.ts';
import * as sentiments from './0007-sentiments.ts';
import * as consentAndHandoff from './0008-consent-and-handoff.ts';
import * as costs from './0009-costs.ts';
import * as spam from './0010-spam.ts';
import * as original from './0011-original.ts';
import * as besideMessages from './0012-beside-messages.ts';
import * as templates from './0013-templates.ts';
import * as broadcasts from './0014-broadcasts.ts';

/** In this order. A migration that was released is never changed, only followed by another one. */
export const MIGRATIONS: Record<string, Migration> = {
  '0001-start': start,
  '0002-referral': referral,
  '0003-protect': protect,
  '0004-search': search,
  '0005-failed-analyses': failedAnalyses,
  '0006-analytics': analytics,
  '0007-sentiments': sentiments,
  '0008-consent-and-handoff': consentAndHandoff,
  '0009-costs': costs,
  '0010-spam': spam,
  '0011-original': original,
  '0012-beside-messages': besideMessages,
  '0013-templates': templates,
  '0014-broadcasts': broadcasts,
};
