/** Rows of the archive as the contract has them, nothing more. */

import type { Series, Totals } from '../archive/read/analytics.ts';
import type { ConsentEntry } from '../archive/read/consents.ts';
import type { ArchivedConversation } from '../archive/read/conversations.ts';
import type { Expenses } from '../archive/read/costs.ts';
import type { ArchivedMessage } from '../archive/read/messages.ts';
import type { Task as ArchivedTask } from '../archive/write/tasks.ts';
import { phoneOf } from '../contacts/addresses.ts';
import type { CostOverview } from '../costs/overview.ts';
import { type ConversationId, conversationOf, type InboundMessage, kindOf, wordsOf } from '../message.ts';
import { decimalOf } from '../money.ts';
import { isWindowOpen, windowUntil } from '../outbound/window.ts';
import type {
  Analytics,
  Answered,
  Consent,
  Conversation,
  CostPurpose,
  Day,
  DeadLetter,
  Entities,
  Message,
  PurposeCosts,
  Task,
} from './contract.ts';
import { explainDelivery, explainFailure, explainSpam } from './explanations.ts';

/** What one of a provider's error codes means, as one sentence; null when it is not known. */
export type Explain = (channel: string, code: string) => string | null;

export function presentMessage(message: ArchivedMessage, explain: Explain): Message {
  const { analysis, task, delivery, failure, location } = message;
  const failed = delivery?.state === 'failed';
  return {
    id: message.id,
    message_sid: message.sid,
    reply_id: message.direction === 'outbound' ? message.turnId : null,
    channel: message.channel,
    phone_number: message.phone,
    contact_name: message.contactName,
    from_number: message.from,
    to_number: message.to,
    direction: message.direction,
    author: message.author,
    template: message.template,
    message_type: message.type,
    message_body: message.body,
    media_url: message.media[0]?.url ?? null,
    media: message.media.map(({ kind, contentType, url }) => ({ kind, content_type: contentType, url })),
    transcription: message.transcription,
    transcription_status: message.transcriptionStatus,
    location: location && placeOf(location),
    in_reply_to: message.inReplyTo === null ? null : { words: message.quoted },
    forwarded: message.forwarded,
    referral: message.referral && {
      headline: message.referral.headline ?? null,
      body: message.referral.body ?? null,
    },
    ai_analysis: analysis?.full ?? null,
    ai_summary: analysis?.summary ?? null,
    ai_sentiment: analysis?.sentiment || null,
    ai_intent: analysis?.intent ?? null,
    language: analysis?.language ?? null,
    extracted_entities: entitiesOf(analysis?.entities),
    analysis_status: analysis?.status ?? null,
    processing_error: message.processingError,
    task_created: message.taskCreated,
    created_task_id: task?.id ?? null,
    task: task && {
      id: task.id,
      title: task.title,
      task_type: task.type,
      priority: task.priority,
      status: task.status,
      due_date: task.dueDate,
    },
    status: message.status,
    unread: message.unread,
    delivery_status: delivery?.state ?? null,
    delivery_error: failed ? whyNotDelivered(message, explain) : null,
    failure: failure && !failed ? explainFailure(failure.code, failure.reason) : null,
    response_ms: message.responseMs,
    prospect_id: message.prospectId,
    processed: message.processed,
    received_at: iso(message.receivedAt),
    processed_at: isoOrNull(message.processedAt),
  };
}

function whyNotDelivered({ channel, delivery, failure }: ArchivedMessage, explain: Explain): string {
  const code = delivery?.errorCode ?? null;
  return (code === null ? null : explain(channel, code)) ?? explainDelivery(code, failure?.code ?? null);
}

/** What the bot's memory knows of a conversation. Unix ms, 0 for never. */
export interface Remembered {
  /** Newer than the archive's, which is recorded a moment later. */
  lastInboundAt: number;
  optedOutAt: number;
  /** Another responder owns the thread. */
  isOthers: boolean;
  /** Other responders may own it. Default: none is beside us. */
  isShared?: boolean;
  /** Block and opt-out were compared with the archive: before that, the archive's word counts. */
  confirmed: boolean;
}

/** @param remembered null when it is not known, or not needed */
export function presentConversation(
  conversation: ArchivedConversation,
  now: number,
  remembered: Remembered | null = null,
): Conversation {
  const { lastMessage, spam, waiting } = conversation;
  // The memory is newer by a moment.
  const optedOutAt = remembered?.confirmed ? remembered.optedOutAt : (conversation.optedOutAt ?? 0);
  const takeoverUntil = conversation.takeoverUntil ?? 0;
  const lastInboundAt = Math.max(remembered?.lastInboundAt ?? 0, conversation.lastInboundAt ?? 0);
  return {
    id: conversation.id,
    phone_number: conversation.phone,
    addresses: conversation.addresses,
    channel: conversation.channel,
    business_number: phoneOf(conversation.business),
    contact_name: conversation.contactName,
    prospect_id: conversation.prospectId,
    conversation_status: conversation.status,
    unread_count: conversation.unreadCount,
    total_messages: conversation.totalMessages,
    open_tasks: conversation.openTasks,
    first_message_at: iso(conversation.firstMessageAt),
    last_message_at: iso(conversation.lastMessageAt),
    last_message_text: lastMessage?.text ?? null,
    last_message_type: lastMessage?.type ?? null,
    last_message_author: lastMessage?.author ?? null,
    last_sentiment: conversation.sentiment || null,
    takeover_until: takeoverUntil > now ? iso(takeoverUntil) : null,
    answered_by: remembered?.isOthers ? 'other' : takeoverUntil > now ? 'person' : 'bot',
    is_shared: remembered?.isShared ?? false,
    opted_out_at: optedOutAt > 0 ? iso(optedOutAt) : null,
    waiting: waiting && { ...waiting, since: iso(waiting.since) },
    spam: spam && {
      score: spam.score,
      reasons: spam.reasons.map(explainSpam),
      throttled_until: isoOrNull(
        spam.throttledUntil !== null && spam.throttledUntil > now ? spam.throttledUntil : null,
      ),
    },
    window_until: isWindowOpen(lastInboundAt, now) ? iso(windowUntil(lastInboundAt)) : null,
  };
}

export function presentConsent({ at, ...entry }: ConsentEntry): Consent {
  return { ...entry, at: iso(at) };
}

export function presentTask(task: ArchivedTask): Task {
  return {
    id: task.id,
    title: task.title,
    description: task.description,
    task_type: task.type,
    priority: task.priority,
    status: task.status,
    due_date: task.dueDate,
    tags: task.tags,
    phone_number: task.phone,
    contact_name: task.contactName,
    message_id: task.messageId,
    created_by: task.createdBy,
    created_at: iso(task.createdAt),
    completed_at: isoOrNull(task.completedAt),
  };
}

export function presentTotals(totals: Totals): Analytics {
  return {
    total_messages: totals.totalMessages,
    inbound_messages: totals.inboundMessages,
    outbound_messages: totals.outboundMessages,
    voice_messages: totals.voiceMessages,
    tasks_created: totals.tasksCreated,
    transcriptions_completed: totals.transcriptionsCompleted,
    unique_contacts: totals.uniqueContacts,
    avg_processing_time_seconds: totals.avgProcessingTimeSeconds ?? 0,
  };
}

export function presentDays({ messages, responseTime, sentiment, tasks, tokens }: Series): Day[] {
  return messages.map(({ day, inbound, outbound }, i) => ({
    day,
    inbound,
    outbound,
    response_p50_ms: responseTime[i]?.p50Ms ?? null,
    response_p95_ms: responseTime[i]?.p95Ms ?? null,
    positive: sentiment[i]?.counts.positive ?? 0,
    neutral: sentiment[i]?.counts.neutral ?? 0,
    negative: sentiment[i]?.counts.negative ?? 0,
    urgent: sentiment[i]?.counts.urgent ?? 0,
    sentiments: sentiment[i]?.counts ?? {},
    tasks_created: tasks[i]?.created ?? 0,
    tasks_done: tasks[i]?.done ?? 0,
    tokens_in: tokens[i]?.prompt ?? 0,
    tokens_out: tokens[i]?.completion ?? 0,
    tokens_cached: tokens[i]?.cached ?? 0,
  }));
}

export function presentCosts(overview: CostOverview): Omit<Answered<'costs'>, 'success'> {
  const { currency, budget, month, report, unknownModels } = overview;
  return {
    currency,
    budget: budget && {
      limit: { currency: budget.limit.currency, amount: decimalOf(budget.limit.billionths) },
      spent: decimalOf(budget.spent),
      percent: budget.percent,
      state: budget.state,
    },
    month: { name: month.name, ...presentExpenses(month) },
    days: report.days.map(({ day, purposes }) => ({ day, purposes: purposes.map(presentPurpose) })),
    total: presentExpenses(report.total),
    purposes: report.purposes.map(presentPurpose),
    conversations: report.conversations.map((one) => ({
      phone_number: one.phone,
      contact_name: one.contactName,
      business_number: phoneOf(one.business),
      ...presentExpenses(one),
    })),
    unknown_models: unknownModels,
  };
}

function presentPurpose({ purpose, ...expenses }: Expenses & { purpose: CostPurpose }): PurposeCosts {
  return { purpose, ...presentExpenses(expenses) };
}

function presentExpenses({ sums, entries, unpriced }: Expenses) {
  return {
    sums: sums.map(({ currency, billionths }) => ({ currency, amount: decimalOf(billionths) })),
    entries,
    unpriced,
  };
}

/** A dead letter, as the bot's memory keeps it. */
export interface GivenUp {
  id: string;
  conversation: ConversationId;
  /** Unix ms. */
  at: number;
  code: string;
  reason: string;
  /** '' when there was none. */
  reply: string;
  messages: Pick<InboundMessage, 'text' | 'attachments' | 'location' | 'buttonPayload' | 'form' | 'unread'>[];
}

export function presentDeadLetter({ id, conversation, at, code, reason, reply, messages }: GivenUp): DeadLetter {
  return {
    id,
    phone_number: phoneOf(conversationOf(conversation).contact),
    at: iso(at),
    code,
    reason: explainFailure(code, reason),
    reply: reply === '' ? null : reply,
    messages: messages.map(inWords),
  };
}

function inWords(message: GivenUp['messages'][number]): string {
  const kind = kindOf(message);
  const mark = kind === 'text' || kind === 'button' ? '' : `[${kind === 'audio' ? 'voice' : kind}]`;
  return [mark, wordsOf(message)].filter((part) => part !== '').join(' ');
}

function placeOf({ latitude, longitude, label, address }: NonNullable<ArchivedMessage['location']>) {
  return { latitude, longitude, ...(label ? { label } : {}), ...(address ? { address } : {}) };
}

/** What is not as expected is left out. */
function entitiesOf(given: unknown): Entities | null {
  if (typeof given !== 'object' || given === null) return null;
  const texts = (list: unknown) => (Array.isArray(list) ? list.filter((item) => typeof item === 'string') : []);
  return Object.fromEntries(Object.entries(given).map(([kind, list]) => [kind, texts(list)]));
}

function iso(unixMs: number): string {
  return new Date(unixMs).toISOString();
}

function isoOrNull(unixMs: number | null): string | null {
  return unixMs === null ? null : iso(unixMs);
}
