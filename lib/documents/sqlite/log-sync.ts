/**
 * Brings SQLite's write-ahead log to the disk beside the event loop. SQLite itself would wait for the disk in each commit,
 * and everybody else with it: a disk that takes in files needs tens of milliseconds for that. A log that is written and not
 * yet on disk outlives its process, and only a machine that fails loses it: nobody has been told of it then.
 *
 * Closing a file lets go of the locks that a process has on it, but SQLite locks the log by its index, never the log.
 */
import { closeSync, fdatasync, openSync } from 'node:fs';
import { promisify } from 'node:util';
import { closedError, StoreUnavailableError } from '../errors.ts';

const sync = promisify(fdatasync);

export class LogSync {
  readonly #path: string;
  readonly #descriptor: number;
  #failure: unknown;
  #running: Promise<void> | undefined;
  #isClosed = false;

  /** Create this only when the database is open, because only then does its log exist. */
  constructor(database: string) {
    this.#path = `${database}-wal`;
    this.#descriptor = openSync(this.#path, 'r');
  }

  /** @throws StoreUnavailableError once it has failed: the system may have dropped what it could not write, and says so once */
  assert(): void {
    if (this.#failure === undefined) return;
    const message = `${this.#path} could not be brought to the disk, so nothing more is written: restart the service when the disk is mended`;
    throw new StoreUnavailableError(message, { cause: this.#failure });
  }

  /** Of what was written before the call. @throws StoreUnavailableError, also once it is closed */
  async sync(): Promise<void> {
    this.assert();
    if (this.#isClosed) throw closedError();
    const before = this.#running;
    const running = Promise.resolve(before).then(() => this.#sync());
    this.#running = running;
    await running;
    this.assert();
  }

  /** Syncs that were asked for before are still made: who waits for one is told of it. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    void Promise.resolve(this.#running).finally(() => closeSync(this.#descriptor));
  }

  /** Never rejects. */
  async #sync(): Promise<void> {
    try {
      await sync(this.#descriptor);
    } catch (error) {
      this.#failure = error;
    }
  }
}
