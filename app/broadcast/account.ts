/** What a provider has told of our account beside its answers: asked before each message, so it is remembered by the program. */
import type { FailureCode } from '../errors.ts';
import type { ChannelName, TemplateRef } from '../message.ts';

export interface AccountState {
  /** New people that may be written to in 24 hours, over all numbers of a channel; null when there is no limit, or nobody told one. */
  perDay(channel: ChannelName): Promise<number | null>;
  /** Why nothing may be sent with this template just now; null when nothing is known against it. */
  refusal(channel: ChannelName, template: TemplateRef): Promise<{ code: FailureCode; reason: string } | null>;
}

/** What is kept of a provider's news, see `memory/accounts.ts`. */
export interface KeptNews {
  template(channel: ChannelName, name: string, language: string): Promise<string | null>;
  dailyLimit(channel: ChannelName): Promise<number | null>;
  restriction(channel: ChannelName): Promise<string | null>;
}

/** States of a template in which it is not sent. */
const UNUSABLE: Readonly<Record<string, string>> = {
  PAUSED: 'is paused by WhatsApp',
  DISABLED: 'was switched off by WhatsApp',
  REJECTED: 'was rejected by WhatsApp',
  ARCHIVED: 'was archived',
};

export function createAccountState(news: KeptNews): AccountState {
  return { perDay, refusal };

  async function perDay(channel: ChannelName): Promise<number | null> {
    const limit = await news.dailyLimit(channel);
    return limit === Number.POSITIVE_INFINITY ? null : limit;
  }

  async function refusal(channel: ChannelName, template: TemplateRef): ReturnType<AccountState['refusal']> {
    const restriction = await news.restriction(channel);
    if (restriction !== null) {
      const reason = `Our account may not begin conversations now (${restriction}). See the WhatsApp Manager.`;
      return { code: 'channel.sender', reason };
    }
    if (!('name' in template)) return null;
    const state = await news.template(channel, template.name, template.language);
    const words = state !== null && Object.hasOwn(UNUSABLE, state) ? UNUSABLE[state] : undefined;
    return words === undefined ? null : { code: 'channel.template', reason: `The template ${template.name} ${words}.` };
  }
}
