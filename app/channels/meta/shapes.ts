/**
 * What Meta's webhooks consist of, as far as it is read: https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks/components
 *
 * Nothing but an id is demanded of a message: a field that is missing or has another shape than expected counts as not there.
 */
import { z } from 'zod';
import { findLeaks } from '../../privacy/scrub.ts';

/** A text; a number is taken for one, as Meta's own examples differ. */
const text = z
  .union([z.string(), z.number().transform(String)])
  .optional()
  .catch(undefined);
const flag = z.boolean().optional().catch(undefined);

function maybe<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.object(shape).optional().catch(undefined);
}

/** Of a list, what has the shape. */
function listOf<Item extends z.ZodType>(item: Item) {
  return z
    .array(z.unknown())
    .catch([])
    .transform((items) =>
      items.flatMap((one) => {
        const read = item.safeParse(one);
        return read.success ? [read.data] : [];
      }),
    );
}

/** An address is none: ids are stored as they are. */
const wamid = z
  .string()
  .regex(/^[\w.=+/-]{1,200}$/)
  .refine((id) => findLeaks(id).length === 0);

const media = maybe({ id: text, mime_type: text, caption: text });
const error = z.object({ code: text });

const content = {
  type: text,
  text: maybe({ body: text }),
  image: media,
  audio: media,
  video: media,
  document: media,
  sticker: media,
  location: maybe({ latitude: z.unknown().optional(), longitude: z.unknown().optional(), name: text, address: text }),
  contacts: listOf(
    z.object({
      name: maybe({ formatted_name: text }),
      org: maybe({ company: text }),
      phones: listOf(z.object({ phone: text })),
      emails: listOf(z.object({ email: text })),
    }),
  ),
  interactive: maybe({
    type: text,
    button_reply: maybe({ id: text, title: text }),
    list_reply: maybe({ id: text, title: text, description: text }),
    nfm_reply: maybe({ response_json: z.unknown().optional() }),
  }),
  button: maybe({ text, payload: text }),
  reaction: maybe({ message_id: text, emoji: text }),
  order: maybe({
    text,
    product_items: listOf(z.object({ product_retailer_id: text, quantity: text, item_price: text, currency: text })),
  }),
  system: maybe({
    body: text,
    type: text,
    user_id: text,
    parent_user_id: text,
    previous_user_id: text,
    previous_parent_user_id: text,
    wa_id: text,
    /** As older versions call it. */
    new_wa_id: text,
  }),
  unsupported: maybe({ type: text }),
  errors: listOf(error),
};

export const Message = z.object({
  id: wamid,
  from: text,
  from_user_id: text,
  from_parent_user_id: text,
  group_id: text,
  timestamp: text,
  context: maybe({
    id: text,
    forwarded: flag,
    frequently_forwarded: flag,
    referred_product: maybe({ product_retailer_id: text }),
  }),
  referral: maybe({ headline: text, body: text, source_id: text, ctwa_clid: text }),
  edit: maybe({ original_message_id: text, message: maybe(content) }),
  revoke: maybe({ original_message_id: text }),
  ...content,
});
export type Message = z.output<typeof Message>;
export type Content = z.output<z.ZodObject<typeof content>>;

/** Of a message that the team sent from the Business app. */
export const Echo = z.object({ id: wamid, to: text, timestamp: text, ...content });
export type Echo = z.output<typeof Echo>;

/** Of a message that another responder sent in a thread that it owns. */
export const OthersEcho = z.object({
  id: wamid,
  timestamp: text,
  message: z.object({ to: text, recipient: text, ...content }),
});

/** Of one from the time before the number came to this API: either side's. */
export const Past = z.object({ id: wamid, from: text, to: text, timestamp: text, ...content });
export type Past = z.output<typeof Past>;

const words = z
  .union([z.string(), z.object({ body: z.string() }).transform(({ body }) => body)])
  .optional()
  .catch(undefined);

/** It has no `metadata`, and names the contact by the number alone. */
export const Handovers = z.object({
  sender: maybe({ phone_number: text }),
  timestamp: text,
  type: text,
  control_passed: maybe({
    metadata: text,
    new_owner_role: text,
    conversation_context: maybe({
      summary: maybe({ text: words }),
      history: maybe({ items: listOf(z.object({ role: text, sender_type: text, type: text, text: words })) }),
    }),
  }),
});

export type Handovers = z.output<typeof Handovers>;

export const Preference = z.object({ wa_id: text, user_id: text, category: text, value: text, timestamp: text });

export const Call = z.object({
  id: wamid,
  from: text,
  from_user_id: text,
  from_parent_user_id: text,
  timestamp: text,
  direction: text,
});
export type Call = z.output<typeof Call>;

/** Of the fields that tell of templates, the account, its numbers and its limits. */
export const News = z.object({
  event: text,
  message_template_name: text,
  message_template_language: text,
  reason: text,
  other_info: maybe({ description: text }),
  rejection_info: maybe({ reason: text }),
  new_quality_score: text,
  previous_category: text,
  new_category: text,
  correct_category: text,
  category_update_timestamp: text,
  ban_info: maybe({ waba_ban_state: text, waba_ban_date: text }),
  violation_info: maybe({ violation_type: text }),
  restriction_info: listOf(z.object({ restriction_type: text, expiration: text })),
  display_phone_number: text,
  current_limit: text,
  max_daily_conversations_per_business: text,
  max_daily_conversation_per_phone: text,
});
export type News = z.output<typeof News>;

export const Contact = z.object({
  wa_id: text,
  user_id: text,
  parent_user_id: text,
  profile: maybe({ name: text }),
});
export type Contact = z.output<typeof Contact>;

export const Status = z.object({
  id: z.string().min(1),
  status: text,
  timestamp: text,
  recipient_id: text,
  recipient_user_id: text,
  biz_opaque_callback_data: text,
  pricing: maybe({ billable: flag, category: text }),
  errors: listOf(error),
});
export type Status = z.output<typeof Status>;

const things = {
  contacts: listOf(Contact),
  messages: z.array(z.unknown()).catch([]),
  statuses: z.array(z.unknown()).catch([]),
  message_echoes: z.array(z.unknown()).catch([]),
  user_preferences: z.array(z.unknown()).catch([]),
  calls: z.array(z.unknown()).catch([]),
  history: listOf(
    z.object({
      threads: listOf(z.object({ id: text, messages: listOf(Past) })),
      errors: listOf(error),
    }),
  ),
  errors: listOf(error),
};

/** Document copies of it have no `field` and no `messaging_product`. */
export const Change = z.object({
  field: text,
  value: z.object({
    metadata: maybe({ display_phone_number: text, phone_number_id: text }),
    /** Of the field `messaging_handovers`, instead of `metadata`. */
    recipient: maybe({ display_phone_number: text, phone_number_id: text }),
    ...things,
    /** Of the field `standby`: what goes on in a thread that another responder owns. */
    standby: maybe(things),
  }),
});
export type Change = z.output<typeof Change>;

export const Batch = z.object({
  entry: listOf(z.object({ id: text, time: text, changes: z.array(z.unknown()).catch([]) })),
});
