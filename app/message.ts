/**
 * The vocabulary. Read this first: everything else in `app/` is a step between these types.
 *
 *   a webhook → InboundMessage → (waits in the mailbox) → a turn → Reply → the provider
 *                                                          └→ Line, twice: what was said, what was answered
 */
import type { Money } from './money.ts';
import { type Scrubbed, scrub } from './privacy/scrub.ts';

/** Names a channel (`twilio`). `channels.of(name)` returns the channel itself. */
export type ChannelName = string;

/**
 * Names a person: one of their addresses in its canonical spelling, see `contacts/addresses.ts`. Memory, block and long-term data
 * belong to it. Usually digits (`15550100123`), but it may be a username id (`US.1A2B3C`): never parse it.
 */
export type ContactId = string;

/**
 * Names a conversation: channel, business address and contact, each percent-encoded, joined by colons. Takeover and the 24-hour
 * window belong to it.
 */
export type ConversationId = string;

/** What a conversation consists of. Addresses have no `whatsapp:` and no `+`. */
export interface Conversation {
  channel: ChannelName;
  /** The address of ours that the person writes to; '' when the provider did not say. */
  business: string;
  contact: ContactId;
}

export function conversationId({ channel, business, contact }: Conversation): ConversationId {
  return `${keySafe(channel)}:${keySafe(business)}:${keySafe(contact)}`;
}

/** The way back from `conversationId`. */
export function conversationOf(id: ConversationId): Conversation {
  const parts = id.split(':');
  const [channel = '', business = '', contact = ''] = id.includes('%') ? parts.map(decodeURIComponent) : parts;
  return { channel, business, contact };
}

/**
 * An address in a form that is safe inside a Redis key, whatever characters it has: no colon, brace, space or control character.
 * What addresses usually consist of stays as it is.
 */
export function keySafe(address: string): string {
  return PLAIN.test(address) ? address : encodeURIComponent(address.replace(/\p{Surrogate}/gu, '\ufffd'));
}

const PLAIN = /^[\w.~-]*$/;

/** What a person attached. The bytes stay with the provider until a turn needs them. */
export interface Attachment {
  kind: 'image' | 'audio' | 'video' | 'contact-card' | 'document';
  /** The type the provider claims, lower case, without parameters (`audio/ogg`). The bytes decide, not this. */
  contentType: string;
  /** Opaque to all but the channel that made it. Names the file and contains neither an address nor a secret. */
  ref: string;
}

/** A place a person shared. Degrees, WGS 84. */
export interface Location {
  latitude: number;
  longitude: number;
  label?: Scrubbed;
  address?: Scrubbed;
}

/** One message as it came in, already scrubbed: its texts contain no address of the provider. */
export interface InboundMessage {
  /** The provider's id: the same for every delivery of the same message. */
  id: string;
  channel: ChannelName;
  business: string;
  /** The address the person wrote from. Answers go there. */
  from: string;
  /** Further addresses of the same person that the webhook named: a username id, the provider's own id. */
  aliases?: string[];
  /** Who wrote: `contactIdOf(from)`, until `contacts/` knows better. */
  contact: ContactId;
  /** What the person calls themselves; null when the provider did not say. */
  profileName: Scrubbed | null;
  /** When we received it by Redis' clock, unix ms. */
  receivedAt: number;
  /** When it was sent by the provider's clock, unix ms; left out = just before we received it. */
  sentAt?: number;
  /** What was written, or the caption; for a button its title; '' when there is none. */
  text: Scrubbed;
  attachments: Attachment[];
  location?: Location;
  /** The payload behind a pressed quick-reply button (its title is `text`). */
  buttonPayload?: Scrubbed;
  forwarded?: true;
  /** The id of the message this one answers. */
  inReplyTo?: string;
  /** The answers of a form they filled in (a WhatsApp Flow), one `field: answer` in each line. */
  form?: Scrubbed;
  /** As the provider sent it, scrubbed: for the archive alone. Left out where nobody knows the provider's format. */
  original?: Record<string, unknown>;
  /** The advertisement that led them to us; comes with the first message after it. */
  referral?: Referral;
  /** Set when nothing in the message can be read (a poll, a video that was too large to be passed on), and for every update. */
  unread?: Unread;
  /** Set when the message says that they want no more messages, or want them again. */
  consent?: Consent;
  /** The provider has answered it itself, such as Twilio's Advanced Opt-Out its words for STOP, START and HELP. */
  answered?: true;
  /** Who owns the thread, as the way that this message came shows it. Left out where threads have one owner only. */
  route?: Route;
  /** The request that brought it, to follow it through the logs. */
  requestId: string;
}

/** What the team sent from the WhatsApp Business app, on the phone that shares the number. */
export interface Echo {
  /** The provider's id of the message. */
  id: string;
  channel: ChannelName;
  /** Our number that it came from. */
  business: string;
  /** The contact's address. */
  to: string;
  contact: ContactId;
  /** What was written; a stand-in for what has no words. Never empty. */
  text: Scrubbed;
  /** When it was sent, unix ms. */
  at: number;
}

/**
 * Who may answer in a thread: we, or another responder beside us (another program, the provider's own assistant). The provider routes
 * threads and tells of changes alone: what is known is the newest word, by the words' own stamps.
 */
export interface Route {
  owner: 'us' | 'other';
  /** By the provider's stamp, unix ms. */
  at: number;
}

/** The provider gave a thread to us, or took it from us. */
export interface Handover {
  /** The same for every delivery of it. */
  id: string;
  channel: ChannelName;
  business: string;
  /** The provider names the contact by their number alone. */
  contact: ContactId;
  route: Route;
  /** What the other responder says of the conversation; '' when it says nothing. */
  context: Scrubbed;
}

/** What was said without us: kept and shown. It is answered by nobody, opens no window and pauses nothing. */
export interface Overheard {
  channel: ChannelName;
  business: string;
  /** The contact's address. */
  address: string;
  /** Oldest first. */
  messages: OverheardMessage[];
  /** Said just now by another responder, who owns the thread; left out for what is of long ago. */
  route?: Route;
}

export interface OverheardMessage {
  /** The provider's id. */
  id: string;
  author: 'contact' | 'desk' | 'other';
  /** Never empty, unless there are attachments. */
  text: Scrubbed;
  attachments: Attachment[];
  /** Unix ms. */
  at: number;
}

/** A contact said in WhatsApp's settings whether they want marketing messages from us. */
export interface Preference {
  channel: ChannelName;
  business: string;
  contact: ContactId;
  consent: Consent;
  /** By the provider's stamp, unix ms. */
  at: number;
}

/** What a provider tells of an account of ours. */
export interface AccountNews {
  channel: ChannelName;
  /**
   * What it is about: `template:<name>:<language>` (its state), `quality:…` and `category:…` of it, `account`, `violation`, `restriction:<kind>`,
   * `number:<digits>`, `limit` (of conversations a day, for all numbers of the portfolio).
   */
  subject: string;
  /** The provider's word: `PAUSED`, `TIER_2K`. */
  state: string;
  /** Why, in the provider's words; '' when it does not say. */
  detail: Scrubbed;
  /** It is over then, unix ms; left out when nobody says so. */
  until?: number;
  /** By the provider's stamp, unix ms. */
  at: number;
}

/** A contact has another number now, as the provider says. */
export interface NumberChange {
  /** Of the message that told it: told again, it changes nothing. */
  id: string;
  channel: ChannelName;
  business: string;
  from: ContactId;
  to: ContactId;
  /** Unix ms. */
  at: number;
}

/** What a provider tells beside messages. */
export type Report =
  | { kind: 'handover'; handover: Handover }
  | { kind: 'overheard'; overheard: Overheard }
  | { kind: 'preference'; preference: Preference }
  | { kind: 'news'; news: AccountNews }
  | { kind: 'number changed'; change: NumberChange };

/** What a contact agreed to, told to the team or to another program. */
export interface ConsentGiven {
  consent: Consent;
  /** Where it comes from, for whoever has to prove it: `form on our web page, 3 May`. */
  source: string;
  cause: 'desk' | 'api';
}

/** Why a person of the team is needed: they asked for one, the model says so, or it failed again and again. */
export type HandoffReason = 'asked' | 'model' | 'failed';

/** What somebody says about getting messages from us. */
export type Consent = 'opt-out' | 'opt-in';

/** An advertisement or post with a button that opens a chat with us. */
export interface Referral {
  headline?: Scrubbed;
  body?: Scrubbed;
  /** The provider's id of the advertisement. */
  sourceId?: string;
  /** What Meta's Conversions API calls `ctwa_clid`: with it a sale is told to the advertisement that brought it. */
  clickId?: string;
}

/** What is known of a message that has no text, file, place, form or button, or that is an update. */
export interface Unread {
  /** What the provider calls it, lower case letters, digits, `_` and `-`; `unknown` when it says nothing. */
  kind: string;
  /** Does it change or comment on another message, so that there is nothing to answer? A reaction, a vote, an edit. */
  isUpdate: boolean;
}

/** The words of a message as they are remembered and shown: text, answers of a form, or a stand-in for what cannot be read. */
export function wordsOf({ unread, form, text }: Pick<InboundMessage, 'unread' | 'form' | 'text'>): Scrubbed {
  if (!unread && form === undefined) return text;
  const parts = [unread ? standInFor(unread, text !== '') : '', form ?? '', text];
  return scrub(parts.filter((part) => part !== '').join('\n'));
}

function standInFor({ kind }: Unread, hasWords: boolean): string {
  if (hasWords) return `[${kind}]`;
  return kind === 'unknown' ? '[a message that cannot be shown here]' : `[cannot be shown here: ${kind}]`;
}

/** What a message is, by the first thing in it that is not text. */
export type MessageKind = Attachment['kind'] | 'location' | 'button' | 'text';

/** The one place that decides what kind of message something is. */
export function kindOf(message: Pick<InboundMessage, 'attachments' | 'location' | 'buttonPayload'>): MessageKind {
  const [first] = message.attachments;
  if (first) return first.kind;
  if (message.location) return 'location';
  return message.buttonPayload === undefined ? 'text' : 'button';
}

/** One line of the history, as it is kept in Redis and shown to the model. */
export interface Line {
  role: 'user' | 'assistant';
  /** Of an answer: as the model wrote it (Markdown). Of a person: their own words; '' when there are none. */
  text: Scrubbed;
  /** Our words about what was sent with it, without brackets: `picture`, `pressed the button YES`. */
  notes?: Scrubbed[];
  /** Of an answer: what was sent, part by part. Left out when that is `text` itself. */
  sent?: Scrubbed[];
  /** Unix ms. */
  at: number;
  /** The inbound message's id, or the id of the reply. */
  id: string;
  /** What the line costs in a prompt, in tokens of the model's tokenizer. */
  tokens: number;
  /** Our own words, sent because the model was down, a limit was exceeded or a person was called: people see them, the model does not. */
  apology?: true;
  /** Not the model's words: a person wrote it in the inbox, or it is a template. */
  desk?: true;
  /** Of an answer: ids of lines before it that the model server refuses. No model is shown them again. */
  hides?: string[];
}

/** Which template: by its name and language, as Meta has them; or by its id in Twilio's Content API (`HX…`). */
export type TemplateRef = { name: string; language: string } | { contentSid: string };

/** A message that the provider approved before: the only kind that may begin a conversation, or go on with one after 24 hours. */
export interface TemplateMessage {
  template: TemplateRef;
  /** The name of a variable, see `Template.variables` → what stands there. */
  variables: Record<string, Scrubbed>;
}

/** `order_ready:en`, or `HX` and 32 digits. */
export function templateName(ref: TemplateRef): string {
  return 'contentSid' in ref ? ref.contentSid : `${ref.name}:${ref.language}`;
}

/** The way back from `templateName`; null for what is neither. */
export function templateRef(name: string): TemplateRef | null {
  if (/^HX[0-9a-fA-F]{32}$/.test(name)) return { contentSid: name };
  const [, template, language] = /^([\w.-]{1,512}):([A-Za-z]{2,3}(?:[_-][A-Za-z0-9]{2,8}){0,3})$/.exec(name) ?? [];
  return template !== undefined && language !== undefined ? { name: template, language } : null;
}

/** A template that was looked up and filled in. */
export interface FilledTemplate extends TemplateMessage {
  /** Its body alone, as a provider lists it among the messages that it sent. */
  body: Scrubbed;
}

/** What goes with a text: a file, or choices that the person can press. */
export type Extra =
  | {
      kind: 'file';
      type: 'image' | 'video' | 'audio' | 'document';
      /** Where the provider fetches it. */
      link: string;
      /** What a document is called. */
      filename?: Scrubbed | undefined;
    }
  | {
      kind: 'choices';
      /** 1 to 10. */
      choices: Choice[];
      /** On the button that opens the list, when they are more than fit as buttons. */
      label: Scrubbed;
    };

export interface Choice {
  /** Comes back with what they press, as `buttonPayload`. */
  id: string;
  title: Scrubbed;
  description?: Scrubbed | undefined;
}

/** How a reply is sent: in the response to the webhook, or by a call to the provider's API. */
export type Via = 'response' | 'call';

/** A text to send, recorded before it is sent, in the form in which it is sent. */
export interface Reply {
  /** The turn that made it, or an id of its own when no turn did. */
  id: string;
  conversation: ConversationId;
  /** The address it goes to: the one the person last wrote from. */
  to: string;
  /** Formatted and split for the channel, in order; at least one. */
  parts: Scrubbed[];
  /** Sent instead of `parts`, which is one then: all that the person will read. */
  template?: FilledTemplate;
  /** Goes with the first part. */
  extra?: Extra;
  via: Via;
  /** When it was recorded, unix ms. */
  at: number;
  /** It may have been sent already: the provider is asked before anything is sent. */
  uncertain?: true;
  /**
   * It confirms what they said about getting messages: the one thing that somebody who opted out still gets. Or it says that a person is
   * called, and goes out although the bot is silent from then on.
   */
  purpose?: Consent | 'handoff';
}

/** Whose messages money is spent on, and in which turn. */
export interface SpentOn {
  conversation: ConversationId;
  turn: string;
}

/** The delivery status of a message that we sent, as the provider reports it later. */
export interface DeliveryStatus {
  channel: ChannelName;
  /** The provider's id of the message we sent. */
  sid: string;
  state: 'queued' | 'sent' | 'delivered' | 'read' | 'failed';
  /** The provider's error code of a failure. */
  errorCode?: string;
  business: string;
  /** The address it was sent to. */
  to: string;
  /** The reply it belongs to, and which part of it (0 is the first), when the provider repeats what we named it. */
  replyId?: string;
  part?: number;
  /** What it costs, as far as the provider has said so. */
  pricing?: Pricing;
}

/** What a provider reports of the price of one message that we sent. */
export interface Pricing {
  /** The provider's word for the kind of message that it charges for: `service`, `utility`. */
  category?: string;
  /** The provider says that it does not charge for this message. */
  free?: true;
  /** The amount; many providers know it minutes or hours after the message was sent. */
  cost?: Money;
}

/** Is there nothing to see? Spaces, and characters of no width such as U+200B, say nothing. */
export function isBlank(text: string): boolean {
  return /^[\s\p{Cf}\p{Default_Ignorable_Code_Point}\u2800]*$/u.test(text);
}
