/** Small real servers for the client's tests. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { createServer as createRawServer } from 'node:net';
import type { Test } from 'tap';
import type { ImgapiClientOptions } from '#lib/client/caller.ts';
import { ImgapiClient } from '#lib/client/client.ts';

export interface Received {
  readonly method: string;
  readonly url: string;
  /** Path without its query. */
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: IncomingMessage['headers'];
}

export interface TestServer {
  readonly url: string;
  /** All requests, in order. */
  readonly received: Received[];
  /** Connections that were ever made. */
  connections(): number;
  close(): Promise<void>;
}

export type Handler = (request: IncomingMessage, response: ServerResponse, received: Received) => unknown;

/** An HTTP server on a free port that ends with the test. */
export async function serve(t: Test, handler: Handler): Promise<TestServer> {
  const received: Received[] = [];
  let connections = 0;
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://x');
    const one: Received = {
      method: request.method ?? '',
      url: request.url ?? '',
      path: pathname,
      query: Object.fromEntries(searchParams),
      headers: request.headers,
    };
    received.push(one);
    handler(request, response, one);
  });
  server.on('connection', () => connections++);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  t.teardown(close);
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, received, connections: () => connections, close };
}

/** A server that speaks whatever `talk` writes. */
export async function serveRaw(t: Test, talk: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createRawServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    talk(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A client that ends with the test. */
export function clientOf(t: Test, url: string, options: Partial<ImgapiClientOptions> = {}): ImgapiClient {
  const client = new ImgapiClient({ url, ...options });
  t.teardown(() => client.destroy());
  return client;
}

export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

export async function readAll(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** What a promise rejects with. */
export async function failure(promise: Promise<unknown>): Promise<Error & Record<string, unknown>> {
  try {
    await promise;
  } catch (cause) {
    return cause as Error & Record<string, unknown>;
  }
  throw new Error('a rejection was expected');
}
