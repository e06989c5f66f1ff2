/** Joins the path of a message: accept → turn → outbound. */
import type { Channels } from '../channels/channels.ts';
import type { Config } from '../config.ts';
import { createConfirm, type StandingsOf } from '../contacts/confirm.ts';
import { createIdentify } from '../contacts/identify.ts';
import { type Accept, type AcceptOptions, createAccept } from '../conversation/accept.ts';
import { createAsker } from '../conversation/answer.ts';
import { createRead } from '../conversation/attachments.ts';
import { createCompose } from '../conversation/compose.ts';
import { createEnding } from '../conversation/ending.ts';
import { createSummarize } from '../conversation/summarize.ts';
import { createSweep, type Sweep } from '../conversation/sweep.ts';
import { createTurn } from '../conversation/turn.ts';
import { createTurns, type Turns } from '../conversation/turns.ts';
import type { ChannelName } from '../message.ts';
import type { Log } from '../ops/logger.ts';
import type { Metrics } from '../ops/metrics.ts';
import { remember } from '../ops/remember.ts';
import type { Deliver } from '../outbound/deliver.ts';
import type { MemoryParts } from './memory.ts';
import type { ModelParts } from './models.ts';

export interface AnsweringTools {
  memory: MemoryParts;
  models: ModelParts;
  standingsOf: StandingsOf;
  suspect: AcceptOptions['suspect'];
  /** Of the system prompt. */
  template: string;
  channels: Channels;
  deliver: Deliver;
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
/** How long a turn waits for the words of a message that is answered, ms. */
const QUOTE_MS = 2_000;
/** How long the figures of the backlog are reused, ms. */
const BACKLOG_MS = 500;

export function buildAnswering(config: Config, tools: AnsweringTools): AnsweringParts {
  const { memory, models, channels, deliver, standingsOf, suspect, template, metrics, log } = tools;
  const { mailbox, aliases, allowance, desk, clock, processes } = memory;
  const { historyTokens, leaseMs, summaryTokens } = config;
  const { model } = models;
  const { now } = clock;
  const read = createRead({
    download: (channel, { ref }, how) => channels.of(channel).download(ref, how),
    quoted: (channel, id, signal) => quotedWords(channels, channel, id, signal),
    ...models.senses,
    publish: memory.publish,
    now,
    metrics,
  });
  const { maxReplyTokens, failureReply } = config;
  const webhookMs = Math.max(0, config.twimlDeadlineMs - BEFORE_DEADLINE_MS);
  const asker = createAsker({ model, maxReplyTokens, failureReply, webhookMs });
  const context = { template, timeZone: config.timeZone, historyTokens, now };
  const compose = createCompose({ mailbox, channels, asker, read, context });
  const ending = createEnding({ mailbox, metrics, now });
  const turns = createTurns({
    mailbox,
    confirm: createConfirm({ standingsOf, desk, aliases, mailbox }),
    turn: createTurn({ mailbox, allowance, channels, read, compose, deliver, ending, metrics, now }),
    ending,
    summarize: createSummarize({ model, store: memory.summaries, summaryTokens, historyTokens }),
    metrics,
    leaseMs,
    aliveSince: processes.aliveSince,
    maxConcurrent: config.maxConcurrentTurns,
    now,
  });
  measureBacklog(memory, turns, metrics);
  const identify = createIdentify({ aliases });
  return {
    accept: createAccept({ identify, mailbox, turns, allowance, suspect, metrics, log, maxWaiting: config.maxWaiting }),
    turns,
    sweep: createSweep({ mailbox, aliases, turns, log }),
  };
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

function measureBacklog({ mailbox }: MemoryParts, turns: Turns, metrics: Metrics): void {
  metrics.gauge('turns_running', 'Contacts in work', () => turns.running);
  metrics.gauge('turns_waiting', 'Contacts that wait for a free place', () => turns.waiting);
  // Three figures of one query; they may be requested often.
  const counted = remember(() => mailbox.backlog(), BACKLOG_MS);
  const backlog = (figure: 'unfinished' | 'due' | 'dead') => async () => (await counted())[figure];
  metrics.gauge('conversations_unfinished', 'Contacts in work or waiting, of all processes', backlog('unfinished'));
  metrics.gauge('conversations_due', 'Contacts whose work is due while no turn is running', backlog('due'));
  metrics.gauge('dead_letters', 'Dead letters that need attention', backlog('dead'));
}
