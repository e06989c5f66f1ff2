/**
 * What has happened, on one page. Events go into a Redis stream (`recado:{n}:events`), most of them in the same script that
 * makes them true, so that the archive sees exactly what happened, also what happened while it was away.
 */
import type { Cluster, Redis } from 'ioredis';
import { Failure, type FailureCode } from './errors.ts';
import type { ConversationId, DeliveryStatus, InboundMessage, Line, Via } from './message.ts';
import type { Scrubbed } from './privacy/scrub.ts';

export type Event =
  /** A message was stored; it will be answered. */
  | { type: 'message.received'; message: InboundMessage }
  /** An answer became final. `text` is null when there was nothing to say. */
  | {
      type: 'reply.made';
      conversation: ConversationId;
      turn: string;
      at: number;
      /** Ids of the messages it answers. */
      answers: string[];
      lines: Line[];
      via: Via | null;
      /** Why the person got an apology instead of an answer. */
      failure?: FailureCode;
      /** Model tokens, as the provider counted. */
      usage?: { prompt: number; completion: number; cached: number };
    }
  /** The reply left; `sids` are the provider's ids, none when it left as TwiML. */
  | { type: 'reply.sent'; conversation: ConversationId; turn: string; at: number; via: Via; sids: string[] }
  /** Messages will not be answered, or a reply not be delivered: it is a dead letter now. */
  | { type: 'given.up'; conversation: ConversationId; turn: string; at: number; code: FailureCode; reason: string }
  /** A person at the desk wrote to a contact; `sid` is the provider's id of the message. */
  | { type: 'desk.said'; conversation: ConversationId; id: string; at: number; text: Scrubbed; sid: string }
  /** A person took the conversation over until `until` (unix ms), or handed it back (0). */
  | { type: 'desk.took'; conversation: ConversationId; at: number; until: number }
  /** The provider told what became of a message we sent. */
  | { type: 'delivery.changed'; conversation: ConversationId; at: number; status: DeliveryStatus };

/** As events travel in the stream: one field, `event`, JSON. */
export function encodeEvent(event: Event): string {
  return JSON.stringify(event);
}

export interface Events {
  /**
   * Appends an event that no script makes true.
   * Rejects with `store.unavailable`.
   */
  publish(conversation: ConversationId, event: Event): Promise<void>;
}

export interface EventsOptions {
  redis: Redis | Cluster;
  /** The stream that a conversation's events go to. */
  streamOf: (conversation: ConversationId) => string;
}

/** Roughly how many events a stream keeps. */
const MOST_EVENTS = 100_000;

export function createEvents({ redis, streamOf }: EventsOptions): Events {
  return {
    async publish(conversation, event) {
      const stream = streamOf(conversation);
      try {
        await redis.xadd(stream, 'MAXLEN', '~', MOST_EVENTS, '*', 'event', encodeEvent(event));
      } catch (error) {
        throw new Failure('store.unavailable', 'Redis did not take an event. Check that it runs and is reachable.', {
          cause: error,
        });
      }
    },
  };
}
