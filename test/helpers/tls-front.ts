/** TLS before a server that speaks none, with a certificate that signs itself. */
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import type { Test } from 'tap';
import { selfSigned } from './ufds.ts';

export interface TlsFront {
  readonly url: string;
  /** PEM text, and the file that holds it. */
  readonly ca: string;
  readonly caFile: string;
}

export async function startTlsFront(t: Test, target: string): Promise<TlsFront> {
  const { certificate: ca, key } = selfSigned('localhost');
  const sockets = new Set<Socket>();
  const server = createServer({ cert: ca, key }, (socket) => {
    const behind = connect(Number(new URL(target).port), '127.0.0.1');
    for (const one of [socket, behind]) {
      sockets.add(one);
      one.on('error', () => undefined);
      one.once('close', () => sockets.delete(one));
    }
    socket.pipe(behind).pipe(socket);
  });
  // Of clients that do not trust it.
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const caFile = join(t.testdir(), 'ca.pem');
  await writeFile(caFile, ca);
  return { url: `https://localhost:${(server.address() as AddressInfo).port}`, ca, caFile };
}
