/** What the bot posts to the simulated Graph API: checked as Meta checks it, and shown as WhatsApp would. */
import { z } from 'zod';
import { isChannelAddress } from './account.ts';
import { textOf } from './templates.ts';

/** A refusal in Meta's words. */
export class GraphRefusal extends Error {
  readonly status: number;
  readonly code: number;
  readonly subcode: number | undefined;

  constructor(status: number, code: number, message: string, subcode?: number) {
    super(message);
    this.status = status;
    this.code = code;
    this.subcode = subcode;
  }
}

export type Posted =
  /** A message of theirs was read, and maybe somebody types. */
  | { kind: 'read'; messageId: string; typing: boolean }
  | { kind: 'message'; contact: string; body: Message; fields: Record<string, string> };

const title = z.string().min(1).max(20);

/** https://developers.facebook.com/docs/whatsapp/cloud-api/messages/text-messages and its neighbours */
const INTERACTIVE = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('button'),
    body: z.object({ text: z.string().min(1).max(1_024) }),
    action: z.object({
      buttons: z
        .array(z.object({ type: z.literal('reply'), reply: z.object({ id: z.string().min(1).max(256), title }) }))
        .min(1)
        .max(3),
    }),
  }),
  z.object({
    type: z.literal('list'),
    body: z.object({ text: z.string().min(1).max(4_096) }),
    action: z.object({
      button: title,
      sections: z
        .array(
          z.object({
            title: z.string().max(24).optional(),
            rows: z
              .array(
                z.object({
                  id: z.string().min(1).max(200),
                  title: z.string().min(1).max(24),
                  description: z.string().max(72).optional(),
                }),
              )
              .min(1),
          }),
        )
        .min(1)
        .max(10)
        .refine((sections) => sections.flatMap(({ rows }) => rows).length <= 10),
    }),
  }),
]);

const TEMPLATE = z.object({
  name: z.string().regex(/^[a-z0-9_]{1,512}$/),
  language: z.object({ code: z.string().regex(/^[a-z]{2,3}(_[A-Z]{2,3})?$/) }),
  components: z
    .array(z.looseObject({ parameters: z.array(z.looseObject({ text: z.string().optional() })).default([]) }))
    .default([]),
});

const READ = z.object({
  status: z.literal('read'),
  message_id: z.string().startsWith('wamid.'),
  typing_indicator: z.object({ type: z.literal('text') }).optional(),
});

const FILE = z.object({ link: z.url(), caption: z.string().max(1_024).optional() });

const MESSAGE = z.object({
  recipient_type: z.literal('individual').optional(),
  to: z.string().optional(),
  recipient: z.string().optional(),
  /** Without one it is a text. */
  type: z.string().default('text'),
  text: z.object({ body: z.string().min(1).max(4_096), preview_url: z.boolean().optional() }).optional(),
  interactive: INTERACTIVE.optional(),
  template: TEMPLATE.optional(),
  image: FILE.optional(),
  video: FILE.optional(),
  audio: FILE.optional(),
  document: FILE.optional(),
  /** The bot's own name for the message. */
  biz_opaque_callback_data: z.string().max(512).optional(),
});
type Message = z.output<typeof MESSAGE>;

/** Reads the body of `POST /{phone-number-id}/messages`. @throws GraphRefusal */
export function readPosted(json: unknown): Posted {
  if (!z.object({ messaging_product: z.literal('whatsapp') }).safeParse(json).success)
    throw new GraphRefusal(400, 100, 'The parameter messaging_product is required.');
  if (z.object({ status: z.string() }).safeParse(json).success) {
    const { message_id, typing_indicator } = parsed(READ, json);
    return { kind: 'read', messageId: message_id, typing: typing_indicator !== undefined };
  }
  const body = parsed(MESSAGE, json);
  const { to, recipient } = body;
  if (!to && !recipient) throw new GraphRefusal(400, 100, 'The parameter to is required.');
  // Meta takes numbers as people write them, and `to` wins.
  const contact = to ? to.replace(/[\s()+.-]/g, '') : (recipient ?? '');
  const isAddress = to ? /^\d{6,15}$/.test(contact) : isChannelAddress(`whatsapp:${contact}`);
  if (!isAddress) throw new GraphRefusal(400, 100, `Param ${to ? 'to' : 'recipient'} is not a valid WhatsApp account`);
  return { kind: 'message', contact, body, fields: fieldsOf(json) };
}

/** What the person gets to see. @throws GraphRefusal for a type that is not sent here, or has nothing in it */
export function shownText(message: Message): string {
  const { type, text, interactive, template } = message;
  switch (type) {
    case 'text':
      return needed(text, type).body;
    case 'interactive':
      return choicesOf(needed(interactive, type));
    case 'template': {
      const { name, components } = needed(template, type);
      const values = components.flatMap(({ parameters }) => parameters.flatMap(({ text }) => text ?? []));
      const words = textOf(name, Object.fromEntries(values.map((value, i) => [String(i + 1), value])));
      if (words === null) throw new GraphRefusal(404, 132001, 'Template name does not exist in the translation');
      return words;
    }
    case 'image':
    case 'video':
    case 'audio':
    case 'document': {
      const { link, caption = '' } = needed(message[type], type);
      return [caption, `[${type}] ${link}`].filter((part) => part !== '').join('\n');
    }
    default:
      throw new GraphRefusal(400, 131051, 'Unsupported message type');
  }
}

function choicesOf(interactive: z.output<typeof INTERACTIVE>): string {
  const choices =
    interactive.type === 'button'
      ? interactive.action.buttons.map(({ reply }) => reply.title)
      : interactive.action.sections.flatMap(({ rows }) => rows.map(({ title }) => title));
  return [interactive.body.text, ...choices.map((choice) => `[${choice}]`)].join('\n');
}

function needed<Part>(part: Part | undefined, name: string): Part {
  if (part === undefined) throw new GraphRefusal(400, 131008, `Parameter of type ${name} is missing`);
  return part;
}

function parsed<Schema extends z.ZodType>(schema: Schema, json: unknown): z.output<Schema> {
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const path = result.error.issues[0]?.path.join('.') ?? '';
  throw new GraphRefusal(400, 100, `Invalid parameter${path ? `: ${path}` : ''}`);
}

/** The body's fields, as they are shown for developers. */
function fieldsOf(json: unknown): Record<string, string> {
  if (typeof json !== 'object' || json === null) return {};
  const shown = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value));
  return Object.fromEntries(Object.entries(json).map(([name, value]) => [name, shown(value)]));
}
