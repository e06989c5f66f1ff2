/** The page's side of the simulator: JSON under `/simulator/api`, and what happens on all phones as one stream. See `contract.ts`. */
import { PassThrough } from 'node:stream';
import Router from '@koa/router';
import type { Context, Middleware } from 'koa';
import { z } from 'zod';
import { fromAddress, toAddress } from '../channels/twilio/address.ts';
import { Failure } from '../errors.ts';
import { isChannelAddress, SIMULATED_CLOUD_NUMBER, SIMULATED_NUMBER } from './account.ts';
import type { Faults, PageEvent, People, Routing, Sent, StoredMemory, Written } from './contract.ts';
import type { InspectMemory } from './inspect.ts';
import type { Journal } from './journal.ts';
import { LARGEST_FILE, type MediaShelf } from './media.ts';
import { PEOPLE } from './people.ts';
import type { ThreadRouting } from './routing.ts';
import type { Switchboard } from './switchboard.ts';

export interface SimulatorApiOptions {
  journal: Journal;
  switchboard: Switchboard;
  media: MediaShelf;
  routing: ThreadRouting;
  faults: { get: () => Faults; set: (faults: Faults) => void };
  /** Null until the store is handed in. */
  memory: () => InspectMemory | null;
}

export interface SimulatorApi {
  router: Router;
  /** Ends the open streams. */
  endStreams(): void;
}

/** Open pages: a simulator is for a handful of people. */
const MOST_STREAMS = 50;
/** Proxies cut what is silent for half a minute. */
const HEARTBEAT_MS = 15_000;
/** A page that reads nothing is disconnected when this much waits for it, bytes; enough for a whole journal. */
const MOST_UNREAD = 32_000_000;
/** The longest text that WhatsApp lets a person write. */
const LONGEST_TEXT = 4_096;

const CONTACT = z
  .string()
  .max(160)
  .transform(fromAddress)
  .refine((contact) => isChannelAddress(toAddress(contact)));
const MEDIA_ID = z.string().regex(/^ME[0-9a-f]{32}$/);
const WRITTEN = z.object({
  contact: CONTACT,
  profileName: z.string().trim().min(1).max(100),
  text: z.string().max(LONGEST_TEXT),
  media: MEDIA_ID.optional(),
  location: z
    .object({
      latitude: z.number().min(-90).max(90),
      longitude: z.number().min(-180).max(180),
      label: z.string().max(200).optional(),
      address: z.string().max(200).optional(),
    })
    .optional(),
  button: z.object({ payload: z.string().min(1).max(256) }).optional(),
  to: z.enum(['twilio', 'meta']).optional(),
  card: z
    .object({ name: z.string().trim().min(1).max(100), phone: z.string().regex(/^\+?[\d ().-]{6,30}$/) })
    .optional(),
  about: z.object({ sid: z.string().max(255), as: z.enum(['edit', 'revoke', 'reaction']) }).optional(),
});
const ROUTING = z.object({ contact: CONTACT, other: z.boolean() });
const BATCH = z.object({ messages: z.array(WRITTEN).min(1).max(10), order: z.enum(['together', 'reversed']) });
const FAULTS = z.object({
  model: z.enum(['well', 'slow', 'down', 'refusing']),
  slowMs: z.number().int().min(100).max(120_000),
  media: z.enum(['well', 'missing']),
});
const FILE = z.object({
  type: z
    .string()
    .max(100)
    .regex(/^[\w.+-]+\/[\w.+-]+(?:; ?[\w.+-]+=[\w.+-]+)*$/),
  name: z.string().max(200).default(''),
});

export function createSimulatorApi(options: SimulatorApiOptions): SimulatorApi {
  const { journal, switchboard, media, routing, faults, memory } = options;
  const streams = new Set<PassThrough>();
  const router = new Router({ prefix: '/simulator/api' });
  router.use(sameOrigin);

  router.get('/people', (ctx) => {
    const numbers = { business: SIMULATED_NUMBER, cloudBusiness: SIMULATED_CLOUD_NUMBER };
    ctx.body = { people: [...PEOPLE], ...numbers } satisfies People;
  });
  router.get('/events', (ctx) => openStream(ctx, journal, streams));
  router.post('/messages', (ctx) => {
    accept(ctx, switchboard.write(written(parsed(WRITTEN, ctx.request.body))));
  });
  router.post('/messages/:sid/repeat', (ctx) => {
    const { sid = '' } = ctx.params;
    if (!switchboard.repeat(sid)) throw new Failure('request.invalid', 'This message is not known any more.');
    accept(ctx, { sid });
  });
  router.post('/batch', (ctx) => {
    const { messages, order } = parsed(BATCH, ctx.request.body);
    accept(ctx, switchboard.writeAll(messages.map(written), order));
  });
  router.post('/media', async (ctx) => {
    const { type, name } = parsed(FILE, { ...ctx.query });
    ctx.status = 201;
    ctx.body = media.put(await bytesOf(ctx), type, name);
  });
  router.get('/media/:id', (ctx) => showFile(ctx, media));
  router.get('/faults', (ctx) => {
    ctx.body = faults.get();
  });
  router.put('/faults', (ctx) => {
    faults.set(parsed(FAULTS, ctx.request.body));
    ctx.body = faults.get();
  });
  router.put('/routing', async (ctx) => {
    const wanted: Routing = parsed(ROUTING, ctx.request.body);
    await routing.hand(wanted.contact, wanted.other);
    ctx.body = wanted;
  });
  router.get('/memory', async (ctx) => {
    const contact = parsed(CONTACT, ctx.query.contact);
    ctx.body = (await memory()?.memoryOf(contact)) ?? ({ keys: [] } satisfies StoredMemory);
  });
  router.post('/forget', async (ctx) => {
    const { contact } = parsed(z.object({ contact: CONTACT }), ctx.request.body);
    await memory()?.forget(contact);
    switchboard.forget(contact);
    routing.forget(contact);
    journal.drop(contact);
    // It counts for both numbers: what is remembered is the person's.
    journal.add({ provider: 'twilio', contact }, { type: 'forgotten' });
    ctx.status = 204;
  });

  return {
    router,
    endStreams() {
      for (const stream of streams) stream.end();
    },
  };

  function written({ media: id, ...message }: z.output<typeof WRITTEN>): Written {
    const { text, contact, profileName, location, button, to, card, about } = message;
    const file = id === undefined ? undefined : media.get(id);
    if (id !== undefined && !file) throw new Failure('request.invalid', 'This file is not known any more.');
    if (to !== 'meta' && (card || about))
      throw new Failure('request.invalid', 'Only the Cloud API number takes cards, edits and reactions.');
    if (about) mayChange(message, about);
    else if (text.trim() === '' && !file && !location && !button && !card)
      throw new Failure('request.invalid', 'There is nothing to send.');
    return {
      contact,
      profileName,
      text,
      ...(file ? { media: { id: file.id, contentType: file.contentType, name: file.name, size: file.size } } : {}),
      ...(location ? { location: place(location) } : {}),
      ...(button ? { button } : {}),
      ...(to ? { to } : {}),
      ...(card ? { card } : {}),
      ...(about ? { about } : {}),
    };
  }

  /** Everybody may react to any message; only one's own is edited or taken back. */
  function mayChange({ contact, text }: Pick<Written, 'contact' | 'text'>, { sid, as }: Change): void {
    if (as === 'reaction') return;
    const own = switchboard.find(sid);
    if (own?.contact !== contact || own.to !== 'meta' || own.about)
      throw new Failure('request.invalid', 'This is no message of theirs to the Cloud API number.');
    if (as === 'edit' && (text.trim() === '' || own.text === ''))
      throw new Failure('request.invalid', 'Only a text can be edited, and it cannot be empty.');
  }
}

type Change = NonNullable<Written['about']>;

function place({ latitude, longitude, label, address }: NonNullable<z.output<typeof WRITTEN>['location']>) {
  return { latitude, longitude, ...(label ? { label } : {}), ...(address ? { address } : {}) };
}

/** Another site's page in the same browser may not write here. Programs send no such header. */
const sameOrigin: Middleware = async (ctx, next) => {
  const site = ctx.get('Sec-Fetch-Site');
  if (site !== '' && site !== 'same-origin' && site !== 'none') {
    throw new Failure('request.invalid', 'The simulator answers its own page only.');
  }
  ctx.set({ 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' });
  await next();
};

function accept(ctx: Context, sent: Sent | Sent[]): void {
  ctx.status = 202;
  ctx.body = sent;
}

function parsed<Schema extends z.ZodType>(schema: Schema, given: unknown): z.output<Schema> {
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  throw new Failure('request.invalid', z.prettifyError(result.error));
}

/** What happened so far, or since `Last-Event-ID`, and then what happens. `reset` says that everything comes again. */
function openStream(ctx: Context, journal: Journal, streams: Set<PassThrough>): void {
  if (streams.size >= MOST_STREAMS) {
    ctx.status = 503;
    ctx.body = { success: false, error: 'Too many pages are open.', code: 'simulator.busy' };
    return;
  }
  const stream = new PassThrough();
  const heartbeat = setInterval(() => stream.write(': still here\n\n'), HEARTBEAT_MS).unref();
  const { all, events } = journal.after(ctx.get('Last-Event-ID'));
  if (all) stream.write('event: reset\ndata: {}\n\n');
  for (const event of events) stream.write(block(event));
  stream.write('event: ready\ndata: {}\n\n');
  const unlisten = journal.listen((event) => {
    if (stream.writableEnded) return;
    stream.write(block(event));
    if (stream.writableLength + stream.readableLength > MOST_UNREAD) stream.end();
  });
  streams.add(stream);
  stream.once('close', () => {
    clearInterval(heartbeat);
    unlisten();
    streams.delete(stream);
  });
  ctx.res.once('close', () => stream.destroy());
  ctx.set('X-Accel-Buffering', 'no');
  ctx.type = 'text/event-stream';
  ctx.status = 200;
  // A page that is closed in the middle of a stream is no failure, but Koa would log it as one.
  ctx.respond = false;
  stream.pipe(ctx.res);
}

function block(event: PageEvent): string {
  return `id: ${event.id}\ndata: ${JSON.stringify(event)}\n\n`;
}

async function bytesOf(ctx: Context): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of ctx.req) {
    length += chunk.length;
    if (length <= LARGEST_FILE) chunks.push(chunk);
  }
  if (length > LARGEST_FILE) throw new Failure('request.too_large', `A file may have ${LARGEST_FILE} bytes.`);
  if (length === 0)
    throw new Failure('request.invalid', 'The file is empty, or was not sent as application/octet-stream.');
  return Buffer.concat(chunks);
}

/** An uploaded file of any kind: shown as a picture or sound, never executed. */
function showFile(ctx: Context, media: MediaShelf): void {
  const file = media.get(ctx.params.id ?? '');
  if (!file) return;
  const shown = /^(?:image|audio|video)\//.test(file.contentType);
  ctx.set({
    'Content-Security-Policy': "default-src 'none'; sandbox",
    'Content-Disposition': shown ? 'inline' : 'attachment',
    'Cache-Control': 'private, max-age=86400, immutable',
    'Accept-Ranges': 'none',
  });
  ctx.type = shown ? file.contentType : 'application/octet-stream';
  ctx.body = file.bytes;
}
