/** A batch of events → what they are, in our words. Fields: https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks/components */
import { contactIdOf, isNumber } from '../../contacts/addresses.ts';
import type { InboundMessage, Referral, Route, Unread } from '../../message.ts';
import { answersIn } from '../form.ts';
import { clean, isAddress, LONGEST_AD, LONGEST_NAME, LONGEST_TEXT, nameIn, tokenIn } from '../reading.ts';
import { readCall, readEcho, readHandover, readOthersEcho, readPast, readPastFile, readPreference } from './beside.ts';
import { attachmentsIn, locationIn, textIn, UPDATES } from './content.ts';
import {
  digitsOf,
  type Inbound,
  ignored,
  isWord,
  type Place,
  type Request,
  safely,
  sentAtIn,
  stampIn,
} from './inbound.ts';
import { isNewsField, readNews } from './news.ts';
import type { Numbers } from './numbers.ts';
import { Batch, Change, type Contact, type Content, Message, Past, Status } from './shapes.ts';
import { META, readStatus } from './status.ts';

export interface BatchContext {
  /** Unix ms. */
  receivedAt: number;
  requestId: string;
  /** Our business account; undefined when it was not given: then every account's templates are taken for ours. */
  accountId?: string | undefined;
  /** Our own: what belongs to another number is left alone. They learn which number is behind an id. */
  numbers: Pick<Numbers, 'only' | 'isOurs' | 'numberOf' | 'learn'>;
}

/**
 * Everything in a batch, in order. What cannot be read is one `ignored` event, and takes nothing else with it.
 * @param batch the body, as JSON
 */
export function readBatch(batch: unknown, context: BatchContext): Inbound[] {
  const read = Batch.safeParse(batch);
  if (!read.success) return [ignored('The body is no batch of events: it has no list named entry.')];
  // All came at the same moment; what comes later in the batch was written later.
  let { receivedAt } = context;
  const request = { next: () => receivedAt++, requestId: context.requestId };
  return read.data.entry.flatMap(({ id, time, changes }) =>
    changes.flatMap((change) => safely(() => readChange(change, { id, time }, context, request))),
  );
}

/** @param entry whose account it is about, and its stamp */
function readChange(
  change: unknown,
  entry: { id: string | undefined; time: string | undefined },
  { numbers, accountId }: Pick<BatchContext, 'numbers' | 'accountId'>,
  request: Request,
): Inbound[] {
  const { success, data } = Change.safeParse(change);
  if (!success) return [ignored('An event has no value.')];
  const { field = 'messages', value } = data;
  // They are about an account, and name no number of ours.
  if (isNewsField(field)) {
    const isOthers = accountId !== undefined && entry.id !== undefined && entry.id !== accountId;
    // What is about the account itself may come from the portfolio that it belongs to.
    if (isOthers && field.includes('template')) return [ignored('A template of another account has changed.')];
    return readNews(field, rawValueOf(change), stampIn(entry.time, request.next()));
  }
  const named = value.metadata ?? value.recipient;
  const id = named?.phone_number_id ?? numbers.only;
  if (id === undefined) return [ignored(`An event of the field ${nameOf(field)} names no number of ours.`)];
  if (!numbers.isOurs(id)) return [ignored('An event is for a number that is not in PHONE_NUMBER_ID.')];
  const number = digitsOf(named?.display_phone_number);
  if (number !== undefined) numbers.learn(id, number);
  const business = number ?? numbers.numberOf(id) ?? id;
  if (field === 'messaging_handovers')
    return safely(() => readHandover(rawValueOf(change), { business, owner: null }, request));
  const place: Place = { business, owner: OWNERS.get(field) ?? null };
  const ours = field === 'history' ? pastIn(value, place, request) : thingsIn(value, place, request);
  const standby = value.standby ? thingsIn(value.standby, { business, owner: 'other' }, request) : [];
  const found = [...ours, ...standby];
  return found.length > 0 ? found : [ignored(`An event of the field ${nameOf(field)} has nothing that is kept.`)];
}

/** Whose thread it is, by the field that its messages come in. */
const OWNERS = new Map<string, Route['owner']>([
  ['messages', 'us'],
  ['standby', 'other'],
]);

/** What `Change` has read it as is an object. */
function rawValueOf(change: unknown): unknown {
  return (change as { value: unknown }).value;
}

type Things = Omit<Change['value'], 'metadata' | 'recipient' | 'standby'>;

function thingsIn(things: Things, place: Place, request: Request): Inbound[] {
  const { contacts, messages, statuses, message_echoes, user_preferences, calls, errors } = things;
  const echo = place.owner === 'other' ? readOthersEcho : readEcho;
  return [
    ...messages.flatMap((one) => safely(() => readMessage(one, contacts, place, request))),
    ...statuses.flatMap((one) => safely(() => readReport(one, place, request))),
    ...message_echoes.flatMap((one) => safely(() => echo(one, place, request))),
    ...user_preferences.flatMap((one) => safely(() => readPreference(one, place, request))),
    ...calls.flatMap((one) => safely(() => callIn(one, contacts, place, request))),
    ...errors.map(errorOfMeta),
  ];
}

/** What was said before the number came to this API. */
function pastIn({ history, messages, message_echoes }: Things, place: Place, request: Request): Inbound[] {
  return [
    ...history.flatMap(({ threads, errors }) => [
      ...threads.flatMap(({ id, messages }) => safely(() => readPast(id, messages, place, request))),
      ...errors.map(errorOfMeta),
    ]),
    ...[...messages, ...message_echoes].flatMap((one) =>
      safely(() => {
        const read = Past.safeParse(one);
        return read.success ? readPastFile(read.data, place, request) : ignored('A past message has no id.');
      }),
    ),
  ];
}

function errorOfMeta({ code }: { code?: string | undefined }): Inbound {
  return ignored(`Meta reports an error of its own: ${Number(code) || 'without a code'}.`);
}

/** Whoever has switched marketing messages off is told of by the failure of one as well. */
function readReport(one: unknown, place: Place, request: Request): Inbound[] {
  const read = Status.safeParse(one);
  const status = read.success ? readStatus(read.data, place.business) : null;
  if (!status) return [ignored('A status names no message, or nobody who got it.')];
  const told: Inbound = { kind: 'status', status };
  if (status.errorCode !== NO_MARKETING) return [told];
  const { recipient_id: wa_id, recipient_user_id: user_id, timestamp } = read.data ?? {};
  const stop = { wa_id, user_id, timestamp, category: 'marketing_messages', value: 'stop' };
  return [told, readPreference(stop, place, request)];
}

const NO_MARKETING = '131050';

function readMessage(
  one: unknown,
  contacts: readonly Contact[],
  place: Place,
  { next, requestId }: Request,
): Inbound | Inbound[] {
  const read = Message.safeParse(one);
  if (!read.success) return ignored('A message has no id.');
  const message = read.data;
  // A group has many people: an answer would go to all of them, and opens no window to anybody.
  if (message.group_id !== undefined) return ignored('A message was written in a group.');
  const addresses = addressesOf(message, contacts);
  const [from, ...aliases] = addresses;
  if (from === undefined) return ignored('A message does not say who wrote it.');
  const receivedAt = next();
  const profile = contacts.find((contact) => isOf(contact, addresses))?.profile;
  const found: InboundMessage = {
    id: message.id,
    channel: META,
    business: place.business,
    from,
    ...(aliases.length > 0 && { aliases }),
    contact: contactIdOf(from),
    profileName: nameIn(profile?.name),
    receivedAt,
    ...sentAtIn(message.timestamp, receivedAt),
    ...contentIn(message),
    ...originalIn(one),
    ...(place.owner && { route: { owner: place.owner, at: stampIn(message.timestamp, receivedAt) } }),
    ...(place.owner === 'other' && { answered: true as const }),
    requestId,
  };
  return [...numberChangeIn(message, found), { kind: 'message', message: found }];
}

/** Comes first: what tells of it is a message of the new number already. */
function numberChangeIn(
  { id, from, system }: Message,
  { business, contact: to, receivedAt }: InboundMessage,
): Inbound[] {
  if (system?.type !== 'user_changed_number') return [];
  const before = digitsOf(from);
  if (before === undefined || contactIdOf(before) === to || !isNumber(to)) return [];
  const change = { id, channel: META, business, from: contactIdOf(before), to, at: receivedAt };
  return [{ kind: 'report', report: { kind: 'number changed', change } }];
}

/** A call opens the 24 hours, even when nobody takes it. */
function callIn(one: unknown, contacts: readonly Contact[], place: Place, { next, requestId }: Request): Inbound {
  const read = readCall(one, place);
  if (read === null) return ignored('A call is one of ours, or does not say who called.');
  const addresses = addressesOf(read.call, contacts);
  const [from, ...aliases] = addresses;
  if (from === undefined) return ignored('A call does not say who called.');
  const receivedAt = next();
  const profile = contacts.find((contact) => isOf(contact, addresses))?.profile;
  return {
    kind: 'message',
    message: {
      id: read.call.id,
      channel: META,
      business: place.business,
      from,
      ...(aliases.length > 0 && { aliases }),
      contact: contactIdOf(from),
      profileName: nameIn(profile?.name),
      receivedAt,
      ...sentAtIn(read.call.timestamp, receivedAt),
      ...read.content,
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
function addressesOf(message: Writer, contacts: readonly Contact[]): string[] {
  const { from_user_id: id, from_parent_user_id: parent } = message;
  const from = newNumberIn(message) ?? message.from;
  const own = [digitsOf(from) ?? from, id, parent].filter((one) => one !== undefined && isAddress(one));
  const found = contacts.find((contact) => isOf(contact, own));
  // A batch of one message and one contact needs no name to match.
  const contact = found ?? (contacts.length === 1 && own.length === 0 ? contacts[0] : undefined);
  const more = contact ? [contact.wa_id, contact.user_id, contact.parent_user_id] : [];
  more.push(...idsThatChanged(message));
  const all = [...own, ...more].filter((one): one is string => one !== undefined && isAddress(one));
  return [...new Set(all)];
}

/** What says who wrote or called. */
type Writer = Pick<Message, 'from' | 'from_user_id' | 'from_parent_user_id'> & { system?: Message['system'] };

/** What tells of a new number comes from the old one. */
function newNumberIn({ system }: Writer): string | undefined {
  return system?.type === 'user_changed_number' ? digitsOf(system.wa_id ?? system.new_wa_id) : undefined;
}

/** The new ids of a person and those before: memory, block and consent go with them. */
function idsThatChanged({ system }: Writer): (string | undefined)[] {
  if (system?.type !== 'user_changed_user_id' && system?.type !== 'user_changed_number') return [];
  return [system.user_id, system.parent_user_id, system.previous_user_id, system.previous_parent_user_id];
}

function isOf({ wa_id, user_id, parent_user_id }: Contact, addresses: readonly (string | undefined)[]): boolean {
  return [wa_id, user_id, parent_user_id].some((one) => one !== undefined && addresses.includes(one));
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

const SAYS_NOTHING = new Set(['text', 'unsupported', 'unknown']);

/** Texts and objects: `answersIn` reads JSON. */
function jsonOf(value: unknown): string {
  if (value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function nameOf(field: string): string {
  return isWord(field) ? field : 'with an odd name';
}
