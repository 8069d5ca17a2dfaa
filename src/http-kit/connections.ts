/**
 * The connections of one listener. Limits how many there are, in all and from one address, and how long the other side
 * may be silent. There is no limit on the total time of an upload, a download or a watch.
 */
import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type Logger from 'bunyan';
import { startTimer } from '#lib/runtime/timers.ts';
import { newUuid } from '#lib/text/uuid.ts';
import { type Exchange, isAnswerOut, isBodyOwed, isOver, isUnanswered } from './exchange.ts';
import { RateLimited } from './rate-limited.ts';
import { RequestError } from './request-error.ts';
import { LONGEST_HEAD, type ParserError, unreadable } from './unreadable.ts';

export interface ConnectionLimits {
  readonly max: number;
  readonly perAddress: number;
  /** A connection ends when for so long the other side neither sends nor takes what is due. At most a day. */
  readonly idleMs: number;
  /**
   * A client that has closed its side may still be reading. It gets its answer if that begins within this time;
   * otherwise it is presumed gone, and the work for it stops.
   */
  readonly halfClosedMs: number;
}

const CONNECTION_LIMITS: ConnectionLimits = {
  max: 1000,
  perAddress: 500,
  idleMs: 60_000,
  halfClosedMs: 5000,
};

export interface ConnectionHooks {
  readonly log: Logger;
  /** Answers the request with the error, then ends the connection. */
  readonly refuse: (exchange: Exchange, error: RequestError) => void;
  /** The same if no request could be read. */
  readonly refuseUnread: (socket: Socket, error: RequestError) => void;
}

interface Peer {
  readonly address: string;
  readonly connected: number;
  /** The latest one. */
  exchange: Exchange | undefined;
  /** Exchanges that were begun and not yet asked for again, see `begin`. */
  begun: Exchange[];
  /** Responses that wait for their turn, because their requests arrived before earlier ones were answered. */
  queued: Set<ServerResponse> | undefined;
  isEnding: boolean;
}

const HEADERS_TIMEOUT_MS = 60_000;
/** More than the 60 s for which clients and load balancers commonly keep idle connections. */
export const KEEP_ALIVE_MS = 75_000;
/** After so long the system checks whether a silent peer is still there. */
const PROBE_MS = 60_000;
/** Above this, answered exchanges are dropped from the list: refused ones are never asked for again. */
const MOST_BEGUN = 8;
/** A younger connection may be about to send its request. */
const YOUNG_MS = 1000;

export class Connections {
  readonly #limits: ConnectionLimits;
  readonly #hooks: ConnectionHooks;
  readonly #peers = new Map<Socket, Peer>();
  readonly #perAddress = new Map<string, number>();
  readonly #refusals: RateLimited;
  readonly #failures: RateLimited;

  constructor(server: Server, limits: Partial<ConnectionLimits>, hooks: ConnectionHooks) {
    this.#limits = { ...CONNECTION_LIMITS, ...limits };
    this.#hooks = hooks;
    this.#refusals = new RateLimited((fields) => hooks.log.warn(fields, 'refused connections: there are too many'));
    this.#failures = new RateLimited((fields) => hooks.log.error(fields, 'a connection could not be accepted'));
    const { idleMs } = this.#limits;
    // Uploads and downloads may take as long as they need; `timeout` limits silence.
    server.requestTimeout = 0;
    server.timeout = idleMs;
    server.headersTimeout = Math.min(HEADERS_TIMEOUT_MS, idleMs);
    server.keepAliveTimeout = KEEP_ALIVE_MS;
    // node takes these as options of its constructor only, but reads them when it listens or accepts a connection.
    Object.assign(server, {
      connectionsCheckingInterval: Math.min(HEADERS_TIMEOUT_MS, idleMs) / 4,
      maxHeaderSize: LONGEST_HEAD,
      httpAllowHalfOpen: true,
      // We report it ourselves, in the form of any other error.
      requireHostHeader: false,
    });
    server.on('connection', (socket) => this.#take(socket));
    server.on('timeout', (socket) => this.#onSilence(socket));
    server.on('clientError', (error, socket) => this.#onUnreadable(error, socket as Socket));
  }

  /** A connection could not be accepted, as a rule because descriptors have run out. */
  onAcceptError(error: Error): void {
    this.#failures.note({ err: error, open: this.#peers.size });
  }

  /**
   * Notes that a request was read. Call it immediately: if what follows in the same chunk is unreadable, it must be
   * known that an answer is still to come. The code that serves the request calls it again, and gets the same exchange.
   */
  begin(request: IncomingMessage, response: ServerResponse): Exchange {
    const peer = this.#peers.get(request.socket);
    const known = peer && takeFrom(peer.begun, request);
    if (known) return known;
    const exchange: Exchange = {
      request,
      response,
      requestId: requestId(request.headers),
      started: performance.now(),
      bodyUse: 'unread',
      isCutShort: false,
    };
    if (!peer) return exchange;
    peer.exchange = exchange;
    if (peer.begun.length >= MOST_BEGUN) peer.begun = peer.begun.filter((earlier) => !isOver(earlier));
    peer.begun.push(exchange);
    if (response.socket === null) {
      peer.queued ??= new Set();
      const { queued } = peer;
      queued.add(response);
      response.once('close', () => queued.delete(response));
    }
    return exchange;
  }

  #take(socket: Socket): void {
    const address = socket.remoteAddress ?? '';
    const ofAddress = this.#perAddress.get(address) ?? 0;
    const isCrowded = ofAddress >= this.#limits.perAddress;
    if ((isCrowded || this.#peers.size >= this.#limits.max) && !this.#makeRoom(isCrowded ? address : undefined)) {
      this.#refusals.note({ address, of_address: ofAddress, open: this.#peers.size, ...this.#limits });
      socket.destroy();
      return;
    }
    const connected = performance.now();
    const peer: Peer = { address, connected, exchange: undefined, begun: [], queued: undefined, isEnding: false };
    this.#peers.set(socket, peer);
    this.#perAddress.set(address, (this.#perAddress.get(address) ?? 0) + 1);
    socket.setKeepAlive(true, PROBE_MS);
    socket.once('close', () => this.#release(socket, peer));
    socket.once('end', () => this.#onHalfClosed(socket, peer));
  }

  #release(socket: Socket, peer: Peer): void {
    if (!this.#peers.delete(socket)) return;
    const left = (this.#perAddress.get(peer.address) ?? 1) - 1;
    if (left === 0) this.#perAddress.delete(peer.address);
    else this.#perAddress.set(peer.address, left);
    // node reports the end of a connection only to the response whose turn it is.
    for (const response of peer.queued ?? []) {
      response.destroy();
      response.emit('close');
    }
  }

  /** Ends the connection that has had no request for longest. False if there is none to end. */
  #makeRoom(address: string | undefined): boolean {
    let oldest: Socket | undefined;
    let since = performance.now() - YOUNG_MS;
    for (const [socket, peer] of this.#peers) {
      if (address !== undefined && peer.address !== address) continue;
      if (peer.exchange && !isOver(peer.exchange)) continue;
      const last = peer.exchange?.started ?? peer.connected;
      if (last > since) continue;
      since = last;
      oldest = socket;
    }
    const peer = oldest && this.#peers.get(oldest);
    if (!oldest || !peer) return false;
    oldest.destroy();
    this.#release(oldest, peer);
    return true;
  }

  /** For `idleMs` nothing arrived, and nothing that was due to be sent went out. */
  #onSilence(socket: Socket): void {
    const exchange = this.#peers.get(socket)?.exchange;
    if (!exchange && socket.bytesRead > 0) {
      this.#hooks.refuseUnread(socket, new RequestError('RequestTimeout', 'the request did not arrive in time'));
      return;
    }
    if (!exchange || isAnswerOut(exchange) || socket.writableLength > 0) {
      socket.destroy();
      return;
    }
    if (isBodyOwed(exchange)) {
      if (isUnanswered(exchange)) {
        this.#refuse(exchange, 'RequestTimeout', `no byte of the body arrived for ${this.#limits.idleMs / 1000} s`);
      } else socket.destroy();
      return;
    }
    // The work is ours to finish; the timer has to be restarted.
    socket.setTimeout(this.#limits.idleMs);
  }

  #onHalfClosed(socket: Socket, peer: Peer): void {
    const { exchange } = peer;
    if (!exchange) return;
    const timer = startTimer(() => {
      if (!exchange.response.headersSent) socket.destroy();
    }, this.#limits.halfClosedMs);
    socket.once('close', () => timer.stop());
  }

  #onUnreadable(error: ParserError, socket: Socket): void {
    const peer = this.#peers.get(socket);
    // A peer that has sent nothing at all gets no answer.
    const isMute = error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && socket.bytesRead === 0;
    if (!socket.writable || error.code === 'ECONNRESET' || isMute || !peer) {
      socket.destroy();
      return;
    }
    // Once it has failed, the parser fails again with every further chunk.
    if (peer.isEnding) return;
    const { exchange } = peer;
    if (!exchange || isOver(exchange)) {
      peer.isEnding = true;
      this.#hooks.refuseUnread(socket, unreadable(error));
      return;
    }
    this.#onBrokenBody(error, socket, peer, exchange);
  }

  /** A request with a broken body gets one answer, and no second one. */
  #onBrokenBody(error: ParserError, socket: Socket, peer: Peer, exchange: Exchange): void {
    peer.isEnding = true;
    const { request, response } = exchange;
    if (request.complete) {
      // What came after the request is broken; nothing may be written into the middle of its answer.
      response.once('finish', () => {
        if (socket.writable) this.#hooks.refuseUnread(socket, unreadable(error));
      });
      return;
    }
    exchange.isCutShort = true;
    if (response.writableEnded) {
      if (response.writableFinished) socket.destroySoon();
      else response.once('finish', () => socket.destroySoon());
    } else if (exchange.bodyUse === 'unread') {
      // Its handler answers without needing the body, or learns of the fault when it asks for the body.
      response.once('finish', () => socket.destroySoon());
    } else if (isUnanswered(exchange)) {
      const isEnd = error.code === 'HPE_INVALID_EOF_STATE';
      this.#refuse(exchange, 'BadRequest', isEnd ? CUT_SHORT : `the body cannot be read: ${error.message}`);
    } else socket.destroy();
  }

  #refuse(exchange: Exchange, code: 'BadRequest' | 'RequestTimeout', message: string): void {
    const { request, response } = exchange;
    this.#hooks.refuse(exchange, new RequestError(code, message));
    // For a reader of the body: once a request is answered, node no longer tells it of the end of its connection.
    response.once('close', () => request.destroy());
  }
}

/**
 * Each connection has a list of one or two. A WeakMap of all requests would keep each of them for a while after its
 * end, and the garbage collector busy.
 */
function takeFrom(begun: Exchange[], request: IncomingMessage): Exchange | undefined {
  // Nearly always it is the only one.
  if (begun.length === 1 && begun[0]?.request === request) return begun.pop();
  const at = begun.findIndex((exchange) => exchange.request === request);
  return at === -1 ? undefined : begun.splice(at, 1)[0];
}

export const CUT_SHORT = 'the connection ended before the body did';

const PLAIN_ID = /^[A-Za-z0-9._-]{1,128}$/;

/** Every request has an id: the client's own if that is a plain one, a new UUID otherwise. */
export function requestId(headers: IncomingHttpHeaders): string {
  const given = headers['x-request-id'] ?? headers['request-id'];
  return typeof given === 'string' && PLAIN_ID.test(given) ? given : newUuid();
}
