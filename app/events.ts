/**
 * What has happened, on one page: the schema and the type of every event. Events go into a Redis stream (`recado:{n}:events`), most of
 * them in the same script that makes them true, so that the archive sees exactly what happened, also while it was down.
 */
import { z } from 'zod';
import { FAILURES, type FailureCode } from './errors.ts';
import type { Scrubbed } from './privacy/scrub.ts';

const scrubbed = z.custom<Scrubbed>((value) => typeof value === 'string', 'expected a text');
const id = z.string().min(1);
/** See `conversationId`. */
const conversation = z.string().regex(/^[^:]+:[^:]*:[^:]+$/, 'expected channel:business:contact');
/** Unix ms. */
const time = z.number().min(0).max(8.64e15);
const via = z.enum(['response', 'call']);
const failureCode = z.custom<FailureCode>((value) => typeof value === 'string' && value in FAILURES, 'expected a code');

/** Why what a contact writes looks like spam; the rules are in `conversation/spam.ts`. */
const spamReason = z.enum(['flood', 'repeats', 'links', 'campaign', 'neighbours']);
export type SpamReason = z.infer<typeof spamReason>;

const attachment = z.object({
  kind: z.enum(['image', 'audio', 'video', 'contact-card', 'document']),
  contentType: z.string(),
  ref: z.string(),
});

const message = z.object({
  id,
  channel: id,
  business: z.string(),
  from: id,
  aliases: z.array(id).exactOptional(),
  contact: id,
  profileName: scrubbed.nullable(),
  receivedAt: time,
  sentAt: time.exactOptional(),
  text: scrubbed,
  attachments: z.array(attachment),
  location: z
    .object({
      latitude: z.number(),
      longitude: z.number(),
      label: scrubbed.exactOptional(),
      address: scrubbed.exactOptional(),
    })
    .exactOptional(),
  buttonPayload: scrubbed.exactOptional(),
  forwarded: z.literal(true).exactOptional(),
  inReplyTo: z.string().exactOptional(),
  form: scrubbed.exactOptional(),
  original: z.record(z.string(), z.unknown()).exactOptional(),
  referral: z
    .object({
      headline: scrubbed.exactOptional(),
      body: scrubbed.exactOptional(),
      sourceId: z.string().exactOptional(),
      clickId: z.string().exactOptional(),
    })
    .exactOptional(),
  unread: z.object({ kind: z.string(), isUpdate: z.boolean() }).exactOptional(),
  consent: z.enum(['opt-out', 'opt-in']).exactOptional(),
  answered: z.literal(true).exactOptional(),
  route: z.object({ owner: z.enum(['us', 'other']), at: time }).exactOptional(),
  requestId: z.string(),
});

const money = z.object({ billionths: z.number().int().min(0), currency: z.string().regex(/^[A-Z]{3}$/) });

/** What one call of a model used, and what that cost. */
const use = z.object({
  /** Names the entry of the ledger, however often it is told. */
  id,
  at: time,
  purpose: z.enum(['answer', 'summary', 'analysis', 'transcription']),
  model: id,
  /** As the provider counted; left out when it does not count tokens. */
  tokens: z
    .object({
      prompt: z.number().min(0),
      completion: z.number().min(0),
      cached: z.number().min(0),
      cacheWrites: z.number().min(0).exactOptional(),
    })
    .exactOptional(),
  /** How long the recording was, ms. */
  audioMs: z.number().min(0).exactOptional(),
  /** Null when the price table does not know it. */
  cost: money.nullable(),
});

export type ModelUse = z.infer<typeof use>;

const status = z.object({
  channel: id,
  sid: id,
  state: z.enum(['queued', 'sent', 'delivered', 'read', 'failed']),
  errorCode: z.string().exactOptional(),
  business: z.string(),
  to: z.string(),
  replyId: z.string().exactOptional(),
  part: z.number().int().min(0).exactOptional(),
  pricing: z
    .object({
      category: z.string().exactOptional(),
      free: z.literal(true).exactOptional(),
      cost: money.exactOptional(),
    })
    .exactOptional(),
});

export const Event = z.discriminatedUnion('type', [
  /** A message was stored; it will be answered. */
  z.object({ type: z.literal('message.received'), message }),
  /** Somebody listens to a voice note: what was said follows with `reply.made`. */
  z.object({ type: z.literal('voice.opened'), conversation, at: time, message: id }),
  /** A turn became final: it took messages in, and answered them unless there was nothing to say. */
  z.object({
    type: z.literal('reply.made'),
    conversation,
    turn: id,
    at: time,
    /** Ids of the messages it took in. */
    answers: z.array(z.string()),
    /** What is sent, part by part; null when there was nothing to say. */
    reply: z
      .object({
        to: z.string(),
        parts: z.array(scrubbed).min(1),
        via,
        /** It is this template: `order_ready:en`, or Twilio's id of it. */
        template: id.exactOptional(),
      })
      .nullable(),
    /** Of each voice note it took in: what was said; null when that could not be found out, with the reason. */
    heard: z.array(z.object({ id, transcript: scrubbed.nullable(), reason: z.string().exactOptional() })),
    /** Why the person got an apology instead of an answer. */
    failure: failureCode.exactOptional(),
    /** A person of the team was called, and the bot is silent until then (unix ms). */
    handoff: z
      .object({
        reason: z.enum(['asked', 'model', 'failed']),
        note: scrubbed.nullable(),
        summary: scrubbed.nullable(),
        until: time,
      })
      .exactOptional(),
    /** Model tokens, as the provider counted. */
    usage: z.object({ prompt: z.number(), completion: z.number(), cached: z.number() }).exactOptional(),
    /** All that models were used for in this turn until then. */
    spent: z.array(use).exactOptional(),
  }),
  /** Models were used for a contact, and no `reply.made` tells it: a summary, an analysis, a turn that did not become final. */
  z.object({ type: z.literal('models.used'), conversation, turn: id, at: time, uses: z.array(use) }),
  /** A reply was sent. `sids` are the provider's ids of its parts, in order; none when it was the webhook's response. */
  z.object({ type: z.literal('reply.sent'), conversation, turn: id, at: time, via, sids: z.array(id) }),
  /**
   * Messages will not be answered, or a reply will not be delivered. `reply` is the id of that reply, null when there is none;
   * `messages` are the ids of those messages.
   */
  z.object({
    type: z.literal('given.up'),
    conversation,
    turn: id,
    at: time,
    code: failureCode,
    reason: z.string(),
    reply: z.string().nullable(),
    messages: z.array(z.string()),
  }),
  /** A person wrote to a contact from the inbox: recorded before it is sent. `reply.sent` or `given.up` with `turn` = `id` follows. */
  z.object({
    type: z.literal('desk.said'),
    conversation,
    id,
    at: time,
    to: z.string(),
    parts: z.array(scrubbed).min(1),
  }),
  /**
   * A template is sent to a contact by the team, a program or a broadcast: recorded before it is sent. `reply.sent` or `given.up` with
   * `turn` = `id` follows.
   */
  z.object({
    type: z.literal('template.made'),
    conversation,
    id,
    at: time,
    to: z.string(),
    /** All that the person reads. */
    text: scrubbed,
    template: id,
  }),
  /** A person took the conversation over until `until` (unix ms), or let the bot answer again (0). */
  z.object({ type: z.literal('desk.took'), conversation, at: time, until: time }),
  /** Somebody wrote a summary for whoever picks up a conversation that waits for a person since the turn `turn`. */
  z.object({ type: z.literal('handoff.summarized'), conversation, at: time, turn: id, summary: scrubbed }),
  /** Nobody picked it up in time: the bot answers again. `turn` names what it said about that, null when it could not say anything. */
  z.object({
    type: z.literal('handoff.over'),
    conversation,
    turn: id.nullable(),
    at: time,
    reply: z.object({ to: z.string(), parts: z.array(scrubbed).min(1) }).nullable(),
  }),
  /** What a contact writes looks like spam. They are not answered until `until`, unix ms; 0 = they are. */
  z.object({
    type: z.literal('contact.suspected'),
    conversation,
    at: time,
    score: z.number().int().min(1).max(100),
    reasons: z.array(spamReason).min(1),
    until: time,
  }),
  /** What was said without us, by another responder or before the number came to us: kept and shown, and nothing else follows from it. */
  z.object({
    type: z.literal('messages.kept'),
    conversation,
    at: time,
    /** The contact's. */
    address: id,
    messages: z.array(
      z.object({
        id,
        author: z.enum(['contact', 'desk', 'other']),
        text: scrubbed,
        attachments: z.array(attachment),
        at: time,
      }),
    ),
  }),
  /** A contact said in WhatsApp whether they want marketing messages from us, at `saidAt`. `id` names the entry of the ledger. */
  z.object({
    type: z.literal('preference.changed'),
    conversation,
    at: time,
    id,
    consent: z.enum(['opt-out', 'opt-in']),
    saidAt: time,
  }),
  /** The provider says that a contact has another number now; the conversation is that of the old one. */
  z.object({ type: z.literal('number.changed'), conversation, at: time, from: id, to: id }),
  /** The provider reported the delivery status of a message that we sent. */
  z.object({ type: z.literal('delivery.changed'), conversation, at: time, status }),
]);

export type Event = z.infer<typeof Event>;

/** Events of one type. */
export type EventOf<Type extends Event['type']> = Extract<Event, { type: Type }>;

/** As events travel in the stream: one field, `event`, JSON. */
export function encodeEvent(event: Event): string {
  return JSON.stringify(event);
}
