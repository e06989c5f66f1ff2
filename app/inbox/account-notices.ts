/** What a provider told of our accounts, as notices for the team: what is wrong, and what changed lately. */
import { phoneOf } from '../contacts/addresses.ts';
import type { AccountNews } from '../message.ts';

export interface Notice {
  code: string;
  text: string;
}

/** What is no trouble, such as a limit that was raised, is shown for so long, ms. */
const LATELY_MS = 2 * 86_400_000;

/** A warning, which nobody takes back: for so long, ms. */
const WARNING_MS = 7 * 86_400_000;

/** A handover that fits nobody: for so long, ms. */
const HANDOVER_MS = 86_400_000;

/** @param now unix ms */
export function noticesOf(news: readonly AccountNews[], now: number): Notice[] {
  return news.flatMap((one) => {
    const text = textOf(one, now);
    return text === null ? [] : { code: `account.${one.channel}.${one.subject}`, text };
  });
}

function textOf(news: AccountNews, now: number): string | null {
  const [about, name = '', language = ''] = news.subject.split(':');
  const isLate = now - news.at < LATELY_MS;
  const template = `The template ${name}${language && ` (${language})`}`;
  switch (about) {
    case 'template':
      return templateText(template, news, isLate);
    case 'quality':
      return news.state === 'RED'
        ? `${template} has a low quality: people block or report it. It may be paused.`
        : null;
    case 'category':
      return isLate ? `${template} has the category ${news.state}${news.detail && `, and ${news.detail}`}.` : null;
    case 'account':
      return accountText(news, isLate);
    case 'violation':
      return now - news.at < WARNING_MS ? violationText(news) : null;
    case 'restriction':
      return restrictionText(name, news, now);
    case 'number':
      return numberText(name, news, isLate);
    case 'limit':
      return isLate ? `Meta's limit of new conversations in 24 hours is now ${limitText(news.state)}.` : null;
    case 'handover':
      return now - news.at < HANDOVER_MS ? handoverText(news) : null;
    default:
      return null;
  }
}

const TROUBLE: Readonly<Record<string, string>> = {
  PAUSED: 'is paused by WhatsApp',
  DISABLED: 'was switched off by WhatsApp',
  REJECTED: 'was rejected by WhatsApp',
  FLAGGED: 'may soon be switched off: people block or report it',
  LIMIT_EXCEEDED: 'was not taken: the account has as many templates as it may have',
};

const LATELY: Readonly<Record<string, string>> = {
  APPROVED: 'is approved',
  REINSTATED: 'may be sent again',
  ARCHIVED: 'was archived',
  UNARCHIVED: 'is back from the archive',
  DELETED: 'was deleted',
  PENDING_DELETION: 'is being deleted',
};

function templateText(template: string, { state, detail }: AccountNews, isLate: boolean): string | null {
  const trouble = TROUBLE[state];
  const said = trouble ?? (isLate ? LATELY[state] : undefined);
  return said === undefined ? null : `${template} ${said}${trouble && detail ? `: ${detail}` : '.'}`;
}

function violationText({ detail }: AccountNews): string {
  return `Meta says that our WhatsApp account breaks its policy${detail && ` (${detail})`}. See the WhatsApp Manager.`;
}

function accountText({ state }: AccountNews, isLate: boolean): string | null {
  const see = 'See the WhatsApp Manager.';
  switch (state) {
    case 'REINSTATE':
    case 'ACCOUNT_RECONNECTED':
      return isLate ? 'Our WhatsApp account works again.' : null;
    case 'SCHEDULE_FOR_DISABLE':
      return `Meta is going to lock our WhatsApp account. ${see}`;
    case 'DISABLE':
      return `Meta has locked our WhatsApp account. ${see}`;
    case 'ACCOUNT_DELETED':
      return `Our WhatsApp account was deleted. ${see}`;
    case 'ACCOUNT_OFFBOARDED':
      return `Our number is not on Meta's API any more. ${see}`;
    default:
      return `Meta told of our WhatsApp account: ${state}. ${see}`;
  }
}

function restrictionText(kind: string, { until }: AccountNews, now: number): string | null {
  if (until !== undefined && until <= now) return null;
  const end = until === undefined ? '' : ` until ${new Date(until).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  const what: Readonly<Record<string, string>> = {
    RESTRICTED_BIZ_INITIATED_MESSAGING: 'We may not begin conversations',
    RESTRICTED_CUSTOMER_INITIATED_MESSAGING: 'We may not answer anybody',
    RESTRICTED_ADD_PHONE_NUMBER_ACTION: 'We may not add numbers',
  };
  return `${what[kind] ?? `Meta has restricted our account (${kind})`}${end}: see the WhatsApp Manager.`;
}

function numberText(digits: string, { state, detail }: AccountNews, isLate: boolean): string | null {
  const number = phoneOf(digits);
  if (state === 'FLAGGED') return `The quality of our number ${number} is low: people block or report it.`;
  if (!isLate) return null;
  if (state === 'DOWNGRADE')
    return `Meta lowered the limit of our number ${number}${detail && ` to ${limitText(detail)}`}.`;
  if (state === 'UNFLAGGED') return `The quality of our number ${number} is fine again.`;
  if (state === 'UPGRADE')
    return `Meta raised the limit of our number ${number}${detail && ` to ${limitText(detail)}`}.`;
  return state === 'THROUGHPUT_UPGRADE' ? `Our number ${number} may send faster now.` : null;
}

function handoverText({ detail }: AccountNews): string {
  const number = phoneOf(detail);
  return `Another responder passed a conversation with ${number} to us, but nobody known here has this number. They may be known by their WhatsApp name alone.`;
}

/** `TIER_2K` → `2,000` */
function limitText(state: string): string {
  const [, digits, thousands] = /^(?:TIER_)?(\d{1,9})(K?)$/.exec(state) ?? [];
  if (digits === undefined) return state === '-1' || state === 'TIER_UNLIMITED' ? 'without end' : state;
  return (Number(digits) * (thousands ? 1_000 : 1)).toLocaleString('en');
}
