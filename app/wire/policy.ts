/** Joins what WhatsApp's rules demand of a bot: a way to a person, an end to messages, and that it says what it is. */
import { randomBytes } from 'node:crypto';
import type { Channels } from '../channels/channels.ts';
import type { Config } from '../config.ts';
import { type Brief, createBrief } from '../conversation/brief.ts';
import { createObey, EXPORT_HOURS, type Obey } from '../conversation/commands.ts';
import type { Policy } from '../conversation/compose.ts';
import { handoffReply } from '../conversation/handoff.ts';
import { warmUpKeywords } from '../conversation/keywords/warm-up.ts';
import { createLookAfter, type LookAfter } from '../conversation/look-after.ts';
import type { Exports } from '../memory/exports.ts';
import type { Consent, ContactId } from '../message.ts';
import type { Log } from '../ops/logger.ts';
import { createWebhook } from '../ops/webhook.ts';
import { type Scrubbed, scrub } from '../privacy/scrub.ts';
import type { MemoryParts } from './memory.ts';
import type { ModelParts } from './models.ts';

export interface PolicyTools {
  memory: Pick<MemoryParts, 'summaries' | 'publish' | 'handoffs' | 'exports' | 'clock'>;
  models: Pick<ModelParts, 'model'>;
  channels: Channels;
  log: Log;
}

export interface PolicyParts {
  policy: Policy;
  obey: Obey | null;
  /** What confirms that somebody opted out, or agreed again. */
  confirmations: Readonly<Record<Consent, Scrubbed>>;
  brief: Brief;
  lookAfter: LookAfter;
  close(): Promise<void>;
}

export function buildPolicy(config: Config, { memory, models, channels, log }: PolicyTools): PolicyParts {
  warmUpKeywords();
  const { webhookUrl } = config.handoff;
  const webhook =
    webhookUrl === undefined ? null : createWebhook({ url: webhookUrl, secret: config.webhookSecret, log });
  const { reply, overReply, humanContact, openingHours, silentMs, afterFailures } = config.handoff;
  const { summaries, publish, handoffs, exports, clock } = memory;
  const handoffWords = handoffReply({ reply, hours: openingHours, contact: humanContact });
  const { now } = clock;
  return {
    policy: {
      handoff: { reply: handoffWords, silentMs, afterFailures },
      disclosure: config.aiDisclosure === '' ? null : named(config.aiDisclosure, config),
    },
    obey: config.commands
      ? createObey({
          name: config.business.name,
          handoffReply: handoffWords,
          exportFor: exporter(config, exports),
          now,
        })
      : null,
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

/** Copies of somebody's data are fetched from our own address; without one nobody could. */
function exporter({ publicUrl, simulator, port }: Config, exports: Exports) {
  const base = publicUrl ?? (simulator ? `http://localhost:${port}` : null);
  if (base === null) return null;
  return async function exportFor(contact: ContactId): Promise<string> {
    const id = randomBytes(24).toString('hex');
    await exports.allow(id, contact, EXPORT_HOURS * 3_600_000);
    return `${base}/export/${id}`;
  };
}

/** Our own words, with the name of the business. */
function named(words: string, { business }: Config): Scrubbed {
  return scrub(words.replaceAll('{business_name}', business.name ?? 'this business'));
}
