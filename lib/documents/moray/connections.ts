/**
 * Several connections to Moray, and what a caller may rely on: every call ends, in time or by its signal; one that could
 * not be sent waits a moment for Moray to come back; reading is tried again; a connection that is silently dead is found
 * and replaced.
 */
import type Logger from 'bunyan';
import { pause, startTimer } from '../../runtime/timers.ts';
import { UnderWay } from '../../runtime/under-way.ts';
import { closedError, StoreUnavailableError } from '../errors.ts';
import { type MorayAddress, MorayConnection, type Work } from './connection.ts';
import { isConnectionFailure, wasNotSent } from './failure.ts';

export interface ConnectionsOptions extends MorayAddress {
  readonly log: Logger;
  /** Milliseconds that a call may take. */
  readonly patience: number;
  readonly connections: number;
}

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  /** The call does nothing but read, so it may be made again if its connection fails. */
  readonly reads?: boolean;
  /** Milliseconds instead of the usual patience. */
  readonly patience?: number;
}

/** How long a call may go on. */
interface Limits {
  /** By `performance.now()`. */
  readonly end: number;
  /** Milliseconds from its beginning to the end. */
  readonly patience: number;
  readonly signal: AbortSignal | undefined;
}

/** Until Moray is looked for again. */
const PAUSE_MS = 50;
/** The first connections take so long to be made without anything being wrong. */
const CONNECTING_MS = 1000;

export class Connections {
  readonly #options: ConnectionsOptions;
  readonly #connections: MorayConnection[];
  /** Connections that are being looked at, or closed. */
  readonly #doubts = new UnderWay();
  #isClosed = false;
  /** Whether the log says so. */
  #isAway = false;
  readonly #connectedBy = performance.now() + CONNECTING_MS;

  constructor(options: ConnectionsOptions) {
    this.#options = options;
    this.#connections = Array.from({ length: options.connections }, () => this.#connect());
  }

  /** @throws MorayError, StoreUnavailableError, the reason of the signal */
  async call<T>(work: Work<T>, options: CallOptions = {}): Promise<T> {
    const { signal, reads = false, patience = this.#options.patience } = options;
    const end = performance.now() + patience;
    for (;;) {
      signal?.throwIfAborted();
      if (this.#isClosed) throw closedError();
      const connection = this.#best();
      try {
        const result = await this.#inTime(connection, work, { end, patience, signal });
        if (this.#isAway) this.#note(false);
        return result;
      } catch (error) {
        if (this.#isClosed) throw closedError();
        const isWorthIt = wasNotSent(error) || (reads && isConnectionFailure(error));
        if (isConnectionFailure(error)) connection.isDown = true;
        if (!this.#isAway && this.#isMissed()) this.#note(true, error);
        if (!isWorthIt || performance.now() + PAUSE_MS >= end) throw error;
      }
      // Another connection may be up.
      if (this.#best().isDown) await pause(PAUSE_MS, signal);
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.#connections.map((connection) => connection.close()));
    await this.#doubts.ended();
  }

  #isMissed(): boolean {
    return performance.now() > this.#connectedBy && this.#connections.every(({ isDown }) => isDown);
  }

  #note(isAway: boolean, error?: unknown): void {
    const { host, port, log } = this.#options;
    this.#isAway = isAway;
    if (isAway) log.warn({ host, port, err: error }, 'Moray is unavailable');
    else log.info({ host, port }, 'Moray is back');
  }

  #connect(): MorayConnection {
    return new MorayConnection(this.#options);
  }

  /** One that is up, and of those the one with the least to do. */
  #best(): MorayConnection {
    const rank = ({ isDown, calls }: MorayConnection): number => (isDown ? Number.MAX_SAFE_INTEGER : calls);
    const [first, ...others] = this.#connections.toSorted(() => Math.random() - 0.5);
    if (first === undefined) throw closedError();
    return others.reduce((best, other) => (rank(other) < rank(best) ? other : best), first);
  }

  #inTime<T>(connection: MorayConnection, work: Work<T>, { end, patience, signal }: Limits): Promise<T> {
    return new Promise((resolve, reject) => {
      const late = startTimer(
        () => {
          this.#doubt(connection);
          stop(new StoreUnavailableError(`Moray did not answer within ${patience / 1000} s`));
        },
        Math.max(1, end - performance.now()),
      );
      const stop = (reason: unknown): void => {
        late.stop();
        signal?.removeEventListener('abort', onAbort);
        reject(reason);
      };
      const onAbort = (): void => stop(signal?.reason);
      signal?.addEventListener('abort', onAbort, { once: true });
      connection.call(work).then((result) => {
        late.stop();
        signal?.removeEventListener('abort', onAbort);
        resolve(result);
      }, stop);
    });
  }

  /** Other calls share the connection, so only one on which nothing comes back at all is given up. */
  #doubt(connection: MorayConnection): void {
    const at = this.#connections.indexOf(connection);
    if (at === -1 || connection.isDown) return;
    connection.isDown = true;
    const doubt = connection.isAlive().then(async (isAlive) => {
      if (isAlive || this.#isClosed) return;
      this.#options.log.warn({ host: this.#options.host }, 'a connection to Moray is silent; it is replaced');
      this.#connections[at] = this.#connect();
      await connection.close();
    });
    void this.#doubts.add(doubt);
  }
}
