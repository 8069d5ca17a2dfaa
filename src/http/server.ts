/**
 * A listener: takes a route table, turns restify's request into a {@link Call}, runs the handler, and sends its
 * {@link Reply}. Whatever a handler throws becomes an answer; nothing ends the process.
 */
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import type Logger from 'bunyan';
import restify, { type RestifyRequest, type RestifyResponse, type RestifyServer } from 'restify';
import { ApiError } from '../errors/api-error.ts';
import type { ApiVersion } from '../images/api-version.ts';
import { answerFor } from './answer.ts';
import type { Call, Reply, Route } from './call.ts';
import { closeServer } from './close-server.ts';
import { type ReplyHeaders, sendReply, sendText } from './reply.ts';
import { RequestCall } from './request-call.ts';
import { requestId } from './request-id.ts';
import { answerUnreadable, noteAnswer } from './unreadable.ts';
import { apiVersion } from './versions.ts';

/** Who a request comes from, as the listener's authentication sees it. */
export interface Identity {
  readonly user?: string | undefined;
  readonly datacenter?: string | undefined;
}

export interface ListenerOptions {
  readonly routes: readonly Route[];
  readonly log: Logger;
  /** The Server header. */
  readonly serverName: string;
  readonly jsonLimit: number;
  /** Rejects with the answer for a request that may not pass. */
  readonly authenticate: (call: Call, route: Route) => Promise<Identity>;
  /** Called once per request when its answer is out, or its client gone. */
  readonly onDone?: (done: Done) => void;
  /** From Accept-Version to the version of IMGAPI; a listener of another API has versions of its own. */
  readonly versionOf?: (acceptVersion: string | undefined) => ApiVersion;
  /** From what was thrown to the answer, where errors have another form than IMGAPI's. */
  readonly answerFor?: (thrown: unknown, log: Logger, requestId: string) => Reply;
}

export interface Done {
  readonly route: string;
  readonly requestId: string;
  readonly request: RestifyRequest;
  readonly response: RestifyResponse;
  readonly call: Call | undefined;
  readonly error: unknown;
  /** Milliseconds from the request's header to the answer's last byte. */
  readonly elapsed: number;
}

export interface Listener {
  /** `http://127.0.0.1:8080` */
  readonly url: string;
  readonly address: AddressInfo;
  /**
   * Takes no more connections, waits for the requests under way until `patience` milliseconds have passed, then cuts
   * them, and resolves when their handlers have cleaned up.
   */
  close(patience: number): Promise<void>;
}

const HOST = hostname();
const HEADERS_TIMEOUT_MS = 60_000;
/** Above the 60 s that clients and balancers commonly keep idle connections for. */
const KEEP_ALIVE_MS = 75_000;
/** Handlers end by themselves when their client is gone; one that does not must not keep the process. */
const CLEAN_UP_MS = 5_000;

export async function listen(options: ListenerOptions, address: string, port: number): Promise<Listener> {
  const server = restify.createServer({
    name: '',
    noWriteContinue: true,
    ignoreTrailingSlash: true,
    formatters: { 'application/json': formatJson },
  });
  // An upload of 20 GiB over a slow line takes as long as it takes; idle uploads are ended by their handler.
  server.server.requestTimeout = 0;
  server.server.headersTimeout = HEADERS_TIMEOUT_MS;
  server.server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.server.on('clientError', answerUnreadable);
  const running = new Set<Promise<void>>();
  for (const route of options.routes) mount(server, route, options, running);
  // The listener's callback is left alone: restify would answer once more.
  server.on('restifyError', (request, response, error) => sendRoutingError(request, response, error, options));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, resolve);
  });
  const bound = server.server.address() as AddressInfo;
  const host = bound.family === 'IPv6' ? `[${bound.address}]` : bound.address;
  return {
    url: `http://${host}:${bound.port}`,
    address: bound,
    async close(patience) {
      await closeServer(server.server, patience);
      await cleanedUp(running);
    },
  };
}

/** For the few answers that restify sends by itself. */
function formatJson(_request: unknown, response: RestifyResponse, body: unknown): string {
  const text = JSON.stringify(body, null, 2);
  response.setHeader('Content-Length', Buffer.byteLength(text));
  return text;
}

function mount(server: RestifyServer, route: Route, options: ListenerOptions, running: Set<Promise<void>>): void {
  const handler = async (request: RestifyRequest, response: RestifyResponse): Promise<void> => {
    const done = serve(request, response, route, options);
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

async function serve(
  request: RestifyRequest,
  response: RestifyResponse,
  route: Route,
  options: ListenerOptions,
): Promise<void> {
  const started = performance.now();
  const id = requestId(request.headers);
  noteAnswer(request.socket, response);
  let call: RequestCall | undefined;
  let failure: unknown;
  response.on('close', () => {
    if (!response.writableFinished) call?.abort();
    const elapsed = performance.now() - started;
    tellDone(options, { route: route.name, requestId: id, request, response, call, error: failure, elapsed });
  });
  let reply: Reply;
  try {
    const { log, jsonLimit, versionOf = apiVersion } = options;
    call = new RequestCall(request, response, { requestId: id, log, jsonLimit, versionOf });
    call.identity = await options.authenticate(call, route);
    reply = await route.handler(call);
  } catch (error) {
    failure = error;
    reply = (options.answerFor ?? answerFor)(error, options.log, id);
  }
  try {
    await sendReply(request, response, reply, commonHeaders(options, id, started));
  } catch (error) {
    failure ??= error;
    // A client that left is everyday life; bytes that cannot be read are not.
    const level = isStoreFault(error) ? 'error' : 'debug';
    options.log[level]({ err: error, req_id: id, route: route.name, url: request.url }, 'the answer was cut off');
  }
}

const STORE_FAULTS = new Set(['ObjectTruncatedError', 'ObjectStoreUnavailableError', 'WrongLengthError']);

function isStoreFault(error: unknown): boolean {
  return error instanceof Error && STORE_FAULTS.has(error.name);
}

/** What is noted of a request must not be able to end the process. */
function tellDone({ onDone, log }: ListenerOptions, done: Done): void {
  try {
    onDone?.(done);
  } catch (error) {
    log.error({ err: error, req_id: done.requestId }, 'a request could not be noted');
  }
}

function commonHeaders({ serverName }: ListenerOptions, id: string, started: number): ReplyHeaders {
  return {
    Server: serverName,
    'x-request-id': id,
    'x-server-name': HOST,
    'x-response-time': Math.round(performance.now() - started),
    Vary: 'Accept-Version',
  };
}

/** Unknown paths (404), wrong methods (405) and paths that do not decode (400) never reach a handler. */
function sendRoutingError(
  request: RestifyRequest,
  response: RestifyResponse,
  error: Error & { readonly statusCode?: number },
  options: ListenerOptions,
): void {
  if (response.headersSent) return;
  const started = performance.now();
  const path = (request.url ?? '/').split('?', 1)[0];
  const known =
    error.statusCode === 405
      ? new ApiError('MethodNotAllowed', `${request.method} is not allowed on ${path}`)
      : error.statusCode === 404
        ? new ApiError('ResourceNotFound', `${path} does not exist`)
        : undefined;
  const id = requestId(request.headers);
  noteAnswer(request.socket, response);
  const reply = (options.answerFor ?? answerFor)(known ?? error, options.log, id);
  response.on('close', () => {
    const elapsed = performance.now() - started;
    const done = { route: 'unrouted', requestId: id, request, response, call: undefined, elapsed };
    tellDone(options, { ...done, error: known ?? error });
  });
  sendText(request, response, reply, commonHeaders(options, id, started));
}

/** Handlers whose connection was cut still remove what they staged: the stores must not be closed under them. */
async function cleanedUp(running: ReadonlySet<Promise<void>>): Promise<void> {
  const late = Promise.withResolvers<void>();
  const timer = setTimeout(late.resolve, CLEAN_UP_MS);
  await Promise.race([Promise.allSettled(running), late.promise]);
  clearTimeout(timer);
}
