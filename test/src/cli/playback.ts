/** A real HTTP server that answers what a test says, and keeps what it was asked. */
import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Asked {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export type Answer = (response: ServerResponse, asked: Asked) => void;

/** By method and path without query, such as `GET /images`; the answers are given in turn, the last one again. */
export type Script = Readonly<Record<string, Answer | readonly Answer[]>>;

export interface Playback {
  readonly url: string;
  readonly asked: readonly Asked[];
  /** Breaks all connections and takes no more. */
  stop(): Promise<void>;
  /** At the same port again, after `stop`. */
  restart(): Promise<void>;
}

interface Teardown {
  teardown(fn: () => Promise<unknown>): void;
}

export async function playBack(t: Teardown, script: Script): Promise<Playback> {
  const asked: Asked[] = [];
  const counts = new Map<string, number>();
  const answer = (request: IncomingMessage, response: ServerResponse, body: string): void => {
    const { method = '', url: path = '', headers } = request;
    const one = { method, path, headers, body };
    asked.push(one);
    const key = `${method} ${path.split('?')[0]}`;
    const answers = [script[key] ?? notScripted].flat() as Answer[];
    const count = counts.get(key) ?? 0;
    counts.set(key, count + 1);
    (answers[Math.min(count, answers.length - 1)] ?? notScripted)(response, one);
  };
  const listen = async (port: number): Promise<Server> => {
    const server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      answer(request, response, Buffer.concat(chunks).toString());
    });
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return server;
  };
  let server = await listen(0);
  const { port } = server.address() as AddressInfo;
  const stop = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  };
  t.teardown(stop);
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    stop,
    async restart() {
      server = await listen(port);
    },
  };
}

export function json(value: unknown, status = 200): Answer {
  return (response) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(value));
  };
}

/** Lines, and then the end of the answer. */
export function lines(...values: readonly unknown[]): Answer {
  return (response) => {
    response.writeHead(200, { 'content-type': 'application/x-json-stream' });
    response.end(values.map((value) => `${JSON.stringify(value)}\n`).join(''));
  };
}

/** Lines, and then nothing: the answer stays open. */
export function openLines(...values: readonly unknown[]): Answer {
  return (response) => {
    response.writeHead(200, { 'content-type': 'application/x-json-stream' });
    response.write(values.map((value) => `${JSON.stringify(value)}\n`).join(''));
  };
}

function notScripted(response: ServerResponse, { method, path }: Asked): void {
  json({ code: 'NotScripted', message: `${method} ${path} is not in the script` }, 500)(response, {} as Asked);
}
