/** Sends a {@link Reply}: JSON, text, a byte stream, or a line per value. HEAD gets the headers alone. */
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { RestifyRequest } from 'restify';
import type { Reply } from './call.ts';

/** After an answer that came before the end of the request's body: how much of the rest is read before hanging up. */
const DRAIN_BYTES = 64 * 1024 * 1024;
const DRAIN_MS = 10_000;
/** Clients give a line stream up after half a minute without a byte. */
const SILENCE_MS = 10_000;

export async function sendReply(request: RestifyRequest, response: ServerResponse, reply: Reply): Promise<void> {
  for (const [name, value] of Object.entries(reply.headers ?? {})) response.setHeader(name, value);
  if (!request.complete) drain(request, response);
  if (reply.stream) await sendStream(request, response, reply.status ?? 200, reply.stream);
  else if (reply.lines) await sendLines(request, response, reply.lines);
  else sendText(request, response, reply);
}

function sendText(request: RestifyRequest, response: ServerResponse, reply: Reply): void {
  const body = reply.text ?? (reply.json === undefined ? undefined : JSON.stringify(reply.json, null, 2));
  if (body === undefined) {
    const status = reply.status ?? 204;
    if (status !== 204 && status !== 304 && !response.hasHeader('Content-Length'))
      response.setHeader('Content-Length', 0);
    response.writeHead(status);
    response.end();
    return;
  }
  if (!response.hasHeader('Content-Type')) response.setHeader('Content-Type', 'application/json');
  response.setHeader('Content-Length', Buffer.byteLength(body));
  response.writeHead(reply.status ?? 200);
  response.end(request.method === 'HEAD' ? undefined : body);
}

async function sendStream(
  request: RestifyRequest,
  response: ServerResponse,
  status: number,
  stream: Readable,
): Promise<void> {
  response.writeHead(status);
  if (request.method === 'HEAD') {
    stream.destroy();
    response.end();
    return;
  }
  // On a failing stream the connection is cut: the client must not take a short file for the whole.
  await pipeline(stream, response);
}

async function sendLines(
  request: RestifyRequest,
  response: ServerResponse,
  lines: AsyncIterable<unknown>,
): Promise<void> {
  response.setHeader('Content-Type', 'application/x-json-stream');
  response.writeHead(200);
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  response.flushHeaders();
  // An empty line now and then tells the client that a long wait is no dead connection.
  const alive = setInterval(() => void response.write('\n'), SILENCE_MS);
  try {
    for await (const line of lines) {
      if (response.destroyed) return;
      alive.refresh();
      if (response.write(`${JSON.stringify(line)}\n`)) continue;
      await Promise.race([once(response, 'drain'), once(response, 'close')]);
    }
  } finally {
    clearInterval(alive);
  }
  response.end();
}

/**
 * The client may still be sending. Hanging up at once would often cost it our answer, so the rest is read and thrown
 * away, within bounds.
 */
function drain(request: RestifyRequest, response: ServerResponse): void {
  response.once('finish', () => {
    if (request.complete || request.destroyed) return;
    let left = DRAIN_BYTES;
    const timer = setTimeout(() => request.destroy(), DRAIN_MS);
    request.once('close', () => clearTimeout(timer));
    request.on('data', (chunk: Buffer) => {
      left -= chunk.length;
      if (left < 0) request.destroy();
    });
  });
}
