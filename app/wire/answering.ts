/** Joins the path of a message: accept → turn → outbound. */
import type { Config } from '../config.ts';
import { createConfirm, type StandingsOf } from '../contacts/confirm.ts';
import { createIdentify } from '../contacts/identify.ts';
import { type Accept, type AcceptOptions, createAccept } from '../conversation/accept.ts';
import { createAsker } from '../conversation/answer.ts';
import { createCompose } from '../conversation/compose.ts';
import { createEnding } from '../conversation/ending.ts';
import { createSummarize } from '../conversation/summarize.ts';
import { createSweep, type Sweep } from '../conversation/sweep.ts';
import { createTurn } from '../conversation/turn.ts';
import { createTurns, type Turns } from '../conversation/turns.ts';
import type { Log } from '../ops/logger.ts';
import type { Metrics } from '../ops/metrics.ts';
import type { CostParts } from './costs.ts';
import { buildGreet, type GreetTools } from './greet.ts';
import type { MemoryParts } from './memory.ts';
import type { ModelParts } from './models.ts';
import type { OutboundParts } from './outbound.ts';
import type { PolicyParts } from './policy.ts';
import { buildRead, type ReadingTools } from './reading.ts';

export interface AnsweringTools {
  memory: MemoryParts;
  models: ModelParts;
  standingsOf: StandingsOf;
  archivedWordsOf: ReadingTools['archivedWordsOf'];
  suspect: AcceptOptions['suspect'];
  /** Of the system prompt. */
  template: string;
  isKnown: GreetTools['isKnown'];
  outbound: OutboundParts;
  rules: PolicyParts;
  costs: Pick<CostParts, 'budget' | 'ledger'>;
  metrics: Metrics;
  log: Log;
}

export interface AnsweringParts {
  accept: Accept;
  turns: Turns;
  sweep: Sweep;
}

/** So long before a webhook's deadline the last try to ask the model begins, ms. */
const BEFORE_DEADLINE_MS = 2_000;

export function buildAnswering(config: Config, tools: AnsweringTools): AnsweringParts {
  const { memory, models, outbound, standingsOf, suspect, template, costs, metrics, log } = tools;
  const { channels, deliver } = outbound;
  const { ledger, budget } = costs;
  const { mailbox, aliases, allowance, desk, clock, processes } = memory;
  const { historyTokens, leaseMs, summaryTokens } = config;
  const { model } = models;
  const { now } = clock;
  const read = buildRead({ ...tools, channels });
  const { maxReplyTokens, failureReply } = config;
  const webhookMs = Math.max(0, config.twimlDeadlineMs - BEFORE_DEADLINE_MS);
  const { policy, obey, confirmations, brief, lookAfter } = tools.rules;
  const handoffReply = policy.handoff.reply;
  const asker = createAsker({ model, maxReplyTokens, failureReply, handoffReply, webhookMs });
  const context = { template, timeZone: config.timeZone, historyTokens, now };
  const greet = buildGreet(config, tools);
  const compose = createCompose({ policy, greet, obey, mailbox, channels, asker, read, context, ledger });
  const ending = createEnding({ mailbox, metrics, now });
  const summarize = createSummarize({ model, store: memory.summaries, summaryTokens, historyTokens });
  const turns = createTurns({
    mailbox,
    confirm: createConfirm({ standingsOf, desk, aliases, mailbox }),
    turn: createTurn({
      mailbox,
      allowance,
      channels,
      read,
      compose,
      deliver,
      situationOf: desk.state,
      confirmations,
      ending,
      ledger,
      isPaused: budget.isUsedUp,
      metrics,
      now,
    }),
    ending,
    async brief(after, log) {
      if (budget.isUsedUp()) return;
      await brief(after, log);
      await ledger.end(after);
    },
    // A turn after the pause finds the history too long as well.
    async summarize(after, log) {
      if (budget.isUsedUp()) return;
      await summarize(after, log);
      await ledger.end(after);
    },
    ledger,
    metrics,
    leaseMs,
    aliveSince: processes.aliveSince,
    maxConcurrent: config.maxConcurrentTurns,
    now,
  });
  const identify = createIdentify({ aliases });
  return {
    accept: createAccept({ identify, mailbox, turns, allowance, suspect, metrics, log, maxWaiting: config.maxWaiting }),
    turns,
    sweep: createSweep({ mailbox, aliases, turns, lookAfter, log }),
  };
}
