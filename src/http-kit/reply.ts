/** Sends a {@link Reply}: JSON, text, a byte stream, or a line per value. HEAD gets the headers alone. */
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Reply } from './call.ts';
import { JSON_LINES } from './json-lines.ts';
import { validateHeaderValue } from './node-http.ts';
import { sendStream } from './send-stream.ts';

/** After a reply that is sent before the whole request was read: how much of the rest is read before hanging up. */
const DRAIN_BYTES = 64 * 1024 * 1024;
const DRAIN_MS = 10_000;
/** Clients give up on a stream of lines after half a minute without a byte. */
const SILENCE_MS = 10_000;
const PROBE_MS = 1000;

export type ReplyHeaders = Record<string, string | number>;

/**
 * `headers` are those of every reply; its own are added to them.
 * @param leaving ends a stream of lines in an orderly way
 */
export async function sendReply(
  request: IncomingMessage,
  response: ServerResponse,
  reply: Reply,
  headers: ReplyHeaders,
  leaving: AbortSignal,
): Promise<void> {
  if (reply.stream) await sendBytes(request, response, reply, reply.stream, headers);
  else if (reply.lines) await sendLines(request, response, reply, until(leaving, reply.lines), headers);
  else if (reply.pieces) await sendPieces(request, response, reply, reply.pieces, headers);
  else sendText(request, response, reply, headers);
}

export function sendText(
  request: IncomingMessage,
  response: ServerResponse,
  reply: Reply,
  headers: ReplyHeaders,
): void {
  if (reply.bytes) {
    headers['Content-Type'] = 'application/json';
    headers['Content-Length'] = reply.bytes.length;
    begin(request, response, reply.status ?? 200, Object.assign(headers, reply.headers));
    if (request.method === 'HEAD') response.end();
    else response.end(reply.bytes);
    return;
  }
  const body = reply.text ?? (reply.json === undefined ? undefined : JSON.stringify(reply.json, null, 2));
  if (body === undefined) {
    const status = reply.status ?? 204;
    if (status !== 204 && status !== 304) headers['Content-Length'] = 0;
    begin(request, response, status, Object.assign(headers, reply.headers));
    response.end();
    return;
  }
  headers['Content-Type'] = 'application/json';
  const length = Buffer.byteLength(body);
  headers['Content-Length'] = length;
  begin(request, response, reply.status ?? 200, Object.assign(headers, reply.headers));
  if (request.method === 'HEAD') response.end();
  // As many bytes as characters means ASCII, and writing Latin-1 takes half the time.
  else response.end(body, length === body.length ? 'latin1' : 'utf8');
}

async function sendBytes(
  request: IncomingMessage,
  response: ServerResponse,
  reply: Reply,
  stream: NonNullable<Reply['stream']>,
  headers: ReplyHeaders,
): Promise<void> {
  begin(request, response, reply.status ?? 200, Object.assign(headers, reply.headers));
  if (request.method === 'HEAD') {
    stream.destroy();
    response.end();
    return;
  }
  await sendStream(response, stream, Number(reply.headers?.['Content-Length']));
}

async function sendLines(
  request: IncomingMessage,
  response: ServerResponse,
  reply: Reply,
  lines: AsyncIterable<unknown>,
  headers: ReplyHeaders,
): Promise<void> {
  Object.assign(headers, reply.headers);
  headers['Content-Type'] = JSON_LINES;
  begin(request, response, 200, headers);
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  response.flushHeaders();
  // An empty line now and then tells the client that the connection is alive.
  let alive = setInterval(() => void response.write('\n'), SILENCE_MS);
  // Only sending shows whether a client that has closed its side has left altogether.
  const onHalfClosed = (): void => {
    clearInterval(alive);
    alive = setInterval(() => void response.write('\n'), PROBE_MS);
  };
  if (request.socket.readableEnded) onHalfClosed();
  else request.socket.once('end', onHalfClosed);
  try {
    for await (const line of lines) {
      if (response.destroyed) return;
      alive.refresh();
      if (response.write(`${JSON.stringify(line)}\n`)) continue;
      await room(response);
    }
  } finally {
    clearInterval(alive);
    request.socket.off('end', onHalfClosed);
  }
  response.end();
}

/** The same lines, which end when the signal aborts, whatever their source is waiting for. */
async function* until(leaving: AbortSignal, lines: AsyncIterable<unknown>): AsyncGenerator<unknown, void> {
  const source = lines[Symbol.asyncIterator]();
  let leave = (): void => {};
  const onLeaving = (): void => leave();
  leaving.addEventListener('abort', onLeaving, { once: true });
  try {
    while (!leaving.aborted) {
      // One for each line: a race with one promise for all of them would keep every line until the end.
      const { promise, resolve, reject } = Promise.withResolvers<IteratorResult<unknown, unknown>>();
      leave = () => resolve({ done: true, value: undefined });
      // It may fail later, when nobody waits for it any more.
      source.next().then(resolve, reject);
      const { done, value } = await promise;
      if (done) return;
      yield value;
    }
  } finally {
    leaving.removeEventListener('abort', onLeaving);
    // Not awaited: a source that is waiting ends only after its wait.
    source.return?.().catch(() => undefined);
  }
}

/** Resolves when the client has taken what was written, or is gone. */
async function room(response: ServerResponse): Promise<void> {
  const either = new AbortController();
  const { signal } = either;
  await Promise.race([once(response, 'drain', { signal }), once(response, 'close', { signal })]).catch(() => {
    // A failing response closes.
  });
  // Otherwise a long reply would leave a listener behind for each wait.
  either.abort();
}

/** If the pieces fail, the connection is cut: the client must not take part of the text for the whole. */
async function sendPieces(
  request: IncomingMessage,
  response: ServerResponse,
  reply: Reply,
  pieces: AsyncIterable<string>,
  headers: ReplyHeaders,
): Promise<void> {
  headers['Content-Type'] = 'application/json';
  begin(request, response, reply.status ?? 200, Object.assign(headers, reply.headers));
  if (request.method === 'HEAD') {
    response.end();
    await pieces[Symbol.asyncIterator]().return?.();
    return;
  }
  try {
    for await (const piece of pieces) {
      if (response.destroyed) return;
      if (response.write(piece)) continue;
      await room(response);
    }
    response.end();
  } catch (error) {
    response.destroy();
    throw error;
  }
}

/**
 * Writes all headers together: setting them one by one takes several times as long. An invalid one throws before
 * anything is written, so that another reply can still be sent.
 */
function begin(request: IncomingMessage, response: ServerResponse, status: number, headers: ReplyHeaders): void {
  for (const name in headers) {
    const value = headers[name];
    if (typeof value !== 'number') validateHeaderValue(name, value as string);
  }
  response.writeHead(status, headers);
  if (!request.complete) drain(request, response);
}

/**
 * The client may still be sending. If we hung up now it would often miss our reply, so the rest is read and discarded,
 * within limits.
 */
function drain(request: IncomingMessage, response: ServerResponse): void {
  response.once('finish', () => {
    if (request.complete || request.destroyed) return;
    let left = DRAIN_BYTES;
    const { socket } = request;
    const end = (): void => void request.destroy();
    const timer = setTimeout(end, DRAIN_MS);
    // node reports this only to requests that have not been answered yet.
    socket.once('close', end);
    request.once('close', () => {
      clearTimeout(timer);
      socket.off('close', end);
    });
    request.on('data', (chunk: Buffer) => {
      left -= chunk.length;
      if (left < 0) request.destroy();
    });
  });
}
