/**
 * What the page in the browser and the simulator say to each other: JSON under `/simulator/api`, and one stream of events
 * for all phones. Types only, so that the page can share them. Times are unix ms, durations ms, sizes bytes.
 */

/** Whose phone it is. */
export interface SimulatedPerson {
  /** Digits, or a username id such as `US.1A2B`. */
  contact: string;
  profileName: string;
}

/** `GET /simulator/api/people` */
export interface People {
  people: SimulatedPerson[];
  /** Whom they write to, without `+`. */
  business: string;
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
  /** The form, in the order it was sent. */
  fields: Record<string, string>;
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
export type PageEvent = { id: string; at: number; contact: string } & PageEventBody;

export type PageEventBody =
  /** A person sent something; the webhook is on its way. */
  | { type: 'written'; sid: string; message: Written }
  /** A webhook was answered, or was not. `attempt` counts the deliveries of this message from 1. */
  | { type: 'delivered'; sid: string; attempt: number; delivery: Delivery }
  /** The bot sent something. `request` is the form of a REST call, null for TwiML. */
  | { type: 'answer'; sid: string; via: 'twiml' | 'rest'; text: string; request: Record<string, string> | null }
  /** How far a message of the bot has come. */
  | { type: 'status'; sid: string; state: OutgoingState }
  /** The status callback was posted to the bot; `status` is its answer, null when there was none. */
  | { type: 'told'; sid: string; state: OutgoingState; url: string; status: number | null }
  /** The bot shows "typing…" for a message, and so has read it. */
  | { type: 'typing'; sid: string }
  /** The bot fetched a file that a person had sent: from the API with the account's password, then from where it redirects to. */
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
  /** What the store held for the person was deleted, and the phone's own memory with it. */
  | { type: 'forgotten' };
