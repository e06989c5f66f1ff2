/** A webhook's form → what it is, in our words. Fields: https://www.twilio.com/docs/messaging/guides/webhook-request */
import { contactIdOf } from '../../contacts/addresses.ts';
import {
  type Attachment,
  type DeliveryStatus,
  type InboundMessage,
  isBlank,
  type Location,
  type Referral,
  type Unread,
} from '../../message.ts';
import { type Scrubbed, scrub } from '../../privacy/scrub.ts';
import { answersIn } from '../form.ts';
import {
  attachmentKindOf,
  clean,
  degreesIn,
  isAddress,
  LONGEST_AD,
  LONGEST_TEXT,
  mediaTypeIn,
  nameIn,
  tokenIn,
} from '../reading.ts';
import { fromAddress } from './address.ts';
import type { Pairs } from './signature.ts';
import { isStatus, parseStatus } from './status.ts';

export type Inbound =
  | { kind: 'message'; message: InboundMessage }
  | { kind: 'status'; status: DeliveryStatus }
  /** Nothing to answer. `reason` is for the operator and holds nothing of what was sent. */
  | { kind: 'invalid'; reason: string };

export interface InboundContext {
  /** Unix ms. */
  receivedAt: number;
  requestId: string;
  /** Our own account: media of any other is not read. Without it the form's own is believed. */
  accountSid?: string | undefined;
  /** Our own address, for a webhook that does not say which one was written to. '' or left out = not known. */
  ownNumber?: string | undefined;
  /** Path and query that were called; a status callback's names the reply. */
  url?: string | undefined;
}

/** Makes a message or a status of a webhook's fields. Texts are cleaned and scrubbed here, at the border. */
export function parseInbound(pairs: Pairs, context: InboundContext): Inbound {
  const form = pairs instanceof URLSearchParams ? pairs : new URLSearchParams([...pairs]);
  if (isStatus(form)) {
    const status = parseStatus(form, context.url ?? '');
    return status ? { kind: 'status', status } : { kind: 'invalid', reason: 'A status callback names no message.' };
  }
  return parseMessage(form, context);
}

/**
 * The path of a file on Twilio's API, behind the configured origin.
 * @param ref an attachment's `ref`
 * @returns null for a ref that names nothing, such as that of an attachment with an unexpected address
 */
export function mediaPath(accountSid: string, ref: string): string | null {
  const [, message, media] = /^((?:SM|MM)[0-9a-f]{32})\/(ME[0-9a-f]{32})$/i.exec(ref) ?? [];
  if (message === undefined || media === undefined) return null;
  return `/2010-04-01/Accounts/${accountSid}/Messages/${message}/Media/${media}`;
}

/** What Twilio allows a message of any channel; WhatsApp's carry one at most. */
const MOST_ATTACHMENTS = 10;

function parseMessage(form: URLSearchParams, context: InboundContext): Inbound {
  const business = addressIn(form, 'To') ?? fromAddress(context.ownNumber ?? '');
  const from = addressIn(form, 'From');
  if (from === undefined) return { kind: 'invalid', reason: 'The sender (From) is missing or no address.' };
  const answers = formIn(form);
  const written = textOf(form);
  // Beside a form there is nothing but this word: https://developers.facebook.com/docs/whatsapp/flows/reference/responsemsgwebhook
  const text = answers !== '' && written === 'Sent' ? scrub('') : written;
  const attachments = attachmentsIn(form, context.accountSid);
  const location = locationIn(form);
  const buttonPayload = clean(form.get('ButtonPayload') || form.get('ListId'), LONGEST_TEXT);
  const isEmpty = text === '' && attachments.length === 0 && !location && buttonPayload === '' && answers === '';
  const unread = unreadIn(form);
  const referral = referralIn(form);
  const inReplyTo = idIn(form, 'OriginalRepliedMessageSid');
  return {
    kind: 'message',
    message: {
      id: idIn(form, 'MessageSid') ?? idIn(form, 'SmsMessageSid') ?? idIn(form, 'SmsSid') ?? context.requestId,
      channel: 'twilio',
      business,
      from,
      ...aliasesIn(form, from),
      contact: contactIdOf(from),
      profileName: nameIn(form.get('ProfileName')),
      receivedAt: context.receivedAt,
      text,
      attachments,
      ...(location && { location }),
      ...(buttonPayload !== '' && { buttonPayload }),
      ...(isForwarded(form) && { forwarded: true as const }),
      ...(inReplyTo !== undefined && { inReplyTo }),
      ...(answers !== '' && { form: answers }),
      ...(referral && { referral }),
      ...((isEmpty || unread.isUpdate) && { unread }),
      ...optOutIn(form),
      requestId: context.requestId,
    },
  };
}

/**
 * With Advanced Opt-Out of a Messaging Service, Twilio knows the words, answers them itself, and says so:
 * https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out
 */
function optOutIn(form: URLSearchParams): Pick<InboundMessage, 'consent' | 'answered'> {
  switch (form.get('OptOutType')?.toUpperCase()) {
    case 'STOP':
      return { consent: 'opt-out', answered: true };
    case 'START':
      return { consent: 'opt-in', answered: true };
    case 'HELP':
      return { answered: true };
    default:
      return {};
  }
}

/**
 * A signed message is kept even if nothing in it can be read: WhatsApp passes polls, view-once pictures, edits and files above its
 * limits on without their content, and the provider does not repeat what was refused.
 */
function unreadIn(form: URLSearchParams): Unread {
  const kind = (form.get('MessageType') ?? '').trim().toLowerCase();
  if (!/^[\w-]{1,40}$/.test(kind) || SAYS_NOTHING.has(kind)) return { kind: 'unknown', isUpdate: false };
  return { kind, isUpdate: UPDATE.test(kind) };
}

const SAYS_NOTHING = new Set(['text', 'unsupported', 'unknown']);

/** The words of Meta's message types for what changes or comments on another message. */
const UPDATE = /(?:^|[_-])(?:reaction|vote|update|edit|edited|revoke|revoked|delete|deleted|receipt|system)(?:$|[_-])/;

/** The answers of a form, from whichever of the two fields has them. A pressed button has the second, too. */
function formIn(form: URLSearchParams): Scrubbed {
  const isPressed = form.get('ButtonText') || form.get('ButtonPayload') || form.get('ListId');
  for (const field of isPressed ? ['FlowData'] : ['FlowData', 'InteractiveData']) {
    const answers = clean(answersIn(form.get(field) ?? ''), LONGEST_TEXT);
    if (answers !== '') return answers;
  }
  return scrub('');
}

/** Twilio's page and its captures differ in the name of the click id: https://www.twilio.com/docs/messaging/guides/webhook-request */
function referralIn(form: URLSearchParams): Referral | undefined {
  const headline = clean(form.get('ReferralHeadline')?.trim(), LONGEST_AD);
  const body = clean(form.get('ReferralBody')?.trim(), LONGEST_AD);
  const sourceId = tokenIn(form.get('ReferralSourceId'));
  const clickId = tokenIn(form.get('ReferralCtwaClid')) ?? tokenIn(form.get('CtwaClid'));
  const hasSource = ['ReferralSourceUrl', 'ReferralSourceType', 'ReferralMediaUrl'].some((field) => form.get(field));
  if (headline === '' && body === '' && sourceId === undefined && clickId === undefined && !hasSource) return undefined;
  return {
    ...(headline !== '' && { headline }),
    ...(body !== '' && { body }),
    ...(sourceId !== undefined && { sourceId }),
    ...(clickId !== undefined && { clickId }),
  };
}

/** The title of what was pressed or chosen, else what was written, else the name of a place without coordinates. */
function textOf(form: URLSearchParams): Scrubbed {
  const text = clean(form.get('ButtonText') || form.get('ListTitle') || form.get('Body'), LONGEST_TEXT);
  if (!isBlank(text)) return text;
  return locationIn(form) ? scrub('') : clean(placeIn(form).join(', '), LONGEST_TEXT);
}

function placeIn(form: URLSearchParams): string[] {
  return [form.get('Label'), form.get('Address')].flatMap((name) => (name && !isBlank(name) ? [name] : []));
}

function addressIn(form: URLSearchParams, field: string): string | undefined {
  const address = fromAddress(form.get(field) ?? '');
  return isAddress(address) ? address : undefined;
}

/**
 * The fields that name the same person otherwise: a username id, that of a parent account, the number. Twilio's changelog and its
 * captures differ in the name of the first: https://www.twilio.com/docs/whatsapp/key-concepts
 */
const ALIAS_FIELDS = ['ExternalUserId', 'ExternalUserIdentifier', 'ParentExternalUserId', 'WaId'];

function aliasesIn(form: URLSearchParams, from: string): { aliases?: string[] } {
  const known = new Set([contactIdOf(from)]);
  const aliases: string[] = [];
  for (const field of ALIAS_FIELDS) {
    const address = addressIn(form, field);
    if (address === undefined || known.has(contactIdOf(address))) continue;
    known.add(contactIdOf(address));
    aliases.push(address);
  }
  return aliases.length === 0 ? {} : { aliases };
}

function idIn(form: URLSearchParams, field: string): string | undefined {
  const id = form.get(field) ?? '';
  return /^\w{1,64}$/.test(id) ? id : undefined;
}

/** Both fields may also arrive as the word `false`. */
function isForwarded(form: URLSearchParams): boolean {
  return [form.get('Forwarded'), form.get('FrequentlyForwarded')].some((said) => said?.toLowerCase() === 'true');
}

function locationIn(form: URLSearchParams): Location | undefined {
  const latitude = degreesIn(form.get('Latitude'), 90);
  const longitude = degreesIn(form.get('Longitude'), 180);
  if (latitude === undefined || longitude === undefined) return undefined;
  const label = clean(form.get('Label'), LONGEST_TEXT);
  const address = clean(form.get('Address'), LONGEST_TEXT);
  return { latitude, longitude, ...(label !== '' && { label }), ...(address !== '' && { address }) };
}

function attachmentsIn(form: URLSearchParams, ownAccount: string | undefined): Attachment[] {
  const count = Math.min(Math.trunc(Number(form.get('NumMedia'))) || 0, MOST_ATTACHMENTS);
  const account = form.get('AccountSid') ?? '';
  const readable = account !== '' && account === (ownAccount ?? account);
  return Array.from({ length: Math.max(count, 0) }, (_, i) => {
    const contentType = mediaTypeIn(form.get(`MediaContentType${i}`) ?? '');
    const ref = readable ? refOf(form.get(`MediaUrl${i}`) ?? '', account) : '';
    return { kind: attachmentKindOf(contentType), contentType, ref };
  });
}

/**
 * `<message>/<media>`: all of the address that is needed. The host is not believed, because the account's credentials
 * will go wherever the file is fetched from.
 */
function refOf(mediaUrl: string, account: string): string {
  const path = URL.canParse(mediaUrl) ? new URL(mediaUrl).pathname : '';
  const [, message, media] = /^\/2010-04-01\/Accounts\/[^/]+\/Messages\/([^/]+)\/Media\/([^/]+)$/.exec(path) ?? [];
  const ref = `${message}/${media}`;
  return path === mediaPath(account, ref) ? ref : '';
}
