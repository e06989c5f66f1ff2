/** The inbox's API: each route validates, does, presents. Which there are, stands in `operations.ts`. */
import Router from '@koa/router';
import type { Context, Middleware } from 'koa';
import type { z } from 'zod';
import { readPhone } from '../archive/phone.ts';
import type { Analytics } from '../archive/read/analytics.ts';
import type { ArchivedConversation, Conversations } from '../archive/read/conversations.ts';
import type { ArchivedMedia, Messages } from '../archive/read/messages.ts';
import type { Tasks } from '../archive/read/tasks.ts';
import type { Takeover } from '../conversation/takeover.ts';
import { Failure, isFailure } from '../errors.ts';
import { type ConversationId, conversationId } from '../message.ts';
import { noStore } from './auth.ts';
import type { LiveEvent } from './contract.ts';
import { explain } from './explain.ts';
import type { Live } from './live.ts';
import { sendFile } from './media.ts';
import { describeApi, type JsonObject } from './openapi.ts';
import { OPERATIONS, type Operation, type OperationName } from './operations.ts';
import {
  type GivenUp,
  presentConversation,
  presentDays,
  presentDeadLetter,
  presentMessage,
  presentTask,
  presentTotals,
  type Remembered,
} from './present.ts';

export interface InboxOptions {
  /** Lets through whoever may see the inbox, see `auth.ts`. */
  guard: Middleware;
  archive: { messages: Messages; conversations: Conversations; tasks: Tasks; analytics: Analytics };
  takeover: Takeover;
  /** What the bot's memory says of a conversation; rejects with `store.unavailable`. */
  remembered: (conversation: ConversationId) => Promise<Remembered>;
  deadLetters: {
    /** Newest first. */
    list(most: number): Promise<GivenUp[]>;
    replay(id: string): Promise<'replayed' | 'unknown' | 'busy'>;
    drop(id: string): Promise<boolean>;
  };
  /** A file's bytes, from the channel it came through; rejects with `media.…`. */
  download: (media: ArchivedMedia) => Promise<Uint8Array>;
  live: Live;
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
    // Under one name stand an operation and what does it, which takes what that operation lets through.
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
/** What was asked, checked. */
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
    (typeof OPERATIONS)[Name]['answer'] extends z.ZodType ? Part<(typeof OPERATIONS)[Name], 'answer'> : unknown
  >;
};

function createHandlers(options: InboxOptions): Handlers {
  const { takeover, deadLetters, live, now } = options;
  const { messages, conversations, tasks, analytics } = options.archive;
  let description: JsonObject | undefined;

  const tell = (kind: LiveEvent['kind'], phone: string | null) => live.tell([{ kind, phone_number: phone }]);

  async function find(phone: string): Promise<ArchivedConversation> {
    const conversation = await conversations.find(phone);
    if (!conversation) throw new Failure('request.not_found', 'There is no conversation with this contact.');
    return conversation;
  }

  /** The archive hears of a word or a takeover a moment later; but it is asked all the same when the memory is away. */
  async function remembered(conversation: ArchivedConversation): Promise<Remembered | null> {
    try {
      return await options.remembered(conversationId(conversation));
    } catch (error) {
      if (isFailure(error) && error.code === 'store.unavailable') return null;
      throw error;
    }
  }

  return {
    async inbox({ query }) {
      const { items, next } = await messages.inbox({ ...query, phone: query.phone_number });
      return { success: true, messages: items.map(presentMessage), count: items.length, next_cursor: next };
    },

    async conversations({ query }) {
      const { items, next } = await conversations.list(query);
      const shown = items.map((item) => presentConversation(item, now()));
      return { success: true, conversations: shown, count: items.length, next_cursor: next };
    },

    async conversation({ params, query }) {
      const conversation = await find(params.phone);
      const [{ items, next }, memory] = await Promise.all([
        messages.thread(conversation.phone, query),
        remembered(conversation),
      ]);
      return {
        success: true,
        phone_number: conversation.phone,
        conversation: presentConversation(conversation, now(), memory),
        messages: items.map(presentMessage),
        count: items.length,
        next_cursor: next,
      };
    },

    async markRead({ body }) {
      const phone = readPhone(body.phone_number);
      const updated = await conversations.markRead(phone);
      if (updated > 0) tell('conversation', phone);
      return { success: true, updated };
    },

    async send({ body }) {
      const conversation = await conversations.find(body.to_number);
      if (!conversation) {
        const way = 'WhatsApp allows only an approved template until they write to us.';
        throw new Failure('channel.window', `This contact has never written: ${way}`);
      }
      return { success: true, message_sid: await takeover.say(conversationId(conversation), body.message) };
    },

    async status({ body }) {
      const known = await find(body.phone_number);
      // First what the bot goes by: should the archive fail then, the same request can be made again.
      await takeover.block(conversationId(known), body.status === 'blocked');
      const conversation = (await conversations.setStatus(known.phone, body.status)) ?? known;
      tell('conversation', conversation.phone);
      return { success: true, conversation: presentConversation(conversation, now(), await remembered(conversation)) };
    },

    async takeover({ body }) {
      const conversation = await find(body.phone_number);
      const id = conversationId(conversation);
      const until = body.active ? await takeover.take(id, body.minutes) : await takeover.handBack(id);
      tell('conversation', conversation.phone);
      return { success: true, takeover_until: typeof until === 'number' ? new Date(until).toISOString() : null };
    },

    async analytics({ query }) {
      const [totals, series] = await Promise.all([
        analytics.totals(),
        analytics.series({ days: query.days, timeZone: options.timeZone }),
      ]);
      return { success: true, analytics: presentTotals(totals), days: presentDays(series) };
    },

    async tasks({ query: { phone_number: phone, task_type: type, due_by: dueBy, ...query } }) {
      const { items, next } = await tasks.list({ ...query, phone, type, dueBy });
      return { success: true, tasks: items.map(presentTask), count: items.length, next_cursor: next };
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

    async deadLetters({ query }) {
      const letters = await deadLetters.list(query.limit);
      return { success: true, dead_letters: letters.map(presentDeadLetter), count: letters.length };
    },

    async replayDeadLetter({ params }) {
      const outcome = await deadLetters.replay(params.id);
      if (outcome === 'unknown') throw new Failure('request.not_found', NO_LETTER);
      if (outcome === 'busy') {
        throw new Failure('server.busy', 'Another answer to this contact is under way. Try again in a moment.');
      }
      tell('dead-letter', null);
      return { success: true };
    },

    async dropDeadLetter({ params }) {
      if (!(await deadLetters.drop(params.id))) throw new Failure('request.not_found', NO_LETTER);
      tell('dead-letter', null);
      return { success: true };
    },

    async media({ params }, ctx) {
      const media = await messages.media(params.id, params.n);
      if (!media) throw new Failure('request.not_found', 'There is no such file.');
      sendFile(ctx, media.attachment, await options.download(media));
    },

    events: (_asked, ctx) => live.open(ctx),

    async description() {
      description ??= describeApi(options.publicUrl);
      return description;
    },
  };
}

const NO_LETTER = 'It was replayed or dropped already.';

/** What a request asks, as its operation's schemas read it. */
function read({ params, query, body }: Operation, ctx: Context): Asked<unknown> | object {
  return {
    params: params && parsed(params, ctx.params),
    query: query && parsed(query, ctx.query),
    body: body && parsed(body, ctx.request.body),
  };
}

function parsed<Schema extends z.ZodObject>(schema: Schema, given: unknown): z.output<Schema> {
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) => `${path.join('.') || 'the body'}: ${message}`);
  throw new Failure('request.invalid', `${problems.join('; ')}.`);
}
