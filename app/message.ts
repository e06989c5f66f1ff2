/**
 * The vocabulary. Read this first: everything else in `app/` is a step between these types.
 *
 *   a webhook → InboundMessage → (waits in the mailbox) → a turn → Reply → the provider
 *                                                          └→ Line, twice: what was said, what was answered
 */
import type { Scrubbed } from './privacy/scrub.ts';

/** The providers a message can come through. */
export type ChannelName = 'twilio';

/**
 * `<business>:<contact>`, the name of one conversation. Both are addresses without `whatsapp:` and without `+`.
 * A contact is usually digits (`15550100123`) but may be a username id (`US.1A2B3C`), so never parse or strip it.
 */
export type ConversationId = string;

/** What a person attached. The bytes stay with the provider until a turn needs them. */
export interface Attachment {
  kind: 'image' | 'audio' | 'video' | 'contact-card' | 'document';
  /** The type the provider claims, lower case, without parameters (`audio/ogg`). The bytes decide, not this. */
  contentType: string;
  /** Opaque to all but the channel that made it; names the file without holding an address or a secret. */
  ref: string;
}

/** A place a person shared. Degrees, WGS 84. */
export interface Location {
  latitude: number;
  longitude: number;
  label?: Scrubbed;
  address?: Scrubbed;
}

/** One message as it came in, already scrubbed: nothing of the provider's addresses is left in a text. */
export interface InboundMessage {
  /** The provider's id: the same for every delivery of the same message. */
  id: string;
  channel: ChannelName;
  business: string;
  contact: string;
  /** What the person calls themselves; null when the provider did not say. */
  profileName: Scrubbed | null;
  /** When we received it, unix ms. */
  receivedAt: number;
  /** What was written, or the caption; for a button its title; '' when there is none. */
  text: Scrubbed;
  attachments: Attachment[];
  location?: Location;
  /** The payload behind a pressed quick-reply button (its title is `text`). */
  buttonPayload?: Scrubbed;
  forwarded?: true;
  /** The id of the message this one answers. */
  inReplyTo?: string;
  /** The request that brought it, to follow it through the logs. */
  requestId: string;
}

/** One line of the history, as it is kept in Redis and shown to the model. */
export interface Line {
  role: 'user' | 'assistant';
  text: Scrubbed;
  /** Unix ms. */
  at: number;
  /** The inbound message's id, or the id of the turn that made the reply. */
  id: string;
  /** What the line costs in a prompt, in tokens of the model's tokenizer. */
  tokens: number;
  /** Our own words, sent because the model was down or a limit passed: kept for people to see, not shown to the model. */
  apology?: true;
  /** Said by a person at the desk, not by the model. */
  desk?: true;
}

/** How a reply leaves: in the response to the webhook, or by a request of our own. */
export type Via = 'twiml' | 'rest';

/** What a conversation is to be told, recorded before it is sent. */
export interface Reply {
  /** The turn that made it. */
  id: string;
  /** As the model wrote it (Markdown), unless `asWritten`; formatted and split only when it is sent. */
  text: Scrubbed;
  via: Via;
  /** When it was recorded, unix ms. */
  at: number;
  /** It may have been sent already: the provider is asked before anything goes out. */
  uncertain?: true;
  /** A person wrote it, in WhatsApp's own formatting if any: it is sent as it is. */
  asWritten?: true;
}

/** What became of a message that we sent, as the provider tells it later. */
export interface DeliveryStatus {
  /** The provider's id of the message we sent. */
  sid: string;
  state: 'queued' | 'sent' | 'delivered' | 'read' | 'failed';
  /** The provider's error code of a failure. */
  errorCode?: string;
  business: string;
  contact: string;
  /** The reply it belongs to, when the callback's address told. */
  replyId?: string;
}

export function conversationId(message: Pick<InboundMessage, 'business' | 'contact'>): ConversationId {
  return `${message.business}:${message.contact}`;
}

/** The two addresses that a conversation is named after. */
export function addressesOf(conversation: ConversationId): { business: string; contact: string } {
  const colon = conversation.indexOf(':');
  return { business: conversation.slice(0, colon), contact: conversation.slice(colon + 1) };
}
