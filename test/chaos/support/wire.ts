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

/** Sends a request on a connection of its own, at once, and reads a whole answer, or until the other side closes or `patienceMs` are over. */
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

function headOf({ method, target, headers }: RawRequest): string {
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n`;
}

function readAll(socket: Socket, patienceMs: number): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const patience = setTimeout(() => socket.destroy(), patienceMs);
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      if (isWhole(text)) socket.destroy();
    });
    socket.once('close', () => {
      clearTimeout(patience);
      resolve(text);
    });
  });
}

/** Has all of an answer come? One without a length ends when the connection does. */
function isWhole(text: string): boolean {
  const end = text.indexOf('\r\n\r\n') + 4;
  if (end < 4) return false;
  const head = text.slice(0, end);
  if (/^HTTP\/1\.1 100/.test(head)) return isWhole(text.slice(end));
  if (/^HTTP\/1\.1 204/.test(head)) return true;
  if (/^transfer-encoding: *chunked/im.test(head)) return text.endsWith('0\r\n\r\n');
  const length = /^content-length: *(\d+)/im.exec(head)?.[1];
  return length !== undefined && text.length >= end + Number(length);
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
