/** Stands between the bot and an HTTP server, so that a test can see each request, keep it, spoil its answer, or just let it through. */
import { Agent, createServer, type IncomingMessage, request as open, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Passing {
  method: string;
  /** With the query. */
  path: string;
  headers: IncomingMessage['headers'];
  body: Buffer;
}

export interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Buffer | string;
}

/** What the bot gets: an answer, a connection that is cut, or nothing at all. */
export type Outcome = Answer | 'cut' | 'silence';

/** Decides about one request. `forward` carries it out and resolves with the real answer; it need not be called. */
export type Handle = (request: Passing, forward: () => Promise<Answer>) => Outcome | Promise<Outcome>;

export interface HttpProxy {
  /** The origin; paths are passed on as they are. */
  readonly url: string;
  /** As made it lets everything through. */
  handle: Handle;
  close(): Promise<void>;
}

export const letThrough: Handle = (_request, forward) => forward();

/** @param target the origin that requests are forwarded to */
export async function startHttpProxy(target: string): Promise<HttpProxy> {
  const agent = new Agent({ keepAlive: true });
  const server = createServer(async (incoming, outgoing) => {
    const request = await read(incoming);
    const outcome = await proxy.handle(request, () => forward(agent, target, request));
    if (outcome === 'silence' || outgoing.destroyed) return;
    if (outcome === 'cut') return outgoing.socket?.resetAndDestroy();
    outgoing.writeHead(outcome.status, outcome.headers).end(outcome.body);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  // A TCP server has an address of this shape.
  const { port } = server.address() as AddressInfo;
  const proxy: HttpProxy = {
    url: `http://127.0.0.1:${port}`,
    handle: letThrough,
    close: () => close(server, agent),
  };
  return proxy;
}

function close(server: Server, agent: Agent): Promise<void> {
  agent.destroy();
  return new Promise((closed) => {
    server.close(() => closed());
    server.closeAllConnections();
  });
}

async function read(incoming: IncomingMessage): Promise<Passing> {
  const { method = '', url: path = '/', headers } = incoming;
  return { method, path, headers, body: await bodyOf(incoming) };
}

async function bodyOf(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  // Whoever sends it may be killed meanwhile.
  incoming.on('error', () => {});
  try {
    for await (const chunk of incoming) chunks.push(chunk);
  } catch {
    return Buffer.alloc(0);
  }
  return Buffer.concat(chunks);
}

function forward(agent: Agent, target: string, { method, path, headers, body }: Passing): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { 'transfer-encoding': _, ...kept } = headers;
    const outgoing = open(target + path, {
      method,
      agent,
      headers: { ...kept, 'content-length': String(body.length) },
    });
    outgoing.on('error', reject);
    outgoing.on('response', async (response) => {
      const { 'transfer-encoding': __, connection: ___, ...answered } = response.headers;
      resolve({ status: response.statusCode ?? 502, headers: answered, body: await bodyOf(response) });
    });
    outgoing.end(body);
  });
}
