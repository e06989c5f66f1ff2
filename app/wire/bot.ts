/** Joins what takes messages in and answers them: webhooks hand over to it. */
import { createIsKnown } from '../archive/read/known.ts';
import { createMessages } from '../archive/read/messages.ts';
import type { Config } from '../config.ts';
import { createSuspect } from '../conversation/suspect.ts';
import { alarmsOf, BOT_LIMITS, modelAlarm, slowRedisAlarm } from '../ops/limits.ts';
import type { Log } from '../ops/logger.ts';
import type { Metrics } from '../ops/metrics.ts';
import { type AlarmParts, buildAlarms } from './alarms.ts';
import { type AnsweringParts, buildAnswering } from './answering.ts';
import type { ArchiveParts } from './archive.ts';
import { measureBacklog } from './backlog.ts';
import type { Receivers } from './channels.ts';
import type { CostParts } from './costs.ts';
import type { MemoryParts } from './memory.ts';
import { buildModels } from './models.ts';
import type { OutboundParts } from './outbound.ts';
import { buildPolicy } from './policy.ts';
import type { PurposeParts } from './purpose.ts';
import { buildReported } from './reported.ts';
import type { StandIns } from './stand-ins.ts';

export interface BotTools {
  memory: MemoryParts;
  archive: Pick<ArchiveParts, 'standings' | 'database'>;
  standIns: StandIns;
  outbound: OutboundParts;
  purpose: Pick<PurposeParts, 'template' | 'notices'>;
  costs: Pick<CostParts, 'budget' | 'ledger'>;
  metrics: Metrics;
  log: Log;
}

export interface BotParts
  extends Pick<AnsweringParts, 'turns' | 'sweep'>,
    Pick<Receivers, 'onStatus' | 'onEcho' | 'onReport'> {
  accept: Receivers['onMessage'];
  /** What is worth an alarm here; `close` stops it. */
  alarms: Pick<AlarmParts, 'start'>;
  /** Resolves when the model answers. */
  pingModel(): Promise<void>;
  close(): Promise<void>;
}

export function buildBot(config: Config, tools: BotTools): BotParts {
  const { memory, archive, standIns, purpose, costs, metrics, log } = tools;
  for (const { text } of purpose.notices) log.warn(text);
  const models = buildModels(config, standIns, { ...costs, metrics, log });
  const rules = buildPolicy(config, { ...tools, channels: tools.outbound.channels, models });
  const { suspects, clock } = memory;
  const messagesPerMinute = config.rateLimitPerMinute;
  const { accept, turns, sweep } = buildAnswering(config, {
    ...tools,
    rules,
    models,
    suspect: createSuspect({ suspects, messagesPerMinute, metrics, log, now: clock.now }),
    standingsOf: archive.standings.of,
    archivedWordsOf: createMessages(archive.database).wordsOf,
    isKnown: createIsKnown(archive.database),
    template: purpose.template,
  });
  measureBacklog(memory, turns, metrics);
  measureBudget(costs.budget, metrics);
  const { figure } = metrics;
  const watched = [...alarmsOf(BOT_LIMITS, figure), modelAlarm(figure), slowRedisAlarm(figure)];
  const alarms = buildAlarms(config, { memory, alarms: watched, seesRedis: true, log });
  return {
    turns,
    sweep,
    alarms,
    accept,
    ...buildReported(tools),
    pingModel: () => models.ping(),
    async close() {
      await Promise.all([models.close(), rules.close(), alarms.stop()]);
    },
  };
}

/** Of all processes, and so shown by those that answer alone. */
function measureBudget(budget: CostParts['budget'], metrics: Metrics): void {
  const { limit } = budget;
  if (limit === null) return;
  const share = () => budget.spent / limit.billionths;
  metrics.gauge('budget_share', "How much of the month's budget is used; from 1 on the bot is paused", share);
}
