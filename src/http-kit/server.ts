/**
 * A listener for any API: turns restify's request into the API's call, runs the handler of the route, and sends the
 * {@link Reply}. Whatever a handler throws becomes an answer; nothing ends the process. All listeners of a process are
 * created here: restify changes the classes of node:http for the whole process, so nothing else may rely on them.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { hostname } from 'node:os';
import type Logger from 'bunyan';
import restify, { type RestifyRequest, type RestifyResponse, type RestifyServer } from 'restify';
import { HttpError } from '#lib/api/errors/http-error.ts';
import { within } from '#lib/runtime/within.ts';
import { answerFor, type ErrorForm } from './answer.ts';
import type { Reply, Route } from './call.ts';
import { type Closing, closeServer } from './close-server.ts';
import { answerToConnect } from './connect-method.ts';
import { type ConnectionLimits, Connections, requestId } from './connections.ts';
import { ExactRouter } from './exact-router.ts';
import type { Exchange } from './exchange.ts';
import { type ReplyHeaders, sendReply, sendText } from './reply.ts';
import type { RequestCall, RequestCallOptions, Versions } from './request-call.ts';
import { RequestError } from './request-error.ts';
import { assertFraming, settleTarget } from './request-head.ts';
import { answerRaw } from './unreadable.ts';

/** A call of any API, with any type of version and identity. */
export type AnyCall = RequestCall<unknown, unknown>;

/** `C` is the API's call, `R` its route. */
export interface ListenerOptions<C extends AnyCall, R extends Route<C> = Route<C>> {
  readonly routes: readonly R[];
  readonly log: Logger;
  /** The Server header. */
  readonly serverName: string;
  /** Further headers of every answer; its own go before them. */
  readonly headers?: (answered: Answered) => ReplyHeaders;
  readonly limits: Limits;
  readonly call: new (
    request: RestifyRequest,
    response: RestifyResponse,
    options: RequestCallOptions<C['version']>,
  ) => C;
  readonly versions: Versions<C['version']>;
  /** Rejects a request that may not pass, with the error to answer with. */
  readonly authenticate: (call: C, route: R) => Promise<C['identity']>;
  readonly errors: ErrorForm;
  /** Called once per request, when its answer was sent or its client has left. */
  readonly onDone?: (done: Done<C>) => void;
}

/** What is answered, and by which route; undefined if the request reached none. */
export interface Answered extends Pick<Exchange, 'request' | 'requestId'> {
  readonly route: Pick<Route<never>, 'path'> | undefined;
  /** Whether the connection takes another request after this one. */
  readonly staysOpen: boolean;
  /** Milliseconds since the request's header arrived. */
  readonly elapsed: number;
}

export interface Limits {
  /** Bytes of a JSON body. */
  readonly json: number;
  readonly connections?: Partial<ConnectionLimits>;
}

export interface Done<C = AnyCall> {
  readonly route: string;
  /** What was asked for: the name of the route if it has only one operation; undefined for none. */
  readonly operation: string | undefined;
  readonly requestId: string;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Undefined for a request that reached no route. */
  readonly call: C | undefined;
  readonly error: unknown;
  /** Milliseconds from the request's header to the answer's last byte. */
  readonly elapsed: number;
}

export interface Listener {
  /** `http://127.0.0.1:8080` */
  readonly url: string;
  readonly address: AddressInfo;
  /** node's own server. */
  readonly server: Server;
  /**
   * Accepts no more connections, waits for the requests under way as `closing` says, and resolves when their handlers
   * have cleaned up. Answers say `Connection: close` from now on, and streams of lines end: their clients ask again.
   */
  close(closing: Closing): Promise<void>;
}

/** Stands for the name of the route when a request reached none. */
export const UNROUTED = 'unrouted';

const HOST = hostname();
/** Handlers end by themselves when their client is gone; one that does not must not keep the process up. */
const CLEAN_UP_MS = 5_000;

export async function listen<C extends AnyCall, R extends Route<C>>(
  given: ListenerOptions<C, R>,
  address: string,
  port: number,
): Promise<Listener> {
  const leaving = new AbortController();
  const options = { ...given, leaving: leaving.signal };
  const { log, limits, errors } = options;
  const server = restify.createServer({
    name: '',
    log,
    router: new ExactRouter({ log, ignoreTrailingSlash: true }),
    noWriteContinue: true,
    formatters: { 'application/json': formatJson },
  });
  const http = server.server;
  const connections = new Connections(http, limits.connections ?? {}, {
    log,
    // It is recorded by the code that serves the request.
    refuse: (exchange, error) => answerError(exchange, closing(error), options),
    refuseUnread: (socket, error) => answerRaw(socket, answerFor(error, errors, log, requestId({}))),
  });
  const refuse = (request: IncomingMessage, response: ServerResponse, error: unknown): void => {
    sendError(connections.begin(request, response), error, options);
  };
  server.first((request, response) => {
    connections.begin(request, response);
    // node's parser takes the rest of the chunk for the other protocol, and it is lost.
    if (request.headers.upgrade !== undefined) response.shouldKeepAlive = false;
    try {
      assertFraming(request);
      settleTarget(request);
      return true;
    } catch (error) {
      // A proxy in front may have understood this request differently: no second one on this connection.
      refuse(request, response, closing(error as HttpError));
      return false;
    }
  });
  // Without a listener node serves the request as if it had no Upgrade header; restify has set one that does nothing.
  http.removeAllListeners('upgrade');
  http.on('connect', (request, socket) => {
    const response = answerToConnect(request, socket as Socket);
    const error = new RequestError('MethodNotAllowedError', 'CONNECT is not allowed: this is not a proxy');
    if (response) refuse(request, response, error);
  });
  http.on('checkExpectation', (request, response) => {
    const shown = JSON.stringify(request.headers.expect?.slice(0, 100));
    refuse(request, response, new RequestError('ExpectationFailed', `Expect is ${shown}; it can only be 100-continue`));
  });
  const running = new Set<Promise<void>>();
  for (const route of options.routes) mount(server, route, options, { connections, running });
  // `done` is not called: restify would answer a second time.
  server.on('restifyError', refuse);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, resolve);
  });
  server.on('error', (error) => connections.onAcceptError(error));
  const bound = http.address() as AddressInfo;
  const host = bound.family === 'IPv6' ? `[${bound.address}]` : bound.address;
  return {
    url: `http://${host}:${bound.port}`,
    address: bound,
    server: http,
    async close(closing) {
      leaving.abort();
      await closeServer(http, closing);
      await cleanedUp(running);
    },
  };
}

/** For the few answers that restify sends itself. */
function formatJson(_request: unknown, response: RestifyResponse, body: unknown): string {
  const text = JSON.stringify(body, null, 2);
  response.setHeader('Content-Length', Buffer.byteLength(text));
  return text;
}

/** What a listener was given, and what the kit itself adds. */
type Served<C extends AnyCall, R extends Route<C>> = ListenerOptions<C, R> & Pick<AnswerOptions<C>, 'leaving'>;

/** Keeps track of what is under way. */
interface Watch {
  readonly connections: Connections;
  readonly running: Set<Promise<void>>;
}

function mount<C extends AnyCall, R extends Route<C>>(
  server: RestifyServer,
  route: R,
  options: Served<C, R>,
  watch: Watch,
): void {
  const { running, connections } = watch;
  const handler = async (request: RestifyRequest, response: RestifyResponse): Promise<void> => {
    const done = serve(request, response, route, options, connections);
    running.add(done);
    return done.finally(() => running.delete(done));
  };
  const at = { path: route.path, name: route.name.toLowerCase() };
  if (route.method === 'GET') {
    server.get(at, handler);
    server.head({ ...at, name: `head${at.name}` }, handler);
  } else if (route.method === 'POST') server.post(at, handler);
  else if (route.method === 'PUT') server.put(at, handler);
  else server.del(at, handler);
}

async function serve<C extends AnyCall, R extends Route<C>>(
  request: RestifyRequest,
  response: RestifyResponse,
  route: R,
  options: Served<C, R>,
  connections: Connections,
): Promise<void> {
  const exchange = connections.begin(request, response);
  const { started, requestId: id } = exchange;
  const { log, errors, versions } = options;
  let call: C | undefined;
  let failure: unknown;
  response.once('close', () => {
    if (!response.writableFinished) call?.abort();
    const elapsed = performance.now() - started;
    const operation = operationOf(route, call);
    reportDone(options, {
      route: route.name,
      operation,
      requestId: id,
      request,
      response,
      call,
      error: failure,
      elapsed,
    });
  });
  let reply: Reply;
  try {
    const jsonLimit = options.limits.json;
    call = new options.call(request, response, { requestId: id, log, jsonLimit, versions, exchange });
    call.identity = await options.authenticate(call, route);
    reply = await route.handler(call);
  } catch (error) {
    failure = error;
    // Nobody would get the answer; and errors that a client causes by leaving are not our fault.
    if (isAnswered(response)) return;
    reply = answerFor(error, errors, log, id);
  }
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
      failure ??= error;
      await discard(reply);
      if (isAnswered(response)) throw error;
      await send(answerFor(error, errors, log, id));
    });
  } catch (error) {
    failure ??= error;
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

function operationOf<C>({ name, operationOf }: Route<C>, call: C | undefined): string | undefined {
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
function reportDone<C>({ onDone, log }: AnswerOptions<C>, done: Done<C>): void {
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
function isAnswered(response: ServerResponse): boolean {
  return response.destroyed || response.headersSent;
}

function commonHeaders(
  { serverName, leaving, headers }: Pick<AnswerOptions<AnyCall>, 'serverName' | 'leaving' | 'headers'>,
  { request, response, requestId, started }: Answerable,
  route?: Answered['route'],
): ReplyHeaders {
  const elapsed = Math.round(performance.now() - started);
  // Of HTTP/1.0 only node knows whether the end of the answer can be told without that of the connection.
  const staysOpen = response.shouldKeepAlive && request.httpVersion === '1.1' && !leaving.aborted;
  return {
    ...headers?.({ request, requestId, elapsed, route, staysOpen }),
    // A client must not send another request on a connection that is about to end.
    ...(leaving.aborted && { Connection: 'close' }),
    Server: serverName,
    'x-request-id': requestId,
    'x-server-name': HOST,
    'x-response-time': elapsed,
    Vary: 'Accept-Version',
  };
}

type Answerable = Pick<Exchange, 'request' | 'response' | 'requestId' | 'started'>;

/** For requests that never reach a handler: their target is invalid, or has no route. */
function sendError<C>(exchange: Answerable, error: unknown, options: AnswerOptions<C>): void {
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
function answerError<C>(exchange: Answerable, error: unknown, options: AnswerOptions<C>): void {
  const { request, response, requestId } = exchange;
  try {
    const reply = answerFor(error, options.errors, options.log, requestId);
    sendText(request, response, reply, commonHeaders(options, exchange));
  } catch (fault) {
    options.log.error({ err: fault, req_id: requestId }, 'an error could not be sent');
    response.destroy();
  }
}

/** Handlers whose connection was cut still remove what they staged: the stores must stay open until then. */
async function cleanedUp(running: ReadonlySet<Promise<void>>): Promise<void> {
  await within(CLEAN_UP_MS, Promise.allSettled(running), () => undefined);
}

/** The same error, after which the connection is closed. */
function closing({ statusCode, code, summary, headers }: HttpError): HttpError {
  return new HttpError(statusCode, code, summary, { headers: { ...headers, Connection: 'close' } });
}
