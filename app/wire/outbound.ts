/** Joins the way out: what everything that sends has in common. */
import type { Channel } from '../channels/channel.ts';
import { type Channels, createChannels } from '../channels/channels.ts';
import { createDeliver, type Deliver } from '../outbound/deliver.ts';
import { createTemplates, type Templates } from '../outbound/templates.ts';

export interface OutboundParts {
  channels: Channels;
  deliver: Deliver;
  templates: Templates;
}

export function buildOutbound(configured: readonly Channel[], now: () => number): OutboundParts {
  const channels = createChannels(configured);
  return {
    channels,
    deliver: createDeliver({ channels, now }),
    templates: createTemplates(channels),
  };
}
