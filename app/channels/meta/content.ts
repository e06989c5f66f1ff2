/** What is in a message, whatever kind of message it is. Whoever reads more than this is in `parse.ts`. */
import type { Attachment, Location } from '../../message.ts';
import type { Scrubbed } from '../../privacy/scrub.ts';
import { attachmentKindOf, clean, degreesIn, LONGEST_TEXT, mediaTypeIn } from '../reading.ts';
import type { Content } from './shapes.ts';

/** What only changes another message or tells of something: it needs no answer. */
export const UPDATES = new Set([
  'reaction',
  'system',
  'edit',
  'revoke',
  'request_welcome',
  'call_permission_reply',
  'call',
]);

/** What was written, chosen, pressed or ordered; a caption; a place without coordinates; contact cards as lines. */
export function textIn(content: Content, product: string | undefined): Scrubbed {
  const { interactive, button, order } = content;
  const choice = interactive?.list_reply;
  const caption = [content.image, content.video, content.document].find((file) => file?.caption)?.caption;
  const words = [
    content.text?.body,
    caption,
    interactive?.button_reply?.title,
    choice && [choice.title, choice.description].filter(Boolean).join(': '),
    button?.text,
    content.reaction?.emoji,
    content.system?.body,
    order?.text,
    ...(order?.product_items ?? []).map(lineOfOrder),
    ...content.contacts.map(lineOfContact),
    ...(content.location && !locationIn(content) ? [content.location.name, content.location.address] : []),
    product && `[about the product ${product}]`,
  ];
  return clean(words.filter(Boolean).join('\n'), LONGEST_TEXT);
}

/** `2 × di9ozbzfi4 (4.50 EUR each)` */
function lineOfOrder(item: NonNullable<Content['order']>['product_items'][number]): string {
  const price = item.item_price ? ` (${item.item_price} ${item.currency ?? ''} each)`.replace('  ', ' ') : '';
  return `${item.quantity ?? '1'} × ${item.product_retailer_id ?? 'a product'}${price}`;
}

/** `Contact card: Lucía Gómez, Google, +1 (983) 555-2319` */
function lineOfContact({ name, org, phones, emails }: Content['contacts'][number]): string {
  const facts = [
    name?.formatted_name,
    org?.company,
    ...phones.map(({ phone }) => phone),
    ...emails.map((one) => one.email),
  ];
  return `Contact card: ${facts.filter(Boolean).join(', ')}`;
}

export function attachmentsIn(content: Content): Attachment[] {
  const { image, audio, video, document, sticker } = content;
  const files = [
    { kind: 'image', file: image ?? sticker },
    { kind: 'audio', file: audio },
    { kind: 'video', file: video },
    { kind: 'document', file: document },
  ] as const;
  return files.flatMap(({ kind, file }) => {
    if (!file) return [];
    const contentType = mediaTypeIn(file.mime_type ?? '');
    // The type tells more of a document: a picture or a contact card may be sent as one.
    const told = attachmentKindOf(contentType);
    return [{ kind: told === 'document' ? kind : told, contentType, ref: refOf(file.id) }];
  });
}

/** Meta's ids of files are digits. */
function refOf(id: string | undefined): string {
  return id !== undefined && /^\d{1,40}$/.test(id) ? id : '';
}

export function locationIn({ location }: Content): Location | undefined {
  const latitude = degreesIn(location?.latitude, 90);
  const longitude = degreesIn(location?.longitude, 180);
  if (latitude === undefined || longitude === undefined) return undefined;
  const label = clean(location?.name, LONGEST_TEXT);
  const address = clean(location?.address, LONGEST_TEXT);
  return { latitude, longitude, ...(label !== '' && { label }), ...(address !== '' && { address }) };
}
