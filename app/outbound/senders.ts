/** Which of our numbers a template is sent from. */
import type { Channels } from '../channels/channels.ts';
import { Failure } from '../errors.ts';
import type { ChannelName, TemplateRef } from '../message.ts';
import { remember } from '../ops/remember.ts';

/** A number of ours. */
export interface Sender {
  channel: ChannelName;
  /** '' when it is not known: then the channel's default. */
  business: string;
}

export interface Senders {
  /** All that templates can be sent from: a channel without a number of its own has ''. */
  all(): Promise<Sender[]>;
  /** The first one of the channel that has such templates. Rejects with `channel.template` when that is not configured. */
  usual(template: TemplateRef): Promise<Sender>;
  /**
   * The one that is asked for (`business` as in `message.ts`); without a word about it the only one. Rejects with `request.invalid` when it is none of ours, or several could
   * be meant.
   */
  find(
    template: TemplateRef,
    asked: { channel?: ChannelName | undefined; business?: string | undefined },
  ): Promise<Sender>;
}

export interface SendersOptions {
  channels: Pick<Channels, 'all'>;
  /** Numbers that people have written to. Rejects when the archive is away. */
  known: () => Promise<readonly Sender[]>;
}

/** Numbers are rarely added: asked again after this long, ms. */
const NUMBERS_MS = 10 * 60_000;

export function createSenders({ channels, known }: SendersOptions): Senders {
  const withTemplates = channels.all.flatMap((channel) => {
    const { name, templatesBy } = channel;
    const ask = channel.senders?.bind(channel) ?? (async () => []);
    return templatesBy === undefined
      ? []
      : [
          {
            name,
            templatesBy,
            numbers: remember(
              () => ask(),
              () => NUMBERS_MS,
            ),
          },
        ];
  });
  type Sending = (typeof withTemplates)[number];
  return { all, usual, find };

  async function all(): Promise<Sender[]> {
    return (await Promise.all(withTemplates.map(sendersOf))).flat();
  }

  async function sendersOf({ name: channel, numbers }: Sending): Promise<Sender[]> {
    const own = await numbers();
    return own.length > 0 ? own.map((business) => ({ channel, business })) : [{ channel, business: '' }];
  }

  async function usual(template: TemplateRef): Promise<Sender> {
    const [first] = await sendersOf(channelFor(template));
    return first ?? { channel: channelFor(template).name, business: '' };
  }

  async function find(
    template: TemplateRef,
    { channel, business }: { channel?: ChannelName | undefined; business?: string | undefined },
  ): Promise<Sender> {
    const sending = channelFor(template, channel);
    const own = await sendersOf(sending);
    if (business === undefined) {
      const [only, ...others] = own;
      if (only && others.length === 0) return only;
      throw invalid(`Say from which number: business_number is one of ${own.map((one) => one.business).join(', ')}.`);
    }
    const found = [...own, ...(await known())].find((one) => one.channel === sending.name && one.business === business);
    if (found) return { channel: found.channel, business: found.business };
    throw invalid(`${business} is none of our numbers on ${sending.name}.`);
  }

  function channelFor(template: TemplateRef, channel?: ChannelName): Sending {
    const kind = 'contentSid' in template ? 'id' : 'name';
    const fitting = withTemplates.filter(({ templatesBy }) => templatesBy === kind);
    const found = fitting.find(({ name }) => channel === undefined || name === channel);
    if (found) return found;
    if (channel !== undefined && fitting.length > 0) throw invalid(`${channel} is no channel that has this template.`);
    throw new Failure('channel.template', WHOSE[kind]);
  }
}

const WHOSE = {
  id: 'A template HX… needs Twilio, which is not configured.',
  name: "A template name:language needs Meta's API, which is not configured.",
} as const;

function invalid(sentence: string): Failure {
  return new Failure('request.invalid', sentence);
}
