/**
 * Tells a program of the operator what has happened: a JSON body to an address, signed as Standard Webhooks 1.0.0 says
 * (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md).
 *
 *   POST <address>
 *   content-type: application/json
 *   webhook-id: msg_…             the same for every try of a message: who knows it already may ignore it
 *   webhook-timestamp: 1764288000 when this try was made, unix seconds
 *   webhook-signature: v1,…       HMAC-SHA256 over `id.timestamp.body` with the bytes of the secret, in base64; only with a secret
 *
 *   {"type": "alarm.firing", "timestamp": "2026-11-28T00:00:00.000Z", "text": "…", "data": {…}}
 *
 * `type` and `data` are the caller's, `timestamp` is when it happened. `text` is there when `data` has one: Slack and services with its
 * protocol show it and pass over the rest.
 *
 * Any 2xx is a success. A message is tried again after a network error, 408, 429 and 5xx, with growing pauses or as late as `Retry-After`
 * asks, at most six times and for 15 minutes. Redirects are not followed. Messages go out one after the other, in order; they wait in
 * this process alone, so that its end loses what could not be sent.
 */
import { createHmac } from 'node:crypto';
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { elapsed } from './elapsed.ts';
import { newId } from './id.ts';
import type { Log } from './logger.ts';
import { retryAfter } from './retry-after.ts';

export interface Webhook {
  /** Queues a message and returns at once; never throws. What cannot be sent is an error in the log. */
  send(type: string, data: object): void;
  /** Takes no more. What waits gets one more try without a pause, all of it at most `lastMs`. Never rejects. */
  close(): Promise<void>;
}

export interface WebhookOptions {
  /** Of the receiver, http or https. It may hold a secret, so the log names its host alone. */
  url: string;
  /** `whsec_` and 24 to 64 bytes in base64; undefined = the messages are not signed. */
  secret: string | undefined;
  log: Log;
  /** Unix ms. Default: this machine's clock. */
  now?: () => number;
  /** How long one try may take, ms. Default: 10,000. */
  timeoutMs?: number;
  /** Pauses before the 2nd, 3rd … try, ms; as many tries as pauses plus one. Up to a quarter is added by chance. */
  pausesMs?: readonly number[];
  /** How long `close` waits at most, ms. Default: 1,500, of the 2,500 that a process has to end. */
  lastMs?: number;
}

interface Message {
  id: string;
  type: string;
  body: string;
  /** How long ago it was queued, ms. */
  age: () => number;
}

/** Why a try failed. */
interface Refusal {
  reason: string;
  again: boolean;
  retryAfterMs?: number | undefined;
}

/** How many messages wait. More of them come only while the receiver is away: then the oldest is dropped. */
const MOST_WAITING = 100;

/** A message that is older than this, ms, is not tried again: what follows it is more useful by then. */
const LONGEST_MS = 15 * 60_000;

const ENDING = 'the process is ending';

const PAUSES_MS: readonly number[] = [1_000, 5_000, 30_000, 120_000, 300_000];

export function createWebhook(options: WebhookOptions): Webhook {
  const { secret, log, now = Date.now, timeoutMs = 10_000, pausesMs = PAUSES_MS, lastMs = 1_500 } = options;
  const address = new URL(options.url);
  const { host } = address;
  const waiting: Message[] = [];
  /** Ends the pauses, then the tries. */
  const closing = new AbortController();
  const ending = new AbortController();
  let sending: Promise<void> | undefined;
  return { send, close };

  function send(type: string, data: object): void {
    const id = `msg_${newId()}`;
    const message = { id, type, body: bodyOf(type, data, now()), age: elapsed() };
    if (closing.signal.aborted) {
      lost(message, ENDING, 0);
      return;
    }
    waiting.push(message);
    const oldest = waiting.length > MOST_WAITING ? waiting.shift() : undefined;
    if (oldest) lost(oldest, `more than ${MOST_WAITING} messages wait`, 0);
    sending ??= sendAll();
  }

  async function close(): Promise<void> {
    closing.abort();
    await Promise.race([sending, sleep(lastMs)]);
    ending.abort();
    await sending;
  }

  async function sendAll(): Promise<void> {
    for (let next = waiting.shift(); next; next = waiting.shift()) await deliver(next);
    sending = undefined;
  }

  async function deliver(message: Message): Promise<void> {
    for (let tries = 1; ; tries++) {
      const refusal = await attempt(message);
      if (refusal === null) return;
      const { reason, again } = refusal;
      const pauseMs = pauseAfter(tries, refusal);
      if (!again || closing.signal.aborted || message.age() + pauseMs > LONGEST_MS) {
        lost(message, reason, tries);
        return;
      }
      log.warn('Webhook failed; trying again', { host, type: message.type, reason, waitMs: Math.round(pauseMs) });
      await sleep(pauseMs, undefined, { signal: closing.signal, ref: false }).catch(() => {});
    }
  }

  /** Infinity after the last try. */
  function pauseAfter(tries: number, { retryAfterMs = 0 }: Refusal): number {
    const pauseMs = pausesMs[tries - 1] ?? Number.POSITIVE_INFINITY;
    return Math.max(pauseMs * (1 + Math.random() / 4), retryAfterMs);
  }

  function lost({ type }: Message, reason: string, tries: number): void {
    log.error('Webhook not delivered', { host, type, reason, tries });
  }

  /** @returns null when it was delivered */
  async function attempt({ id, body }: Message): Promise<Refusal | null> {
    const timestamp = Math.floor(now() / 1_000);
    const headers = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'user-agent': 'recado',
      'webhook-id': id,
      'webhook-timestamp': timestamp,
      ...(secret === undefined ? {} : { 'webhook-signature': signatureOf(secret, id, timestamp, body) }),
    };
    const late = AbortSignal.timeout(timeoutMs);
    try {
      const { status, retryAfterMs } = await post(address, headers, body, AbortSignal.any([late, ending.signal]));
      if (status >= 200 && status < 300) return null;
      return { reason: `status ${status}`, again: isTemporary(status), retryAfterMs };
    } catch (error) {
      const cut = ending.signal.aborted ? ENDING : late.aborted ? `no answer within ${timeoutMs} ms` : undefined;
      return { reason: cut ?? codeOf(error), again: true };
    }
  }
}

/** @param secret as `WebhookOptions.secret` @param timestamp unix seconds */
export function signatureOf(secret: string, id: string, timestamp: number, body: string): string {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
}

function bodyOf(type: string, data: object, at: number): string {
  const text = 'text' in data ? { text: data.text } : {};
  return JSON.stringify({ type, timestamp: new Date(at).toISOString(), ...text, data });
}

function isTemporary(status: number): boolean {
  return status === 408 || status === 429 || status >= 500;
}

/** An error's words may quote the address; its code (`ECONNREFUSED`, `CERT_HAS_EXPIRED`) does not. */
function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'connection failed';
}

/** One request on Node's own client: it follows no redirect and sends a user and password that the address has. The answer's body is thrown away. */
function post(
  address: URL,
  headers: Record<string, string | number>,
  body: string,
  signal: AbortSignal,
): Promise<{ status: number; retryAfterMs: number | undefined }> {
  const request = address.protocol === 'https:' ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const posting = request(address, { method: 'POST', headers, signal, agent: false }, (response) => {
      const get = (name: string) => response.headers[name]?.toString() ?? null;
      resolve({ status: response.statusCode ?? 0, retryAfterMs: retryAfter({ get }) });
      response.resume();
    });
    posting.on('error', reject);
    posting.end(body);
  });
}
