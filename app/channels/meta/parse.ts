/** A batch of events → what they are, in our words. Fields: https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks/components */
import { contactIdOf } from '../../contacts/addresses.ts';
import type { Attachment, DeliveryStatus, Echo, InboundMessage, Location, Referral, Unread } from '../../message.ts';
import { type Scrubbed, scrub } from '../../privacy/scrub.ts';
import { answersIn } from '../form.ts';
import {
  attachmentKindOf,
  clean,
  degreesIn,
  isAddress,
  LONGEST_AD,
  LONGEST_NAME,
  LONGEST_TEXT,
  mediaTypeIn,
  nameIn,
  tokenIn,
} from '../reading.ts';
import type { Numbers } from './numbers.ts';
import { Batch, Change, type Contact, type Content, Echo as EchoShape, Message, Status } from './shapes.ts';
import { META, readStatus } from './status.ts';

export type Inbound =
  | { kind: 'message'; message: InboundMessage }
  | { kind: 'status'; status: DeliveryStatus }
  | { kind: 'echo'; echo: Echo }
  /** Nothing to keep. `reason` is for the operator and holds nothing of what was sent. */
  | { kind: 'ignored'; reason: string };

export interface BatchContext {
  /** Unix ms. */
  receivedAt: number;
  requestId: string;
  /** Our own: what belongs to another number is left alone. They learn which number is behind an id. */
  numbers: Pick<Numbers, 'only' | 'isOurs' | 'numberOf' | 'learn'>;
}

/** Which number of ours a change is about, and whether we may answer. */
interface Place {
  business: string;
  /** Another responder owns the thread: it is kept and shown, and never answered. */
  isStandby: boolean;
}

/**
 * Everything in a batch, in order. What cannot be read is one `ignored` event, and takes nothing else with it.
 * @param batch the body, as JSON
 */
export function readBatch(batch: unknown, context: BatchContext): Inbound[] {
  const read = Batch.safeParse(batch);
  if (!read.success) return [ignored('The body is no batch of events: it has no list named entry.')];
  const { numbers } = context;
  // All came at the same moment; what comes later in the batch was written later.
  let { receivedAt } = context;
  const next = () => receivedAt++;
  const changes = read.data.entry.flatMap((entry) => entry.changes);
  return changes.flatMap((change) => {
    const { success, data } = Change.safeParse(change);
    if (!success) return [ignored('An event has no value.')];
    const { field = 'messages', value } = data;
    const id = value.metadata?.phone_number_id ?? numbers.only;
    if (id === undefined) return [ignored(`An event of the field ${nameOf(field)} names no number of ours.`)];
    if (!numbers.isOurs(id)) return [ignored('An event is for a number that is not in PHONE_NUMBER_ID.')];
    const number = digitsOf(value.metadata?.display_phone_number);
    if (number !== undefined) numbers.learn(id, number);
    const business = number ?? numbers.numberOf(id) ?? id;
    const request = { next, requestId: context.requestId };
    const ours = thingsIn(value, { business, isStandby: field === 'standby' }, request);
    const standby = value.standby ? thingsIn(value.standby, { business, isStandby: true }, request) : [];
    const found = [...ours, ...standby];
    return found.length > 0 ? found : [ignored(`An event of the field ${nameOf(field)} has nothing that is kept.`)];
  });
}

type Things = Omit<Change['value'], 'metadata' | 'standby'>;

/** The request that brought it. */
interface Request {
  /** When a message was received, unix ms: each after the one before it. */
  next: () => number;
  requestId: string;
}

function thingsIn(
  { contacts, messages, statuses, message_echoes, errors }: Things,
  place: Place,
  request: Request,
): Inbound[] {
  return [
    ...messages.map((one) => safely(() => readMessage(one, contacts, place, request))),
    ...statuses.map((one) => safely(() => readReport(one, place))),
    ...message_echoes.map((one) => safely(() => readEcho(one, place, request))),
    ...errors.map(({ code }) => ignored(`Meta reports an error of its own: ${Number(code) || 'without a code'}.`)),
  ];
}

function readReport(one: unknown, { business }: Place): Inbound {
  const read = Status.safeParse(one);
  const status = read.success ? readStatus(read.data, business) : null;
  return status ? { kind: 'status', status } : ignored('A status names no message, or nobody who got it.');
}

/** What the team sent from the Business app; what they edited or took back is ignored. */
function readEcho(one: unknown, { business, isStandby }: Place, { next }: Request): Inbound {
  if (isStandby) return ignored('Another responder wrote to somebody.');
  const read = EchoShape.safeParse(one);
  if (!read.success) return ignored('A message of the Business app has no id.');
  const { id, timestamp, ...content } = read.data;
  const to = digitsOf(content.to) ?? content.to;
  if (to === undefined || !isAddress(to)) return ignored('A message of the Business app does not say to whom.');
  const kind = isWord(content.type) ? content.type : 'message';
  if (UPDATES.has(kind)) return ignored(`What came from the Business app is only an update (${kind}).`);
  const words = textIn(content, undefined);
  const text = words === '' ? scrub(`[${kind}]`) : words;
  const receivedAt = next();
  const at = sentAtIn({ timestamp }, receivedAt).sentAt ?? receivedAt;
  return { kind: 'echo', echo: { id, channel: META, business, to, contact: contactIdOf(to), text, at } };
}

/** Whatever is wrong with one event takes no other with it. */
function safely(read: () => Inbound): Inbound {
  try {
    return read();
  } catch (error) {
    return ignored(`It cannot be read: ${error instanceof Error ? error.name : 'unknown'}.`);
  }
}

function readMessage(one: unknown, contacts: readonly Contact[], place: Place, { next, requestId }: Request): Inbound {
  const read = Message.safeParse(one);
  if (!read.success) return ignored('A message has no id.');
  const message = read.data;
  // A group has many people: an answer would go to all of them, and opens no window to anybody.
  if (message.group_id !== undefined) return ignored('A message was written in a group.');
  const addresses = addressesOf(message, contacts);
  const [from, ...aliases] = addresses;
  if (from === undefined) return ignored('A message does not say who wrote it.');
  const receivedAt = next();
  return {
    kind: 'message',
    message: {
      id: message.id,
      channel: META,
      business: place.business,
      from,
      ...(aliases.length > 0 && { aliases }),
      contact: contactIdOf(from),
      profileName: nameIn(contacts.find((contact) => isOf(contact, addresses))?.profile?.name),
      receivedAt,
      ...sentAtIn(message, receivedAt),
      ...contentIn(message),
      ...originalIn(one),
      ...(place.isStandby && { answered: true as const }),
      requestId,
    },
  };
}

/** Larger ones are no message of a person. */
const LARGEST_ORIGINAL = 65_536;

/** Deeper ones neither. */
const DEEPEST_ORIGINAL = 20;

/** Programs that were written for Meta's format get it as it came, but for addresses of Meta. */
function originalIn(one: unknown): Pick<InboundMessage, 'original'> {
  try {
    const original = cleanedCopy(one, DEEPEST_ORIGINAL);
    // What has an id is an object.
    return JSON.stringify(original).length > LARGEST_ORIGINAL ? {} : { original: original as Record<string, unknown> };
  } catch {
    return {};
  }
}

/** @throws RangeError when it is nested more than `levels` deep */
function cleanedCopy(value: unknown, levels: number): unknown {
  if (typeof value === 'string') return clean(value, LONGEST_TEXT);
  if (typeof value !== 'object' || value === null) return value;
  if (levels === 0) throw new RangeError('nested too deep');
  const copies = Object.entries(value).map(([key, inner]) => [
    clean(key, LONGEST_NAME),
    cleanedCopy(inner, levels - 1),
  ]);
  return Array.isArray(value) ? copies.map(([, copy]) => copy) : Object.fromEntries(copies);
}

/** What a person sent, whatever kind of message it is. */
function contentIn(
  message: Message,
): Omit<
  InboundMessage,
  'id' | 'channel' | 'business' | 'from' | 'contact' | 'profileName' | 'receivedAt' | 'requestId'
> {
  // An edit has the new message inside.
  const content: Content = message.edit?.message ?? message;
  const { context } = message;
  const text = textIn(content, context?.referred_product?.product_retailer_id);
  const attachments = attachmentsIn(content);
  const location = locationIn(content);
  const { button_reply: button, list_reply: choice, nfm_reply: form } = content.interactive ?? {};
  const buttonPayload = clean(button?.id ?? choice?.id ?? content.button?.payload, LONGEST_TEXT);
  const answers = clean(answersIn(jsonOf(form?.response_json)), LONGEST_TEXT);
  const isEmpty = text === '' && attachments.length === 0 && !location && buttonPayload === '' && answers === '';
  const unread = unreadIn(message);
  const referral = referralIn(message);
  const about = message.edit ?? message.revoke;
  const inReplyTo = tokenIn(about?.original_message_id ?? content.reaction?.message_id ?? context?.id);
  return {
    text,
    attachments,
    ...(location && { location }),
    ...(buttonPayload !== '' && { buttonPayload }),
    ...((context?.forwarded || context?.frequently_forwarded) && { forwarded: true as const }),
    ...(inReplyTo !== undefined && { inReplyTo }),
    ...(answers !== '' && { form: answers }),
    ...(referral && { referral }),
    ...((isEmpty || unread.isUpdate) && { unread }),
  };
}

/** Each once: the number first, as it is what people know; then ids. */
function addressesOf(message: Message, contacts: readonly Contact[]): string[] {
  const { from, from_user_id: id, from_parent_user_id: parent } = message;
  const own = [digitsOf(from) ?? from, id, parent].filter((one) => one !== undefined && isAddress(one));
  const found = contacts.find((contact) => isOf(contact, own));
  // A batch of one message and one contact needs no name to match.
  const contact = found ?? (contacts.length === 1 && own.length === 0 ? contacts[0] : undefined);
  const more = contact ? [contact.wa_id, contact.user_id, contact.parent_user_id] : [];
  more.push(...idsThatChanged(message));
  const all = [...own, ...more].filter((one): one is string => one !== undefined && isAddress(one));
  return [...new Set(all)];
}

/** The new ids of a person and those before: memory, block and consent go with them. A new number is another contact. */
function idsThatChanged({ system }: Message): (string | undefined)[] {
  if (system?.type !== 'user_changed_user_id') return [];
  return [system.user_id, system.parent_user_id, system.previous_user_id, system.previous_parent_user_id];
}

function isOf({ wa_id, user_id, parent_user_id }: Contact, addresses: readonly (string | undefined)[]): boolean {
  return [wa_id, user_id, parent_user_id].some((one) => one !== undefined && addresses.includes(one));
}

/** When it was sent: a message that Meta could not bring us for hours does not open the 24 hours anew. */
function sentAtIn({ timestamp }: Pick<Message, 'timestamp'>, receivedAt: number): { sentAt?: number } {
  const at = /^\d{9,11}$/.test(timestamp ?? '') ? Number(timestamp) * 1_000 : receivedAt;
  return at < receivedAt - DELAY_MS && at > receivedAt - LONGEST_DELAY_MS ? { sentAt: at } : {};
}

/** A message is always some seconds on its way, and clocks differ. */
const DELAY_MS = 60_000;
/** Meta tries for seven days. What says that it is older was not sent by Meta just now: it is an example, or a recording. */
const LONGEST_DELAY_MS = 8 * 86_400_000;

/** What was written, chosen, pressed or ordered; a caption; a place without coordinates; contact cards as lines. */
function textIn(content: Content, product: string | undefined): Scrubbed {
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

function attachmentsIn(content: Content): Attachment[] {
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

function locationIn({ location }: Content): Location | undefined {
  const latitude = degreesIn(location?.latitude, 90);
  const longitude = degreesIn(location?.longitude, 180);
  if (latitude === undefined || longitude === undefined) return undefined;
  const label = clean(location?.name, LONGEST_TEXT);
  const address = clean(location?.address, LONGEST_TEXT);
  return { latitude, longitude, ...(label !== '' && { label }), ...(address !== '' && { address }) };
}

function referralIn({ referral }: Message): Referral | undefined {
  if (!referral) return undefined;
  const headline = clean(referral.headline?.trim(), LONGEST_AD);
  const body = clean(referral.body?.trim(), LONGEST_AD);
  const sourceId = tokenIn(referral.source_id);
  const clickId = tokenIn(referral.ctwa_clid);
  return {
    ...(headline !== '' && { headline }),
    ...(body !== '' && { body }),
    ...(sourceId !== undefined && { sourceId }),
    ...(clickId !== undefined && { clickId }),
  };
}

/** What nobody can read is kept and answered with one sentence; what only changes or comments on something needs no answer. */
function unreadIn({ type, unsupported, interactive }: Message): Unread {
  const kind = [unsupported?.type, type === 'interactive' ? interactive?.type : type].find(isWord) ?? 'unknown';
  return { kind: SAYS_NOTHING.has(kind) ? 'unknown' : kind, isUpdate: UPDATES.has(type ?? '') || UPDATES.has(kind) };
}

function isWord(kind: string | undefined): kind is string {
  return kind !== undefined && /^[a-z0-9_-]{1,40}$/.test(kind);
}

const SAYS_NOTHING = new Set(['text', 'unsupported', 'unknown']);
const UPDATES = new Set(['reaction', 'system', 'edit', 'revoke', 'request_welcome', 'call_permission_reply']);

/** Texts and objects: `answersIn` reads JSON. */
function jsonOf(value: unknown): string {
  if (value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function digitsOf(number: string | undefined): string | undefined {
  const digits = number?.replace(/[\s()+.-]/g, '');
  return digits && /^\d+$/.test(digits) ? digits : undefined;
}

function nameOf(field: string): string {
  return isWord(field) ? field : 'with an odd name';
}

function ignored(reason: string): Inbound {
  return { kind: 'ignored', reason: String(scrub(reason)) };
}
