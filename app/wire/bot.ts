/** Joins what takes messages in and answers them: webhooks hand over to it. */
import type { Channels } from '../channels/channels.ts';
import type { Config } from '../config.ts';
import { contactIdOf } from '../contacts/addresses.ts';
import { createSuspect } from '../conversation/suspect.ts';
import { encodeEvent } from '../events.ts';
import { conversationId, type DeliveryStatus } from '../message.ts';
import { alarmsOf, BOT_LIMITS, modelAlarm, slowRedisAlarm } from '../ops/limits.ts';
import type { Log } from '../ops/logger.ts';
import type { Metrics } from '../ops/metrics.ts';
import type { Deliver } from '../outbound/deliver.ts';
import { type AlarmParts, buildAlarms } from './alarms.ts';
import { type AnsweringParts, buildAnswering } from './answering.ts';
import type { ArchiveParts } from './archive.ts';
import type { Receivers } from './channels.ts';
import type { MemoryParts } from './memory.ts';
import { buildModels } from './models.ts';
import type { PurposeParts } from './purpose.ts';
import type { StandIns } from './stand-ins.ts';

export interface BotTools {
  memory: MemoryParts;
  archive: Pick<ArchiveParts, 'standings'>;
  standIns: StandIns;
  channels: Channels;
  deliver: Deliver;
  purpose: Pick<PurposeParts, 'template' | 'notices'>;
  metrics: Metrics;
  log: Log;
}

export interface BotParts extends Pick<AnsweringParts, 'turns' | 'sweep'> {
  accept: Receivers['onMessage'];
  onStatus: Receivers['onStatus'];
  /** What is worth an alarm here; `close` stops it. */
  alarms: Pick<AlarmParts, 'start'>;
  /** Resolves when the model answers. */
  pingModel(): Promise<void>;
  close(): Promise<void>;
}

export function buildBot(config: Config, tools: BotTools): BotParts {
  const { memory, archive, standIns, purpose, metrics, log } = tools;
  for (const { text } of purpose.notices) log.warn(text);
  const models = buildModels(config, standIns, { allowance: memory.allowance, metrics, log });
  const { suspects, clock } = memory;
  const messagesPerMinute = config.rateLimitPerMinute;
  const { accept, turns, sweep } = buildAnswering(config, {
    ...tools,
    models,
    suspect: createSuspect({ suspects, messagesPerMinute, metrics, log, now: clock.now }),
    standingsOf: archive.standings.of,
    template: purpose.template,
  });
  const { figure } = metrics;
  const watched = [...alarmsOf(BOT_LIMITS, figure), modelAlarm(figure), slowRedisAlarm(figure)];
  const alarms = buildAlarms(config, { memory, alarms: watched, seesRedis: true, log });
  return {
    turns,
    sweep,
    alarms,
    accept,
    onStatus: (status) => recordStatus(memory, status),
    pingModel: () => models.ping(),
    async close() {
      await Promise.all([models.close(), alarms.stop()]);
    },
  };
}

async function recordStatus({ publish, clock }: MemoryParts, status: DeliveryStatus): Promise<void> {
  const { channel, business, to } = status;
  const contact = contactIdOf(to);
  const conversation = conversationId({ channel, business, contact });
  await publish(contact, encodeEvent({ type: 'delivery.changed', conversation, at: clock.now(), status }));
}
