/** Twilio's API as far as the bench needs it, in a process of its own: every file is a photo, every message is taken and noted. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { takePhoto } from './pictures.ts';

/** A message that was sent by the API. */
export interface Sent {
  to: string;
  body: string;
}

/**
 * What the parent may ask: to have the photo ready, answered with its size; to forget what was sent; how many messages were
 * sent since then; which ones.
 */
export type TwilioQuestion = 'photo' | 'forget' | 'count' | 'sent';

/** Serves until its parent goes. Says its port first. */
async function serveTwilio(): Promise<void> {
  let photo: Promise<Buffer> | undefined;
  let sent: Sent[] = [];
  const server = createServer((request, response) => {
    serve(request, response).catch((error) => response.writeHead(500).end(String(error)));
  });

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const written = new URLSearchParams(await text(request));
    const path = request.url?.replace(/\?.*/, '') ?? '';
    if (request.method === 'GET' && path.includes('/Media/')) {
      photo ??= takePhoto();
      const bytes = await photo;
      return void response.writeHead(200, { 'content-type': 'image/jpeg', 'content-length': bytes.length }).end(bytes);
    }
    // Nothing is ever found there: whoever looks for what was sent has to send it.
    if (request.method === 'GET') return json(response, 200, { messages: [], page: 0, page_size: 50 });
    if (path.endsWith('/Messages.json')) sent.push({ to: written.get('To') ?? '', body: written.get('Body') ?? '' });
    json(response, 201, { sid: `SM${sent.length.toString(16).padStart(32, '0')}` });
  }

  process.on('disconnect', () => process.exit());
  process.on('message', async (question: TwilioQuestion) => {
    if (question === 'photo') photo ??= takePhoto();
    if (question === 'forget') sent = [];
    const answers = {
      photo: async () => (await photo)?.length,
      forget: () => 0,
      count: () => sent.length,
      sent: () => sent,
    };
    process.send?.(await answers[question]());
  });
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    process.send?.({ port: typeof address === 'object' ? address?.port : 0 });
  });
}

function json(response: ServerResponse, status: number, body: object): void {
  const bytes = Buffer.from(JSON.stringify(body));
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': bytes.length }).end(bytes);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await serveTwilio();
