/**
 * What the inbox's API speaks, as one list of schemas: the routes check with it, the page takes its types from it, and the
 * OpenAPI description is made of it. Times are ISO 8601 in UTC, numbers of contacts have a `+`, ids of usernames have none.
 */
import { z } from 'zod';

const Time = z.iso.datetime();
const Page = {
  /** At most 200 at once. */
  limit: z.coerce.number().int().min(1).max(200).default(50),
  offset: z.coerce.number().int().min(0).max(1_000_000).default(0),
  /** Goes on where the last answer's `next_cursor` ended; faster than `offset`, and stable while messages come in. */
  cursor: z.string().max(200).optional(),
};

export const Sentiment = z.enum(['positive', 'negative', 'neutral', 'urgent']);
export const MessageType = z.enum(['text', 'audio', 'image', 'video', 'document', 'contact', 'location']);
export const ConversationStatus = z.enum(['active', 'archived', 'blocked']);
export const TaskStatus = z.enum(['pending', 'in_progress', 'completed', 'cancelled']);

export const Entities = z.object({
  people: z.array(z.string()),
  companies: z.array(z.string()),
  dates: z.array(z.string()),
  amounts: z.array(z.string()),
  products: z.array(z.string()),
});

export const Task = z.object({
  id: z.string(),
  title: z.string(),
  description: z.string(),
  task_type: z.string(),
  /** 1 is the most urgent, 5 the least. */
  priority: z.number().int(),
  status: TaskStatus,
  /** A day, `2026-11-24`. */
  due_date: z.string().nullable(),
  tags: z.array(z.string()),
  phone_number: z.string().nullable(),
  contact_name: z.string().nullable(),
  message_id: z.string().nullable(),
  created_at: Time,
  completed_at: Time.nullable(),
});

export const Message = z.object({
  id: z.string(),
  message_sid: z.string().nullable(),
  phone_number: z.string(),
  contact_name: z.string().nullable(),
  direction: z.enum(['inbound', 'outbound']),
  /** Who wrote it. */
  author: z.enum(['contact', 'bot', 'desk']),
  message_type: MessageType,
  message_body: z.string(),
  /** On this server, behind the sign-in; never an address of the provider. */
  media_url: z.string().nullable(),
  transcription: z.string().nullable(),
  transcription_status: z.string().nullable(),
  location: z.object({ latitude: z.number(), longitude: z.number(), label: z.string().optional() }).nullable(),
  ai_summary: z.string().nullable(),
  ai_sentiment: Sentiment.nullable(),
  ai_intent: z.string().nullable(),
  language: z.string().nullable(),
  extracted_entities: Entities.nullable(),
  analysis_status: z.string().nullable(),
  processing_error: z.string().nullable(),
  task: Task.nullable(),
  status: z.enum(['received', 'read', 'replied', 'archived']),
  /** Of what we sent. */
  delivery_status: z.enum(['sending', 'queued', 'sent', 'delivered', 'read', 'failed']).nullable(),
  /** Why it failed, in words. */
  delivery_error: z.string().nullable(),
  response_ms: z.number().nullable(),
  received_at: Time,
});

export const Conversation = z.object({
  id: z.string(),
  phone_number: z.string(),
  business_number: z.string(),
  contact_name: z.string().nullable(),
  conversation_status: ConversationStatus,
  unread_count: z.number().int(),
  total_messages: z.number().int(),
  open_tasks: z.number().int(),
  last_message_at: Time,
  last_message_text: z.string().nullable(),
  last_message_type: MessageType.nullable(),
  last_message_author: z.enum(['contact', 'bot', 'desk']).nullable(),
  last_sentiment: Sentiment.nullable(),
  /** A person answers until then instead of the model. */
  takeover_until: Time.nullable(),
  /** WhatsApp lets us write freely until then: 24 hours after their last message. */
  window_until: Time.nullable(),
});

export const DeadLetter = z.object({
  id: z.string(),
  phone_number: z.string(),
  at: Time,
  code: z.string(),
  reason: z.string(),
  reply: z.string().nullable(),
  messages: z.array(z.string()),
});

/** The eight numbers, and what the charts are drawn from. */
export const Analytics = z.object({
  total_messages: z.number().int(),
  inbound_messages: z.number().int(),
  outbound_messages: z.number().int(),
  voice_messages: z.number().int(),
  tasks_created: z.number().int(),
  transcriptions_completed: z.number().int(),
  unique_contacts: z.number().int(),
  avg_processing_time_seconds: z.number(),
});

export const Day = z.object({
  day: z.string(),
  inbound: z.number().int(),
  outbound: z.number().int(),
  response_p50_ms: z.number().nullable(),
  response_p95_ms: z.number().nullable(),
  positive: z.number().int(),
  neutral: z.number().int(),
  negative: z.number().int(),
  urgent: z.number().int(),
  tasks_done: z.number().int(),
  tokens_in: z.number().int(),
  tokens_out: z.number().int(),
  tokens_cached: z.number().int(),
});

const Phone = z
  .string()
  .trim()
  .min(1)
  .max(160)
  .regex(
    /^(whatsapp:)?(\+?\d{6,15}|[A-Za-z]{2}\.[\w.]{1,150})$/,
    'expected a number such as +15550100123 or a username id',
  );

/** What the routes take. */
export const requests = {
  inbox: z.object({
    ...Page,
    filter: z.enum(['all', 'voice', 'text', 'picture', 'tasks', 'unread']).default('all'),
    sentiment: Sentiment.optional(),
    status: ConversationStatus.optional(),
    /** Words that must all occur. */
    search: z.string().trim().max(200).optional(),
  }),
  conversations: z.object({
    ...Page,
    filter: z.enum(['all', 'voice', 'text', 'picture', 'tasks', 'unread']).default('all'),
    sentiment: Sentiment.optional(),
    status: ConversationStatus.optional(),
    search: z.string().trim().max(200).optional(),
  }),
  conversation: z.object({ ...Page, business: z.string().max(40).optional() }),
  markRead: z.object({ phone_number: Phone }),
  send: z.object({ to_number: Phone, message: z.string().trim().min(1).max(16_000) }),
  status: z.object({ phone_number: Phone, status: ConversationStatus }),
  takeover: z.object({
    phone_number: Phone,
    /** True pauses the bot, false hands the conversation back to it. */
    active: z.boolean(),
    /** The bot goes on by itself after so many minutes in which nobody at the desk wrote. */
    minutes: z.number().int().min(1).max(1_440).default(30),
  }),
  tasks: z.object({ ...Page, status: TaskStatus.optional(), phone_number: Phone.optional() }),
  createTask: z.object({
    title: z.string().trim().min(1).max(300),
    description: z.string().max(5_000).default(''),
    task_type: z.string().trim().max(50).default('general'),
    priority: z.number().int().min(1).max(5).default(3),
    due_date: z.iso.date().nullable().default(null),
    phone_number: Phone.optional(),
  }),
  updateTask: z.object({
    title: z.string().trim().min(1).max(300).optional(),
    description: z.string().max(5_000).optional(),
    task_type: z.string().trim().max(50).optional(),
    priority: z.number().int().min(1).max(5).optional(),
    due_date: z.iso.date().nullable().optional(),
    status: TaskStatus.optional(),
  }),
  analytics: z.object({ days: z.coerce.number().int().min(1).max(365).default(30) }),
};

const done = z.object({ success: z.literal(true) });
const page = <Item extends z.ZodType>(name: string, item: Item) =>
  z.object({
    success: z.literal(true),
    [name]: z.array(item),
    count: z.number().int(),
    next_cursor: z.string().nullable(),
  });

/** What the routes answer. */
export const responses = {
  inbox: page('messages', Message),
  conversations: page('conversations', Conversation),
  conversation: z.object({
    success: z.literal(true),
    phone_number: z.string(),
    conversation: Conversation,
    messages: z.array(Message),
    count: z.number().int(),
    next_cursor: z.string().nullable(),
  }),
  markRead: done.extend({ updated: z.number().int() }),
  send: done.extend({ message_sid: z.string() }),
  status: done,
  takeover: done.extend({ takeover_until: Time.nullable() }),
  tasks: page('tasks', Task),
  task: done.extend({ task: Task }),
  analytics: z.object({ success: z.literal(true), analytics: Analytics, days: z.array(Day) }),
  deadLetters: z.object({ success: z.literal(true), dead_letters: z.array(DeadLetter), count: z.number().int() }),
  done,
  error: z.object({ success: z.literal(false), error: z.string(), code: z.string() }),
};

export type Message = z.infer<typeof Message>;
export type Conversation = z.infer<typeof Conversation>;
export type Task = z.infer<typeof Task>;
export type Analytics = z.infer<typeof Analytics>;
export type Day = z.infer<typeof Day>;
export type DeadLetter = z.infer<typeof DeadLetter>;

/** What the page hears live, see `GET /api/whatsapp/events`: something about this conversation is new; ask again. */
export interface LiveEvent {
  kind: 'message' | 'delivery' | 'analysis' | 'task' | 'conversation' | 'dead-letter';
  phone_number: string | null;
}
