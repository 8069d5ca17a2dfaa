/**
 * A listener: takes a route table, turns restify's request into a {@link Call}, runs the handler, and sends its
 * {@link Reply}. Whatever a handler throws becomes an answer; nothing ends the process.
 */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import type { Readable } from 'node:stream';
import type Logger from 'bunyan';
import restify, { type RestifyRequest, type RestifyResponse, type RestifyServer } from 'restify';
import { isUuid } from '#lib/uuid.ts';
import { ApiError, invalidParameter } from '../errors/api-error.ts';
import type { ApiVersion } from '../images/api-version.ts';
import { answerFor } from './answer.ts';
import { readJson } from './body.ts';
import type { Call, Reply, Route } from './call.ts';
import { parseQuery } from './query.ts';
import { sendReply } from './reply.ts';
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
  readonly request: RestifyRequest;
  readonly response: RestifyResponse;
  readonly call: Call | undefined;
  readonly error: unknown;
  /** Milliseconds from the request's first line to the answer's last byte. */
  readonly elapsed: number;
}

export interface Listener {
  /** `http://127.0.0.1:8080` */
  readonly url: string;
  readonly address: AddressInfo;
  /** Takes no more connections, and waits for the requests under way until `patience` milliseconds have passed. */
  close(patience: number): Promise<void>;
}

const HOST = hostname();
const HEADERS_TIMEOUT_MS = 60_000;
/** Above the 60 s that clients and balancers commonly keep idle connections for. */
const KEEP_ALIVE_MS = 75_000;

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
  server.first((request, response) => {
    noteAnswer(request.socket, response);
    setCommonHeaders(request, response, options);
    return undefined;
  });
  for (const route of options.routes) mount(server, route, options);
  server.on('restifyError', (request, response, error, done) => {
    sendRoutingError(request, response, error, options);
    done();
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, resolve);
  });
  const bound = server.server.address() as AddressInfo;
  const host = bound.family === 'IPv6' ? `[${bound.address}]` : bound.address;
  return { url: `http://${host}:${bound.port}`, address: bound, close: (patience) => close(server, patience) };
}

/** For the few answers that restify sends by itself. */
function formatJson(_request: unknown, response: RestifyResponse, body: unknown): string {
  const text = JSON.stringify(body, null, 2);
  response.setHeader('Content-Length', Buffer.byteLength(text));
  return text;
}

const STARTED = Symbol('started');

interface Timed {
  [STARTED]?: number;
}

function setCommonHeaders(request: RestifyRequest, response: RestifyResponse, { serverName }: ListenerOptions): void {
  (request as Timed)[STARTED] = performance.now();
  response.setHeader('Server', serverName);
  response.setHeader('x-request-id', requestId(request.headers));
  response.setHeader('x-server-name', HOST);
}

function mount(server: RestifyServer, route: Route, options: ListenerOptions): void {
  const handler = async (request: RestifyRequest, response: RestifyResponse): Promise<void> => {
    await serve(request, response, route, options);
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
  let gone: AbortController | undefined;
  let call: Call | undefined;
  let failure: unknown;
  // Made when it is first asked for: most requests end before anybody has to hear of a client that left.
  const signal = (): AbortSignal => {
    gone ??= new AbortController();
    return gone.signal;
  };
  response.once('close', () => {
    if (!response.writableFinished) gone?.abort(new Error('the client is gone'));
    options.onDone?.({ route: route.name, request, response, call, error: failure, elapsed: elapsed(request) });
  });
  let reply: Reply;
  try {
    call = await makeCall(request, response, route, options, signal);
    reply = await route.handler(call);
  } catch (error) {
    failure = error;
    reply = (options.answerFor ?? answerFor)(error, options.log, response.getHeader('x-request-id') as string);
  }
  response.setHeader('x-response-time', Math.round(elapsed(request)));
  response.setHeader('Vary', 'Accept-Version');
  await sendReply(request, response, reply).catch((error: unknown) => {
    failure ??= error;
    options.log.debug({ err: error, route: route.name }, 'the answer was cut off');
  });
}

async function makeCall(
  request: RestifyRequest,
  response: RestifyResponse,
  route: Route,
  options: ListenerOptions,
  signal: () => AbortSignal,
): Promise<Call> {
  const url = request.url ?? '/';
  const id = response.getHeader('x-request-id') as string;
  let json: Promise<unknown> | undefined;
  let identity: Identity = {};
  const call: Call = {
    get account(): string | undefined {
      return accountOf(call);
    },
    requestId: id,
    log: options.log,
    get signal(): AbortSignal {
      return signal();
    },
    method: request.method ?? 'GET',
    url,
    params: request.params,
    query: parseQuery(url),
    headers: request.headers,
    version: (options.versionOf ?? apiVersion)(header(request.headers['accept-version'])),
    get user(): string | undefined {
      return identity.user;
    },
    get datacenter(): string | undefined {
      return identity.datacenter;
    },
    remoteAddress: request.socket.remoteAddress ?? '',
    json() {
      json ??= readJson(inviteBody(request, response), options.jsonLimit);
      return json;
    },
    get body(): Readable {
      return inviteBody(request, response);
    },
  };
  identity = await options.authenticate(call, route);
  return call;
}

/** Checked when it is first asked for, because on every route other checks come before it. */
function accountOf({ query }: Call): string | undefined {
  const { account } = query;
  if (account === undefined || isUuid(account)) return account;
  throw invalidParameter('account', `account is ${JSON.stringify(account)}; it must be a lower-case UUID`);
}

/** A client that sent `Expect: 100-continue` is told to go on only when somebody is about to read. */
function inviteBody(request: RestifyRequest, response: RestifyResponse): RestifyRequest {
  if (request.headers.expect?.toLowerCase() === '100-continue' && !response.headersSent && !request.readableDidRead) {
    response.writeContinue();
  }
  return request;
}

function header(value: string | readonly string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : (value as string | undefined);
}

function elapsed(request: RestifyRequest): number {
  return performance.now() - ((request as Timed)[STARTED] ?? performance.now());
}

/** Unknown paths (404), wrong methods (405) and paths that do not decode (400) never reach a handler. */
function sendRoutingError(
  request: RestifyRequest,
  response: RestifyResponse,
  error: Error & { readonly statusCode?: number },
  options: ListenerOptions,
): void {
  if (response.headersSent) return;
  const path = (request.url ?? '/').split('?', 1)[0];
  const known =
    error.statusCode === 405
      ? new ApiError('MethodNotAllowed', `${request.method} is not allowed on ${path}`)
      : error.statusCode === 404
        ? new ApiError('ResourceNotFound', `${path} does not exist`)
        : undefined;
  const id = response.getHeader('x-request-id') as string;
  const reply = (options.answerFor ?? answerFor)(known ?? error, options.log, id);
  response.setHeader('x-response-time', Math.round(elapsed(request)));
  options.onDone?.({
    route: 'unrouted',
    request,
    response,
    call: undefined,
    error: known ?? error,
    elapsed: elapsed(request),
  });
  response.send(reply.status ?? 500, reply.json);
}

async function close(server: RestifyServer, patience: number): Promise<void> {
  const closed = once(server.server, 'close');
  server.close(() => {});
  server.server.closeIdleConnections();
  const timer = setTimeout(() => server.server.closeAllConnections(), patience);
  await closed;
  clearTimeout(timer);
}
