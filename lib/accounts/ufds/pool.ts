/** A few connections, made when they are needed and closed when they are not, with every search on the one that is least busy. */
import type { Entry, SearchOptions } from 'ldapts';
import { startTimer, type Timer } from '../../runtime/timers.ts';
import { Connection, ConnectionLostError } from './connection.ts';
import type { UfdsOptions } from './options.ts';

interface Place {
  connection: Promise<Connection> | undefined;
  /** Once it is made. */
  ready: Connection | undefined;
  pending: number;
  idle: Timer | undefined;
}

export class Pool {
  readonly #options: UfdsOptions;
  readonly #places: Place[] = [];
  readonly #closing = new AbortController();

  constructor(options: UfdsOptions) {
    this.#options = options;
  }

  /**
   * Searches once more on a new connection if one that was there already turns out to be dead: the directory was
   * restarted, or a firewall forgot it. The time for both is the time for one.
   * @throws ConnectionLostError; what the directory answers
   */
  async search(base: string, options: SearchOptions): Promise<readonly Entry[]> {
    const { timeout } = this.#options;
    const end = performance.now() + timeout;
    const place = this.#take();
    try {
      const old = place.ready;
      if (old && !old.isOver) {
        try {
          return await old.search(base, options, timeout / 2);
        } catch (error) {
          if (!(error instanceof ConnectionLostError)) throw error;
        }
      }
      if (old && place.ready === old) this.#forget(place);
      const connection = await this.#connected(place);
      return await connection.search(base, options, Math.max(1, end - performance.now()));
    } finally {
      this.#giveBack(place);
    }
  }

  close(): void {
    this.#closing.abort();
    for (const place of this.#places) place.idle?.stop();
  }

  #take(): Place {
    const [least] = this.#places.toSorted((a, b) => a.pending - b.pending);
    let place = least;
    if (!place || (place.pending > 0 && this.#places.length < this.#options.maxConnections)) {
      place = { connection: undefined, ready: undefined, pending: 0, idle: undefined };
      this.#places.push(place);
    }
    place.idle?.stop();
    place.pending += 1;
    return place;
  }

  #giveBack(place: Place): void {
    place.pending -= 1;
    if (place.pending > 0 || this.#closing.signal.aborted) return;
    place.idle = startTimer(() => {
      place.ready?.end();
      this.#forget(place);
    }, this.#options.idle).unref();
  }

  #connected(place: Place): Promise<Connection> {
    if (this.#closing.signal.aborted) throw new ConnectionLostError('the directory was closed');
    place.connection ??= this.#connect(place);
    return place.connection;
  }

  async #connect(place: Place): Promise<Connection> {
    try {
      const connection = await Connection.open(this.#options, this.#closing.signal);
      place.ready = connection;
      return connection;
    } catch (error) {
      this.#forget(place);
      throw error;
    }
  }

  #forget(place: Place): void {
    place.connection = undefined;
    place.ready = undefined;
  }
}
