/** Talking to a server byte by byte. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { PATIENCE_MS } from './wait.ts';

export interface Conversation {
  readonly socket: Socket;
  /** All that came, as Latin-1: a character per byte. */
  readonly text: () => string;
  readonly bytes: () => number;
  /** The server's side is closed, or the connection broken; answers all that came. Rejects after `bound` ms. */
  ended(bound?: number): Promise<string>;
}

/** Connects, and sends what is given. */
export async function converse(url: string, bytes: string | Uint8Array = ''): Promise<Conversation> {
  const { hostname, port } = new URL(url);
  // A server that ends the conversation ends all of it; `socket.end()` before that closes only our side.
  const socket = connect({ port: Number(port), host: hostname, allowHalfOpen: true });
  const parts: Buffer[] = [];
  const closed = Promise.withResolvers<void>();
  socket.on('data', (part) => parts.push(part));
  socket.once('end', () => socket.end());
  socket.once('end', closed.resolve);
  socket.once('close', closed.resolve);
  socket.on('error', () => undefined);
  await Promise.race([once(socket, 'connect'), closed.promise]);
  if (bytes.length > 0) socket.write(bytes);
  const text = () => Buffer.concat(parts).toString('latin1');
  return {
    socket,
    text,
    bytes: () => parts.reduce((sum, part) => sum + part.length, 0),
    async ended(bound = PATIENCE_MS) {
      const timer = setTimeout(
        () => closed.reject(new Error(`no end within ${bound} ms after: ${text().slice(0, 500)}`)),
        bound,
      );
      try {
        await closed.promise;
      } finally {
        clearTimeout(timer);
        socket.destroy();
      }
      return text();
    },
  };
}

/** What a server says to these bytes until it hangs up. */
export async function said(url: string, bytes: string | Uint8Array): Promise<string> {
  return (await converse(url, bytes)).ended();
}

/** The status of each answer in what came. */
export function statuses(text: string): number[] {
  return [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
}

/** The JSON body of the only answer. */
export function jsonOf(text: string): unknown {
  return JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4));
}
