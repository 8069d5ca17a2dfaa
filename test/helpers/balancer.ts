/**
 * A balancer as small as can be: each connection goes to the next backend. One that refuses it, or ends it before it
 * has answered anything, is passed over, and the next one gets what the client has sent; so do nginx and haproxy with
 * requests that may be repeated.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface Balancer {
  readonly url: string;
  /** Ports of the backends; may be changed at any time. */
  ports: readonly number[];
  close(): Promise<void>;
}

export async function startBalancer(ports: readonly number[]): Promise<Balancer> {
  const sockets = new Set<Socket>();
  let turn = 0;
  const balancer = { ports };
  const keep = (socket: Socket): Socket => {
    sockets.add(socket);
    socket.on('error', () => {});
    return socket.once('close', () => sockets.delete(socket));
  };
  const server = createServer((client) => {
    keep(client);
    let target: Socket | undefined;
    let isAnswered = false;
    const sent: Buffer[] = [];
    const next = (triesLeft: number): void => {
      const { ports: now } = balancer;
      turn += 1;
      const backend = keep(connect(now[turn % now.length] ?? 0, '127.0.0.1'));
      target = backend;
      for (const chunk of sent) backend.write(chunk);
      backend.on('data', (chunk) => {
        isAnswered = true;
        sent.length = 0;
        client.write(chunk);
      });
      backend.once('close', () => {
        if (isAnswered || client.destroyed || triesLeft === 0) client.end();
        else next(triesLeft - 1);
      });
    };
    client.on('data', (chunk: Buffer) => {
      if (!isAnswered) sent.push(chunk);
      target?.write(chunk);
    });
    client.once('close', () => target?.destroy());
    next(3);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return Object.assign(balancer, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  });
}
