/** From which of our addresses somebody is written to who may never have written to us. */
import type { Channel } from '../channels/channel.ts';
import type { Channels } from '../channels/channels.ts';
import { Failure } from '../errors.ts';
import type { ChannelName, TemplateRef } from '../message.ts';
import { remember } from '../ops/remember.ts';

export interface Sender {
  channel: ChannelName;
  /** '' where the provider picks the number itself. */
  business: string;
}

/** What is known of it; what is left out is chosen: the first that fits. */
export interface SenderWish {
  /** What is to be sent: each provider has a way of its own to name templates. */
  template: TemplateRef;
  channel?: ChannelName | undefined;
  /** An address of ours, as in `message.ts`. */
  business?: string | undefined;
}

/** Rejects with `channel.sender` when nothing fits, or with the provider's refusal when it has to be asked for its numbers. */
export type FindSender = (wish: SenderWish) => Promise<Sender>;

/** Numbers are rarely added: asked again after this long, ms. */
const NUMBERS_MS = 10 * 60_000;

export function createFindSender({ all }: Pick<Channels, 'all'>): FindSender {
  const withTemplates = all.flatMap((channel) => {
    const senders = channel.senders?.bind(channel);
    return senders
      ? [
          {
            channel,
            senders: remember(
              () => senders(),
              () => NUMBERS_MS,
            ),
          },
        ]
      : [];
  });
  return async function findSender({ template, channel: name, business }) {
    const isOfKind = ({ channel }: { channel: Channel }) => channel.templatesBy === kindOf(template);
    const fitting = withTemplates.filter(isOfKind).filter(({ channel }) => name === undefined || channel.name === name);
    for (const { channel, senders } of fitting) {
      const [first = ''] = business === undefined ? await senders() : [business];
      if (business === undefined || (await senders()).includes(business))
        return { channel: channel.name, business: first };
    }
    throw new Failure(
      'channel.sender',
      business === undefined
        ? "No number can send this template. Meta's are named like order_ready:en, Twilio's by an id, HX and 32 digits."
        : 'This number of ours is none of those that can send this template.',
    );
  };
}

function kindOf(template: TemplateRef): 'name' | 'id' {
  return 'contentSid' in template ? 'id' : 'name';
}
