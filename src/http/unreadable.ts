/** Requests that are no HTTP: they get IMGAPI's form of an error all the same, and their connection ends with it. */
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { ApiError } from '../errors/api-error.ts';

/** The latest answer on each connection: nothing may be written into the middle of it. */
const ANSWERS = new WeakMap<Socket, ServerResponse>();

export function noteAnswer(socket: Socket, response: ServerResponse): void {
  ANSWERS.set(socket, response);
}

export function answerUnreadable(error: NodeJS.ErrnoException, socket: Socket): void {
  const response = ANSWERS.get(socket);
  const isMidway = response?.headersSent && !response.writableFinished;
  if (!socket.writable || error.code === 'ECONNRESET' || isMidway) {
    socket.destroy();
    return;
  }
  const problem = new ApiError('BadRequest', `the request cannot be read: ${error.message}`);
  const body = JSON.stringify(problem.body(), null, 2);
  const head = [
    `HTTP/1.1 ${problem.statusCode} Bad Request`,
    'Connection: close',
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}
