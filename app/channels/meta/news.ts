/**
 * What Meta tells of templates, the account, its numbers and its limits: the state of something, by the stamp of the batch.
 * https://developers.facebook.com/docs/whatsapp/business-management-api/webhooks/components
 */
import type { AccountNews } from '../../message.ts';
import { type Scrubbed, scrub } from '../../privacy/scrub.ts';
import { clean, LONGEST_AD } from '../reading.ts';
import { digitsOf, type Inbound, ignored, secondsIn } from './inbound.ts';
import { News } from './shapes.ts';
import { META } from './status.ts';

/** What there is to say of a subject. */
type Said = Pick<AccountNews, 'subject' | 'state'> & { detail?: string | undefined; until?: number | undefined };

const READERS: Readonly<Record<string, (news: News) => Said[]>> = {
  message_template_status_update: (news) =>
    ofTemplate(
      'template',
      news,
      news.event,
      news.other_info?.description ?? news.rejection_info?.reason ?? reasonIn(news),
    ),
  message_template_quality_update: (news) => ofTemplate('quality', news, news.new_quality_score),
  template_category_update: (news) => ofTemplate('category', news, news.new_category, changeIn(news)),
  account_update: ofAccount,
  phone_number_quality_update: ofNumber,
  business_capability_update: ofLimits,
};

export function isNewsField(field: string): boolean {
  return Object.hasOwn(READERS, field);
}

/** @param at by the stamp of the batch, unix ms */
export function readNews(field: string, value: unknown, at: number): Inbound[] {
  const read = News.safeParse(value);
  const said = read.success ? (READERS[field]?.(read.data) ?? []) : [];
  const news = said.flatMap(({ subject, state, detail, until }) => {
    if (!isState(state)) return [];
    const words: Scrubbed = clean(detail, LONGEST_AD);
    return { channel: META, subject, state, detail: words, at, ...(until === undefined ? {} : { until }) };
  });
  if (news.length === 0) return [ignored(`An event of the field ${field} tells nothing that is known.`)];
  return news.map((one) => ({ kind: 'report', report: { kind: 'news', news: one } }));
}

function ofTemplate(about: string, news: News, state: string | undefined, detail?: string): Said[] {
  const { message_template_name: name, message_template_language: language = '' } = news;
  // Meta's names and languages: lower case letters, digits and _; `en_US`.
  if (state === undefined || name === undefined || !/^[\w-]{1,512}$/.test(name) || !/^[\w-]{0,20}$/.test(language))
    return [];
  return [{ subject: `${about}:${name}:${language}`, state, detail }];
}

function reasonIn({ reason }: News): string | undefined {
  return reason === 'NONE' ? undefined : reason;
}

function changeIn({ correct_category: next, category_update_timestamp: at, previous_category: before }: News) {
  const seconds = secondsIn(at);
  if (next !== undefined)
    return `becomes ${next}${seconds ? ` on ${new Date(seconds).toISOString()}` : ' within 24 hours'}`;
  return before === undefined ? undefined : `was ${before}`;
}

/** What says whether we may send. Prices, partners and the like change nothing about that. */
const OF_ACCOUNT = new Set(['ACCOUNT_DELETED', 'ACCOUNT_OFFBOARDED', 'ACCOUNT_RECONNECTED']);

function ofAccount({ event, ban_info: ban, violation_info: violation, restriction_info: restrictions }: News): Said[] {
  if (event === 'DISABLED_UPDATE' && ban?.waba_ban_state !== undefined)
    return [{ subject: 'account', state: ban.waba_ban_state, detail: ban.waba_ban_date }];
  if (event === 'ACCOUNT_RESTRICTION')
    return restrictions.flatMap(({ restriction_type: kind, expiration }) => {
      if (kind === undefined || !isState(kind)) return [];
      const until = secondsIn(expiration) ?? Date.parse(expiration ?? '');
      return { subject: `restriction:${kind}`, state: event, ...(until > 0 && { until }) };
    });
  // A warning: what follows from it comes as an event of its own.
  if (event === 'ACCOUNT_VIOLATION') return [{ subject: 'violation', state: event, detail: violation?.violation_type }];
  return event === undefined || !OF_ACCOUNT.has(event) ? [] : [{ subject: 'account', state: event }];
}

function ofNumber(news: News): Said[] {
  const digits = digitsOf(news.display_phone_number);
  const { event, current_limit: limit } = news;
  const number =
    digits === undefined || event === undefined ? [] : [{ subject: `number:${digits}`, state: event, detail: limit }];
  return [...number, ...ofLimits(news)];
}

function ofLimits({
  max_daily_conversations_per_business: ours,
  max_daily_conversation_per_phone: older,
}: News): Said[] {
  const limit = ours ?? older;
  return limit === undefined ? [] : [{ subject: 'limit', state: limit }];
}

/** `PAUSED`, `TIER_2K`, `2000`, `-1` */
function isState(state: string): boolean {
  return /^[\w-]{1,60}$/.test(state) && String(scrub(state)) === state;
}
