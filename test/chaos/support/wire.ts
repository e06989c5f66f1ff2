/** Bytes to the bot and back, without a client that knows what is allowed. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface RawAnswer {
  /** 0 = the connection was closed without an answer. */
  status: number;
  contentType: string;
  body: string;
  tookMs: number;
}

/** A request as it goes over the wire. A header that is given as a list is sent once for each. */
export interface RawRequest {
  method: string;
  target: string;
  headers: [name: string, value: string][];
  body: Buffer;
}

/** Sends a request on a connection of its own, at once, and reads until the other side closes or `patienceMs` are over. */
export async function exchange(port: number, request: RawRequest, patienceMs = 30_000): Promise<RawAnswer> {
  const startedAt = Date.now();
  const socket = await open(port);
  const answered = readAll(socket, patienceMs);
  socket.write(Buffer.concat([Buffer.from(headOf(request), 'latin1'), request.body]));
  return { ...parse(await answered), tookMs: Date.now() - startedAt };
}

/** Sends the head and then a byte now and then, for ever. @param headToo the head itself comes byte by byte */
export async function trickle(port: number, request: RawRequest, headToo: boolean): Promise<RawAnswer> {
  const startedAt = Date.now();
  const socket = await open(port);
  let isOpen = true;
  socket.once('close', () => {
    isOpen = false;
  });
  const answered = readAll(socket, 60_000);
  const head = headOf(request);
  if (!headToo) socket.write(head, 'latin1');
  for (let i = 0; isOpen && i < 120; i++) {
    socket.write(headToo ? (head[i] ?? 'x') : 'a');
    await sleep(500);
  }
  return { ...parse(await answered), tookMs: Date.now() - startedAt };
}

async function open(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {}); // followed by 'close'
  await once(socket, 'connect');
  return socket;
}

/** Every request asks for the connection to be closed, so that an answer has an end. */
function headOf({ method, target, headers }: RawRequest): string {
  const lines = headers.map(([name, value]) => `${name}: ${value}`);
  return `${method} ${target} HTTP/1.1\r\n${[...lines, 'Connection: close'].join('\r\n')}\r\n\r\n`;
}

async function readAll(socket: Socket, patienceMs: number): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  const patience = new AbortController();
  await Promise.race([
    once(socket, 'close'),
    sleep(patienceMs, undefined, { signal: patience.signal }).catch(() => {}),
  ]);
  patience.abort();
  socket.destroy();
  return Buffer.concat(chunks).toString('latin1');
}

function parse(text: string): Omit<RawAnswer, 'tookMs'> {
  const [head = '', ...rest] = text.split('\r\n\r\n');
  // `100 Continue` may come first.
  if (/^HTTP\/1\.1 100/.test(head)) return parse(rest.join('\r\n\r\n'));
  return {
    status: Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1] ?? 0),
    contentType: /^content-type: *(.*)$/im.exec(head)?.[1] ?? '',
    body: rest.join('\r\n\r\n'),
  };
}
