/** Joins what makes messages readable: downloads, pictures, voice notes, quotes. */
import type { Channels } from '../channels/channels.ts';
import { createRead, type Read } from '../conversation/attachments.ts';
import type { ChannelName } from '../message.ts';
import type { Metrics } from '../ops/metrics.ts';
import type { MemoryParts } from './memory.ts';
import type { ModelParts } from './models.ts';

export interface ReadingTools {
  memory: Pick<MemoryParts, 'publish' | 'clock'>;
  models: Pick<ModelParts, 'senses'>;
  channels: Channels;
  metrics: Metrics;
}

/** How long a turn waits for the words of a message that is answered, ms. */
const QUOTE_MS = 2_000;

export function buildRead({ memory, models, channels, metrics }: ReadingTools): Read {
  const { now } = memory.clock;
  return createRead({
    download: (channel, { ref }, how) => channels.of(channel).download(ref, how),
    quoted: (channel, id, signal) => quotedWords(channels, channel, id, signal),
    ...models.senses,
    publish: memory.publish,
    now,
    metrics,
  });
}

/** The words of a message that a person answers, if the provider says them soon. */
async function quotedWords(channels: Channels, channel: ChannelName, id: string, signal: AbortSignal) {
  try {
    const soon = AbortSignal.any([signal, AbortSignal.timeout(QUOTE_MS)]);
    return (await channels.of(channel).wordsOf?.(id, soon)) ?? null;
  } catch {
    return null;
  }
}
