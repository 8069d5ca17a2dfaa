import { closedError } from '../errors.ts';
import type { Tables } from '../sql/tables.ts';
import type { SqliteBuckets } from './buckets.ts';
import { isBusy, isStatementError } from './failure.ts';
import { patiently } from './patience.ts';

/** Access to the tables of a bucket while other processes may lock the database or replace the tables. */
export class Access {
  readonly #buckets: SqliteBuckets;
  readonly #patience: number;
  /** Public because the most frequent read checks it itself. */
  isClosed = false;

  /** @param patience milliseconds to wait for other processes before an operation fails */
  constructor(buckets: SqliteBuckets, patience: number) {
    this.#buckets = buckets;
    this.#patience = patience;
  }

  close(): void {
    this.isClosed = true;
  }

  /** @throws StoreUnavailableError */
  refuseIfClosed(): void {
    if (this.isClosed) throw closedError();
  }

  /** Runs a read synchronously, which nearly always works; returns a promise if it has to be repeated. */
  read<T>(bucket: string, body: (tables: Tables) => T): T | Promise<T> {
    try {
      this.refuseIfClosed();
      return body(this.#buckets.tables(bucket));
    } catch (error) {
      return this.again(error, bucket, body);
    }
  }

  /**
   * Repeats a failed read until the database is not busy, and once more in case another process has replaced its tables,
   * or they were behind a fence that is lifted.
   * @throws the failure itself if repeating cannot help
   */
  again<T>(failure: unknown, bucket: string, body: (tables: Tables) => T): Promise<T> {
    if (!isBusy(failure) && !isStatementError(failure)) throw failure;
    return this.run(() => {
      try {
        return body(this.#buckets.tables(bucket));
      } catch (error) {
        if (!isStatementError(error)) throw error;
        this.#buckets.refresh();
        return body(this.#buckets.tables(bucket));
      }
    });
  }

  /** Repeats `body`, which does not depend on any bucket, until the database is not busy. */
  async run<T>(body: () => T): Promise<T> {
    return await patiently(() => {
      this.refuseIfClosed();
      return body();
    }, this.#patience);
  }

  /** Runs a read on another thread; starts again if another process has replaced the tables meanwhile. */
  async far<T>(bucket: string, body: (tables: Tables) => Promise<T>): Promise<T> {
    return await patiently(async () => {
      for (let hasRefreshed = false; ; hasRefreshed = true) {
        this.refuseIfClosed();
        const tables = this.#buckets.tables(bucket);
        try {
          return await body(tables);
        } catch (error) {
          if (!isStatementError(error)) throw error;
          await this.run(() => this.#buckets.refresh());
          if (hasRefreshed && this.#buckets.tables(bucket) === tables) throw error;
        }
      }
    }, this.#patience);
  }
}
