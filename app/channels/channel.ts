import type { ChannelName, DeliveryStatus, Extra, Reply, TemplateMessage, TemplateRef } from '../message.ts';
import type { Log } from '../ops/logger.ts';
import type { Scrubbed } from '../privacy/scrub.ts';

/** Who a message goes to, and from which of our addresses: as in `message.ts`, without `whatsapp:` and `+`. */
export interface Recipient {
  /** '' when it is not known: the channel then uses its default sender. */
  business: string;
  /** The person's address, not their `ContactId`: a reply goes to the spelling they wrote from. */
  address: string;
}

/** Which part of which reply a message is. Comes back with its delivery status, if the provider can repeat it. */
export interface PartOf {
  replyId: Reply['id'];
  /** 0 is the first. */
  part: number;
}

/** What we do with a thread that several responders share. */
export type ThreadAction = 'release' | 'take';

export interface DownloadOptions {
  signal?: AbortSignal;
  /** Knows for whom the file is fetched. */
  log?: Log;
  /** Looks at the beginning of the file; false ends the download with `media.unsupported`. A channel may leave it out: the file is looked at later. */
  isWanted?: ((beginning: Buffer) => Promise<boolean>) | undefined;
}

/**
 * A way for messages to come in and go out. `channels.of(name)` returns one.
 * It leaves out the webhook on purpose: providers differ there in everything but the result, an `InboundMessage`.
 *
 * Every method but `explain` and `download` rejects with a `Failure` whose code starts with `channel.`; `channel.ambiguous` means that
 * the request may have been carried out, so `findSent` or `sentAs` must be asked before it is repeated.
 */
export type Channel = ChannelBasics & (Listing | Reporting);

/** Of a provider that can be asked for the messages it sent. */
export interface Listing {
  /**
   * Asks the provider whether a text was sent: the ids of messages to this recipient with exactly this text, sent at `since`
   * (unix ms) or later, newest first.
   */
  findSent(to: Recipient, text: Scrubbed, since: number, signal?: AbortSignal): Promise<string[]>;
}

/** Of a provider that cannot be asked, but reports what became of a message by the name that we gave it. */
export interface Reporting {
  /**
   * The provider's id of a part; null when the part was certainly not sent. Waits some seconds for a report that may be under way.
   * Rejects with `channel.ambiguous` while nobody can tell: it can be asked again later.
   */
  sentAs(partOf: PartOf, signal?: AbortSignal): Promise<string | null>;
}

export interface ChannelBasics {
  readonly name: ChannelName;
  readonly limits: {
    /** The longest text of one message, in UTF-16 code units. */
    textLength: number;
  };

  /**
   * Sends one text, at most `limits.textLength` long, already formatted.
   * @returns the provider's id of the message.
   */
  send(to: Recipient, text: Scrubbed, partOf: PartOf, signal?: AbortSignal): Promise<string>;

  /**
   * Sends a template, also to somebody who never wrote or wrote more than 24 hours ago. Rejects with `channel.template` when there is no such
   * template, it is not approved, or variables are missing. A channel without templates leaves it out, and `templates`.
   */
  sendTemplate?(to: Recipient, message: TemplateMessage, partOf: PartOf, signal?: AbortSignal): Promise<SentTemplate>;
  /** What can go with a text. Left out = nothing. */
  readonly extras?: readonly Extra['kind'][];
  /** Sends a text with a file or with choices, within the 24 hours. @param text at most 1,024 long; '' only with a file */
  sendWith?(to: Recipient, text: Scrubbed, extra: Extra, partOf: PartOf, signal?: AbortSignal): Promise<string>;
  /** How a template is named: by name and language, or by an id. */
  readonly templatesBy?: 'name' | 'id';
  /** Our addresses that can send, the one first that sends when nobody says from which; none when the provider picks one. */
  senders?(signal?: AbortSignal): Promise<string[]>;
  /**
   * The templates of our account, whatever their state. Rejects with `channel.template` when the account is not known:
   * then one can be sent, but not looked up.
   */
  templates?(signal?: AbortSignal): Promise<Template[]>;

  /** Shows "typing…" to the person who wrote `messageId`, and marks that message as read. */
  typing(to: Recipient, messageId: string, signal?: AbortSignal): Promise<void>;

  /** The words of a message of ours, by the provider's id; null when it has none. A channel without quotes leaves it out. */
  wordsOf?(id: string, signal?: AbortSignal): Promise<Scrubbed | null>;

  /**
   * What became of a message of ours, by the provider's id, with its price when the provider knows that by now. Null when the provider
   * does not know the message any more. A channel whose provider reports prices without being asked leaves it out.
   */
  statusOf?(id: string, signal?: AbortSignal): Promise<DeliveryStatus | null>;

  /**
   * Gives a thread back (`release`), so that another responder answers in it, or takes it. A channel whose threads have one owner only
   * leaves it out. Rejects with `channel.rejected` when the provider does not let us.
   */
  controlThread?(to: Recipient, action: ThreadAction, signal?: AbortSignal): Promise<void>;

  /** Loads what the first call needs, without a call. For after the start. */
  prepare?(): Promise<void>;
  /** Resolves when the provider answers and knows us; rejects with a `Failure` else. A channel that cannot ask leaves it out. */
  ping?(signal?: AbortSignal): Promise<void>;

  /** What one of the provider's error codes means, as one sentence for the team; null for a code that is not known. */
  explain(code: string): string | null;
  /** What a refusal with this code of the provider's is about, where its `Failure` does not say; null when it does. */
  scopeOf?(code: string): RefusalScope | null;

  /** The bytes of a file that a person sent, named by `Attachment.ref`. Rejects with a `Failure` whose code starts with `media.`. */
  download(ref: string, options?: DownloadOptions): Promise<Buffer>;
}

/**
 * What a refusal is about: this message with its values; this person, for a while; marketing to this person, for a day; the template,
 * whoever gets it; our account or number, whatever it sends.
 */
export type RefusalScope = 'message' | 'person' | 'marketing' | 'template' | 'account';

/** A template as the provider has it. */
export interface Template {
  ref: TemplateRef;
  /** What the team calls it. */
  name: string;
  /** As the provider writes it: `en`, `pt_BR`. */
  language: string;
  /** What it is for, as the provider counts and charges it: `marketing`, `utility`, `authentication`. '' when it does not say. */
  category: string;
  /** Only one that is approved can be sent. */
  state: 'approved' | 'pending' | 'rejected' | 'paused' | 'disabled';
  /** Why it is not approved, in the provider's words. */
  reason?: Scrubbed;
  /** What the person reads, in order, with `{{name}}` for each variable: header, body, footer, buttons. */
  header?: Scrubbed;
  body: Scrubbed;
  footer?: Scrubbed;
  buttons: Scrubbed[];
  /**
   * The names of its variables, in order, each once: those of the body as the provider names them (`1`, `first_name`); of the header
   * `header.1`; the address of its file `header.image`, `header.video` or `header.document`; the end of a button's address `button.0`,
   * the code that it copies `code.0`.
   */
  variables: string[];
}

export interface SentTemplate {
  /** The provider's id of the message. */
  sid: string;
  /** The provider's whole answer, scrubbed: programs that were written for the provider read it. */
  answer: unknown;
}

/** The response to a webhook while it is still open: the cheapest way to answer, and open for seconds only. */
export interface OpenResponse {
  /**
   * Reserves the response for a reply of so many texts. False when it was answered, its deadline has passed, its socket is closed, or
   * the provider takes fewer texts in a response: then it ends without a reply.
   */
  claim(texts: number): boolean;
  /** Gives a claimed response back; a deadline that passed meanwhile takes effect now. */
  unclaim(): void;
  /**
   * Answers a claimed response with the texts, in order.
   * @returns true when they were flushed to an open socket, false when it closed first: then it is unknown what arrived.
   */
  send(texts: Scrubbed[], replyId: Reply['id']): Promise<boolean>;
  /** Calls back at most once, when the response ends without a reply: from then on a reply needs a call. */
  whenLate(callback: () => void): void;
  /** Answers with nothing. No effect once answered. */
  end(): void;
  /** Answers with an error status, so that the provider counts the webhook as failed. No effect once answered. */
  fail(status: number): void;
}

/** For a provider that takes no answer in the response to its webhook. */
export const NO_RESPONSE: OpenResponse = {
  claim: () => false,
  unclaim() {},
  send: async () => false,
  whenLate: (callback) => callback(),
  end() {},
  fail() {},
};
