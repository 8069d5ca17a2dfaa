/**
 * The connections of one listener: how many there may be, at all and from one address, and that no wait for the other
 * side is without end. A limit is on silence, never on the whole of an upload, a download or a watch.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type Logger from 'bunyan';
import { startTimer } from '#lib/runtime/timers.ts';
import { type Exchange, isAnswerOut, isBodyOwed, isOver, isUnanswered } from './exchange.ts';
import { Occasional } from './occasional.ts';
import { RequestError } from './request-error.ts';
import { requestId } from './request-id.ts';
import { LONGEST_HEAD, type ParserError, unreadable } from './unreadable.ts';

export interface ConnectionLimits {
  readonly max: number;
  readonly perAddress: number;
  /** A connection ends when the other side neither sends nor takes what it is waited for, for so long. At most a day. */
  readonly idleMs: number;
  /**
   * A client that has closed its side may still read. It is given an answer that has begun by then; else it is taken
   * for gone, and the work for it stops.
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
  /** Answers the request with the error, and lets the connection end with it. */
  readonly refuse: (exchange: Exchange, error: RequestError) => void;
  /** The same where no request could be read. */
  readonly refuseUnread: (socket: Socket, error: RequestError) => void;
}

interface Peer {
  readonly address: string;
  readonly connected: number;
  /** The latest. */
  exchange: Exchange | undefined;
  /** Those that were begun, and that nobody has asked for again. */
  begun: Exchange[];
  /** Answers that wait for their turn, since their requests came before earlier ones were answered. */
  queued: Set<ServerResponse> | undefined;
  isEnding: boolean;
}

const HEADERS_TIMEOUT_MS = 60_000;
/** Above the 60 s that clients and balancers commonly keep idle connections for. */
const KEEP_ALIVE_MS = 75_000;
/** When the system asks whether a silent peer is still there. */
const PROBE_MS = 60_000;
/** From here on those that are answered are no longer kept: what is refused at once is never asked for again. */
const MOST_BEGUN = 8;
/** What was here for less may be about to send its request. */
const YOUNG_MS = 1000;
export class Connections {
  readonly #limits: ConnectionLimits;
  readonly #hooks: ConnectionHooks;
  readonly #peers = new Map<Socket, Peer>();
  readonly #perAddress = new Map<string, number>();
  readonly #refusals: Occasional;
  readonly #failures: Occasional;

  constructor(server: Server, limits: Partial<ConnectionLimits>, hooks: ConnectionHooks) {
    this.#limits = { ...CONNECTION_LIMITS, ...limits };
    this.#hooks = hooks;
    this.#refusals = new Occasional((fields) => hooks.log.warn(fields, 'refused connections: there are too many'));
    this.#failures = new Occasional((fields) => hooks.log.error(fields, 'a connection could not be taken'));
    const { idleMs } = this.#limits;
    // A whole upload or download takes as long as it takes; silence is for `timeout`.
    server.requestTimeout = 0;
    server.timeout = idleMs;
    server.headersTimeout = Math.min(HEADERS_TIMEOUT_MS, idleMs);
    server.keepAliveTimeout = KEEP_ALIVE_MS;
    // What node has for options of its constructor only, and reads when it listens or takes a connection.
    Object.assign(server, {
      connectionsCheckingInterval: Math.min(HEADERS_TIMEOUT_MS, idleMs) / 4,
      maxHeaderSize: LONGEST_HEAD,
      httpAllowHalfOpen: true,
      // Told by us, in the form of any other error.
      requireHostHeader: false,
    });
    server.on('connection', (socket) => this.#take(socket));
    server.on('timeout', (socket) => this.#onSilence(socket));
    server.on('clientError', (error, socket) => this.#onUnreadable(error, socket as Socket));
  }

  /** A connection could not be accepted: out of descriptors, as a rule. */
  onAcceptError(error: Error): void {
    this.#failures.note({ err: error, open: this.#peers.size });
  }

  /**
   * A request was read. To be told at once: what follows it in the same piece may be unreadable, and must find that
   * there is an answer to come. Whoever serves the request gets the same exchange by asking again.
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
    // node tells the end of a connection only to the answer whose turn it is.
    for (const response of peer.queued ?? []) {
      response.destroy();
      response.emit('close');
    }
  }

  /** Ends the connection that has been without a request for longest, if there is one to be ended. */
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

  /** For `idleMs` nothing came, and nothing that is to be sent went. */
  #onSilence(socket: Socket): void {
    const exchange = this.#peers.get(socket)?.exchange;
    if (!exchange && socket.bytesRead > 0) {
      this.#hooks.refuseUnread(socket, new RequestError('RequestTimeout', 'the request did not come in time'));
      return;
    }
    if (!exchange || isAnswerOut(exchange) || socket.writableLength > 0) {
      socket.destroy();
      return;
    }
    if (isBodyOwed(exchange)) {
      if (isUnanswered(exchange)) {
        this.#refuse(exchange, 'RequestTimeout', `no byte of the body came for ${this.#limits.idleMs / 1000} s`);
      } else socket.destroy();
      return;
    }
    // It is we who are at work; the timer has to be told to go on.
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
    // Who has said nothing at all is told nothing.
    const isMute = error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && socket.bytesRead === 0;
    if (!socket.writable || error.code === 'ECONNRESET' || isMute || !peer) {
      socket.destroy();
      return;
    }
    // Once it has failed, the parser does so again with each piece that comes.
    if (peer.isEnding) return;
    const { exchange } = peer;
    if (!exchange || isOver(exchange)) {
      peer.isEnding = true;
      this.#hooks.refuseUnread(socket, unreadable(error));
      return;
    }
    this.#onBrokenBody(error, socket, peer, exchange);
  }

  /** The request whose body is broken has one answer and no other. */
  #onBrokenBody(error: ParserError, socket: Socket, peer: Peer, exchange: Exchange): void {
    peer.isEnding = true;
    const { request, response } = exchange;
    if (request.complete) {
      // What came after it is broken, and nothing may be written into the middle of its answer.
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
      // Whoever handles it has an answer that needs no body, or is told when asking for it.
      response.once('finish', () => socket.destroySoon());
    } else if (isUnanswered(exchange)) {
      const isEnd = error.code === 'HPE_INVALID_EOF_STATE';
      this.#refuse(exchange, 'BadRequest', isEnd ? CUT_SHORT : `the body cannot be read: ${error.message}`);
    } else socket.destroy();
  }

  #refuse(exchange: Exchange, code: 'BadRequest' | 'RequestTimeout', message: string): void {
    const { request, response } = exchange;
    this.#hooks.refuse(exchange, new RequestError(code, message));
    // Also for whoever reads the body: node no longer tells a request of the end of its connection once it is answered.
    response.once('close', () => request.destroy());
  }
}

/**
 * A list for each connection, which has one or two: a WeakMap of all requests would keep each of them for a while after
 * its end, and the collector of garbage busy.
 */
function takeFrom(begun: Exchange[], request: IncomingMessage): Exchange | undefined {
  const at = begun.findIndex((exchange) => exchange.request === request);
  return at === -1 ? undefined : begun.splice(at, 1)[0];
}

export const CUT_SHORT = 'the connection ended before the body did';
