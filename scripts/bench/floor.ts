/**
 * The floor: what no bot can do without for one message, and nothing else. Read the webhook, check its signature, one
 * round trip to Redis, one call of a model, TwiML. No memory, no dedupe, no lease, no scrubbing, no log, no second try.
 *
 * Run with `FloorOptions` as JSON in its only argument it serves as a process of its own and tells its parent the port.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { type Answer, connectHttp, connectRedis, type HttpConnection } from './thin-clients.ts';

export interface FloorOptions {
  authToken: string;
  /** The address that webhooks were signed for, without the path. */
  publicUrl: string;
  /** The path of Redis' socket. */
  redisSocket: string;
  /** The model server's port on the loopback. */
  modelPort: number;
}

export interface Floor {
  readonly port: number;
  close(): Promise<void>;
}

export async function startFloor({ authToken, publicUrl, redisSocket, modelPort }: FloorOptions): Promise<Floor> {
  const redis = await connectRedis(redisSocket);
  const ask = createModelClient(modelPort);
  const server = createServer((req, res) => {
    answer(req, res).catch((error) => reply(res, 500, String(error)));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));

  async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const pairs = new URLSearchParams(await bodyOf(req));
    if (!isSigned(authToken, `${publicUrl}${req.url}`, pairs, req.headers['x-twilio-signature']))
      return reply(res, 403, '<Response/>');
    const text = pairs.get('Body') ?? '';
    await redis.send('RPUSH', `floor:${pairs.get('From')}`, text);
    reply(res, 200, `<Response><Message>${escapeXml(await ask(text))}</Message></Response>`);
  }

  return {
    port: portOf(server),
    close: () => {
      redis.close();
      ask.close();
      server.closeAllConnections();
      return new Promise((closed) => server.close(() => closed()));
    },
  };
}

function reply(res: ServerResponse, status: number, body: string): void {
  res.writeHead(status, { 'content-type': 'text/xml', 'content-length': Buffer.byteLength(body) });
  res.end(body);
}

function bodyOf(req: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    let body = '';
    req.setEncoding('utf8');
    req.on('data', (chunk: string) => {
      body += chunk;
    });
    req.on('end', () => resolve(body));
    req.on('error', reject);
  });
}

/** Twilio: "Webhooks security". The address, then every name with its value, sorted by name. */
function isSigned(
  token: string,
  url: string,
  pairs: URLSearchParams,
  signature: string | string[] | undefined,
): boolean {
  if (typeof signature !== 'string') return false;
  let signed = url;
  for (const [name, value] of [...pairs].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))) signed += name + value;
  const expected = createHmac('sha1', token).update(signed).digest();
  const given = Buffer.from(signature, 'base64');
  return given.length === expected.length && timingSafeEqual(given, expected);
}

/** One idle connection is taken per call; when there is none, one more is made. */
function createModelClient(port: number) {
  const idle: HttpConnection[] = [];
  async function ask(text: string): Promise<string> {
    const body = JSON.stringify({
      model: 'floor',
      messages: [
        { role: 'system', content: 'You are a friendly and helpful assistant that people write to on WhatsApp.' },
        { role: 'user', content: text },
      ],
    });
    const { status, body: answered } = await exchange(
      `POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
    if (status !== 200) throw new Error(`the model server answered ${status}`);
    // The model server is our own double, its answers are chat completions.
    return (JSON.parse(answered) as { choices: [{ message: { content: string } }] }).choices[0].message.content;
  }
  /** The server may have closed a connection that was idle: then one that is new is used. */
  async function exchange(request: string): Promise<Answer> {
    const kept = idle.pop();
    const answer = await kept?.exchange(request).catch(() => null);
    if (kept && answer) idle.push(kept);
    if (answer) return answer;
    const connection = await connectHttp({ port, host: '127.0.0.1' });
    const answered = await connection.exchange(request);
    idle.push(connection);
    return answered;
  }
  function close(): void {
    for (const connection of idle) connection.close();
  }
  return Object.assign(ask, { close });
}

const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

function escapeXml(text: string): string {
  return text.replace(/[&<>]/g, (character) => ESCAPES[character] ?? '');
}

function portOf(server: Server): number {
  // A TCP server's address is an object once it listens.
  return (server.address() as AddressInfo).port;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.on('disconnect', () => process.exit());
  // Written by `startFloorProcess`.
  const { port } = await startFloor(JSON.parse(process.argv[2] ?? '') as FloorOptions);
  process.send?.({ port });
}
