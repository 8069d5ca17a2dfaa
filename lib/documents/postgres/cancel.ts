/** Asks a server to end the statement that a connection is running. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { Client } from 'pg';

const CANCEL_REQUEST = 80_877_102;
const LENGTH = 16;

/**
 * Sends the request over a connection of its own, as the protocol wants it (in the clear; it holds nothing but the
 * numbers that this server gave for it). Resolves when it has been sent, or cannot be; never rejects.
 */
export async function cancel(client: Client, patienceMs: number): Promise<void> {
  const { host, port } = client;
  // What the server told the client at the start, which its types leave out.
  const { processID, secretKey } = client as unknown as Readonly<Record<'processID' | 'secretKey', number | null>>;
  if (processID === null || secretKey === null) return;
  const request = Buffer.alloc(LENGTH);
  for (const [at, value] of [LENGTH, CANCEL_REQUEST, processID, secretKey].entries()) {
    request.writeInt32BE(value, at * 4);
  }
  const socket = host.startsWith('/') ? connect(join(host, `.s.PGSQL.${port}`)) : connect(port, host);
  socket.setTimeout(patienceMs, () => socket.destroy());
  // The server closes it once it has passed the request on.
  socket.on('error', () => undefined).resume();
  socket.end(request);
  await once(socket, 'close');
}
