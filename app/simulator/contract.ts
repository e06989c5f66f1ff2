/**
 * What the page in the browser and the simulator say to each other: JSON under `/simulator/api`, and one stream of events
 * for all phones. Types only, so that the page can share them. Times are unix ms, durations ms, sizes bytes.
 */

/** Who brings a message: each of the two has a number that people can write to. */
export type Provider = 'twilio' | 'meta';

/** Whose phone it is. */
export interface SimulatedPerson {
  /** Digits, or a username id such as `US.1A2B`. */
  contact: string;
  profileName: string;
}

/** `GET /simulator/api/people` */
export interface People {
  people: SimulatedPerson[];
  /** The Twilio number that they write to, without `+`. */
  business: string;
  /** The Cloud API number that they write to, likewise. */
  cloudBusiness: string;
}

/** `POST /simulator/api/media?type=image/jpeg&name=cat.jpg`, the bytes as body; answers with this. */
export interface MediaFile {
  /** Names the bytes at `/simulator/api/media/<id>`, and as what a message carries. */
  id: string;
  contentType: string;
  /** '' when it has none. */
  name: string;
  size: number;
}

/** What a person sends, `POST /simulator/api/messages`; answers 202 with a `Sent`. */
export interface Written {
  contact: string;
  profileName: string;
  /** What is written; the title of a button. */
  text: string;
  media?: MediaFile;
  location?: { latitude: number; longitude: number; label?: string; address?: string };
  button?: { payload: string };
  /** The number it is sent to; left out = Twilio's. */
  to?: Provider;
  /** Somebody's contact card. To the Cloud API number alone; the Twilio number gets one as a file. */
  card?: { name: string; phone: string };
  /**
   * It changes or comments on another message. To the Cloud API number alone. `text` is what an edited message says now, or the emoji
   * of a reaction, '' = the reaction is taken back.
   */
  about?: { sid: string; as: 'edit' | 'revoke' | 'reaction' };
}

/**
 * `PUT /simulator/api/routing`: whether another responder owns a person's thread with the Cloud API number. What they write then comes to
 * the bot as `standby`. When it ends, the control is passed to the bot, with a summary.
 */
export interface Routing {
  contact: string;
  other: boolean;
}

export interface Sent {
  sid: string;
}

/** `POST /simulator/api/batch`: several messages with an order of their own. */
export interface Batch {
  messages: Written[];
  /** `together`: all at once, as a burst. `reversed`: written in this order, delivered in the reverse order. */
  order: 'together' | 'reversed';
}

/** `GET` and `PUT /simulator/api/faults`: faults on purpose, for all phones, until they are removed. */
export interface Faults {
  /**
   * `slow`: a model that takes `slowMs` longer. `down`: 503 for every request, which is worth trying again.
   * `refusing`: 401, which is not.
   */
  model: 'well' | 'slow' | 'down' | 'refusing';
  slowMs: number;
  /** `missing`: 404 for every file. */
  media: 'well' | 'missing';
}

/** `GET /simulator/api/memory?contact=…`: what the store holds for a person. `POST /simulator/api/forget` deletes it. */
export interface StoredMemory {
  keys: StoredKey[];
}

export interface StoredKey {
  /** What it is: `history`, `state`, … */
  name: string;
  key: string;
  type: string;
  /** Until it expires; null when it does not. */
  ttlMs: number | null;
  /** A list: its entries. A hash: field → value. A sorted set: member → score. JSON inside is parsed. */
  value: unknown;
}

/** One webhook as it went over the wire, both ways. */
export interface Delivery {
  /** The address that was posted to, and the one that the signature was made over. */
  url: string;
  signedUrl: string;
  signature: string;
  /** The form, in the order it was sent; empty when the body is JSON. */
  fields: Record<string, string>;
  /** The JSON, as it was sent. */
  body?: string;
  ms: number;
  response: { status: number; contentType: string; body: string } | null;
  /** Why there was no response. */
  failure: 'unreachable' | 'timeout' | 'lost' | null;
}

export type OutgoingState = 'queued' | 'sent' | 'delivered' | 'read';

/** A message of a prompt as it went to the model. */
export interface ShownMessage {
  role: string;
  text: string;
  pictures: number;
  tokens: number;
}

/** What happened, in the order it happened. `id` resumes the stream behind it. */
export type PageEvent = { id: string; at: number; provider: Provider; contact: string } & PageEventBody;

export type PageEventBody =
  /** A person sent something; the webhook is on its way. */
  | { type: 'written'; sid: string; message: Written }
  /** A webhook was answered, or was not. `attempt` counts the deliveries of this message from 1. */
  | { type: 'delivered'; sid: string; attempt: number; delivery: Delivery }
  /** The bot sent something. `request` is the form of a REST call, or the fields of a call of the Graph API; null for TwiML. */
  | {
      type: 'answer';
      sid: string;
      via: 'twiml' | 'rest' | 'graph';
      text: string;
      request: Record<string, string> | null;
    }
  /** How far a message of the bot has come. */
  | { type: 'status'; sid: string; state: OutgoingState }
  /** The status was posted to the bot; `status` is its answer, null when there was none. */
  | { type: 'told'; sid: string; state: OutgoingState; url: string; status: number | null }
  /** The bot shows "typing…" for a message, and so has read it. */
  | { type: 'typing'; sid: string }
  /**
   * The bot fetched a file that a person had sent. `api`: it asked the API with its password or token. `cdn`: it fetched the bytes from
   * where the API said they are.
   */
  | { type: 'fetched'; sid: string; step: 'api' | 'cdn'; status: number }
  /** The model was asked. */
  | {
      type: 'asked';
      ask: string;
      model: string;
      purpose: 'answer' | 'summary' | 'analysis' | 'speech';
      messages: ShownMessage[];
      maxTokens: number | null;
    }
  /** The model answered, or failed. `tokens` as the provider counted. */
  | {
      type: 'replied';
      ask: string;
      ms: number;
      status: number;
      text: string;
      tokens: { prompt: number; completion: number; cached: number } | null;
    }
  /** Another responder owns the thread from now on, or no longer. `delivery`: the webhook that passed the control, if there was one. */
  | { type: 'routed'; other: boolean; delivery: Delivery | null }
  /** What the store held for the person was deleted, and the phone's own memory with it. */
  | { type: 'forgotten' };
