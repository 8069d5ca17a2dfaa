/** One request and its answer on a connection, as far as those who watch over the connection need to know it. */
import type { IncomingMessage, ServerResponse } from 'node:http';

/**
 * Who waits for the request's body: nobody has asked for it; somebody has, and relies on the connection's idle limit;
 * or somebody who has a limit of its own.
 */
export type BodyUse = 'unread' | 'awaited' | 'own-limit';

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly requestId: string;
  /** `performance.now()` when the request's header was here. */
  readonly started: number;
  bodyUse: BodyUse;
  /** Whether the connection ended within the body: more will not come. */
  isCutShort: boolean;
}

/** Nothing of the answer is out, and nobody has begun with it. */
export function isUnanswered({ response }: Exchange): boolean {
  return !response.headersSent && !response.writableEnded && !response.destroyed && response.socket !== null;
}

/** Nothing more is to be sent. */
export function isAnswerOut({ response }: Exchange): boolean {
  return response.writableFinished || response.destroyed;
}

/** The answer is out, and the whole request was read. */
export function isOver(exchange: Exchange): boolean {
  return isAnswerOut(exchange) && exchange.request.complete;
}

/** The peer owes bytes of the body to somebody who relies on the connection's limit. */
export function isBodyOwed({ request, bodyUse }: Exchange): boolean {
  return bodyUse === 'awaited' && !request.complete && request.readableLength === 0;
}
