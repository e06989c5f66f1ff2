/** The channels that are configured, by name. */
import { Failure } from '../errors.ts';
import type { ChannelName } from '../message.ts';
import type { Channel } from './channel.ts';

export interface Channels {
  /** @throws Failure `channel.sender` for a channel that is not configured (any more). */
  of(name: ChannelName): Channel;
  readonly names: readonly ChannelName[];
}

export function createChannels(channels: readonly Channel[]): Channels {
  const byName = new Map(channels.map((channel) => [channel.name, channel]));
  return {
    names: [...byName.keys()],
    of(name) {
      const channel = byName.get(name);
      if (channel) return channel;
      const names = [...byName.keys()].join(', ');
      throw new Failure('channel.sender', `The channel ${name} is not configured. Configured are: ${names}.`);
    },
  };
}
