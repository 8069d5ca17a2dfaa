/** What the tests of images share: refusals as values, requests as they go over the wire, and what is on the disk. */
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { request as httpRequest, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { ImgapiError, type ImgapiFieldError } from '#lib/client/errors.ts';
import { IMAGES, type ImageRecord } from '#lib/manifest/record.ts';
import type { InProcess } from '../../helpers/imgapi.ts';

export interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  /** The names in `errors[]`. */
  readonly fields: readonly string[];
  readonly errors: readonly ImgapiFieldError[];
}

/** How the server refused a call; a call that went through is a failure of the test. */
export async function refusal(call: Promise<unknown>): Promise<Refusal> {
  let answer: unknown;
  try {
    answer = await call;
  } catch (error) {
    if (!(error instanceof ImgapiError)) throw error;
    const { statusCode: status, code, message, errors = [] } = error;
    return { status, code, message, errors, fields: errors.map(({ field }) => field) };
  }
  throw new Error(`the call went through: ${JSON.stringify(answer).slice(0, 500)}`);
}

export interface RawRequest {
  readonly method?: string;
  /** With its query. */
  readonly path: string;
  readonly headers?: OutgoingHttpHeaders;
  /** A string or bytes as they are; anything else as JSON. */
  readonly body?: unknown;
  /** Without Content-Length, in one piece each. */
  readonly chunks?: readonly (string | Uint8Array)[];
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  /** The parsed body; undefined when it is no JSON. */
  readonly json: { readonly code?: string; readonly message?: string; readonly [field: string]: unknown } | undefined;
  /** Whether the server sent 100 Continue first. */
  readonly invited: boolean;
}

/** One request on a connection of its own, without any of the client's help. */
export async function send(base: string, { method = 'GET', path, headers = {}, body, chunks }: RawRequest) {
  const bytes =
    body === undefined || typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body);
  const isJson = bytes !== undefined && bytes !== body;
  const request = httpRequest(base + path, {
    method,
    agent: false,
    headers: {
      ...(isJson && { 'content-type': 'application/json' }),
      ...(bytes !== undefined && { 'content-length': Buffer.byteLength(bytes as string) }),
      ...headers,
    },
  });
  let invited = false;
  const answered = once(request, 'response');
  request.on('continue', () => {
    invited = true;
    request.end(bytes);
  });
  if (chunks) {
    for (const chunk of chunks) request.write(chunk);
    request.end();
  } else if (headers['expect'] === undefined) request.end(bytes);
  else request.flushHeaders();
  const [response] = (await answered) as [import('node:http').IncomingMessage];
  // After the answer a broken connection is of no interest any more.
  request.on('error', () => undefined);
  const parts: Buffer[] = [];
  for await (const part of response) parts.push(part as Buffer);
  request.destroy();
  const received = Buffer.concat(parts);
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    bytes: received,
    json: parsed(received),
    invited,
  } satisfies RawAnswer;
}

function parsed(bytes: Buffer): RawAnswer['json'] {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
}

/** Sends text that need be no HTTP, and answers all that comes back until the server hangs up. */
export async function overSocket(base: string, text: string | Uint8Array): Promise<string> {
  const { hostname, port } = new URL(base);
  const socket = connect(Number(port), hostname);
  socket.write(text);
  const parts: Buffer[] = [];
  // The server may hang up on what is still being sent.
  socket.on('error', () => undefined);
  socket.on('data', (part) => parts.push(part));
  await once(socket, 'close');
  return Buffer.concat(parts).toString();
}

/** Names of what is staged in local storage. */
export function staged(dataDir: string): Promise<string[]> {
  return readdir(join(dataDir, 'storage', 'staging'));
}

/** The objects that local storage holds of one image. */
export async function objectsOf(dataDir: string, uuid: string): Promise<string[]> {
  try {
    return (await readdir(join(dataDir, 'storage', 'images', uuid.slice(0, 3), uuid))).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** A record as it is, put past all checks. */
export async function putRecord(server: InProcess, record: ImageRecord): Promise<void> {
  await server.imgapi.service.store.batch([{ op: 'put', bucket: IMAGES, key: record.uuid, value: record }]);
}

export async function recordOf(server: InProcess, uuid: string): Promise<ImageRecord | undefined> {
  return (await server.imgapi.service.store.get(IMAGES, uuid))?.value;
}

/** All of a stream. */
export async function bytesOf(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts);
}
