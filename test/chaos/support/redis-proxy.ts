/** Stands between one bot and Redis: names the scripts that pass, can stop one before it runs, and can play dead. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface RedisProxy {
  readonly url: string;
  /**
   * Told of every command before Redis has it: the name of one of our scripts, or of the command, lower case. 'stop': Redis
   * never gets it, nor what comes behind it on that connection.
   */
  onCommand: (name: string) => 'pass' | 'stop';
  /** From now on nothing moves on the connections there are, and nobody is told. New ones work. */
  playDead(): void;
  close(): Promise<void>;
}

/** @param port where Redis listens on this machine; it may come and go */
export async function startRedisProxy(port: number): Promise<RedisProxy> {
  const scripts = scriptNames();
  const pairs = new Set<{ client: Socket; redis: Socket; dead: boolean }>();
  const server = createServer((client) => {
    const redis = connect(port, '127.0.0.1');
    const pair = { client, redis, dead: false };
    pairs.add(pair);
    const commands = createCommandReader((command, bytes) => {
      if (pair.dead) return;
      if (proxy.onCommand(nameOf(command, scripts)) === 'stop') pair.dead = true;
      else redis.write(bytes);
    });
    client.setNoDelay(true);
    redis.setNoDelay(true);
    client.on('data', commands);
    redis.on('data', (chunk) => pair.dead || client.write(chunk));
    // Errors of either side are followed by its 'close'. What was written to Redis still arrives.
    for (const socket of [client, redis]) socket.on('error', () => {});
    client.on('close', () => {
      redis.end();
      pairs.delete(pair);
    });
    redis.on('close', () => client.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // A TCP server has an address of this shape.
  const { port: own } = server.address() as AddressInfo;
  const proxy: RedisProxy = {
    url: `redis://127.0.0.1:${own}`,
    onCommand: () => 'pass',
    playDead() {
      for (const pair of pairs) pair.dead = true;
    },
    async close() {
      for (const { client, redis } of pairs) {
        client.destroy();
        redis.destroy();
      }
      server.close();
      await once(server, 'close');
    },
  };
  return proxy;
}

/** The digest that a script is called by → its name. */
function scriptNames(): Map<string, string> {
  const folder = new URL('../../../app/memory/scripts/', import.meta.url);
  const files = readdirSync(folder).filter((file) => file.endsWith('.lua'));
  return new Map(files.map((file) => [digestOf(readFileSync(new URL(file, folder))), file.replace('.lua', '')]));
}

function digestOf(script: Buffer): string {
  return createHash('sha1').update(script).digest('hex');
}

function nameOf([name, first]: Buffer[], scripts: Map<string, string>): string {
  const command = name?.toString().toLowerCase() ?? '';
  const digest = command === 'evalsha' ? first?.toString() : command === 'eval' && first ? digestOf(first) : undefined;
  return (digest && scripts.get(digest)) ?? command;
}

/** Reads RESP arrays of bulk strings, which is all that clients send. https://redis.io/docs/latest/develop/reference/protocol-spec/ */
function createCommandReader(onCommand: (command: Buffer[], bytes: Buffer) => void): (chunk: Buffer) => void {
  let unread = Buffer.alloc(0);
  return (chunk) => {
    unread = Buffer.concat([unread, chunk]);
    for (let read = readCommand(unread); read; read = readCommand(unread)) {
      onCommand(read.command, unread.subarray(0, read.length));
      unread = unread.subarray(read.length);
    }
  };
}

function readCommand(bytes: Buffer): { command: Buffer[]; length: number } | null {
  let at = 0;
  const readNumber = (): number => {
    const end = bytes.indexOf('\r\n', at);
    if (end === -1) return Number.NaN;
    const number = Number(bytes.subarray(at + 1, end).toString());
    at = end + 2;
    return number;
  };
  const parts = readNumber();
  const command: Buffer[] = [];
  while (command.length < parts) {
    const length = readNumber();
    if (Number.isNaN(length) || at + length + 2 > bytes.length) return null;
    command.push(bytes.subarray(at, at + length));
    at += length + 2;
  }
  return Number.isNaN(parts) ? null : { command, length: at };
}
