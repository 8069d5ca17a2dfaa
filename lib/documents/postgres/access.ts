/** Repeats what failed for a reason that may pass: each reason has its remedy, and all together a time limit. */
import { pause } from '../../runtime/timers.ts';
import { closedError } from '../errors.ts';
import type { Tables } from '../sql/tables.ts';
import type { PostgresBuckets } from './buckets.ts';
import type { Connections } from './connections.ts';
import { remedyFor } from './failure.ts';

const SHORTEST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 500;

export class Access {
  readonly #connections: Connections;
  readonly #buckets: PostgresBuckets;
  readonly #patienceMs: number;
  #isClosed = false;

  constructor(connections: Connections, buckets: PostgresBuckets, patienceMs: number) {
    this.#connections = connections;
    this.#buckets = buckets;
    this.#patienceMs = patienceMs;
  }

  /** New calls are refused; those under way go on. */
  close(): void {
    this.#isClosed = true;
  }

  /** @throws StoreUnavailableError */
  refuseIfClosed(): void {
    if (this.#isClosed) throw closedError();
  }

  /** Repeats what concerns the tables of a bucket, as they are then. */
  in<T>(bucket: string, body: (tables: Tables) => Promise<T>, signal?: AbortSignal): Promise<T> {
    return this.run(() => body(this.#buckets.tables(bucket)), signal);
  }

  /** `body` must be safe to repeat after any failure of the database. @throws the last failure */
  async run<T>(body: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    this.refuseIfClosed();
    const start = performance.now();
    let hasRefreshed = false;
    for (let wait = SHORTEST_PAUSE_MS; ; wait = Math.min(wait * 2, LONGEST_PAUSE_MS)) {
      const { generation } = this.#buckets;
      try {
        return await body();
      } catch (error) {
        // Tables that were away and are back may have been behind a fence; away again, they are not there at all.
        if (!(await this.#remedy(error, generation)) && hasRefreshed) throw error;
        hasRefreshed = remedyFor(error) === 'refresh';
        if (performance.now() - start >= this.#patienceMs) throw error;
      }
      // Jitter, so that two processes that were in each other's way are not so again.
      await pause(wait * (0.5 + Math.random()), signal);
    }
  }

  /**
   * Does what has to be done before the same is tried again.
   * @param generation of the buckets, when it was tried
   * @returns whether anything has changed that may have been the reason
   * @throws the error if nothing helps
   */
  async #remedy(error: unknown, generation: number): Promise<boolean> {
    switch (remedyFor(error)) {
      case 'none':
        throw error;
      case 'unprepare':
        this.#connections.unprepare();
        return true;
      case 'refresh':
        return !(await this.#isAsBefore(generation));
      case 'repeat':
      case 'reconnect':
        return true;
    }
  }

  /** Whether all buckets still have the same tables; false if that cannot be found out. */
  async #isAsBefore(generation: number): Promise<boolean> {
    try {
      await this.#connections.use((session) => this.#buckets.refresh(session));
    } catch (error) {
      if (remedyFor(error) === 'none') throw error;
      return false;
    }
    return this.#buckets.generation === generation;
  }
}
