/**
 * Meta's Cloud API over HTTP on this machine: messages are taken, files are served, and what became of a message is told in batches as
 * Meta posts them. Requests are recorded, faults served in order. It shares no code with the program, the signature included. Shapes:
 * https://developers.facebook.com/docs/whatsapp/cloud-api/reference/messages
 */
import { createHmac, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What one request gets instead of its answer. */
export type MetaFault = FaultKind & {
  /** What was asked for is done all the same before the fault: nobody tells the caller. */
  done?: true;
};

type FaultKind =
  /** `code` makes Meta's JSON; a `body` is sent as it is, '' for none at all. */
  | { kind: 'status'; status: number; code?: number; body?: string }
  /** The request is taken and never answered. */
  | { kind: 'hang' }
  /** Status and half of a body, then silence. */
  | { kind: 'stall' }
  /** The connection is cut instead of an answer. */
  | { kind: 'reset' };

/** A message of the business, as Meta took it. */
export interface TakenMessage {
  id: string;
  phoneNumberId: string;
  /** The number, or the id of somebody without one. */
  to: string;
  text: string;
  /** What it names, when it is a template; its text is '' then. */
  template?: PostedTemplate;
  /** The file or the choices that it has, as they were posted; its text is the words beside them. */
  extra?: Record<string, unknown>;
  /** `biz_opaque_callback_data`: comes back with every status. */
  data: string | undefined;
}

export interface PostedTemplate {
  name: string;
  language: { code: string };
  components?: object[];
}

export interface MetaDouble {
  /** What `GRAPH_API_BASE` is set to. */
  readonly url: string;
  readonly sent: TakenMessage[];
  /** Ids of messages that were marked as read, with "typing…". */
  readonly typing: string[];
  /** Threads that were released or taken. */
  readonly controls: { to: string; action: string }[];
  /** Meta lets the escalation partner alone take a thread. As made: we are not. */
  isEscalation: boolean;
  readonly requests: { method: string; path: string; authorization: string; body: unknown }[];
  /** First in, first out. */
  readonly faults: MetaFault[];
  /** What the account has, as Meta lists it. As made: none. */
  readonly templates: { name: string; language: string; status: string; [field: string]: unknown }[];
  /** What a message gets by whom it goes to, when no fault of `faults` is in turn. */
  faultOf: (to: string) => MetaFault | undefined;
  /** Called with every message that is taken. */
  onSent: (message: TakenMessage) => void;
  /** Makes a file of a message that came in. @returns its id */
  addMedia(bytes: Uint8Array): string;
  /** Where files are said to be; as made: this double. */
  fileHost: string;
  close(): Promise<void>;
}

export interface MetaDoubleOptions {
  accessToken: string;
  /** Id → the number as Meta shows it. */
  numbers: Record<string, string>;
  /** Of the account that has the templates. */
  accountId?: string;
}

/** What a program posts, as far as it is looked at. */
interface Posted {
  messaging_product?: string;
  status?: string;
  message_id?: string;
  to?: string;
  recipient?: string;
  action?: string;
  type?: string;
  text?: { body?: string };
  template?: PostedTemplate;
  interactive?: { body?: { text?: string } } & Record<string, unknown>;
  image?: PostedFile;
  video?: PostedFile;
  audio?: PostedFile;
  document?: PostedFile;
  biz_opaque_callback_data?: string;
}

type PostedFile = { link?: string; caption?: string } & Record<string, unknown>;

const VERSION = '/v25.0/';

/** `X-Hub-Signature-256` */
export function metaSignature(appSecret: string, body: string): string {
  return `sha256=${createHmac('sha256', appSecret).update(body, 'utf8').digest('hex')}`;
}

export function newWamid(): string {
  return `wamid.${randomBytes(24).toString('base64')}`;
}

export async function startMetaDouble({ accessToken, numbers, accountId }: MetaDoubleOptions): Promise<MetaDouble> {
  const files = new Map<string, Uint8Array>();
  const server = createServer((incoming, outgoing) => {
    serve(incoming, outgoing).catch(() => outgoing.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // A TCP server has an address of this shape.
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const double: MetaDouble = {
    url: origin + VERSION.slice(0, -1),
    sent: [],
    typing: [],
    controls: [],
    isEscalation: false,
    requests: [],
    faults: [],
    templates: [],
    faultOf: () => undefined,
    onSent: () => {},
    fileHost: origin,
    addMedia(bytes) {
      const id = String(1_000_000_000_000_000 + files.size);
      files.set(id, bytes);
      return id;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return double;

  async function serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString('utf8');
    const { method = '', url = '', headers } = incoming;
    const authorization = headers.authorization ?? '';
    const body: Posted | null = text === '' ? null : JSON.parse(text);
    double.requests.push({ method, path: url, authorization, body });
    const to = body?.to ?? body?.recipient;
    const fault = double.faults.shift() ?? (to === undefined ? undefined : double.faultOf(to));
    if (fault && !fault.done) return suffer(fault, outgoing);
    const [status, answer] = answerTo(method, url, authorization, body);
    if (fault) return suffer(fault, outgoing);
    if (answer instanceof Uint8Array) outgoing.writeHead(status).end(answer);
    else outgoing.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(answer));
  }

  function answerTo(
    method: string,
    url: string,
    authorization: string,
    body: Posted | null,
  ): [number, object | Uint8Array] {
    if (authorization !== `Bearer ${accessToken}`) return refusal(401, 190);
    const { pathname } = new URL(url, origin);
    if (pathname.startsWith('/file/')) {
      const bytes = files.get(pathname.slice('/file/'.length));
      return bytes ? [200, bytes] : refusal(404, 100);
    }
    const [id = '', what] = pathname.slice(VERSION.length).split('/');
    if (!pathname.startsWith(VERSION)) return refusal(404, 100);
    if (method === 'POST' && what === 'messages') return take(id, body);
    if (method === 'POST' && what === 'thread_control') return control(id, body);
    if (method === 'GET' && files.has(id)) return [200, { url: `${double.fileHost}/file/${id}`, id }];
    if (method === 'GET' && id === accountId && what === 'message_templates') return page(url);
    if (method === 'GET' && id in numbers) return [200, { display_phone_number: numbers[id], id }];
    return refusal(404, 100);
  }

  /** Its pages have a cursor, which is where the next one begins. */
  function page(url: string): [number, object] {
    const { searchParams } = new URL(url, origin);
    const [start, size] = [Number(searchParams.get('after') ?? 0), Number(searchParams.get('limit') ?? 25)];
    const end = start + size;
    const next = end < double.templates.length ? { next: `${origin}/next` } : {};
    return [200, { data: double.templates.slice(start, end), paging: { cursors: { after: String(end) }, ...next } }];
  }

  function control(phoneNumberId: string, body: Posted | null): [number, object] {
    const to = body?.to ?? body?.recipient;
    const { action = '' } = body ?? {};
    const isKnown = ['pass', 'release', 'take'].includes(action);
    if (!(phoneNumberId in numbers) || body?.messaging_product !== 'whatsapp' || !to || !isKnown)
      return refusal(400, 100);
    if (action === 'take' && !double.isEscalation) return refusal(400, 100, 2494191);
    double.controls.push({ to, action });
    return [200, { success: true }];
  }

  function take(phoneNumberId: string, body: Posted | null): [number, object] {
    if (!(phoneNumberId in numbers)) return refusal(400, 33);
    if (body?.messaging_product !== 'whatsapp') return refusal(400, 100);
    if (body.status === 'read') {
      double.typing.push(body.message_id ?? '');
      return [200, { success: true }];
    }
    const to = body.to ?? body.recipient ?? '';
    const { template } = body;
    const content = contentOf(body);
    const problem = body.type === 'template' ? problemWith(template) : content === null ? 100 : null;
    if (problem !== null) return refusal(400, problem);
    const isAddress = body.to ? /^\d{6,15}$/.test(body.to) : /^[A-Z]{2}\./.test(body.recipient ?? '');
    if (!isAddress) return refusal(400, 100);
    const message: TakenMessage = {
      id: newWamid(),
      phoneNumberId,
      to,
      text: '',
      ...content,
      ...(template && { template }),
      data: body.biz_opaque_callback_data,
    };
    double.sent.push(message);
    double.onSent(message);
    const contact = { input: to, ...(body.to ? { wa_id: to } : { user_id: to }) };
    return [200, { messaging_product: 'whatsapp', contacts: [contact], messages: [{ id: message.id }] }];
  }

  /** Codes: https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes */
  function problemWith(template: PostedTemplate | undefined): number | null {
    if (!template?.name || !template.language?.code) return 132000;
    const known = double.templates.find(
      ({ name, language }) => name === template.name && language === template.language.code,
    );
    if (!known || known.status === 'REJECTED') return 132001;
    return known.status === 'PAUSED' ? 132015 : null;
  }
}

/** The words of a message, and what goes with them; null for one that Meta refuses. */
function contentOf(body: Posted): { text: string; extra?: Record<string, unknown> } | null {
  const { type, interactive } = body;
  if (type === 'text') {
    const text = body.text?.body;
    return text && text.length <= 4_096 ? { text } : null;
  }
  if (type === 'interactive') {
    const text = interactive?.body?.text;
    return interactive && text && text.length <= 1_024 ? { text, extra: interactive } : null;
  }
  if (type !== 'image' && type !== 'video' && type !== 'audio' && type !== 'document') return null;
  const file = body[type];
  if (!file?.link || !URL.canParse(file.link) || (file.caption ?? '').length > 1_024) return null;
  return { text: file.caption ?? '', extra: { type, ...file } };
}

/** https://developers.facebook.com/docs/graph-api/guides/error-handling */
function refusal(status: number, code: number, subcode?: number): [number, object] {
  const error = { message: `(#${code}) Scripted fault`, type: 'OAuthException', code, fbtrace_id: 'AbCdEf' };
  return [status, { error: subcode === undefined ? error : { ...error, error_subcode: subcode } }];
}

function suffer(fault: MetaFault, outgoing: ServerResponse): void {
  switch (fault.kind) {
    case 'status': {
      const [status, answer] = refusal(fault.status, fault.code ?? 131000);
      outgoing.writeHead(status).end(fault.body ?? JSON.stringify(answer));
      break;
    }
    case 'stall':
      outgoing.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': '1000' }).write('{"messages":');
      break;
    case 'reset':
      outgoing.socket?.resetAndDestroy();
      break;
    case 'hang':
      break;
  }
}
