/**
 * The inbox's API as one list of schemas: the routes check with it, the page takes its types from it, and the
 * OpenAPI description is made of it. Times are ISO 8601 in UTC, numbers of contacts have a `+`, ids of usernames have none.
 */
import { z } from 'zod';
import { templateRef } from '../message.ts';

const Time = z.iso.datetime();
const Page = {
  limit: z.coerce.number().int().min(1).max(200).default(50).describe('How many items at most'),
  offset: z.coerce
    .number()
    .int()
    .min(0)
    .max(10_000)
    .default(0)
    .describe('How many items are skipped; use cursor to go further'),
  cursor: z
    .string()
    .max(200)
    .optional()
    .describe('The next_cursor of the previous page; faster than offset, and stable while new messages arrive'),
};

/** The operator may have others than these. */
const SENTIMENTS = ['positive', 'negative', 'neutral', 'urgent'] as const;
const Sentiment = z.string().describe(`${SENTIMENTS.join(', ')}, or one of the operator's own`);
export const MessageType = z.enum(['text', 'audio', 'image', 'video', 'document', 'contact', 'location']);
export const MessageStatus = z.enum(['received', 'read', 'replied', 'archived']);
const AnalysisStatus = z.enum(['pending', 'processing', 'completed', 'failed', 'skipped']);
export const ConversationStatus = z.enum(['active', 'archived', 'blocked']);
export const TaskStatus = z.enum(['pending', 'in_progress', 'completed', 'cancelled']);
const Author = z.enum(['contact', 'bot', 'desk', 'other', 'template']);

/** `people`, `companies`, `dates`, `amounts` and `products`, or the operator's own. */
export const Entities = z.record(z.string(), z.array(z.string())).meta({ id: 'Entities' });

export const Task = z
  .object({
    id: z.string(),
    title: z.string(),
    description: z.string(),
    task_type: z.string(),
    priority: z.number().int().describe('1 is the most urgent, 5 the least'),
    status: TaskStatus,
    due_date: z.string().nullable().describe('A day, 2026-11-24'),
    tags: z.array(z.string()),
    phone_number: z.string().nullable(),
    contact_name: z.string().nullable(),
    message_id: z.string().nullable().describe('The message it was created from'),
    created_by: z.enum(['analysis', 'desk']),
    created_at: Time,
    completed_at: Time.nullable(),
  })
  .meta({ id: 'Task' });

/** The task, as part of the message that it was created from. */
const TaskOfMessage = Task.pick({
  id: true,
  title: true,
  task_type: true,
  priority: true,
  status: true,
  due_date: true,
});

/** A file that a contact sent. */
export const Media = z
  .object({
    kind: z.enum(['image', 'audio', 'video', 'contact-card', 'document']),
    content_type: z.string().describe('As reported by the provider'),
    url: z.string().describe('A path on this server that needs the sign-in; never an address of the provider'),
  })
  .meta({ id: 'Media' });

export const Message = z
  .object({
    id: z.string(),
    message_sid: z.string().nullable(),
    reply_id: z
      .string()
      .nullable()
      .describe('Of an outbound message: the idempotency_key it was sent with, or our own id'),
    channel: z.string().describe('The provider: twilio'),
    phone_number: z.string().describe('The contact, also of messages that we sent'),
    contact_name: z.string().nullable(),
    from_number: z.string(),
    to_number: z.string(),
    direction: z.enum(['inbound', 'outbound']),
    author: Author.describe(
      'Who wrote it; other: another responder, such as an assistant of Meta; template: the provider approved it before, whoever sent it',
    ),
    template: z.string().nullable().describe("Of a template: its name and language, or Twilio's id of it"),
    message_type: MessageType,
    message_body: z.string(),
    media_url: z.string().nullable().describe('The first of media'),
    media: z.array(Media),
    transcription: z.string().nullable(),
    transcription_status: z.enum(['pending', 'processing', 'completed', 'failed']).nullable(),
    location: z
      .object({
        latitude: z.number(),
        longitude: z.number(),
        label: z.string().optional(),
        address: z.string().optional(),
      })
      .nullable(),
    in_reply_to: z
      .object({ words: z.string().nullable() })
      .nullable()
      .describe('The message it answers; words is null when the archive does not have it'),
    forwarded: z.boolean(),
    referral: z
      .object({ headline: z.string().nullable(), body: z.string().nullable() })
      .nullable()
      .describe('The advertisement it came from'),
    ai_analysis: z.unknown().describe('The whole answer of the model, JSON; null when there is none'),
    ai_summary: z.string().nullable(),
    ai_sentiment: Sentiment.nullable(),
    ai_intent: z.string().nullable(),
    language: z.string().nullable().describe('BCP 47'),
    extracted_entities: Entities.nullable(),
    analysis_status: AnalysisStatus.nullable(),
    processing_error: z.string().nullable(),
    task_created: z.boolean(),
    created_task_id: z.string().nullable(),
    task: TaskOfMessage.nullable(),
    status: MessageStatus,
    unread: z.boolean().describe('The team has not seen it'),
    delivery_status: z
      .enum(['sending', 'queued', 'sent', 'delivered', 'read', 'failed'])
      .nullable()
      .describe('Of what we sent'),
    delivery_error: z.string().nullable().describe('Why it did not arrive, in words'),
    failure: z.string().nullable().describe('Why there was an apology or no answer, in words'),
    response_ms: z.number().nullable().describe('How long they had waited for it'),
    prospect_id: z.string().nullable(),
    processed: z.boolean(),
    received_at: Time,
    processed_at: Time.nullable(),
  })
  .meta({ id: 'Message' });

/** Why a conversation waits for a person of the team. */
export const Waiting = z
  .object({
    since: Time,
    reason: z
      .enum(['asked', 'model', 'failed'])
      .describe('They asked; the model says so; the model failed again and again'),
    note: z.string().nullable().describe('Why, in the words of the model'),
    summary: z.string().nullable().describe('Of the conversation, for whoever picks it up; null until it is written'),
  })
  .meta({ id: 'Waiting' });

/** A message in the words of Meta's Cloud API. */
export const HistoryMessage = z
  .object({
    id: z.string().describe("The provider's id, `wamid.…`"),
    from: z.string().describe('Digits; or the id of somebody without a number'),
    to: z.string(),
    timestamp: z.string().describe('Unix seconds'),
    type: z.string().describe('text, image, audio, contacts …'),
    body: z.string(),
    raw: z.record(z.string(), z.unknown()).nullable().describe('As the provider sent it; null when that was not kept'),
  })
  .meta({ id: 'HistoryMessage' });
export type HistoryMessage = z.output<typeof HistoryMessage>;

export const HistoryResult = z.object({
  number: z.string(),
  success: z.boolean(),
  error: z.string().optional(),
  count: z.number().int(),
  messages: z.array(HistoryMessage),
});
export type HistoryResult = z.output<typeof HistoryResult>;

/** What a contact said about getting messages, or what the team has from elsewhere. */
export const Consent = z
  .object({
    consent: z.enum(['opt-out', 'opt-in']),
    cause: z
      .enum(['word', 'provider', 'desk', 'api'])
      .describe('word: they wrote it; provider: Twilio answered it, or WhatsApp told us of it'),
    source: z.string().describe('Their words, or where the team has it from'),
    about: z.enum(['messages', 'marketing']).describe('All messages, or marketing alone'),
    at: Time,
  })
  .meta({ id: 'Consent' });

export const Conversation = z
  .object({
    id: z.string(),
    phone_number: z.string(),
    addresses: z.array(z.string()).describe('All addresses of the contact: numbers, username ids'),
    channel: z.string().describe('The provider: twilio'),
    business_number: z.string().describe('The number of ours they write to'),
    contact_name: z.string().nullable(),
    prospect_id: z.string().nullable(),
    conversation_status: ConversationStatus,
    unread_count: z.number().int(),
    total_messages: z.number().int(),
    open_tasks: z.number().int(),
    first_message_at: Time,
    last_message_at: Time,
    last_message_text: z.string().nullable(),
    last_message_type: MessageType.nullable(),
    last_message_author: Author.nullable(),
    last_sentiment: Sentiment.nullable(),
    spam: z
      .object({
        score: z.number().int().describe('1 to 100; at 100 the bot does not answer for a while'),
        reasons: z.array(z.string()).describe('In words, the most important one first'),
        throttled_until: Time.nullable().describe('The bot does not answer before; null when it does'),
      })
      .nullable()
      .describe('What the contact wrote in the last 7 days looks like spam'),
    takeover_until: Time.nullable().describe('Until then a person answers instead of the bot'),
    answered_by: z
      .enum(['bot', 'person', 'other'])
      .describe(
        'Who answers now. other: another responder owns the conversation, which shows in a conversation, not in a list',
      ),
    is_shared: z.boolean().describe('Other responders may own the conversation, so that it can be released'),
    opted_out_at: Time.nullable().describe('Since when the contact wants no messages; null when they have not said so'),
    waiting: Waiting.nullable().describe('What a person of the team is needed for; null when nobody is'),
    window_until: Time.nullable().describe(
      'Until then WhatsApp allows any message: 24 hours after the last message of the contact; null when that time is over',
    ),
  })
  .meta({ id: 'Conversation' });

export const Template = z
  .object({
    id: z.string().describe("As it is sent: order_ready:en, or Twilio's id"),
    channel: z.string(),
    name: z.string(),
    language: z.string(),
    category: z.string().describe('marketing, utility or authentication; empty when the provider does not say'),
    state: z
      .enum(['approved', 'pending', 'rejected', 'paused', 'disabled'])
      .describe('Only an approved one can be sent'),
    reason: z.string().nullable().describe('Why it is not approved'),
    header: z.string().nullable(),
    body: z.string().describe('With {{name}} for each variable, like header and footer'),
    footer: z.string().nullable(),
    buttons: z.array(z.string()),
    variables: z.array(z.string()).describe('All of them have to be filled in'),
  })
  .meta({ id: 'Template' });
export type Template = z.output<typeof Template>;

export const DeadLetter = z
  .object({
    id: z.string(),
    phone_number: z.string(),
    at: Time,
    code: z.string(),
    reason: z.string(),
    reply: z.string().nullable().describe('The reply that was not delivered; null when there is none'),
    messages: z.array(z.string()),
  })
  .meta({ id: 'DeadLetter' });

/** The eight numbers, over everything that was recorded. */
export const Analytics = z
  .object({
    total_messages: z.number().int(),
    inbound_messages: z.number().int(),
    outbound_messages: z.number().int(),
    voice_messages: z.number().int(),
    tasks_created: z.number().int(),
    transcriptions_completed: z.number().int(),
    unique_contacts: z.number().int(),
    avg_processing_time_seconds: z.number(),
  })
  .meta({ id: 'Analytics' });

/** The data of the charts: one entry per day in the operator's time zone, oldest first, without gaps. */
export const Day = z
  .object({
    day: z.string().describe('2026-11-24'),
    inbound: z.number().int(),
    outbound: z.number().int(),
    response_p50_ms: z.number().nullable(),
    response_p95_ms: z.number().nullable(),
    positive: z.number().int(),
    neutral: z.number().int(),
    negative: z.number().int(),
    urgent: z.number().int(),
    sentiments: z.record(z.string(), z.number().int()).describe("All that occurred, with the operator's own"),
    tasks_created: z.number().int(),
    tasks_done: z.number().int(),
    tokens_in: z.number().int(),
    tokens_out: z.number().int(),
    tokens_cached: z.number().int().describe("The part of tokens_in that the provider's cache served"),
  })
  .meta({ id: 'Day' });

/** What money was spent on. */
export const CostPurpose = z.enum(['answer', 'summary', 'analysis', 'transcription', 'message']);

/** Exact: up to nine decimals, at least two. */
const Amount = z
  .string()
  .regex(/^-?\d+\.\d{2,9}$/)
  .describe('Exact, with two to nine decimals: 12.50, 0.0045');

export const Sum = z.object({ currency: z.string().describe('ISO 4217'), amount: Amount }).meta({ id: 'Sum' });

/** What was spent for something. */
const expenses = {
  sums: z.array(Sum).describe('One for each currency that was paid in'),
  entries: z.number().int().describe('How many calls of models and parts of messages'),
  unpriced: z.number().int().describe('How many of them nobody has said the price of; they are not in the sums'),
};

export const PurposeCosts = z.object({ purpose: CostPurpose, ...expenses }).meta({ id: 'PurposeCosts' });

export const Budget = z
  .object({
    limit: Sum.describe('MONTHLY_BUDGET'),
    spent: Amount.describe('This month by now, in the same currency'),
    percent: z.number().int().describe('Of the limit, rounded down'),
    state: z.enum(['within', 'near', 'used-up']).describe('near: from 80 percent on; used-up: the bot is paused'),
  })
  .meta({ id: 'Budget' });

export const ConversationCosts = z
  .object({
    phone_number: z.string(),
    contact_name: z.string().nullable(),
    business_number: z.string(),
    ...expenses,
  })
  .meta({ id: 'ConversationCosts' });

export const RowState = z.enum(['waiting', 'sending', 'sent', 'delivered', 'read', 'failed', 'skipped', 'uncertain']);
export type RowState = z.infer<typeof RowState>;
const count = z.number().int();

export const Broadcast = z
  .object({
    id: z.string(),
    name: z.string(),
    channel: z.string(),
    business_number: z.string().describe('The number of ours; empty when the provider picks it'),
    template: z.string().describe("Its name and language, or Twilio's id"),
    state: z
      .enum(['scheduled', 'running', 'paused', 'stopped', 'cancelled', 'done'])
      .describe('stopped: by itself, see reason'),
    reason: z.string().nullable().describe('Why it stopped automatically, as one sentence'),
    reason_code: z.string().nullable(),
    waits_for: z
      .enum(['schedule', 'quiet', 'day', 'provider'])
      .nullable()
      .describe(
        'Why nothing is sent just now: it begins later, BULK_QUIET_HOURS, the limit of 24 hours, or the provider asked to slow down',
      ),
    waits_until: Time.nullable(),
    starts_at: Time,
    created_at: Time,
    ended_at: Time.nullable(),
    created_by: z.enum(['desk', 'api']),
    total: count,
    counts: z
      .object(Object.fromEntries(RowState.options.map((state) => [state, count])) as Record<RowState, typeof count>)
      .describe('Rows by what they have come to; each is counted once'),
    skipped_reasons: z
      .record(z.string(), count)
      .describe('Of the skipped ones: double, invalid, blocked, opted_out, held, no_opt_in, variables, cancelled'),
    pace: z
      .object({ per_second: z.number().describe('Over the last ten seconds'), allowed_per_second: z.number() })
      .nullable()
      .describe('How fast its number sends; null while it is not running'),
    estimated_cost: z
      .object({ amount: z.string(), currency: z.string() })
      .nullable()
      .describe('Of the rows that are not skipped, by the price table; null when it has no price for them'),
  })
  .meta({ id: 'Broadcast' });
export type Broadcast = z.infer<typeof Broadcast>;

export const BroadcastRow = z
  .object({
    position: count.describe('In the list as it was given; 1 is the first'),
    number: z.string().describe('Digits; as it was written when it is no number'),
    state: RowState,
    reason: z.string().nullable().describe('Why it failed or was skipped: a code'),
    note: z.string().nullable().describe('The same in words'),
    error_code: z.string().nullable().describe("The provider's"),
    reply_id: z.string().nullable().describe('Names the message in the conversation'),
    message_sid: z.string().nullable(),
    tried_at: Time.nullable(),
    changed_at: Time.nullable(),
  })
  .meta({ id: 'BroadcastRow' });
export type BroadcastRow = z.infer<typeof BroadcastRow>;

const PHONE = /^(whatsapp:)?(\+?[\d\s()./-]{6,30}|[A-Za-z]{2}\.[\w.]{1,157})$/;
const Phone = z
  .string()
  .trim()
  .max(180)
  .regex(PHONE, 'expected a number such as +15550100123 or a username id')
  .describe('A number such as +15550100123, with or without + and whatsapp:, or a username id');
const HistoryLimit = z
  .number()
  .int()
  .min(0)
  .max(1_000_000)
  .default(20)
  .describe('How many messages of each number, newest first; 0 = all');
const Business = Phone.optional().describe(
  'The number of ours. Default: the one that the contact was last active with',
);
const Id = z.string().min(1).max(100);
const Search = z.string().trim().max(200).optional();
const Order = z.enum(['newest', 'oldest']).default('newest').describe('What comes first');
const Filter = z.enum(['all', 'voice', 'text', 'picture', 'tasks', 'unread']).default('all');
const ConversationFilter = z.enum(['all', 'waiting', 'voice', 'text', 'picture', 'tasks', 'unread']).default('all');

const IdempotencyKey = z
  .string()
  .regex(/^[\w-]{1,64}$/, 'expected 1 to 64 letters, digits, - or _')
  .optional()
  .describe(
    'Names the message, which comes back as reply_id: within a day the same message is not sent again under it, and another one is refused. Default: an id of our own',
  );

/** `order_ready:en`, or Twilio's id. */
export const TemplateName = z
  .string()
  .trim()
  .max(600)
  .refine(
    (name) => templateRef(name) !== null,
    "expected a name and a language, such as order_ready:en, or Twilio's id, HX and 32 digits",
  )
  .describe("Its name and language, such as order_ready:en; or Twilio's id, HX and 32 digits");
export const TemplateVariables = z
  .record(z.string().max(100), z.string().max(1_024))
  .default({})
  .describe('What stands for each variable, by its name: those that the template has, and no others');

const BroadcastOptions = {
  template: TemplateName.optional().describe('Default: BULK_TEMPLATE'),
  channel: z.string().max(50).optional().describe('twilio or meta. Default: the one that has such templates'),
  business_number: Phone.optional().describe('The number of ours that it is sent from. Default: the only one'),
  name: z.string().trim().max(200).optional().describe('For the team. Default: the template and the day'),
  schedule_at: z
    .string()
    .max(40)
    .optional()
    .describe('2026-12-01T09:00:00Z, or 2026-12-01T09:00 by the clocks of TIME_ZONE. Default: at once'),
};
/** Programs write numbers as numbers, too. */
const AnyNumber = z.union([z.string().max(200), z.number()]).transform(String);

/** What the routes take. */
export const requests = {
  initiateBulk: z.object({
    numbers: z.array(AnyNumber).max(50_000).describe('At most 100, with or without +'),
    template: TemplateName.optional().describe('Default: BULK_TEMPLATE'),
    variables: TemplateVariables,
  }),
  createBroadcast: z.object({
    ...BroadcastOptions,
    dry_run: z.boolean().default(false).describe('true: says what would be sent, and sends and stores nothing'),
    variables: TemplateVariables.describe('What stands where a row has no value of its own'),
    numbers: z.array(AnyNumber).optional().describe('Who gets it, when all get the same'),
    rows: z
      .array(z.object({ number: AnyNumber, variables: TemplateVariables }))
      .optional()
      .describe('Who gets it, each with values of their own'),
  }),
  uploadBroadcast: z.object({
    ...BroadcastOptions,
    dry_run: z
      .enum(['true', 'false'])
      .default('false')
      .transform((word) => word === 'true')
      .describe('true: says what would be sent, and sends and stores nothing'),
  }),
  broadcasts: z.object({ limit: Page.limit, cursor: Page.cursor }),
  broadcastRows: z.object({
    limit: z.coerce.number().int().min(1).max(1_000).default(100).describe('How many rows at most'),
    cursor: z.coerce.number().int().min(0).max(100_000_000).optional().describe('The next_cursor of the page before'),
    state: RowState.optional().describe('Those alone that have come to this'),
  }),
  inbox: z.object({
    ...Page,
    filter: Filter,
    sentiment: Sentiment.max(50).optional(),
    status: MessageStatus.optional(),
    analysis_status: AnalysisStatus.optional(),
    search: Search.describe(
      'Parts of words that must all occur in the text, the transcript or the summary; capitals and accents do not matter. `"whole words"`, `or` and `-without` need quotation marks',
    ),
    direction: z.enum(['inbound', 'outbound', 'both']).default('inbound'),
    phone_number: Phone.optional().describe('Those of one contact'),
    business_number: Phone.optional().describe('Those with one number of ours'),
    order: Order,
  }),
  conversations: z.object({
    ...Page,
    filter: ConversationFilter.describe(
      'waiting: for a person of the team; tasks: something is open; unread: the team has not seen all of it',
    ),
    sentiment: Sentiment.max(50).optional().describe('Of the newest message that was analysed'),
    status: ConversationStatus.optional(),
    spam: z
      .enum(['true', 'false'])
      .transform((word) => word === 'true')
      .optional()
      .describe('true: those alone that look like spam'),
    business_number: Phone.optional().describe('Those with one number of ours'),
    search: Search.describe('Parts of the name, a number, another address, or of words in their messages'),
    order: Order.describe('By their last message'),
  }),
  conversation: z.object({
    ...Page,
    limit: z.coerce
      .number()
      .int()
      .min(1)
      .max(200)
      .optional()
      .describe('How many messages at most. Default: all, up to 10,000'),
    business_number: Business,
    order: Order,
  }),
  ofPhone: z.object({ phone: Phone }),
  ofId: z.object({ id: Id }),
  media: z.object({ id: Id, n: z.coerce.number().int().min(0).max(99) }),
  markRead: z.object({
    phone_number: Phone,
    business_number: Phone.optional().describe('The number of ours. Default: all of them'),
    up_to: z.iso
      .datetime({ offset: true })
      .optional()
      .describe('What came after it stays unread: the received_at of the newest message that was seen. Default: now'),
  }),
  send: z
    .object({
      to_number: Phone,
      business_number: Business,
      message: z
        .string()
        .trim()
        .max(16_000)
        .default('')
        .describe('At most 1,024 characters with a file or with choices; may be empty with a file'),
      file: z
        .object({
          type: z.enum(['image', 'video', 'audio', 'document']),
          url: z
            .url({ protocol: /^https$/ })
            .max(2_000)
            .describe('Where WhatsApp fetches it; a public https address'),
          filename: z.string().trim().min(1).max(240).optional().describe('What a document is called'),
        })
        .optional(),
      choices: z
        .array(
          z.object({
            id: z.string().min(1).max(200),
            title: z.string().trim().min(1).max(24),
            description: z.string().trim().max(72).optional(),
          }),
        )
        .min(1)
        .max(10)
        .refine((all) => new Set(all.map(({ id }) => id)).size === all.length, 'expected a different id for each')
        .optional()
        .describe(
          "What they can press: up to three short ones are buttons, more are a list. Twilio's numbers get them as lines of the text",
        ),
      choices_label: z.string().trim().min(1).max(20).default('Choose').describe('On the button that opens the list'),
      idempotency_key: IdempotencyKey,
      despite_opt_out: z
        .boolean()
        .default(false)
        .describe(
          'Sends although the contact has opted out; only for what they have to know, such as an order they wait for',
        ),
    })
    .superRefine(({ message, file, choices }, ctx) => {
      const problem = (path: string, text: string) => ctx.addIssue({ code: 'custom', path: [path], message: text });
      if (file && choices) problem('choices', 'expected a file or choices, not both');
      if (message === '' && !file) problem('message', 'expected words');
      if (message.length > 1_024 && (file || choices))
        problem('message', 'expected at most 1,024 characters with a file or choices');
      if (message !== '' && file?.type === 'audio')
        problem('message', 'expected none: a recording has no words beside it');
    }),
  templates: z.object({
    channel: z.string().max(50).optional().describe('twilio or meta. Default: all that have templates'),
  }),
  sendTemplate: z.object({
    to_number: Phone,
    business_number: Business,
    template: TemplateName,
    variables: TemplateVariables,
    idempotency_key: IdempotencyKey,
  }),
  history: z.object({ number: Phone, limit: HistoryLimit }),
  histories: z.object({ numbers: z.array(Phone).min(1).max(1_000), limit: HistoryLimit }),
  consent: z.object({
    phone_number: Phone,
    consent: z.enum(['opt-out', 'opt-in']),
    source: z.string().trim().min(1).max(500).describe('Where you have it from: `form on our web page, 3 May`'),
  }),
  status: z.object({
    phone_number: Phone,
    business_number: Business,
    status: ConversationStatus.describe('blocked: in every conversation of the contact'),
  }),
  notSpam: z.object({ phone_number: Phone, business_number: Business }),
  writing: z.object({
    phone_number: Phone,
    business_number: Business,
    writer: z
      .string()
      .regex(/^[\w-]{1,64}$/)
      .describe('Names the page: it gets the event, too, and has to leave out its own'),
  }),
  takeover: z.object({
    phone_number: Phone,
    business_number: Business,
    active: z.boolean().describe('true pauses the bot, false lets it answer again'),
    minutes: z
      .number()
      .int()
      .min(1)
      .max(1_440)
      .default(30)
      .describe('The bot answers again when no person has written for this many minutes'),
  }),
  threadControl: z.object({
    phone_number: Phone,
    business_number: Business,
    action: z
      .enum(['release', 'take'])
      .describe('release gives the conversation to another responder; take is for the escalation partner alone'),
  }),
  tasks: z.object({
    ...Page,
    status: z
      .enum([...TaskStatus.options, 'open'])
      .optional()
      .describe('open: pending or in progress'),
    phone_number: Phone.optional(),
    task_type: z.string().trim().max(50).optional(),
    due_by: z.iso.date().optional().describe('Due on this day or before'),
    search: Search.describe('Parts of words in the title or description'),
  }),
  createTask: z.object({
    title: z.string().trim().min(1).max(255),
    description: z.string().max(5_000).default(''),
    task_type: z.string().trim().min(1).max(50).default('general'),
    priority: z.number().int().min(1).max(5).default(3),
    due_date: z.iso.date().nullable().default(null),
    phone_number: Phone.optional().describe('The contact it is about'),
    message_id: Id.optional().describe('The message it is created from'),
  }),
  updateTask: z.object({
    title: z.string().trim().min(1).max(255).optional(),
    description: z.string().max(5_000).optional(),
    task_type: z.string().trim().min(1).max(50).optional(),
    priority: z.number().int().min(1).max(5).optional(),
    due_date: z.iso.date().nullable().optional(),
    status: TaskStatus.optional().describe('completed sets completed_at; another status removes it'),
  }),
  analytics: z.object({ days: z.coerce.number().int().min(1).max(365).default(30) }),
  costs: z.object({
    days: z.coerce.number().int().min(1).max(365).default(30),
    phone_number: Phone.optional().describe('What was spent for one contact. Default: for all'),
    business_number: Phone.optional().describe('With phone_number: in the conversation with this number of ours'),
  }),
  deadLetters: z.object({ limit: Page.limit, cursor: Page.cursor }),
  retryAnalyses: z.object({
    message_id: Id.optional().describe(
      'Of this message and those that were answered with it. Default: all that failed',
    ),
  }),
  signIn: z.object({ password: z.string() }),
};

const success = z.literal(true);
/** `count` is the number of items in this response; `next_cursor` is null at the end of the list. */
const paged = { success, count: z.number().int(), next_cursor: z.string().nullable() };

/** The responses. */
export const responses = {
  initiateBulk: z.object({
    total: count,
    successful: count,
    failed: count,
    results: z.array(
      z.union([
        z.object({ number: z.string(), success: z.literal(true), response: z.unknown() }),
        z.object({ number: z.string(), success: z.literal(false), error: z.string() }),
      ]),
    ),
  }),
  createBroadcast: z.object({
    success,
    ...Broadcast.shape,
    id: z.string().nullable().describe('Null after a dry run: nothing was stored'),
    state: z.enum([...Broadcast.shape.state.options, 'dry_run']),
    skipped_rows: z.array(BroadcastRow).describe('The first of those that are skipped'),
  }),
  broadcasts: z.object({ ...paged, broadcasts: z.array(Broadcast) }),
  broadcast: z.object({ success, broadcast: Broadcast }),
  broadcastRows: z.object({ ...paged, rows: z.array(BroadcastRow) }),
  broadcastOptions: z.object({
    success,
    senders: z
      .array(z.object({ channel: z.string(), business_number: z.string() }))
      .describe('The numbers that broadcasts can be sent from'),
    template: z.string().nullable().describe('The one that is used when none is named'),
    time_zone: z.string(),
    quiet_hours: z.string().nullable().describe('21:00-08:00'),
    requires_opt_in: z.boolean(),
  }),
  inbox: z.object({ ...paged, messages: z.array(Message) }),
  conversations: z.object({ ...paged, conversations: z.array(Conversation) }),
  conversation: z.object({
    ...paged,
    phone_number: z.string(),
    conversation: Conversation,
    messages: z.array(Message),
  }),
  numbers: z.object({
    success,
    numbers: z.array(z.object({ channel: z.string(), business_number: z.string(), conversations: z.number().int() })),
  }),
  markRead: z.object({ success, updated: z.number().int() }),
  send: z.object({
    success,
    message_sid: z.string().describe("The provider's id of the first part"),
    reply_id: z.string(),
  }),
  templates: z.object({
    success,
    templates: z.array(Template),
    problems: z
      .array(z.object({ channel: z.string(), text: z.string() }))
      .describe('Channels whose templates cannot be listed, and why'),
  }),
  status: z.object({ success, conversation: Conversation }),
  history: z.object({ count: z.number().int(), messages: z.array(HistoryMessage) }),
  histories: z.object({
    total_numbers: z.number().int(),
    successful: z.number().int(),
    failed: z.number().int(),
    total_messages: z.number().int(),
    results: z.array(HistoryResult),
  }),
  consents: z.object({ success, consents: z.array(Consent).describe('Newest first') }),
  takeover: z.object({ success, takeover_until: Time.nullable() }),
  tasks: z.object({ ...paged, tasks: z.array(Task) }),
  task: z.object({ success, task: Task }),
  taskTypes: z.object({ success, task_types: z.array(z.string()) }),
  sentiments: z.object({ success, sentiments: z.array(z.string()) }),
  notices: z.object({
    success,
    items: z.array(
      z.object({
        code: z
          .string()
          .describe(
            'purpose.missing, budget.near, budget.used_up, budget.currency, prices.unknown, broadcast.stopped, or account.<channel>.<subject>',
          ),
        text: z.string(),
      }),
    ),
  }),
  analytics: z.object({ success, analytics: Analytics, days: z.array(Day) }),
  costs: z.object({
    success,
    currency: z.string().describe('The main one: that of the budget, else that of the price table'),
    budget: Budget.nullable().describe('Null without MONTHLY_BUDGET'),
    month: z.object({ name: z.string().describe('2026-11'), ...expenses }).describe('This month, of all conversations'),
    days: z
      .array(z.object({ day: z.string().describe('2026-11-24'), purposes: z.array(PurposeCosts) }))
      .describe("In the operator's time zone, oldest first, without gaps"),
    total: z.object(expenses).describe('Over these days'),
    purposes: z.array(PurposeCosts).describe('Over these days'),
    conversations: z.array(ConversationCosts).describe('The 20 that cost most in these days, dearest first'),
    unknown_models: z.array(z.string()).describe('Used this month, but not in the price table'),
  }),
  deadLetters: z.object({ ...paged, dead_letters: z.array(DeadLetter) }),
  retryAnalyses: z.object({ success, count: z.number().int().describe('How many messages are analysed again') }),
  session: z.object({
    success,
    csrf: z
      .string()
      .nullable()
      .describe('To be sent as x-csrf-token with every request that changes something; null without a session'),
  }),
  done: z.object({ success }),
  error: z
    .object({
      success: z.literal(false),
      error: z.string().describe('One sentence for people'),
      code: z.string().describe('Stable, for programs'),
    })
    .meta({ id: 'Error' }),
};

export type Message = z.infer<typeof Message>;
export type Media = z.infer<typeof Media>;
export type Conversation = z.infer<typeof Conversation>;
export type Consent = z.infer<typeof Consent>;
export type ConversationStatus = z.infer<typeof ConversationStatus>;
export type Task = z.infer<typeof Task>;
export type TaskStatus = z.infer<typeof TaskStatus>;
export type Entities = z.infer<typeof Entities>;
export type Analytics = z.infer<typeof Analytics>;
export type Day = z.infer<typeof Day>;
export type DeadLetter = z.infer<typeof DeadLetter>;
export type CostPurpose = z.infer<typeof CostPurpose>;
export type Sum = z.infer<typeof Sum>;
export type PurposeCosts = z.infer<typeof PurposeCosts>;
export type ConversationCosts = z.infer<typeof ConversationCosts>;
export type Budget = z.infer<typeof Budget>;

/** A request as the caller writes it, by its name in `requests`. */
export type Asked<Name extends keyof typeof requests> = z.input<(typeof requests)[Name]>;
/** A response, by its name in `responses`. */
export type Answered<Name extends keyof typeof responses> = z.output<(typeof responses)[Name]>;

/**
 * The data of the `change` events of `GET /api/whatsapp/events`: something looks different now, and the page asks for it again.
 *
 * - `message`: a message or its delivery, or a reply that was given up
 * - `analysis`: the analysis of a message, and the task created from it
 * - `task`, `conversation`, `dead-letter`: a person changed one
 *
 * A `reset` event says that changes were missed: ask for everything again. `ready` comes once, at the beginning of a connection.
 */
export interface LiveEvent {
  /** `writing`: somebody of the team writes an answer just now. */
  kind: 'message' | 'analysis' | 'task' | 'conversation' | 'dead-letter' | 'writing';
  /** The contact; null when it concerns several or none. */
  phone_number: string | null;
  /** Names the page on which somebody writes. */
  writer?: string;
}
