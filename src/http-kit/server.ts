/**
 * A listener for any API: turns restify's request into the API's call, runs the handler of the route, and sends the
 * {@link Reply}. Whatever a handler throws becomes an answer; nothing ends the process. All listeners of a process are
 * created here: restify changes the classes of node:http for the whole process, so nothing else may rely on them.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { RestifyResponse, RestifyServer } from 'restify';
// The package's own entry also loads all its plugins, which takes longer than the rest of it.
import Restify from 'restify/lib/server.js';
import { HttpError } from '#lib/api/errors/http-error.ts';
import { within } from '#lib/runtime/within.ts';
import { answerFor } from './answer.ts';
import {
  answer,
  answerError,
  answerLater,
  commonHeaders,
  hasToLast,
  isAnswered,
  operationOf,
  reportDone,
  type Served,
  type ServedCall,
  sendError,
} from './answering.ts';
import type { Reply, Route } from './call.ts';
import { type Closing, closeServer } from './close-server.ts';
import { answerToConnect } from './connect-method.ts';
import { Connections, requestId } from './connections.ts';
import { ExactRouter } from './exact-router.ts';
import type { AnyCall, ListenerOptions } from './listener-options.ts';
import { sendText } from './reply.ts';
import { RequestError } from './request-error.ts';
import { assertFraming, settleTarget } from './request-head.ts';
import { assertSameSite } from './same-site.ts';
import { answerRaw } from './unreadable.ts';

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
  const router = new ExactRouter({ log, ignoreTrailingSlash: true });
  const server = new Restify({
    name: '',
    log,
    router,
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
  const running = new Set<Promise<void>>();
  const mounted = new Map<string, Serve>();
  server.first((request, response) => {
    connections.begin(request, response);
    // node's parser takes the rest of the chunk for the other protocol, and it is lost.
    if (request.headers.upgrade !== undefined) response.shouldKeepAlive = false;
    try {
      assertFraming(request);
      settleTarget(request);
      assertSameSite(request, options.pageHosts);
    } catch (error) {
      // A proxy in front may have understood this request differently: no second one on this connection.
      refuse(request, response, closing(error as HttpError));
      return false;
    }
    const found = router.find(request);
    const serve = found && mounted.get(found.route.name);
    if (!serve) return true;
    // restify's own way to a handler takes as long as a whole answer that is in memory.
    serve(request, response, found.params);
    return false;
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
  for (const route of options.routes) mount(server, route, options, { connections, running, mounted });
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

/** Keeps track of what is under way. */
interface Watch {
  readonly connections: Connections;
  readonly running: Set<Promise<void>>;
  /** By restify's name of the route. */
  readonly mounted: Map<string, Serve>;
}

/** @param params the variable parts of the path */
type Serve = (request: IncomingMessage, response: ServerResponse, params: RequestParams) => void;

type RequestParams = Readonly<Record<string, string>>;

function mount<C extends AnyCall, R extends Route<C>>(
  server: RestifyServer,
  route: R,
  options: Served<C, R>,
  watch: Watch,
): void {
  const { running, connections, mounted } = watch;
  const handle: Serve = (request, response, params) => {
    const under = serve(request, response, params, route, options, connections);
    if (!under) return;
    const done = under.finally(() => running.delete(done));
    running.add(done);
  };
  // Found in `first` already; restify knows the route for the methods that a path allows.
  const inRestify = async (): Promise<void> => undefined;
  const at = { path: route.path, name: route.name.toLowerCase() };
  const names: string[] = [];
  if (route.method === 'GET') {
    names.push(server.get(at, inRestify), server.head({ ...at, name: `head${at.name}` }, inRestify));
  } else if (route.method === 'POST') names.push(server.post(at, inRestify));
  else if (route.method === 'PUT') names.push(server.put(at, inRestify));
  else if (route.method === 'PATCH') names.push(server.patch(at, inRestify));
  else names.push(server.del(at, inRestify));
  for (const name of names) mounted.set(name, handle);
}

/** Answers a request; undefined if that needed no waiting. */
function serve<C extends AnyCall, R extends Route<C>>(
  request: IncomingMessage,
  response: ServerResponse,
  params: RequestParams,
  route: R,
  options: Served<C, R>,
  connections: Connections,
): Promise<void> | undefined {
  const exchange = connections.begin(request, response);
  const served: ServedCall<C> = { request, response, exchange, call: undefined, failure: undefined };
  response.on('close', () => {
    const { call, failure: error } = served;
    if (!response.writableFinished) call?.abort();
    const { requestId, started } = exchange;
    const elapsed = performance.now() - started;
    const operation = operationOf(route, call);
    reportDone(options, { route: route.name, operation, requestId, request, response, call, error, elapsed });
  });
  try {
    const { log, versions, limits } = options;
    const { requestId } = exchange;
    const call = new options.call(request, response, {
      ...{ requestId, log, jsonLimit: limits.json, bodyMs: limits.bodyMs, versions, exchange, params },
    });
    served.call = call;
    const identity = options.authenticate(call, route);
    if (isPromise(identity)) return answerLater(served, route, options, afterwards(call, identity, route));
    call.identity = identity;
    const reply = route.handler(call);
    if (isPromise(reply)) return answerLater(served, route, options, reply);
    if (hasToLast(request, options)) return answerLater(served, route, options, Promise.resolve(reply));
    const isText = !(reply.stream || reply.pieces || reply.lines);
    if (!isText || isAnswered(response)) return answer(served, route, options, reply);
    sendText(request, response, reply, commonHeaders(options, exchange, route));
    return undefined;
  } catch (error) {
    return answerLater(served, route, options, Promise.reject(error));
  }
}

function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return value instanceof Promise;
}

async function afterwards<C extends AnyCall>(
  call: C,
  identity: Promise<C['identity']>,
  route: Route<C>,
): Promise<Reply> {
  call.identity = await identity;
  return route.handler(call);
}

/** Handlers whose connection was cut still remove what they staged: the stores must stay open until then. */
async function cleanedUp(running: ReadonlySet<Promise<void>>): Promise<void> {
  await within(CLEAN_UP_MS, Promise.allSettled(running), () => undefined);
}

/** The same error, after which the connection is closed. */
function closing({ statusCode, code, summary, headers }: HttpError): HttpError {
  return new HttpError(statusCode, code, summary, { headers: { ...headers, Connection: 'close' } });
}
