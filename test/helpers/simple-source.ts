/**
 * A server with as much of API version 2 as an import needs, and without ranges or pull links, like an old or hostile
 * source.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Test } from 'tap';
import { ALICE } from './accounts.ts';
import { sha1Of } from './images.ts';

export type Manifest = Readonly<Record<string, unknown>>;
export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

export interface SimpleImage {
  readonly uuid: string;
  readonly bytes: Buffer;
  manifest: Manifest;
  /** These replace the usual answers. */
  answerManifest?: Answer | undefined;
  answerFile?: Answer | undefined;
}

export interface SimpleSource {
  readonly url: string;
  /** Adds an active image of Alice's. */
  add(size: number, fields?: Manifest): SimpleImage;
}

export async function startSimpleSource(t: Test): Promise<SimpleSource> {
  const images = new Map<string, SimpleImage>();
  const server = createServer((request, response) => {
    const [, uuid = '', file] = /^\/images\/([^/?]+)(\/file)?/.exec(request.url ?? '') ?? [];
    const image = images.get(uuid);
    if (!image) sendJson(response, { code: 'ResourceNotFound', message: 'no such image' }, 404);
    else if (file) (image.answerFile ?? sendFile(image.bytes))(request, response);
    else (image.answerManifest ?? ((_request, answer) => sendJson(answer, image.manifest)))(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(async () => {
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    add(size, fields = {}) {
      const uuid = randomUUID();
      const bytes = randomBytes(size);
      const image: SimpleImage = { uuid, bytes, manifest: { ...manifestOf(uuid, bytes), ...fields } };
      images.set(uuid, image);
      return image;
    },
  };
}

function manifestOf(uuid: string, bytes: Buffer): Manifest {
  return {
    ...{ v: 2, uuid, owner: ALICE, name: 'old-image', version: '1.0.0', type: 'zone-dataset', os: 'smartos' },
    ...{ state: 'active', disabled: false, public: false, published_at: '2020-01-02T03:04:05.006Z' },
    files: [{ sha1: sha1Of(bytes), size: bytes.length, compression: 'none' }],
  };
}

export function sendJson(response: ServerResponse, json: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(json));
}

/** Always sends from the first byte. The connection breaks after `cutAfter` bytes. */
export function sendFile(bytes: Buffer, { cutAfter }: { readonly cutAfter?: number } = {}): Answer {
  return (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': bytes.length });
    if (cutAfter === undefined) response.end(bytes);
    else response.write(bytes.subarray(0, cutAfter), () => response.socket?.destroySoon());
  };
}
