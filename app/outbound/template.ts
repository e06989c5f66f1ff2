/** Sends a template: decides, records, delivers, notes the outcome. */
import { Failure } from '../errors.ts';
import { encodeEvent } from '../events.ts';
import { countTokens } from '../llm/tokens.ts';
import type { Desk, DeskState } from '../memory/desk.ts';
import type { Publish } from '../memory/publish.ts';
import { repeated } from '../memory/redis.ts';
import {
  type ContactId,
  type ConversationId,
  conversationOf,
  type Line,
  type Reply,
  type TemplateMessage,
  templateName,
} from '../message.ts';
import type { Log } from '../ops/logger.ts';
import type { Deliver, Delivered } from './deliver.ts';
import { goneEvent, sentEvent } from './outcome.ts';
import { refusalOf } from './permission.ts';
import { filledTemplate, type Templates, textOfTemplate } from './templates.ts';

/**
 * Sends a template to a contact, also one who never wrote. It is recorded before it is sent, and becomes part of what the bot remembers; it
 * does not pause the bot. What was sent never rejects, even if it could not be noted: it must not be sent twice.
 * Rejects with a Failure `channel.…` when nothing was sent: `channel.blocked`, `channel.opted_out`, `channel.template` when it cannot be sent
 * like this, else the provider's refusal, which the conversation shows then. `channel.ambiguous`: nobody can tell whether it was sent.
 */
export type SendTemplate = (
  conversation: ConversationId,
  message: TemplateMessage,
  options: SendTemplateOptions,
) => Promise<TemplateSent>;

export interface SendTemplateOptions {
  /** Names the message: 1 to 64 letters, digits, `-` or `_`. What was sent under this name is not sent again. */
  id: string;
  /** When it was first to be sent under this name, unix ms. Default: now. */
  at?: number | undefined;
  /** Where it goes when they never wrote: their number as it was given. Default: as we name the contact. */
  address?: string | undefined;
  /** It may have been sent before under this name: the provider is asked first. Default: false. */
  uncertain?: boolean | undefined;
}

export interface TemplateSent {
  id: string;
  /** The provider's id of the message. */
  sid: string;
  /** The provider's whole answer, scrubbed; left out when it turned out to have been sent before. */
  answer?: unknown;
}

export interface SendTemplateTools {
  templates: Pick<Templates, 'check'>;
  deliver: Deliver;
  desk: Pick<Desk, 'noted' | 'unsay'>;
  /** The memory's state of a conversation, completed from the archive. */
  stateOf: (conversation: ConversationId) => Promise<DeskState>;
  /** Who of these contacts wants no marketing messages. */
  withoutMarketing: (contacts: readonly ContactId[]) => Promise<ReadonlyMap<ContactId, number>>;
  publish: Publish;
  log: Log;
  now: () => number;
}

export function createSendTemplate(tools: SendTemplateTools): SendTemplate {
  const { templates, deliver, desk, stateOf, withoutMarketing, publish, log, now } = tools;
  return async function sendTemplate(conversation, message, { id, at = now(), address, uncertain = false }) {
    const state = await stateOf(conversation);
    const refusal = refusalOf('template', state, now());
    if (refusal) throw new Failure(refusal.code, refusal.reason);
    const { channel, contact } = conversationOf(conversation);
    const template = await templates.check(channel, message);
    if (template?.category === 'marketing' && (await withoutMarketing([contact])).has(contact))
      throw new Failure('channel.opted_out', 'They want no marketing messages from us. Other templates can be sent.');
    const text = textOfTemplate(template, message);
    const to = state.address ?? address ?? contact;
    const reply: Reply = {
      id,
      conversation,
      to,
      parts: [text],
      template: filledTemplate(template, message),
      via: 'call',
      at,
      ...(uncertain && { uncertain }),
    };
    const line: Line = { role: 'assistant', text, at, id, tokens: countTokens(text), desk: true };
    const name = templateName(message.template);
    await desk.noted(
      conversation,
      line,
      encodeEvent({ type: 'template.made', conversation, id, at, to, text, template: name }),
    );
    const look = () => stateOf(conversation);
    const delivered = await deliver({
      reply,
      author: 'template',
      situation: state,
      look,
      response: null,
      history: [],
      log,
    });
    await note(reply, line, delivered);
    if (delivered.kind === 'failed') {
      const { code, reason, providerCode } = delivered;
      throw new Failure(code, reason, { providerCode });
    }
    const [sid = ''] = delivered.sids;
    return { id, sid, ...(delivered.answer !== undefined && { answer: delivered.answer }) };
  };

  async function note(reply: Reply, line: Line, delivered: Delivered): Promise<void> {
    const { conversation } = reply;
    const { contact } = conversationOf(conversation);
    try {
      if (delivered.kind === 'sent') {
        await repeated(() => publish(contact, sentEvent(reply, delivered.sids, now())));
        return;
      }
      // Nobody can tell: it is tried again, or stays as it is.
      if (delivered.code === 'channel.ambiguous') return;
      await repeated(() => desk.unsay(conversation, line, goneEvent(reply, delivered, now())));
    } catch (error) {
      log.error('The outcome of a template was not recorded', { outcome: delivered.kind, error });
    }
  }
}
