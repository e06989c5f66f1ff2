/** Templates in the inbox: listed, and sent to somebody. */
import type { z } from 'zod';
import type { Conversations } from '../archive/read/conversations.ts';
import type { Template } from '../channels/channel.ts';
import type { Channels } from '../channels/channels.ts';
import { contactIdOf, readAddress } from '../contacts/addresses.ts';
import { Failure, isFailure } from '../errors.ts';
import {
  type Conversation,
  type ConversationId,
  conversationId,
  type TemplateRef,
  templateName,
  templateRef,
} from '../message.ts';
import type { Senders } from '../outbound/senders.ts';
import type { SendTemplate } from '../outbound/template.ts';
import type { Templates } from '../outbound/templates.ts';
import { scrub } from '../privacy/scrub.ts';
import type { Answered, requests, Template as Shown } from './contract.ts';
import { type Names, once } from './once.ts';

export interface TemplateTools {
  channels: Pick<Channels, 'all'>;
  list: Templates['list'];
  send: SendTemplate;
  senders: Pick<Senders, 'find' | 'usual'>;
}

/** One channel that cannot be asked does not hide the templates of the others. */
export async function listTemplates(
  { channels, list }: TemplateTools,
  wanted: string | undefined,
): Promise<Answered<'templates'>> {
  const problems: Answered<'templates'>['problems'] = [];
  const asked = channels.all.filter(({ name, templates }) => templates && (wanted === undefined || name === wanted));
  const lists = await Promise.all(
    asked.map(async ({ name }) => {
      try {
        return (await list(name)).map((template) => presentTemplate(name, template));
      } catch (error) {
        if (!isFailure(error)) throw error;
        problems.push({ channel: name, text: error.message });
        return [];
      }
    }),
  );
  return { success: true, templates: lists.flat(), problems };
}

function presentTemplate(channel: string, template: Template): Shown {
  const { ref, name, language, category, state, reason, header, body, footer, buttons, variables } = template;
  return {
    id: templateName(ref),
    channel,
    name,
    language,
    category,
    state,
    reason: reason ?? null,
    header: header ?? null,
    body,
    footer: footer ?? null,
    buttons,
    variables,
  };
}

/** In the conversation that there is, else in a new one with the number of ours that can send the template. */
export async function sendTemplate(
  { templates: { send, senders }, names }: { templates: TemplateTools; names: Names },
  conversations: Pick<Conversations, 'find'>,
  asked: z.output<typeof requests.sendTemplate>,
): Promise<Answered<'send'>> {
  const ref = refIn(asked.template);
  const conversation = await placeOf();
  const variables = Object.fromEntries(Object.entries(asked.variables).map(([name, value]) => [name, scrub(value)]));
  const message = { template: ref, variables };
  const named = { conversation, content: JSON.stringify(message) };
  const { id, sid } = await once(names, asked.idempotency_key, named, (as) => send(conversation, message, as));
  return { success: true, message_sid: sid, reply_id: id };

  async function placeOf(): Promise<ConversationId> {
    const place = { phone: asked.to_number, business: asked.business_number };
    const known = await conversations.find(place);
    if (known && (place.business !== undefined || (await canSend(known)))) return conversationId(known);
    const sender =
      place.business === undefined
        ? await senders.usual(ref)
        : await senders.find(ref, { business: readAddress(place.business) });
    return conversationId({ ...sender, contact: known?.contact ?? contactIdOf(readAddress(asked.to_number)) });
  }

  function canSend({ channel, business }: Conversation): Promise<boolean> {
    return senders.find(ref, { channel, business }).then(
      () => true,
      () => false,
    );
  }
}

function refIn(name: string): TemplateRef {
  const ref = templateRef(name);
  if (ref === null) throw new Failure('request.invalid', `${name} is no name of a template.`);
  return ref;
}
