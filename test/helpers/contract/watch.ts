/** Sees every answer of the servers in this process, as it was sent. */
import { subscribe } from 'node:diagnostics_channel';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Longer answers are not looked at, because that would delay the server, which runs in this process. */
const MOST_BYTES = 256 * 1024;

export interface Answer {
  readonly status: number;
  /** By name in lower case. */
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

export type Look = (request: IncomingMessage, answer: Answer) => void;

/** @param lookAt for the server on a port: undefined if nobody looks */
export function watchAnswers(lookAt: (port: number) => Look | undefined): void {
  subscribe('http.server.request.start', (message) => {
    const { request, response, server } = message as {
      readonly request: IncomingMessage;
      readonly response: ServerResponse;
      readonly server: Server;
    };
    const port = (server.address() as AddressInfo | null)?.port;
    const look = port === undefined ? undefined : lookAt(port);
    if (look) whenWhole(response, (answer) => look(request, answer));
  });
}

/** Calls back when the whole answer has been sent; never for a long one. */
function whenWhole(response: ServerResponse, then: (answer: Answer) => void): void {
  const headers: Record<string, unknown> = {};
  const chunks: Buffer[] = [];
  let bytes = 0;
  const keep = (chunk: unknown, encoding: unknown): void => {
    if (typeof chunk !== 'string' && !(chunk instanceof Uint8Array)) return;
    const data = typeof chunk === 'string' ? Buffer.from(chunk, encodingOf(encoding)) : Buffer.from(chunk);
    bytes += data.length;
    if (bytes <= MOST_BYTES) chunks.push(data);
  };
  const { write, end, writeHead } = response;
  // Headers that are passed here cannot be read from the response later.
  response.writeHead = ((status: number, ...rest: unknown[]) => {
    for (const [name, value] of Object.entries(rest.at(-1) ?? {})) headers[name.toLowerCase()] = value;
    return Reflect.apply(writeHead, response, [status, ...rest]);
  }) as typeof writeHead;
  response.write = ((chunk: unknown, encoding: unknown, ...rest: unknown[]) => {
    keep(chunk, encoding);
    return Reflect.apply(write, response, [chunk, encoding, ...rest]);
  }) as typeof write;
  response.end = ((chunk: unknown, encoding: unknown, ...rest: unknown[]) => {
    keep(chunk, encoding);
    return Reflect.apply(end, response, [chunk, encoding, ...rest]);
  }) as typeof end;
  response.once('finish', () => {
    if (bytes > MOST_BYTES) return;
    const body = Buffer.concat(chunks).toString();
    then({ status: response.statusCode, headers: { ...response.getHeaders(), ...headers }, body });
  });
}

function encodingOf(encoding: unknown): BufferEncoding {
  return typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8';
}
