/** Courier's side: an HTTP API that keeps what it was given, and the faults of the contract suite. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ProviderFault } from '../../contracts/channel.ts';

export const SECRET = 'a-courier-secret';

interface Kept {
  id: string;
  business: string;
  address: string;
  text: string;
  at: number;
}

export type CourierProvider = Awaited<ReturnType<typeof startCourierProvider>>;

export async function startCourierProvider(longest = 500) {
  const messages: Kept[] = [];
  const typing: string[] = [];
  const faults: ProviderFault[] = [];
  let count = 0;
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // a TCP server has an address of this shape

  return {
    url: `http://127.0.0.1:${port}`,
    messages,
    typing,
    faults,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    if (request.url?.startsWith('/files/')) return json(response, 200, 'a file');
    const body = JSON.parse(Buffer.concat(chunks).toString());
    const fault = faults.shift();
    if (fault?.endsWith('-after-sending')) carryOut(request.url, body);
    if (fault) return fail(fault, response);
    if (request.headers['x-courier-secret'] !== SECRET) return json(response, 401, {});
    if ([...String(body.text ?? '')].length > longest) return json(response, 400, {});
    json(response, 200, carryOut(request.url, body));
  }

  function carryOut(path: string | undefined, body: Kept & { since: number; messageId: string }): unknown {
    const { business, address, text, since, messageId } = body;
    if (path === '/typing') typing.push(messageId);
    if (path === '/search') {
      return messages
        .filter((one) => one.business === business && one.address === address && one.text === text && one.at >= since)
        .sort((a, b) => b.at - a.at)
        .map(({ id }) => id);
    }
    if (path !== '/messages') return {};
    messages.push({ id: `courier-${++count}`, business, address, text, at: Date.now() });
    return { id: `courier-${count}` };
  }
}

function fail(fault: ProviderFault, response: ServerResponse): void {
  const status = STATUSES[fault];
  if (status !== undefined) json(response, status, {});
  if (fault === 'empty-error') response.writeHead(500).end();
  if (fault === 'nonsense-after-sending') response.writeHead(200).end('welcome');
  if (fault === 'reset') response.destroy();
  if (fault === 'hang-in-the-answer') response.writeHead(200, { 'Content-Length': 100 }).write('{');
}

const STATUSES: Partial<Record<ProviderFault, number>> = {
  'rate-limited': 429,
  'server-error': 500,
  'server-error-after-sending': 500,
  'wrong-credentials': 401,
};

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
}
