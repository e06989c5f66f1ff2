/** The tables as TypeScript sees them. The files in `migrations/` say what the columns mean. */
import type { ColumnType, Generated } from 'kysely';
import type { Attachment, HandoffReason, Location, Referral, TemplateRef } from '../../message.ts';

/** Everything that `archive/` reads and writes. */
export interface Tables {
  whatsapp_contacts: ContactTable;
  whatsapp_contact_addresses: AddressTable;
  whatsapp_messages: MessageTable;
  whatsapp_conversations: ConversationTable;
  whatsapp_deliveries: DeliveryTable;
  whatsapp_costs: CostTable;
  whatsapp_events_set_aside: SetAsideTable;
  sales_tasks: TaskTable;
  broadcasts: BroadcastTable;
  broadcast_rows: BroadcastRowTable;
  broadcast_pace: PaceTable;
  whatsapp_inbox_view: InboxView;
}

export type MessageType = 'text' | 'audio' | 'image' | 'video' | 'document' | 'contact' | 'location';
export type Direction = 'inbound' | 'outbound';
/** Who wrote it. */
export type Author = 'contact' | 'bot' | 'desk' | 'other' | 'template';
export type MessageStatus = 'received' | 'read' | 'replied' | 'archived';
export type Progress = 'pending' | 'processing' | 'completed' | 'failed';
export type AnalysisStatus = Progress | 'skipped';
export type DeliveryState = 'sending' | 'queued' | 'sent' | 'delivered' | 'read' | 'failed';
/** What money was spent for. */
export type CostPurpose = 'answer' | 'summary' | 'analysis' | 'transcription' | 'message';
/** Who said what something costs. */
export type CostSource = 'provider' | 'table';
export type ConversationStatus = 'active' | 'archived' | 'blocked';
export type TaskStatus = 'pending' | 'in_progress' | 'completed' | 'cancelled';
/** What a broadcast does; one that is to begin later is running. */
export type BroadcastState = 'running' | 'paused' | 'stopped' | 'cancelled' | 'done';
/** What was done with a row; what became of its message is with the message. */
export type RowState = 'waiting' | 'sending' | 'sent' | 'failed' | 'skipped' | 'uncertain';
export type TaskCreation = 'none' | 'created' | 'failed';

/** Written as ISO 8601 or a Date, read as a Date of whole milliseconds. */
type Time = ColumnType<Date, Date | string, Date | string>;
/** Null unless given. */
type Optional<T> = ColumnType<T | null, T | null | undefined, T | null>;
type OptionalTime = ColumnType<Date | null, Date | string | null | undefined, Date | string | null>;
/** Written as JSON text, read as what it says. */
type Json<T> = ColumnType<T | null, string | null | undefined, string | null>;

interface ContactTable {
  id: Generated<string>;
  key: string;
  blocked: Generated<boolean>;
  opted_out_at: OptionalTime;
  opted_in_at: OptionalTime;
  marketing_opted_out_at: OptionalTime;
  created_at: Generated<Date>;
  spam_score: Generated<number>;
  spam_reasons: Generated<string[]>;
  spam_at: OptionalTime;
  throttled_until: OptionalTime;
  excused_until: OptionalTime;
}

interface AddressTable {
  address: string;
  contact_id: string;
}

interface MessageTable {
  id: Generated<string>;
  message_sid: Optional<string>;
  conversation_id: string;
  channel: string;
  from_number: string;
  to_number: string;
  direction: Direction;
  author: Author;
  message_body: string;
  parts: Json<string[]>;
  message_type: MessageType;
  media_url: Optional<string>;
  media: Json<Attachment[]>;
  location: Json<Location>;
  referral: Json<Referral>;
  original: Json<Record<string, unknown>>;
  button_payload: Optional<string>;
  template: Optional<string>;
  in_reply_to: Optional<string>;
  forwarded: Generated<boolean>;
  transcription: Optional<string>;
  transcription_status: Optional<Progress>;
  ai_analysis: Json<unknown>;
  ai_summary: Optional<string>;
  ai_sentiment: Optional<string>;
  ai_intent: Optional<string>;
  language: Optional<string>;
  extracted_entities: Json<unknown>;
  analysis_status: Optional<AnalysisStatus>;
  analysis_started_at: OptionalTime;
  analysis_attempts: Generated<number>;
  task_created: Generated<boolean>;
  created_task_id: Optional<string>;
  task_creation_status: Optional<TaskCreation>;
  status: Generated<MessageStatus>;
  prospect_id: Optional<string>;
  processed: Generated<boolean>;
  processing_error: Optional<string>;
  received_at: Time;
  processed_at: OptionalTime;
  seen_at: OptionalTime;
  turn_id: Optional<string>;
  answered_at: OptionalTime;
  response_ms: Optional<number>;
  failure_code: Optional<string>;
  failure_reason: Optional<string>;
  via: Optional<string>;
  delivery_status: Optional<DeliveryState>;
  delivery_error: Optional<string>;
  sent_at: OptionalTime;
  delivered_at: OptionalTime;
  prompt_tokens: Optional<number>;
  completion_tokens: Optional<number>;
  cached_tokens: Optional<number>;
}

interface ConversationTable {
  id: Generated<string>;
  contact_id: string;
  channel: string;
  business_number: string;
  phone_number: string;
  address: string;
  contact_name: Optional<string>;
  prospect_id: Optional<string>;
  first_message_at: Time;
  last_message_at: Time;
  last_inbound_at: OptionalTime;
  total_messages: Generated<number>;
  unread_count: Generated<number>;
  voice_messages: Generated<number>;
  picture_messages: Generated<number>;
  text_messages: Generated<number>;
  tasks: Generated<number>;
  open_tasks: Generated<number>;
  conversation_status: Generated<ConversationStatus>;
  takeover_until: OptionalTime;
  takeover_ms: Optional<number>;
  handoff_at: OptionalTime;
  handoff_until: OptionalTime;
  handoff_turn: Optional<string>;
  handoff_reason: Optional<HandoffReason>;
  handoff_note: Optional<string>;
  handoff_summary: Optional<string>;
  last_message_id: Optional<string>;
  last_message_text: Optional<string>;
  last_message_type: Optional<MessageType>;
  last_message_author: Optional<Author>;
  last_sentiment: Optional<string>;
}

interface DeliveryTable {
  channel: string;
  sid: string;
  message_id: Optional<string>;
  part: Optional<number>;
  state: DeliveryState;
  error_code: Optional<string>;
  changed_at: Time;
  reply_id: Optional<string>;
  first_at: Generated<Date>;
  category: Optional<string>;
  price: Optional<number>;
  currency: Optional<string>;
  priced_at: OptionalTime;
  price_due_at: OptionalTime;
  price_asks: Generated<number>;
}

interface CostTable {
  name: string;
  at: Time;
  purpose: CostPurpose;
  conversation_id: Optional<string>;
  turn_id: Optional<string>;
  model: Optional<string>;
  prompt_tokens: Optional<number>;
  cached_tokens: Optional<number>;
  cache_write_tokens: Optional<number>;
  completion_tokens: Optional<number>;
  audio_ms: Optional<number>;
  channel: Optional<string>;
  category: Optional<string>;
  amount: Optional<number>;
  currency: Optional<string>;
  source: Optional<CostSource>;
}

interface SetAsideTable {
  name: string;
  event: string;
  reason: string;
  set_aside_at: Generated<Date>;
}

interface TaskTable {
  id: Generated<string>;
  title: string;
  description: Generated<string>;
  task_type: Generated<string>;
  category: Generated<string>;
  priority: Generated<number>;
  status: Generated<TaskStatus>;
  /** `2026-11-24` */
  due_date: Optional<string>;
  tags: Generated<string[]>;
  conversation_id: Optional<string>;
  whatsapp_message_id: Optional<string>;
  prospect_id: Optional<string>;
  created_by: Generated<'analysis' | 'desk'>;
  created_at: Generated<Date>;
  updated_at: Generated<Date>;
  completed_at: OptionalTime;
}

interface BroadcastTable {
  id: Generated<string>;
  name: string;
  channel: string;
  business_number: string;
  template: ColumnType<TemplateRef, string, string>;
  template_name: string;
  category: Optional<string>;
  state: BroadcastState;
  reason_code: Optional<string>;
  reason: Optional<string>;
  starts_at: Time;
  created_by: 'desk' | 'api';
  created_at: Generated<Date>;
  ended_at: OptionalTime;
  total: Generated<number>;
}

interface BroadcastRowTable {
  broadcast_id: string;
  position: number;
  address: string;
  contact: string;
  variables: Json<Record<string, string>>;
  state: RowState;
  reason: Optional<string>;
  note: Optional<string>;
  error_code: Optional<string>;
  reply_id: Optional<string>;
  tries: Generated<number>;
  not_before: OptionalTime;
  claimed_by: Optional<string>;
  claimed_until: OptionalTime;
  first_at: OptionalTime;
  changed_at: Generated<Date>;
}

interface PaceTable {
  channel: string;
  business_number: string;
  tokens: Generated<number>;
  rate: Generated<number>;
  filled_at: OptionalTime;
  grown_at: OptionalTime;
  held_until: OptionalTime;
  held_for: Optional<string>;
  day_used: Generated<number>;
  day_counted_at: OptionalTime;
}

type Read<Table> = {
  [Column in keyof Table]: Table[Column] extends ColumnType<infer T, infer _I, infer _U> ? T : Table[Column];
};

/** A message with what the inbox shows beside it. */
export type InboxView = Read<MessageTable> & {
  phone_number: string;
  contact_name: string | null;
  conversation_status: ConversationStatus;
  unread_count: number;
  task_title: string | null;
  task_type: string | null;
  task_priority: number | null;
  task_status: TaskStatus | null;
  task_due_date: string | null;
};
