import type { Reply } from '../message.ts';
import type { Scrubbed } from '../privacy/scrub.ts';

/** Who a message goes to, and as whom: addresses as in `message.ts`, without `whatsapp:` and `+`. */
export interface Recipient {
  business: string;
  contact: string;
}

/**
 * A way for messages to come in and go out. Twilio and Meta's Cloud API are the two.
 * It leaves out the webhook on purpose: providers differ there in everything but the result, an `InboundMessage`.
 *
 * Every method rejects with a `Failure` whose code starts with `channel.`; `channel.ambiguous` means that the
 * request may have been carried out, so `findSent` must be asked before it is repeated.
 */
export interface Channel {
  readonly limits: {
    /** The longest text of one message, in UTF-16 code units. */
    textLength: number;
  };

  /**
   * Sends one text, at most `limits.textLength` long, already formatted for the channel.
   * @param replyId the reply it belongs to; comes back with its delivery status.
   * @returns the provider's id of the message.
   */
  send(to: Recipient, text: Scrubbed, replyId: Reply['id'], signal?: AbortSignal): Promise<string>;

  /** Shows "typing…" to the person who wrote `messageId`. Marks it as read, too. */
  typing(messageId: string, signal?: AbortSignal): Promise<void>;

  /**
   * The provider's own word on whether a text went out: the ids of messages to this recipient with exactly this
   * text, sent at `since` (unix ms) or later, newest first.
   */
  findSent(to: Recipient, text: Scrubbed, since: number, signal?: AbortSignal): Promise<string[]>;
}

/** The response to a webhook while it is still open: the cheapest way to answer, and open only for seconds. */
export interface OpenResponse {
  /** Reserves the response for a reply. False when it has been answered, its deadline passed or its socket closed. */
  claim(): boolean;
  /** Gives a claimed response back; a deadline that passed meanwhile takes effect now. */
  unclaim(): void;
  /**
   * Answers a claimed response with the texts, in order.
   * @returns true when they were flushed to an open socket, false when it closed first: nobody knows what arrived.
   */
  send(texts: Scrubbed[], replyId: Reply['id']): Promise<boolean>;
  /** Calls back at most once, when the response ends without a reply: from then on a reply goes another way. */
  whenLate(callback: () => void): void;
  /** Answers with nothing: what there is to say, if anything, goes another way. No effect once answered. */
  end(): void;
  /** Answers with an error status, so that the provider counts the webhook as failed. No effect once answered. */
  fail(status: number): void;
}
