/**
 * The leanest clients that are still right: HTTP/1.1 on one keep-alive socket, and Redis with its commands gathered per
 * round of the event loop. They do only what the bench needs, so that their cost is close to the minimum.
 */
import { connect, type NetConnectOpts, type Socket } from 'node:net';

export interface Answer {
  status: number;
  body: string;
}

export interface HttpConnection {
  /** One exchange at a time. Rejects when the connection ends before the whole answer was read. */
  exchange(request: string | Buffer): Promise<Answer>;
  close(): void;
}

/** An HTTP/1.1 client on one socket. Reads answers with a content-length only: chunked ones are rejected. */
export function connectHttp(where: NetConnectOpts): Promise<HttpConnection> {
  return new Promise((connected, refused) => {
    const socket = connect({ noDelay: true, ...where });
    let waiting: { resolve(answer: Answer): void; reject(error: Error): void } | null = null;
    let received: Buffer | null = null;
    let ended: Error | null = null;

    socket.once('connect', () => connected({ exchange, close: () => socket.destroy() }));
    socket.on('data', read);
    socket.on('error', end);
    socket.on('close', () => end(new Error('the connection was closed before the answer was there')));

    function exchange(request: string | Buffer): Promise<Answer> {
      return new Promise((resolve, reject) => {
        if (ended) return reject(ended);
        waiting = { resolve, reject };
        socket.write(request);
      });
    }

    function read(chunk: Buffer): void {
      received = received ? Buffer.concat([received, chunk]) : chunk;
      const answer = readAnswer(received);
      if (!answer) return;
      received = null;
      const asked = waiting;
      waiting = null;
      if (answer instanceof Error) asked?.reject(answer);
      else asked?.resolve(answer);
    }

    function end(error: Error): void {
      ended ??= error;
      refused(ended);
      waiting?.reject(ended);
      waiting = null;
      socket.destroy();
    }
  });
}

/** Null while bytes are missing. */
function readAnswer(bytes: Buffer): Answer | Error | null {
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd < 0) return null;
  const head = bytes.toString('latin1', 0, headEnd);
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (length === undefined) return new Error(`an answer without content-length: ${head.slice(0, 200)}`);
  const end = headEnd + 4 + Number(length);
  if (bytes.length < end) return null;
  return { status: Number(head.slice(9, 12)), body: bytes.toString('utf8', headEnd + 4, end) };
}

export interface RedisConnection {
  /** Resolves with the reply's only line, type character and all: `:1`, `+OK`. For commands that answer in one line. */
  send(...words: string[]): Promise<string>;
  /** The text of a reply that is one bulk string, such as that of INFO. */
  text(...words: string[]): Promise<string>;
  close(): void;
}

/** A Redis client on one socket. What is sent in one round of the event loop travels in one write. */
export function connectRedis(socketPath: string): Promise<RedisConnection> {
  return new Promise((connected, refused) => {
    const socket: Socket = connect({ path: socketPath });
    const waiting: { resolve(reply: string): void; reject(error: Error): void }[] = [];
    let outgoing = '';
    let received = '';

    socket.setEncoding('latin1');
    socket.once('connect', () => connected({ send, text: send, close: () => socket.destroy() }));
    socket.on('data', read);
    socket.on('error', end);
    socket.on('close', () => end(new Error('Redis closed the connection')));

    function send(...words: string[]): Promise<string> {
      return new Promise((resolve, reject) => {
        waiting.push({ resolve, reject });
        if (outgoing === '') setImmediate(flush);
        outgoing += `*${words.length}\r\n`;
        for (const word of words) outgoing += `$${Buffer.byteLength(word)}\r\n${word}\r\n`;
      });
    }

    function flush(): void {
      socket.write(outgoing);
      outgoing = '';
    }

    function read(chunk: Buffer | string): void {
      received += chunk;
      let from = 0;
      for (;;) {
        const lineEnd = received.indexOf('\r\n', from);
        if (lineEnd < 0) break;
        let reply = received.slice(from, lineEnd);
        let next = lineEnd + 2;
        if (reply.startsWith('$') && reply !== '$-1') {
          next += Number(reply.slice(1)) + 2;
          if (received.length < next) break;
          reply = received.slice(lineEnd + 2, next - 2);
        }
        from = next;
        const answered = waiting.shift();
        if (reply.startsWith('-')) answered?.reject(new Error(`Redis: ${reply.slice(1)}`));
        else answered?.resolve(reply);
      }
      received = received.slice(from);
    }

    function end(error: Error): void {
      refused(error);
      for (const { reject } of waiting.splice(0)) reject(error);
      socket.destroy();
    }
  });
}
