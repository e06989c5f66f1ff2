/** Sends a template: decides, records, delivers, notes the outcome. */
import type { ConversationId, TemplateMessage } from '../message.ts';

/**
 * Sends a template to a contact. It is recorded before it is sent, and becomes part of what the bot remembers; it does not pause the
 * bot. What was sent never rejects, even if it could not be noted: it must not be sent twice.
 * Rejects with a Failure `channel.…` when nothing was sent: `channel.blocked`, `channel.opted_out`, `channel.template` when it cannot be sent
 * like this, else the provider's refusal, which the conversation shows then. `channel.ambiguous`: nobody can tell whether it was sent.
 */
export type SendTemplate = (
  conversation: ConversationId,
  message: TemplateMessage,
  options: SendTemplateOptions,
) => Promise<TemplateSent>;

export interface SendTemplateOptions {
  /** Names the message: what is sent again under the same name is recorded once. */
  id: string;
  /** It may have been sent before under this name: the provider is asked first. Default: false. */
  uncertain?: boolean | undefined;
  signal?: AbortSignal | undefined;
}

export interface TemplateSent {
  id: string;
  /** The provider's id of the message. */
  sid: string;
  /** The provider's whole answer, scrubbed; undefined when it was found to have been sent before. */
  answer?: unknown;
}
