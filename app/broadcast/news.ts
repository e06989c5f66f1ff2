/** What a provider tells of our account beside its answers. Nothing here is asked for before each message: it is remembered. */
import type { FailureCode } from '../errors.ts';
import type { ChannelName, TemplateRef } from '../message.ts';

export interface AccountNews {
  /** New people that may be written to in 24 hours, over all numbers of a channel; null when the provider has not said. */
  perDay(channel: ChannelName): Promise<number | null>;
  /** Why nothing may be sent with this template just now (it is paused, the account is restricted); null when nothing is known against it. */
  refusal(channel: ChannelName, template: TemplateRef): Promise<{ code: FailureCode; reason: string } | null>;
}

/** Of providers that tell nothing. */
export const NO_NEWS: AccountNews = { perDay: async () => null, refusal: async () => null };
