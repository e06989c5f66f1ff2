/** The inbox's API: each route validates, acts, presents. The routes are listed in `operations.ts`. */
import Router from '@koa/router';
import type { Context, Middleware } from 'koa';
import type { z } from 'zod';
import type { Analytics } from '../archive/read/analytics.ts';
import type { Consents } from '../archive/read/consents.ts';
import type { ArchivedConversation, Conversations, Place } from '../archive/read/conversations.ts';
import type { ArchivedMedia, ArchivedMessage, Messages } from '../archive/read/messages.ts';
import type { Order, Page, Paging } from '../archive/read/page.ts';
import type { DeskWriter } from '../archive/write/desk.ts';
import type { Tasks } from '../archive/write/tasks.ts';
import { contactIdOf, readAddress } from '../contacts/addresses.ts';
import type { Takeover } from '../conversation/takeover.ts';
import type { Overview } from '../costs/overview.ts';
import { Failure, isFailure } from '../errors.ts';
import { type ConversationId, conversationId, type Extra } from '../message.ts';
import { scrub } from '../privacy/scrub.ts';
import { noStore } from './auth.ts';
import { type BroadcastTools, broadcastHandlers } from './broadcasts.ts';
import type { Answered, LiveEvent, requests } from './contract.ts';
import { explain } from './explain.ts';
import { streamHistories, streamHistory } from './history.ts';
import type { Live } from './live.ts';
import { createRecentFiles, sendFile } from './media.ts';
import { type Names, once } from './once.ts';
import { describeApi, type JsonObject } from './openapi.ts';
import { OPERATIONS, type Operation, type OperationName } from './operations.ts';
import {
  type Explain,
  type GivenUp,
  presentConsent,
  presentConversation,
  presentCosts,
  presentDays,
  presentDeadLetter,
  presentMessage,
  presentTask,
  presentTotals,
  type Remembered,
} from './present.ts';
import { listTemplates, sendTemplate, type TemplateTools } from './templates.ts';

export interface InboxOptions {
  /** Admits those who may see the inbox, see `auth.ts`. */
  guard: Middleware;
  archive: {
    messages: Messages;
    conversations: Conversations;
    consents: Consents;
    tasks: Tasks;
    analytics: Analytics;
    writer: DeskWriter;
  };
  explain: Explain;
  templates: TemplateTools;
  /** Names that programs gave to messages. */
  names: Names;
  broadcasts: BroadcastTools;
  takeover: Takeover;
  /** What the bot's memory knows of a conversation; rejects with `store.unavailable`. */
  remembered: (conversation: ConversationId) => Promise<Remembered>;
  deadLetters: {
    /** Newest first; `next` is the cursor of the page behind it, null at the end. */
    list(most: number, cursor?: string): Promise<{ items: GivenUp[]; next: string | null }>;
    replay(id: string): Promise<'replayed' | 'unknown' | 'busy'>;
    drop(id: string): Promise<boolean>;
  };
  /** Analyses again what has failed; null when there is no analysis. @returns how many messages. */
  retryAnalyses: ((message?: string) => Promise<number>) | null;
  /** A file's bytes, from the channel it came through; rejects with `media.…`. */
  download: (media: ArchivedMedia) => Promise<Uint8Array>;
  live: Live;
  /** What the analysis chooses from. */
  taskTypes: readonly string[];
  sentiments: readonly string[];
  /** What the operator should know or mend. */
  notices: () => Promise<readonly { code: string; text: string }[]>;
  costs: Pick<Overview, 'of'>;
  /** Where a day begins, for the charts. */
  timeZone: string;
  publicUrl: string | undefined;
  now: () => number;
}

export function createInbox(options: InboxOptions): Router {
  const router = new Router();
  const handlers = createHandlers(options);
  for (const name of Object.keys(OPERATIONS) as OperationName[]) {
    const operation: Operation = OPERATIONS[name];
    // The handler of a name takes what the operation of that name lets through.
    const handle = handlers[name] as (asked: never, ctx: Context) => Promise<object | undefined>;
    router[operation.method](operation.path, explain, options.guard, noStore, async (ctx) => {
      const answer = await handle(read(operation, ctx) as never, ctx);
      if (answer) ctx.body = answer;
    });
  }
  return router;
}

type Output<Type> = Type extends z.ZodType ? z.output<Type> : undefined;
type Part<Op, Name extends string> = Op extends Record<Name, infer Type> ? Output<Type> : undefined;
/** A checked request. */
interface Asked<Op> {
  params: Part<Op, 'params'>;
  query: Part<Op, 'query'>;
  body: Part<Op, 'body'>;
}
type Handlers = {
  [Name in OperationName]: (
    asked: Asked<(typeof OPERATIONS)[Name]>,
    ctx: Context,
  ) => Promise<
    (typeof OPERATIONS)[Name] extends { streams: true }
      ? undefined
      : (typeof OPERATIONS)[Name]['answer'] extends z.ZodType
        ? Part<(typeof OPERATIONS)[Name], 'answer'>
        : unknown
  >;
};

/** So many messages of a conversation are answered at once. */
const MOST_MESSAGES = 10_000;
const AT_ONCE = 200;

function createHandlers(options: InboxOptions): Handlers {
  return {
    ...conversationHandlers(options),
    ...deskHandlers(options),
    ...taskHandlers(options),
    ...deadLetterHandlers(options),
    ...analysisHandlers(options),
    ...broadcastHandlers(options.broadcasts, parsed),
  };
}

/** Whose conversation a request is about. */
interface Asking {
  phone: string;
  business?: string | undefined;
}

async function find({ archive }: InboxOptions, place: Asking): Promise<ArchivedConversation> {
  const conversation = await archive.conversations.find(place);
  if (!conversation) throw new Failure('request.not_found', 'There is no conversation with this contact.');
  return conversation;
}

/** The memory is newer than the archive by a moment; while it is down, the archive has to do. */
async function remembered(options: InboxOptions, conversation: ArchivedConversation): Promise<Remembered | null> {
  try {
    return await options.remembered(conversationId(conversation));
  } catch (error) {
    if (isFailure(error) && error.code === 'store.unavailable') return null;
    throw error;
  }
}

function teller({ live }: InboxOptions) {
  return (kind: LiveEvent['kind'], phone: string | null) => live.tell([{ kind, phone_number: phone }]);
}

/** A page of a conversation; without a limit as much of it as is answered at once. */
async function threadOf(
  messages: InboxOptions['archive']['messages'],
  place: Place,
  { limit, ...query }: Omit<Paging, 'limit'> & { limit?: number | undefined; order?: Order | undefined },
): Promise<Page<ArchivedMessage>> {
  if (limit !== undefined) return messages.thread(place, { ...query, limit });
  const items: ArchivedMessage[] = [];
  for (let cursor = query.cursor; ; ) {
    const offset = items.length === 0 ? query.offset : 0;
    const page = await messages.thread(place, { ...query, offset, cursor, limit: AT_ONCE });
    items.push(...page.items);
    if (page.next === null || items.length >= MOST_MESSAGES) return { items, next: page.next };
    cursor = page.next;
  }
}

/** What is read. */
function conversationHandlers(options: InboxOptions) {
  const { archive, explain, now, timeZone, publicUrl } = options;
  const { messages, conversations, analytics } = archive;
  const recentFile = createRecentFiles();
  let description: JsonObject | undefined;
  return {
    async inbox({ query }) {
      const { phone_number: phone, business_number: business, analysis_status: analysis } = query;
      const { items, next } = await messages.inbox({ ...query, phone, business, analysis });
      const shown = items.map((item) => presentMessage(item, explain));
      return { success: true, messages: shown, count: items.length, next_cursor: next };
    },

    async conversations({ query }) {
      const { items, next } = await conversations.list({ ...query, business: query.business_number });
      const shown = items.map((item) => presentConversation(item, now()));
      return { success: true, conversations: shown, count: items.length, next_cursor: next };
    },

    async conversation({ params, query }) {
      const { business_number: business } = query;
      const conversation = await find(options, { phone: params.phone, business });
      const place = { phone: params.phone, business: business ?? conversation.business };
      const [{ items, next }, memory] = await Promise.all([
        threadOf(messages, place, query),
        remembered(options, conversation),
      ]);
      return {
        success: true,
        phone_number: conversation.phone,
        conversation: presentConversation(conversation, now(), memory),
        messages: items.map((item) => presentMessage(item, explain)),
        count: items.length,
        next_cursor: next,
      };
    },

    async numbers() {
      const numbers = await conversations.numbers();
      const shown = numbers.map(({ business, ...number }) => ({ ...number, business_number: business }));
      return { success: true, numbers: shown };
    },

    async analytics({ query }) {
      const [totals, series] = await Promise.all([
        analytics.totals(),
        analytics.series({ days: query.days, timeZone }),
      ]);
      return { success: true, analytics: presentTotals(totals), days: presentDays(series) };
    },

    async costs({ query: { days, phone_number: phone, business_number: business } }) {
      const place = phone === undefined ? undefined : { phone, business };
      return { success: true, ...presentCosts(await options.costs.of({ days, place })) };
    },

    async media({ params }, ctx) {
      const media = await messages.media(params.id, params.n);
      if (!media) throw new Failure('request.not_found', 'There is no such file.');
      const download = () => options.download(media);
      const isPart = ctx.get('Range') !== '';
      const file = isPart ? recentFile(`${params.id} ${params.n}`, download) : download();
      sendFile(ctx, media.attachment, await file);
    },

    async history({ body: { number, limit } }, ctx) {
      ctx.type = 'json';
      ctx.body = await streamHistory(messages, number, limit);
    },

    async histories({ body: { numbers, limit } }, ctx) {
      ctx.type = 'json';
      ctx.body = await streamHistories(messages, numbers, limit);
    },

    events: (_asked, ctx) => options.live.open(ctx),

    async description() {
      description ??= describeApi(publicUrl);
      return description;
    },
  } satisfies Partial<Handlers>;
}

/** What people do in a conversation. */
function deskHandlers(options: InboxOptions) {
  const { archive, takeover, now } = options;
  const tell = teller(options);
  /** The conversation as it is now, which open pages are told of. */
  async function changed(phone: string, business: string): Promise<Answered<'status'>> {
    const conversation = await find(options, { phone, business });
    tell('conversation', conversation.phone);
    const memory = await remembered(options, conversation);
    return { success: true, conversation: presentConversation(conversation, now(), memory) };
  }
  return {
    async markRead({ body: { phone_number: phone, business_number: business, up_to: upTo } }) {
      const until = upTo === undefined ? undefined : Date.parse(upTo);
      const updated = await archive.writer.markRead({ phone, business }, until);
      const conversation = updated > 0 ? await archive.conversations.find({ phone, business }) : null;
      if (conversation) tell('conversation', conversation.phone);
      return { success: true, updated };
    },

    async send({ body }) {
      const conversation = await archive.conversations.find({ phone: body.to_number, business: body.business_number });
      if (!conversation) {
        const way = 'WhatsApp allows only an approved template until they write to us.';
        throw new Failure('channel.window', `This contact has never written: ${way}`);
      }
      const { idempotency_key: name, message, despite_opt_out: despiteOptOut } = body;
      const to = conversationId(conversation);
      const extra = extraIn(body);
      const named = { conversation: to, content: JSON.stringify([message, extra]) };
      const { sids, id: replyId } = await once(options.names, name, named, (as) =>
        takeover.say(to, message, { ...as, extra, despiteOptOut }),
      );
      return { success: true, message_sid: sids[0] ?? replyId, reply_id: replyId };
    },

    async templates({ query }) {
      return listTemplates(options.templates, query.channel);
    },

    async sendTemplate({ body }) {
      return sendTemplate(options, archive.conversations, body);
    },

    async status({ body }) {
      const place = { phone: body.phone_number, business: body.business_number };
      const known = await find(options, place);
      const blocked = body.status === 'blocked';
      if (blocked || known.status === 'blocked') await takeover.block(known.contact, blocked);
      if (!blocked) await archive.writer.archive(conversationId(known), body.status === 'archived');
      return changed(body.phone_number, known.business);
    },

    async notSpam({ body }) {
      const known = await find(options, { phone: body.phone_number, business: body.business_number });
      await takeover.excuse(known.contact);
      return changed(body.phone_number, known.business);
    },

    async consent({ body: { phone_number: phone, ...given } }, ctx) {
      const known = await archive.conversations.find({ phone });
      const cause = ctx.get('x-api-key') === '' ? 'desk' : 'api';
      await takeover.consent(known?.contact ?? contactIdOf(readAddress(phone)), { ...given, cause });
      tell('conversation', known?.phone ?? null);
      return { success: true };
    },

    async consents({ params }) {
      const entries = await archive.consents.of(params.phone);
      return { success: true, consents: entries.map(presentConsent) };
    },

    async writing({ body }) {
      const { phone } = await find(options, { phone: body.phone_number, business: body.business_number });
      options.live.tell([{ kind: 'writing', phone_number: phone, writer: body.writer }]);
      return { success: true };
    },

    async takeover({ body }) {
      const conversation = await find(options, { phone: body.phone_number, business: body.business_number });
      const id = conversationId(conversation);
      const until = body.active ? await takeover.take(id, body.minutes) : await takeover.handBack(id);
      tell('conversation', conversation.phone);
      return { success: true, takeover_until: typeof until === 'number' ? new Date(until).toISOString() : null };
    },

    async threadControl({ body }) {
      const known = await find(options, { phone: body.phone_number, business: body.business_number });
      await takeover.control(conversationId(known), body.action);
      return changed(body.phone_number, known.business);
    },
  } satisfies Partial<Handlers>;
}

function extraIn({ file, choices, choices_label: label }: z.output<typeof requests.send>): Extra | undefined {
  if (file) {
    const { type, url: link, filename } = file;
    return { kind: 'file', type, link, ...(filename !== undefined && { filename: scrub(filename) }) };
  }
  if (!choices) return undefined;
  const scrubbed = choices.map(({ id, title, description }) => ({
    id,
    title: scrub(title),
    ...(description && { description: scrub(description) }),
  }));
  return { kind: 'choices', choices: scrubbed, label: scrub(label) };
}

function taskHandlers(options: InboxOptions) {
  const { tasks } = options.archive;
  const tell = teller(options);
  return {
    async tasks({ query: { phone_number: phone, task_type: type, due_by: dueBy, ...query } }) {
      const { items, next } = await tasks.list({ ...query, phone, type, dueBy });
      return { success: true, tasks: items.map(presentTask), count: items.length, next_cursor: next };
    },

    async taskTypes() {
      const types = new Set([...options.taskTypes, ...(await tasks.types())]);
      return { success: true, task_types: [...types] };
    },

    async notices() {
      return { success: true, items: [...(await options.notices())] };
    },
    async sentiments() {
      return { success: true, sentiments: [...options.sentiments] };
    },

    async task({ params }) {
      const task = await tasks.find(params.id);
      if (!task) throw new Failure('request.not_found', 'There is no such task.');
      return { success: true, task: presentTask(task) };
    },

    async createTask({ body }) {
      const { task_type: type, due_date: dueDate, phone_number: phone, message_id: messageId, ...rest } = body;
      const task = await tasks.create({ ...rest, type, dueDate }, { phone, messageId });
      tell('task', task.phone);
      return { success: true, task: presentTask(task) };
    },

    async updateTask({ params, body: { title, task_type: type, due_date: dueDate, ...rest } }) {
      const task = await tasks.update(params.id, { ...rest, ...(title === undefined ? {} : { title }), type, dueDate });
      if (!task) throw new Failure('request.not_found', 'There is no such task.');
      tell('task', task.phone);
      return { success: true, task: presentTask(task) };
    },
  } satisfies Partial<Handlers>;
}

function deadLetterHandlers(options: InboxOptions) {
  const { deadLetters } = options;
  const tell = teller(options);
  return {
    async deadLetters({ query }) {
      const { items, next } = await deadLetters.list(query.limit, query.cursor);
      return { success: true, dead_letters: items.map(presentDeadLetter), count: items.length, next_cursor: next };
    },

    async replayDeadLetter({ params }) {
      const outcome = await deadLetters.replay(params.id);
      if (outcome === 'unknown') throw new Failure('request.not_found', NO_LETTER);
      if (outcome === 'busy') {
        const why = 'another answer is being sent, a person has taken over, or they are blocked or want no messages';
        throw new Failure('server.busy', `Nothing can be sent to this contact now: ${why}.`);
      }
      tell('dead-letter', null);
      return { success: true };
    },

    async dropDeadLetter({ params }) {
      if (!(await deadLetters.drop(params.id))) throw new Failure('request.not_found', NO_LETTER);
      tell('dead-letter', null);
      return { success: true };
    },
  } satisfies Partial<Handlers>;
}

function analysisHandlers({ retryAnalyses }: InboxOptions) {
  return {
    async retryAnalyses({ body }) {
      if (!retryAnalyses) throw new Failure('request.not_found', 'Messages are not analysed: set ANALYSIS=on.');
      return { success: true, count: await retryAnalyses(body.message_id) };
    },
  } satisfies Partial<Handlers>;
}

const NO_LETTER = 'It was replayed or discarded already.';

/** What a request asks, as its operation's schemas read it. */
function read({ params, query, body }: Operation, ctx: Context): Asked<unknown> | object {
  return {
    params: params && parsed(params, ctx.params),
    query: query && parsed(query, ctx.query),
    body: body && parsed(body, ctx.request.body),
  };
}

function parsed<Schema extends z.ZodObject>(schema: Schema, given: unknown): z.output<Schema> {
  // PostgreSQL stores no null character, and nobody types one.
  if (JSON.stringify(given)?.includes('\\u0000')) {
    throw new Failure('request.invalid', 'There is a null character in the request. Leave it out.');
  }
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) => `${path.join('.') || 'the body'}: ${message}`);
  throw new Failure('request.invalid', `${problems.join('; ')}.`);
}
