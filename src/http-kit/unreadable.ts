/** Requests that the HTTP parser cannot read: the error, and how it is sent when there is no request to answer. */
import type { Socket } from 'node:net';
import type { Reply } from './call.ts';
import { STATUS_CODES } from './node-http.ts';
import { RequestError } from './request-error.ts';

/** As node's parser reports it. */
export interface ParserError extends Error {
  readonly code?: string;
  readonly bytesParsed?: number;
  /** The chunk that has the error. */
  readonly rawPacket?: Buffer;
}

/** Bytes of request line and headers together. */
export const LONGEST_HEAD = 32 * 1024;

export function unreadable(error: ParserError): RequestError {
  switch (error.code) {
    case 'HPE_HEADER_OVERFLOW':
      return isWithinTarget(error)
        ? new RequestError('RequestUriTooLong', `the request target has more than ${LONGEST_HEAD} bytes`)
        : new RequestError(
            'RequestHeaderFieldsTooLarge',
            `the request line and the headers have more than ${LONGEST_HEAD} bytes`,
          );
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return new RequestError('RequestEntityTooLarge', 'the extensions of a chunk are too large');
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new RequestError('RequestTimeout', 'the request did not arrive in time');
    default:
      return new RequestError('BadRequest', `the request cannot be read: ${error.message}`);
  }
}

/** Whether the request line itself was too long. Known only if the chunk begins with it. */
function isWithinTarget({ rawPacket, bytesParsed }: ParserError): boolean {
  const text = rawPacket?.toString('latin1', 0, Math.max(bytesParsed ?? 0, 1)) ?? '';
  return /^[A-Z-]+ \S*$/.test(text);
}

/** Writes an answer directly to the connection, and ends it. */
export function answerRaw(socket: Socket, { status = 400, json }: Reply): void {
  const body = JSON.stringify(json, null, 2);
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Connection: close',
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
