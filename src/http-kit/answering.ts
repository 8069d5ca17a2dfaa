/** Sends what a handler has replied, or thrown, and reports it. Nothing that goes wrong here ends the process. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { hostname } from 'node:os';
import type Logger from 'bunyan';
import { answerFor, type ErrorForm } from './answer.ts';
import type { Reply, Route } from './call.ts';
import type { Exchange } from './exchange.ts';
import { type Answered, type AnyCall, type Done, type ListenerOptions, UNROUTED } from './listener-options.ts';
import { type ReplyHeaders, sendReply, sendText } from './reply.ts';

const HOST = hostname();

/** What a listener was given, and what the kit itself adds. */
export type Served<C extends AnyCall, R extends Route<C>> = ListenerOptions<C, R> & Pick<AnswerOptions<C>, 'leaving'>;

/** A request that is being served. */
export interface ServedCall<C> {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly exchange: Exchange;
  call: C | undefined;
  failure: unknown;
}

export async function answerLater<C extends AnyCall, R extends Route<C>>(
  served: ServedCall<C>,
  route: R,
  options: Served<C, R>,
  replying: Promise<Reply>,
): Promise<void> {
  let reply: Reply;
  try {
    reply = await lasting(served.request, options, replying);
  } catch (error) {
    served.failure = error;
    // Nobody would get the answer; and errors that a client causes by leaving are not our fault.
    if (isAnswered(served.response)) return;
    reply = answerFor(error, options.errors, options.log, served.exchange.requestId);
  }
  await answer(served, route, options, reply);
}

/** The reply, once what it rests on lasts. */
async function lasting(request: IncomingMessage, options: Lasting, replying: Promise<Reply>): Promise<Reply> {
  const { lasting } = options;
  if (!lasting || !hasToLast(request, options)) return replying;
  let reply: Reply;
  try {
    reply = await replying;
  } catch (error) {
    await lasting.settled();
    throw error;
  }
  try {
    await lasting.settled();
  } catch (error) {
    await discard(reply);
    throw error;
  }
  return reply;
}

type Lasting = Pick<ListenerOptions<AnyCall>, 'lasting'>;

/** Whether the answer waits for what it rests on. */
export function hasToLast({ method }: IncomingMessage, { lasting }: Lasting): boolean {
  if (!lasting) return false;
  return lasting.of === 'all' || (method !== 'GET' && method !== 'HEAD');
}

export async function answer<C extends AnyCall, R extends Route<C>>(
  served: ServedCall<C>,
  route: R,
  options: Served<C, R>,
  reply: Reply,
): Promise<void> {
  const { request, response, exchange, call } = served;
  const { log, errors } = options;
  const { requestId: id } = exchange;
  if (isAnswered(response)) {
    await discard(reply);
    return;
  }
  const send = (answer: Reply): Promise<void> =>
    sendReply(request, response, answer, commonHeaders(options, exchange, route), options.leaving);
  try {
    await send(reply).catch(async (error: unknown) => {
      // If nothing was sent yet, a reply that cannot be sent is a fault like any other.
      if (isAnswered(response)) throw error;
      served.failure ??= error;
      await discard(reply);
      if (isAnswered(response)) throw error;
      await send(answerFor(error, errors, log, id));
    });
  } catch (error) {
    served.failure ??= error;
    // Clients leave every day; bytes that cannot be read, or anything else that breaks an answer, is an error.
    const level = isStoreFault(error) || !response.destroyed ? 'error' : 'debug';
    log[level]({ err: error, req_id: id, route: route.name, url: request.url }, 'the answer was cut off');
    // What is written already goes out; the client sees by the missing end that it is incomplete.
    if (response.socket) response.socket.destroySoon();
    else response.destroy();
  } finally {
    // The source of the lines may still be waiting for its next one.
    if (reply.lines) call?.abort();
  }
}

export function operationOf<C>({ name, operationOf }: Route<C>, call: C | undefined): string | undefined {
  return operationOf ? call && operationOf(call) : name;
}

const STORE_FAULTS = new Set(['ObjectTruncatedError', 'ObjectStoreUnavailableError', 'WrongLengthError']);

function isStoreFault(error: unknown): boolean {
  return error instanceof Error && STORE_FAULTS.has(error.name);
}

/** The part of a listener's options that is needed to answer a request and to report that it is done. */
interface AnswerOptions<C> extends Pick<ListenerOptions<AnyCall>, 'headers'> {
  readonly log: Logger;
  readonly serverName: string;
  readonly errors: ErrorForm;
  readonly onDone?: (done: Done<C>) => void;
  /** Aborts when the listener is being closed. */
  readonly leaving: AbortSignal;
}

/** A failure to record a request must not end the process. */
export function reportDone<C>({ onDone, log }: AnswerOptions<C>, done: Done<C>): void {
  try {
    onDone?.(done);
  } catch (error) {
    log.error({ err: error, req_id: done.requestId }, 'a request could not be recorded');
  }
}

/** Frees what a reply holds open when nobody gets it. */
async function discard({ stream, pieces, lines }: Reply): Promise<void> {
  // The stream may fail, since the call's signal has aborted as well; an unhandled error would end the process.
  stream?.on('error', () => undefined);
  stream?.destroy();
  await (pieces ?? lines)?.[Symbol.asyncIterator]().return?.();
}

/** Whether an answer has begun or none can be sent: the connection is gone, or its watch has refused the request. */
export function isAnswered(response: ServerResponse): boolean {
  return response.destroyed || response.headersSent;
}

export function commonHeaders(
  { serverName, leaving, headers }: Pick<AnswerOptions<AnyCall>, 'serverName' | 'leaving' | 'headers'>,
  { request, response, requestId, started }: Answerable,
  route?: Answered['route'],
): ReplyHeaders {
  const elapsed = Math.round(performance.now() - started);
  // Of HTTP/1.0 only node knows whether the end of the answer can be told without that of the connection.
  const staysOpen = response.shouldKeepAlive && request.httpVersion === '1.1' && !leaving.aborted;
  const own = {
    Server: serverName,
    'x-request-id': requestId,
    'x-server-name': HOST,
    'x-response-time': elapsed,
    Vary: 'Accept-Version',
  };
  if (!headers && !leaving.aborted) return own;
  return {
    ...headers?.({ request, requestId, elapsed, route, staysOpen }),
    // A client must not send another request on a connection that is about to end.
    ...(leaving.aborted && { Connection: 'close' }),
    ...own,
  };
}

type Answerable = Pick<Exchange, 'request' | 'response' | 'requestId' | 'started'>;

/** For requests that never reach a handler: their target is invalid, or has no route. */
export function sendError<C>(exchange: Answerable, error: unknown, options: AnswerOptions<C>): void {
  const { request, response, requestId, started } = exchange;
  if (isAnswered(response)) return;
  response.once('close', () => {
    const elapsed = performance.now() - started;
    const labels = { route: UNROUTED, operation: undefined };
    reportDone(options, { ...labels, requestId, request, response, call: undefined, error, elapsed });
  });
  answerError(exchange, error, options);
}

/** Called by events, so an exception would end the process. */
export function answerError<C>(exchange: Answerable, error: unknown, options: AnswerOptions<C>): void {
  const { request, response, requestId } = exchange;
  try {
    const reply = answerFor(error, options.errors, options.log, requestId);
    sendText(request, response, reply, commonHeaders(options, exchange));
  } catch (fault) {
    options.log.error({ err: fault, req_id: requestId }, 'an error could not be sent');
    response.destroy();
  }
}
