/** Exchanges raw bytes with a server. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { PATIENCE_MS } from './wait.ts';

export interface Conversation {
  readonly socket: Socket;
  /** Everything received, as Latin-1: one character per byte. */
  readonly text: () => string;
  readonly bytes: () => number;
  /** Resolves with everything received once the server closes or the connection breaks. Rejects after `bound` ms. */
  ended(bound?: number): Promise<string>;
}

/** Connects and sends the bytes. */
export async function converse(url: string, bytes: string | Uint8Array = ''): Promise<Conversation> {
  const { hostname, port } = new URL(url);
  // When the server ends its side, we end ours; before that, `socket.end()` closes only our side.
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

/** What a server sends in reply to these bytes until it closes the connection. */
export async function said(url: string, bytes: string | Uint8Array): Promise<string> {
  return (await converse(url, bytes)).ended();
}

/** The status of each answer in the text. */
export function statuses(text: string): number[] {
  return [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
}

/** The JSON body of the only answer. */
export function jsonOf(text: string): unknown {
  return JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4));
}
