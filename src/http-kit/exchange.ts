/** A request and its response on a connection, as far as the watch over the connection needs to know them. */
import type { IncomingMessage, ServerResponse } from 'node:http';

/**
 * Who is waiting for the request's body: nobody yet; a reader that relies on the connection's idle limit; or a reader
 * with a limit of its own.
 */
export type BodyUse = 'unread' | 'awaited' | 'own-limit';

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly requestId: string;
  /** `performance.now()` when the request's header had arrived. */
  readonly started: number;
  bodyUse: BodyUse;
  /** Whether the connection ended within the body, so that no more will arrive. */
  isCutShort: boolean;
}

/** Whether no part of the response was sent or begun. */
export function isUnanswered({ response }: Exchange): boolean {
  return !response.headersSent && !response.writableEnded && !response.destroyed && response.socket !== null;
}

/** Whether nothing more is to be sent. */
export function isAnswerOut({ response }: Exchange): boolean {
  return response.writableFinished || response.destroyed;
}

/** Whether the response was sent and the whole request read. */
export function isOver(exchange: Exchange): boolean {
  return isAnswerOut(exchange) && exchange.request.complete;
}

/** Whether a reader that relies on the connection's limit is waiting for the peer to send more of the body. */
export function isBodyOwed({ request, bodyUse }: Exchange): boolean {
  return bodyUse === 'awaited' && !request.complete && request.readableLength === 0;
}
