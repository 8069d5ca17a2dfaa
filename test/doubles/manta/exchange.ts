/** One request to the double, as its handlers see it. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Caller } from './authentication.ts';
import { MantaFault } from './errors.ts';
import type { Fault } from './faults.ts';
import type { Parts, Tree } from './tree.ts';

export interface Settings {
  readonly snaplinks: boolean;
  readonly multipart: boolean;
  /** Refuses what must not come in clear. */
  readonly cleartext: boolean;
  /** Milliseconds without upload data until 408. */
  readonly dataTimeout: number;
  /** Bytes of the largest chunked upload that does not say how much comes. */
  readonly largestStream: number;
}

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly method: string;
  readonly parts: Parts;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly caller: Caller | undefined;
  readonly tree: Tree;
  readonly settings: Settings;
  readonly fault: Fault | undefined;
  readonly now: () => number;
  /** Whether the client waits for 100 Continue. */
  readonly waits: boolean;
}

/** Sends headers and a body; the body of a HEAD is left out. */
export function answer(
  { method, response, fault, request }: Exchange,
  status: number,
  headers: Readonly<Record<string, string | number | undefined>> = {},
  body: Buffer | string = '',
): void {
  if (fault?.kind === 'lose answer') {
    request.socket.resetAndDestroy();
    return;
  }
  const known = Object.entries(headers).filter((entry): entry is [string, string | number] => entry[1] !== undefined);
  response.writeHead(status, Object.fromEntries(known));
  const whole = Buffer.from(body);
  const isEmpty = method === 'HEAD' || whole.length === 0;
  if (!isEmpty && (fault?.kind === 'cut' || fault?.kind === 'stall')) {
    response.write(whole.subarray(0, fault.after), () => {
      if (fault.kind === 'cut') request.socket.resetAndDestroy();
    });
    return;
  }
  response.end(isEmpty ? undefined : whole);
}

export function answerJson(exchange: Exchange, status: number, value: unknown, headers: Record<string, string> = {}) {
  const body = JSON.stringify(value);
  answer(exchange, status, { 'content-type': 'application/json', 'content-length': body.length, ...headers }, body);
}

/** Invites the body of an upload and takes it. @throws MantaFault UploadTimeout, MaxContentLengthExceeded */
export async function bodyOf(exchange: Exchange, limit = Number.POSITIVE_INFINITY): Promise<Buffer> {
  const { request, response, fault, settings, waits } = exchange;
  if (request.headers['content-length'] === '0') return Buffer.alloc(0);
  if (waits) response.writeContinue();
  const pieces: Buffer[] = [];
  let size = 0;
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const timedOut = () => reject(new MantaFault('UploadTimeout', 'request took too long to send data'));
  const timer = setTimeout(timedOut, settings.dataTimeout);
  request.on('data', (piece: Buffer) => {
    timer.refresh();
    pieces.push(piece);
    size += piece.length;
    if (fault?.kind === 'cut' && size > fault.after) request.socket.resetAndDestroy();
    if (size > limit) {
      reject(new MantaFault('MaxContentLengthExceeded', `request has exceeded ${limit} bytes: ${size}`));
    }
  });
  request.once('end', () => resolve(Buffer.concat(pieces)));
  request.once('close', () => reject(new Abandoned()));
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
  }
}

/** The client went away; nobody waits for an answer. */
export class Abandoned extends Error {
  override readonly name = 'UploadAbandonedError';
}
