/**
 * Meta's Graph API as far as the bot uses it, on this machine alone: messages, "typing…", files, the number itself, and who owns a thread.
 * Shapes: https://developers.facebook.com/docs/whatsapp/cloud-api/reference, codes:
 * https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes
 */
import { randomBytes } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import type { Log } from '../ops/logger.ts';
import { bodyOf, jsonOf } from './body.ts';
import type { Delivery } from './contract.ts';
import { newWamid } from './meta-carrier.ts';
import type { MetaFiles } from './meta-files.ts';
import { isNumber, type OwnNumber, statusBatch, statusOf } from './meta-messages.ts';
import { GraphRefusal, type Posted, readPosted, shownText } from './meta-posted.ts';
import { type MessageState, type Outgoing, type StatusCallback, travel } from './outgoing.ts';
import { startLocalServer } from './server.ts';
import { listForMeta } from './templates.ts';

export interface MetaApi {
  /** Origin and version: what `GRAPH_API_BASE` would be. */
  readonly url: string;
  stop(): Promise<void>;
}

export interface MetaApiOptions {
  accessToken: string;
  own: OwnNumber;
  files: Pick<MetaFiles, 'describe' | 'fetch'>;
  /** Is there a phone with this address? */
  isPerson: (contact: string) => boolean;
  /** When somebody last wrote to this number, unix ms; 0 = never. */
  wroteAt: (contact: string) => number;
  /** Who owns the thread is another one from now on. */
  onRouted: (contact: string, others: boolean) => void;
  /** Called for everything that the bot sends. */
  onOutgoing: (outgoing: Outgoing) => void;
  /** Called when a status was posted. */
  onCallback: (callback: StatusCallback) => void;
  /** Posts a batch to the bot. */
  post: (batch: object) => Promise<Delivery>;
  now: () => number;
  log: Log;
}

/** The newest version that is known to work. */
const VERSION = 'v25.0';
/** The longest body of a request, bytes. */
const LONGEST_BODY = 64 * 1_024;
/** How long we may write freely after a person's last message. */
const WINDOW_MS = 24 * 3_600_000;

/** What `GET /{phone-number-id}` knows; without `fields` it says the first two. */
const ABOUT = { verified_name: 'Recado (simulated)', quality_rating: 'GREEN', code_verification_status: 'VERIFIED' };

export async function startMetaApi(options: MetaApiOptions): Promise<MetaApi> {
  const { accessToken, own, files, isPerson, wroteAt, onRouted, onOutgoing, onCallback, post, now, log } = options;
  const stopping = new AbortController();
  // Every message under way listens to it.
  setMaxListeners(0, stopping.signal);
  const server = await startLocalServer((request, response) => {
    serve(request, response).catch((error: unknown) => refuse(response, error));
  });
  return {
    url: `${server.url}/${VERSION}`,
    stop() {
      stopping.abort();
      return server.stop();
    },
  };

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await bodyOf(request, LONGEST_BODY);
    if (!body) throw new GraphRefusal(413, 100, 'The request is too large');
    if (request.headers.authorization !== `Bearer ${accessToken}`)
      throw new GraphRefusal(401, 190, 'Invalid OAuth access token - Cannot parse access token');
    const url = new URL(request.url ?? '/', server.url);
    const file = files.fetch(url.pathname);
    if (file) return void response.writeHead(200, { 'Content-Type': file.contentType }).end(file.bytes);
    send(response, 200, answer(request.method ?? '', url, body.toString()));
  }

  function answer(method: string, url: URL, body: string): object {
    const [, id, edge = ''] = /^\/v\d+\.\d+\/([^/]+)(?:\/([^/]+))?$/.exec(url.pathname) ?? [];
    // An address of a file that is too old, too.
    if (id === undefined) throw new GraphRefusal(404, 100, 'Not found');
    const isOurs = id === own.phoneNumberId;
    if (method === 'POST' && isOurs && edge === 'messages') return take(readPosted(jsonOf(body)));
    if (method === 'POST' && isOurs && edge === 'thread_control') return route(jsonOf(body));
    if (method === 'GET' && isOurs && edge === '') return aboutUs(url.searchParams.get('fields'));
    if (method === 'GET' && id === own.accountId && edge === 'message_templates') return listForMeta();
    const file = method === 'GET' && edge === '' ? files.describe(id, server.url) : null;
    if (file) return file;
    const what = `Unsupported ${method.toLowerCase()} request. Object with ID '${id}' does not exist`;
    throw new GraphRefusal(400, 100, what, 33);
  }

  function aboutUs(fields: string | null): object {
    const { number, phoneNumberId: id } = own;
    const known: Record<string, string> = { ...ABOUT, display_phone_number: `+${number}`, id };
    const wanted = ['id', ...(fields ?? 'display_phone_number,verified_name').split(',')];
    return Object.fromEntries(wanted.flatMap((name) => (known[name] === undefined ? [] : [[name, known[name]]])));
  }

  function take(posted: Posted): object {
    if (posted.kind === 'read') {
      if (posted.typing) onOutgoing({ type: 'typing', messageSid: posted.messageId, at: now() });
      return { success: true };
    }
    const { contact, body } = posted;
    const text = shownText(body);
    if (!isPerson(contact)) throw new GraphRefusal(400, 131026, 'Message undeliverable');
    // A template needs no open window, and takes no thread.
    if (body.type !== 'template') {
      if (now() - wroteAt(contact) >= WINDOW_MS) throw new GraphRefusal(400, 131047, 'Re-engagement message');
      onRouted(contact, false);
    }
    const id = newWamid();
    onOutgoing({ type: 'message', contact, sid: id, text, at: now(), request: posted.fields });
    // Rejects only when the simulator stops.
    travel((state) => arrive(id, contact, state, body.biz_opaque_callback_data), stopping.signal).catch(() => {});
    const who = isNumber(contact) ? { wa_id: contact } : { user_id: contact };
    return { messaging_product: 'whatsapp', contacts: [{ input: contact, ...who }], messages: [{ id }] };
  }

  async function arrive(sid: string, contact: string, state: MessageState, data: string | undefined): Promise<void> {
    onOutgoing({ type: 'status', contact, sid, state, at: now() });
    const { url, response } = await post(statusBatch(own, statusOf(sid, contact, state, data)));
    if (stopping.signal.aborted) return;
    onCallback({ contact, sid, state, url, status: response?.status ?? null });
    if (response?.status !== 200) log.warn('A simulated status was not taken', { status: response?.status ?? null });
  }

  /** Passing and releasing are the same here: there is one other responder. */
  function route(json: unknown): object {
    const { success, data } = CONTROL.safeParse(json);
    if (!success) throw new GraphRefusal(400, 100, 'Invalid parameter');
    onRouted((data.to ?? data.recipient ?? '').replace(/^\+/, ''), data.action !== 'take');
    return { success: true };
  }
}

/** https://developers.facebook.com/docs/whatsapp/cloud-api: who owns a thread. */
const CONTROL = z
  .object({
    messaging_product: z.literal('whatsapp'),
    to: z.string().optional(),
    recipient: z.string().optional(),
    action: z.enum(['pass', 'release', 'take']),
    metadata: z.string().max(2_000).optional(),
  })
  .refine(({ to, recipient }) => (to ?? recipient ?? '') !== '');

function refuse(response: ServerResponse, error: unknown): void {
  const { status, code, message, subcode } =
    error instanceof GraphRefusal ? error : new GraphRefusal(500, 131000, 'Something went wrong');
  const fbtrace_id = randomBytes(9).toString('base64url');
  const more = subcode === undefined ? {} : { error_subcode: subcode };
  send(response, status, {
    error: { message: `(#${code}) ${message}`, type: 'OAuthException', code, ...more, fbtrace_id },
  });
}

function send(response: ServerResponse, status: number, body: object): void {
  if (!response.headersSent) response.writeHead(status, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify(body));
}
