/** A JSON API of Triton, as its clients see it: an HTTP server in this process that can be told to fail. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: unknown;
}

export interface Told {
  readonly status: number;
  readonly json?: unknown;
}

/**
 * What happens to a request instead: an answer of its own; `refused`, nobody is listening; `hang`, no answer ever comes;
 * `reset`, before it is looked at; `lost`, it is carried out and its answer never arrives; `after`, it is carried out then.
 */
export type Fault = Told | { readonly text: string } | { readonly after: Promise<void> } | 'hang' | 'reset' | 'lost';

export interface JsonServer {
  readonly url: string;
  readonly asked: Asked[];
  /** Asked for each request; undefined: it goes its way. */
  fault: (asked: Asked) => Fault | undefined;
  /** Nobody listens there until `start`. */
  stop(): Promise<void>;
  start(): Promise<void>;
}

export async function startJsonServer(answer: (asked: Asked) => Told): Promise<JsonServer> {
  const asked: Asked[] = [];
  const sockets = new Set<Socket>();
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const one = await read(request);
    asked.push(one);
    const fault = server.fault(one);
    if (fault === 'hang') return;
    if (fault === 'reset') return void request.socket.resetAndDestroy();
    if (typeof fault === 'object' && 'after' in fault) await fault.after;
    else if (typeof fault === 'object') return send(response, fault);
    const told = answer(one);
    if (fault === 'lost') return void request.socket.resetAndDestroy();
    send(response, told);
  };
  const http = createServer((request, response) => void handle(request, response).catch(() => response.destroy()));
  http.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => sockets.delete(socket));
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const { port } = http.address() as AddressInfo;
  const server: JsonServer = {
    url: `http://127.0.0.1:${port}`,
    asked,
    fault: () => undefined,
    async stop() {
      if (!http.listening) return;
      const closed = once(http, 'close');
      http.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
    async start() {
      http.listen(port, '127.0.0.1');
      await once(http, 'listening');
    },
  };
  return server;
}

async function read(request: IncomingMessage): Promise<Asked> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  const url = new URL(request.url ?? '/', 'http://api');
  return {
    method: request.method ?? 'GET',
    path: url.pathname,
    query: url.searchParams,
    headers: request.headers,
    body: text === '' ? undefined : JSON.parse(text),
  };
}

function send(response: ServerResponse, told: Told | { readonly text: string }): void {
  const text = 'text' in told ? told.text : JSON.stringify(told.json);
  response.writeHead('text' in told ? 200 : told.status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}
