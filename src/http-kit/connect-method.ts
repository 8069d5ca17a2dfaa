/** CONNECT: node passes the bare connection with the request, and no response to write to. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import * as http from './node-http.ts';

/** A response that ends the connection. While an earlier one is still on its way: cuts the connection, undefined. */
export function answerToConnect(request: IncomingMessage, socket: Socket): ServerResponse | undefined {
  socket.on('error', () => socket.destroy());
  const { _httpMessage: current } = socket as { _httpMessage?: ServerResponse | null };
  // Nothing may be written into the middle of an earlier response.
  if (current) {
    socket.destroy();
    return undefined;
  }
  const response = new http.ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(socket);
  response.once('finish', () => {
    response.detachSocket(socket);
    socket.destroySoon();
    // node does this for the responses that it creates itself.
    response.emit('close');
  });
  return response;
}
