/** Live events of a phone: server-sent events, one stream for every open phone. */
import { PassThrough, type Readable } from 'node:stream';
import { isWrittenBy } from './account.ts';
import type { MessageState, Outgoing } from './outgoing.ts';

/** An event of the stream: `type` is the event's name, the whole is its data. `at` is unix ms. */
export type PhoneEvent =
  | { type: 'message'; sid: string; text: string; at: number }
  | { type: 'status'; sid: string; state: MessageState; at: number }
  /** `sid` names the person's own message that is being answered. */
  | { type: 'typing'; sid: string; at: number };

export interface Streams {
  /**
   * Opens a stream to a contact's phone.
   * @param missed what was sent while the phone was disconnected; comes first.
   * @returns null when too many are open.
   */
  open(contact: string, missed: Outgoing[]): Readable | null;
  /** Sends an event to the streams of its contact. */
  publish(outgoing: Outgoing): void;
  /** Ends all streams, so that the server can close, and opens no more. */
  end(): void;
}

/** Open streams: a simulator is for a handful of people. */
const MOST_STREAMS = 100;
/** Proxies cut what is silent for half a minute. */
const HEARTBEAT_MS = 15_000;
/** A phone that reads nothing is disconnected when this much waits for it, bytes. */
const MOST_UNREAD = 1_000_000;

export function createStreams(): Streams {
  const open = new Map<PassThrough, string>();
  let ended = false;

  return {
    open(contact, missed) {
      if (ended || open.size >= MOST_STREAMS) return null;
      const stream = new PassThrough();
      const heartbeat = setInterval(() => stream.write(': still here\n\n'), HEARTBEAT_MS).unref();
      open.set(stream, contact);
      stream.once('close', () => {
        clearInterval(heartbeat);
        open.delete(stream);
      });
      stream.write(': listening\n\n');
      for (const outgoing of missed) stream.write(block(asPhoneEvent(outgoing)));
      // The id alone is not an event, but with it a phone that reconnects can say what it has.
      stream.write(`id: ${Date.now()}\n\n`);
      return stream;
    },
    publish(outgoing) {
      for (const [stream, contact] of open) {
        if (!concerns(outgoing, contact) || stream.writableEnded) continue;
        stream.write(block(asPhoneEvent(outgoing)));
        if (stream.writableLength + stream.readableLength > MOST_UNREAD) stream.end();
      }
    },
    end() {
      ended = true;
      for (const stream of open.keys()) stream.end();
    },
  };
}

function concerns(outgoing: Outgoing, contact: string): boolean {
  return outgoing.type === 'typing' ? isWrittenBy(contact, outgoing.messageSid) : outgoing.contact === contact;
}

function asPhoneEvent(outgoing: Outgoing): PhoneEvent {
  const { type, at } = outgoing;
  switch (type) {
    case 'message':
      return { type, sid: outgoing.sid, text: outgoing.text, at };
    case 'status':
      return { type, sid: outgoing.sid, state: outgoing.state, at };
    case 'typing':
      return { type, sid: outgoing.messageSid, at };
  }
}

/** Only messages carry an id: they are what a phone must not miss. */
function block(event: PhoneEvent): string {
  const id = event.type === 'message' ? `id: ${event.at}\n` : '';
  return `event: ${event.type}\n${id}data: ${JSON.stringify(event)}\n\n`;
}
