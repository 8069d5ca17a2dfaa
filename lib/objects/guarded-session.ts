import { type OperationObserver, observed } from '../runtime/operation-observer.ts';
import type { BackendSession } from './backend.ts';
import { SessionStateError } from './errors.ts';
import { incoming } from './incoming.ts';
import type { AppendOptions, ObjectInfo, SessionHashes, WriteSession } from './object-store.ts';

/** `left`: could not be discarded, and is closed. */
type State = 'open' | 'committed' | 'closed' | 'discarded' | 'left';

export interface GuardedSessionOptions {
  readonly session: string;
  readonly path: string;
  /** Maximum size in bytes. */
  readonly limit: number;
  readonly observer: OperationObserver;
  readonly explain: (error: unknown, needed: number) => unknown;
  /** Called however the session ends. */
  readonly onEnd: (session: WriteSession) => void;
}

/** Guards a backend's session: one call at a time, and none after its end. */
export class GuardedSession implements WriteSession {
  readonly session: string;
  readonly path: string;
  readonly #backend: BackendSession;
  readonly #options: GuardedSessionOptions;
  #state: State = 'open';
  /** The one call that is under way. */
  #running: Promise<unknown> | undefined;
  readonly #ending = new AbortController();

  constructor(backend: BackendSession, options: GuardedSessionOptions) {
    this.session = options.session;
    this.path = options.path;
    this.#backend = backend;
    this.#options = options;
  }

  get size(): number {
    return this.#backend.size;
  }

  append(source: AsyncIterable<Uint8Array>, options: AppendOptions = {}): Promise<void> {
    // Not observed: errors and slowness of the source are not the store's.
    return this.alone(() => this.#append(source, options));
  }

  flush(): Promise<number> {
    return this.alone(() =>
      this.#observed('flush', async () => {
        await this.#backend.flush();
        return this.size;
      }),
    );
  }

  hashes(): Promise<SessionHashes> {
    return this.alone(() => this.#observed('hashes', () => this.#backend.hashes()));
  }

  commit(): Promise<ObjectInfo> {
    return this.alone(async () => {
      const info = await this.#observed('commit', () => this.#backend.commit());
      this.#end('committed');
      return info;
    });
  }

  async close(): Promise<void> {
    await this.#interrupt();
    if (this.#state !== 'open') return;
    this.#end('closed');
    await this.#observed('close', () => this.#backend.close());
  }

  async discard(): Promise<void> {
    await this.#interrupt();
    if (this.#state !== 'open' && this.#state !== 'left') return;
    try {
      await this.#observed('discard', () => this.#backend.discard());
      this.#end('discarded');
    } catch (error) {
      // Most often the store is down. Nobody may try again, so nothing is held until then; the sweeper finds what is staged.
      this.#end('left');
      await this.#backend.close().catch(() => undefined);
      throw error;
    }
  }

  #append(source: AsyncIterable<Uint8Array>, options: AppendOptions): Promise<void> {
    const { signal, onProgress, disposable = false } = options;
    const { limit } = this.#options;
    const stop = signal === undefined ? this.#ending.signal : AbortSignal.any([signal, this.#ending.signal]);
    const bytes = incoming(source, { signal: stop, limit, taken: this.size, disposable });
    return this.#backend.append(bytes, onProgress, stop);
  }

  /** Runs a call, if no other is under way. @throws SessionStateError */
  protected async alone<T>(call: () => Promise<T>): Promise<T> {
    if (this.#state !== 'open') throw new SessionStateError(this.session, this.#state);
    if (this.#running !== undefined) throw new SessionStateError(this.session, 'busy with another call');
    const running = call();
    this.#running = running;
    try {
      return await running;
    } finally {
      this.#running = undefined;
    }
  }

  #observed<T>(operation: string, call: () => Promise<T>): Promise<T> {
    const { observer, explain } = this.#options;
    return observed(observer, operation, call, (error) => explain(error, this.size));
  }

  async #interrupt(): Promise<void> {
    this.#ending.abort(new SessionStateError(this.session, 'being closed'));
    await this.settled();
  }

  /** Resolves when no call is under way. */
  protected async settled(): Promise<void> {
    await this.#running?.catch(() => undefined);
  }

  /** Aborts when the session is being closed. */
  protected get ending(): AbortSignal {
    return this.#ending.signal;
  }

  /** @throws SessionStateError after the session's end, and while it is being closed */
  protected assertOpen(): void {
    if (this.#state !== 'open') throw new SessionStateError(this.session, this.#state);
    this.#ending.signal.throwIfAborted();
  }

  #end(state: State): void {
    this.#state = state;
    this.#options.onEnd(this);
  }
}
