/** Joins what WhatsApp's rules demand of a bot: a way to a person, an end to messages, and that it says what it is. */
import type { Channels } from '../channels/channels.ts';
import type { Config } from '../config.ts';
import { type Brief, createBrief } from '../conversation/brief.ts';
import type { Policy } from '../conversation/compose.ts';
import { handoffReply } from '../conversation/handoff.ts';
import { createLookAfter, type LookAfter } from '../conversation/look-after.ts';
import type { Consent } from '../message.ts';
import type { Log } from '../ops/logger.ts';
import { createWebhook } from '../ops/webhook.ts';
import { type Scrubbed, scrub } from '../privacy/scrub.ts';
import type { MemoryParts } from './memory.ts';
import type { ModelParts } from './models.ts';

export interface PolicyTools {
  memory: Pick<MemoryParts, 'summaries' | 'publish' | 'handoffs' | 'clock'>;
  models: Pick<ModelParts, 'model'>;
  channels: Channels;
  log: Log;
}

export interface PolicyParts {
  policy: Policy;
  /** What confirms that somebody opted out, or agreed again. */
  confirmations: Readonly<Record<Consent, Scrubbed>>;
  brief: Brief;
  lookAfter: LookAfter;
  close(): Promise<void>;
}

export function buildPolicy(config: Config, { memory, models, channels, log }: PolicyTools): PolicyParts {
  const { webhookUrl } = config.handoff;
  const webhook =
    webhookUrl === undefined ? null : createWebhook({ url: webhookUrl, secret: config.webhookSecret, log });
  const { reply, overReply, humanContact, openingHours, silentMs, afterFailures } = config.handoff;
  const { summaries, publish, handoffs, clock } = memory;
  const { now } = clock;
  return {
    policy: {
      handoff: { reply: handoffReply({ reply, hours: openingHours, contact: humanContact }), silentMs, afterFailures },
      disclosure: config.aiDisclosure === '' ? null : named(config.aiDisclosure, config),
    },
    confirmations: { 'opt-out': named(config.stopReply, config), 'opt-in': named(config.startReply, config) },
    brief: createBrief({ model: models.model, store: summaries, publish, now }),
    lookAfter: createLookAfter({
      handoffs,
      tell: webhook?.send ?? null,
      overReply: scrub(overReply),
      publicUrl: config.publicUrl,
      channels,
      now,
      log,
    }),
    close: async () => webhook?.close(),
  };
}

/** Our own words, with the name of the business. */
function named(words: string, { business }: Config): Scrubbed {
  return scrub(words.replaceAll('{business_name}', business.name ?? 'this business'));
}
