/** Joins what makes messages readable: downloads, pictures, voice notes, quotes. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Channels } from '../channels/channels.ts';
import { createRead, type Read } from '../conversation/attachments.ts';
import type { ChannelName } from '../message.ts';
import type { Metrics } from '../ops/metrics.ts';
import { type Scrubbed, scrub } from '../privacy/scrub.ts';
import type { MemoryParts } from './memory.ts';
import type { ModelParts } from './models.ts';

export interface ReadingTools {
  memory: Pick<MemoryParts, 'publish' | 'clock'>;
  models: Pick<ModelParts, 'senses'>;
  channels: Channels;
  /** How a message begins, by the provider's id: for channels whose provider does not say it. */
  archivedWordsOf: (channel: ChannelName, id: string) => Promise<string | null>;
  metrics: Metrics;
}

/** How long a turn waits for the words of a message that is answered, ms. */
const QUOTE_MS = 2_000;

export function buildRead({ memory, models, channels, archivedWordsOf, metrics }: ReadingTools): Read {
  const { now } = memory.clock;
  return createRead({
    download: (channel, { ref }, how) => channels.of(channel).download(ref, how),
    quoted: (channel, id, signal) => quotedWords(channel, id, signal),
    ...models.senses,
    publish: memory.publish,
    now,
    metrics,
  });

  /** The words of a message that a person answers, if the provider or the archive says them soon. */
  async function quotedWords(name: ChannelName, id: string, signal: AbortSignal): Promise<Scrubbed | null> {
    try {
      const channel = channels.of(name);
      if (channel.wordsOf) return await channel.wordsOf(id, AbortSignal.any([signal, AbortSignal.timeout(QUOTE_MS)]));
      const words = await Promise.race([archivedWordsOf(name, id), sleep(QUOTE_MS, null, { signal, ref: false })]);
      return words === null ? null : scrub(words);
    } catch {
      return null;
    }
  }
}
