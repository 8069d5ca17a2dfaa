/** CONNECT: node hands the connection over with the request, without an answer to write to. */
import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** An answer that ends the connection; undefined, and the connection cut, while an earlier answer is still on its way. */
export function answerToConnect(request: IncomingMessage, socket: Socket): ServerResponse | undefined {
  socket.on('error', () => socket.destroy());
  const { _httpMessage: current } = socket as { _httpMessage?: ServerResponse | null };
  // Nothing may be written into the middle of an earlier answer.
  if (current) {
    socket.destroy();
    return undefined;
  }
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(socket);
  response.once('finish', () => {
    response.detachSocket(socket);
    socket.destroySoon();
    // node does this for the answers that it makes itself.
    response.emit('close');
  });
  return response;
}
