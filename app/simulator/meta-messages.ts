/**
 * What Meta posts, as a contact of a Cloud API number makes it happen. Shapes:
 * https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks/components
 */
import { createHmac } from 'node:crypto';
import { usernameId } from './account.ts';
import type { SimulatedPerson, Written } from './contract.ts';
import type { MessageState } from './outgoing.ts';

/** Our number, as it is named in every event. */
export interface OwnNumber {
  /** Without `+`. */
  number: string;
  phoneNumberId: string;
  /** Of the account that has the templates. */
  accountId: string;
}

/** What is known of a message beside what was written. */
export interface Facts {
  id: string;
  /** Unix ms. */
  at: number;
  /** Meta's id of the file that it carries. */
  mediaId?: string;
  /** SHA-256 of the file, base64. */
  sha256?: string;
  /** The message that a pressed button stood under. */
  repliedTo?: string | undefined;
}

/** A message as it stands in a batch. */
export function messageFrom(written: Written, business: string, facts: Facts): object {
  const context = facts.repliedTo === undefined ? {} : { context: { from: business, id: facts.repliedTo } };
  const { id, at } = facts;
  return {
    ...senderOf(written),
    id,
    timestamp: seconds(at),
    ...(written.button && context),
    ...contentOf(written, facts),
  };
}

/** Who somebody is: whoever has a username shows no number. */
function senderOf({ contact }: SimulatedPerson): { from?: string; from_user_id: string } {
  return { ...(isNumber(contact) && { from: contact }), from_user_id: usernameId(contact) };
}

/** The same for the list of contacts in a batch. */
export function profileOf({ contact, profileName }: SimulatedPerson): object {
  const wa = isNumber(contact) ? { wa_id: contact } : {};
  return { profile: { name: profileName }, ...wa, user_id: usernameId(contact) };
}

function contentOf(written: Written, facts: Facts): object {
  const { about, media, location, card, button, text } = written;
  if (about) return changeOf(about, text);
  if (media) return mediaOf(media.contentType, media.name, text, facts);
  if (location) {
    const { label: name, address, ...place } = location;
    return { type: 'location', location: { ...place, ...(name && { name }), ...(address && { address }) } };
  }
  if (card) {
    const digits = card.phone.replace(/\D/g, '');
    const phones = [{ phone: card.phone, type: 'CELL', wa_id: digits }];
    return { type: 'contacts', contacts: [{ name: { formatted_name: card.name, first_name: card.name }, phones }] };
  }
  if (button) {
    const button_reply = { id: button.payload, title: text };
    return { type: 'interactive', interactive: { type: 'button_reply', button_reply } };
  }
  return { type: 'text', text: { body: text } };
}

function changeOf({ sid, as }: NonNullable<Written['about']>, text: string): object {
  switch (as) {
    case 'edit':
      return { type: as, edit: { original_message_id: sid, message: { type: 'text', text: { body: text } } } };
    case 'revoke':
      return { type: as, revoke: { original_message_id: sid } };
    case 'reaction':
      // One that is taken back has no emoji.
      return { type: as, reaction: { message_id: sid, ...(text && { emoji: text }) } };
  }
}

/** A voice note is an audio file with a flag; documents have names, and all but audio may have a caption. */
function mediaOf(contentType: string, name: string, text: string, { mediaId, sha256 }: Facts): object {
  const file = { id: mediaId, mime_type: contentType, sha256 };
  const caption = text === '' ? {} : { caption: text };
  const family = contentType.split('/', 1)[0] ?? '';
  switch (family) {
    case 'audio':
      return { type: family, audio: { ...file, voice: true } };
    case 'image':
    case 'video':
      return { type: family, [family]: { ...file, ...caption } };
    default:
      return { type: 'document', document: { ...file, ...(name && { filename: name }), ...caption } };
  }
}

/** The address that something goes to, as statuses name it. */
function recipientOf(contact: string): object {
  return { ...(isNumber(contact) && { recipient_id: contact }), recipient_user_id: usernameId(contact) };
}

/** What became of a message of ours. @param data `biz_opaque_callback_data`: it comes back with every status */
export function statusOf(id: string, contact: string, state: MessageState, data: string | undefined): object {
  const pricing = { billable: false, pricing_model: 'PMP', type: 'free_customer_service', category: 'service' };
  return {
    id,
    status: state,
    timestamp: seconds(Date.now()),
    ...recipientOf(contact),
    ...(state === 'read' ? {} : { pricing }),
    ...(data !== undefined && { biz_opaque_callback_data: data }),
  };
}

/** A batch around what people wrote; of a thread that another responder owns when `standby`. */
export function messagesBatch(own: OwnNumber, things: { contacts: object[]; messages: object[] }, standby: boolean) {
  return standby
    ? batchOf('standby', { metadata: metadataOf(own), standby: things })
    : batchOf('messages', { metadata: metadataOf(own), ...things });
}

export function statusBatch(own: OwnNumber, status: object): object {
  return batchOf('messages', { metadata: metadataOf(own), statuses: [status] });
}

/** The other responder passes a thread to us. The event has no `metadata`, and names the person by their number alone. */
export function handoverBatch(own: OwnNumber, contact: string, summary: string): object {
  return batchOf('messaging_handovers', {
    recipient: metadataOf(own),
    sender: isNumber(contact) ? { phone_number: contact } : {},
    timestamp: seconds(Date.now()),
    type: 'control_passed',
    control_passed: {
      previous_owner_app_id: '100000000000002',
      previous_owner_app_role: 'meta_business_agent',
      previous_owner_role: 'ai_agent',
      new_owner_role: 'escalation',
      conversation_context: { type: 'summary', summary: { text: summary } },
    },
  });
}

function batchOf(field: string, value: object): object {
  const changes = [{ value: { messaging_product: 'whatsapp', ...value }, field }];
  return { object: 'whatsapp_business_account', entry: [{ id: BUSINESS_ACCOUNT, changes }] };
}

const BUSINESS_ACCOUNT = '100000000000001';

function metadataOf({ number, phoneNumberId }: OwnNumber): object {
  return { display_phone_number: number, phone_number_id: phoneNumberId };
}

/** Meta writes what is not ASCII as escapes, and signs the bytes. */
export function bytesOf(batch: object): string {
  return JSON.stringify(batch).replace(
    /[\u0080-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** `X-Hub-Signature-256` */
export function signatureOf(appSecret: string, bytes: string): string {
  return `sha256=${createHmac('sha256', appSecret).update(bytes).digest('hex')}`;
}

export function isNumber(contact: string): boolean {
  return /^\d+$/.test(contact);
}

function seconds(ms: number): string {
  return String(Math.floor(ms / 1_000));
}
