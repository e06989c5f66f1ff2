/** Greets somebody who writes for the first time with a template, where the operator wants that. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure, isFailure } from '../errors.ts';
import type { Held } from '../memory/mailbox.ts';
import { type ChannelName, type ContactId, conversationOf, type FilledTemplate, type TemplateRef } from '../message.ts';
import type { Log } from '../ops/logger.ts';
import { filledTemplate, type Templates, textOfTemplate } from '../outbound/templates.ts';
import type { Scrubbed } from '../privacy/scrub.ts';

/** @returns null for somebody who is known, and when the template cannot be sent: then they are answered */
export type Greet = (held: Held, log: Log) => Promise<{ text: Scrubbed; template: FilledTemplate } | null>;

/** So long somebody new waits for the template to be looked up, ms: then they are answered. */
const LOOKUP_MS = 3_000;

export interface GreetOptions {
  template: TemplateRef;
  templates: Pick<Templates, 'check'>;
  /** Can a channel send it? Each provider names templates in its own way. */
  fits: (channel: ChannelName) => boolean;
  /**
   * Has the archive any message with them but these (ids of the provider)? True while the archive does not say: a template costs money.
   */
  isKnown: (contact: ContactId, but: readonly string[]) => Promise<boolean>;
}

export function createGreet({ template: ref, templates, fits, isKnown }: GreetOptions): Greet {
  const message = { template: ref, variables: {} };
  return async function greet({ contact, conversation, history, summary, messages }, log) {
    const { channel } = conversationOf(conversation);
    if (history.length > 0 || summary !== '' || !fits(channel)) return null;
    const written = messages.map(({ id }) => id);
    if (await isKnown(contact, written)) return null;
    try {
      const template = await Promise.race([templates.check(channel, message), late()]);
      return { text: textOfTemplate(template, message), template: filledTemplate(template, message) };
    } catch (error) {
      if (!isFailure(error)) throw error;
      log.warn('FIRST_CONTACT_TEMPLATE cannot be sent; they are answered instead', { code: error.code, error });
      return null;
    }
  };
}

async function late(): Promise<never> {
  await sleep(LOOKUP_MS, undefined, { ref: false });
  throw new Failure('channel.unreachable', 'The templates could not be looked up in time.');
}
