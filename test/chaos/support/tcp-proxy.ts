/** An address of this machine that leads somewhere else: it can move, and its connections can fall silent. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface TcpProxy {
  readonly port: number;
  /** New connections lead to this port from now on; those that are open stay where they are. */
  moveTo(port: number): void;
  /** From now on nothing moves on the connections there are, and nobody is told. New ones work. @returns how many there are */
  playDead(): number;
  close(): Promise<void>;
}

/** @param target the port on this machine that it leads to */
export async function startTcpProxy(target: number): Promise<TcpProxy> {
  const pairs = new Set<[Socket, Socket]>();
  let leadsTo = target;
  const server = createServer((near) => {
    const far = connect(leadsTo, '127.0.0.1');
    const pair: [Socket, Socket] = [near, far];
    pairs.add(pair);
    near.pipe(far);
    far.pipe(near);
    for (const socket of pair) {
      socket.setNoDelay(true);
      socket.on('error', () => {}); // followed by its 'close'
      socket.on('close', () => {
        pairs.delete(pair);
        for (const one of pair) one.destroy();
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    // A TCP server has an address of this shape.
    port: (server.address() as AddressInfo).port,
    moveTo(port) {
      leadsTo = port;
    },
    playDead() {
      for (const [near, far] of pairs) {
        near.unpipe(far).resume();
        far.unpipe(near).resume();
      }
      return pairs.size;
    },
    async close() {
      for (const pair of pairs) for (const socket of pair) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
