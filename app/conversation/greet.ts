/** Greets somebody who writes for the first time with a template, where the operator wants that. */
import { isFailure } from '../errors.ts';
import type { Held } from '../memory/mailbox.ts';
import { type ContactId, conversationOf, type FilledTemplate, type TemplateRef } from '../message.ts';
import type { Log } from '../ops/logger.ts';
import { filledTemplate, type Templates, textOfTemplate } from '../outbound/templates.ts';
import type { Scrubbed } from '../privacy/scrub.ts';

/** @returns null for somebody who is known, and when the template cannot be sent: then they are answered */
export type Greet = (held: Held, log: Log) => Promise<{ text: Scrubbed; template: FilledTemplate } | null>;

export interface GreetOptions {
  template: TemplateRef;
  templates: Pick<Templates, 'check'>;
  /**
   * Has the archive any message with them but these (ids of the provider)? True while the archive does not say: a template costs money.
   */
  isKnown: (contact: ContactId, but: readonly string[]) => Promise<boolean>;
}

export function createGreet({ template: ref, templates, isKnown }: GreetOptions): Greet {
  const message = { template: ref, variables: {} };
  return async function greet({ contact, conversation, history, summary, messages }, log) {
    if (history.length > 0 || summary !== '') return null;
    const written = messages.map(({ id }) => id);
    if (await isKnown(contact, written)) return null;
    try {
      const template = await templates.check(conversationOf(conversation).channel, message);
      return { text: textOfTemplate(template, message), template: filledTemplate(template, message) };
    } catch (error) {
      if (!isFailure(error)) throw error;
      log.warn('FIRST_CONTACT_TEMPLATE cannot be sent; they are answered instead', { code: error.code, error });
      return null;
    }
  };
}
