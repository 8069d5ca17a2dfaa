import { createHash } from 'node:crypto';
import { type BlockHolder, BlockPool } from '../block-pool.ts';
import { HashFeed } from '../hashing/feed.ts';
import type { HashStream } from '../hashing/stream.ts';

/** Bytes. */
const PIECE = 8 * 1024 * 1024;
/** Pieces in memory, over all sessions. */
const MOST_PIECES = 12;
/** Milliseconds after which others who wait for memory may have what was gathered, however little. */
const PATIENCE = 1000;

export function pieceMemory(): BlockPool {
  return new BlockPool(PIECE, MOST_PIECES * PIECE, PATIENCE);
}

export interface PieceWriterOptions {
  readonly hash: HashStream;
  readonly memory: BlockPool;
  /** Stages a piece. Nothing is staged after one that failed. */
  readonly stage: (piece: Uint8Array, md5: string) => Promise<void>;
}

/**
 * Gathers bytes in pieces; while one fills, the one before it is staged. Exactly what is staged is hashed, in order, so
 * after a failure the rest can be written again.
 */
export class PieceWriter implements BlockHolder {
  readonly #options: PieceWriterOptions;
  readonly #feed: HashFeed;
  #piece: Uint8Array | undefined;
  #filled = 0;
  #begunAt = 0;
  #staging: Promise<void> = Promise.resolve();
  #failure: { readonly error: unknown } | undefined;

  constructor(options: PieceWriterOptions) {
    this.#options = options;
    this.#feed = new HashFeed(options.hash);
    options.memory.join(this);
  }

  get waitingSince(): number | undefined {
    return this.#piece && this.#begunAt;
  }

  async park(): Promise<void> {
    this.#submit();
    await this.#staging;
  }

  /** @param stop ends the wait for memory */
  async write(chunk: Uint8Array, stop?: AbortSignal): Promise<void> {
    let rest = chunk;
    while (rest.length > 0) {
      if (this.#failure) throw this.#failure.error;
      const piece = this.#piece ?? (await this.#begin(stop));
      const part = rest.subarray(0, piece.length - this.#filled);
      piece.set(part, this.#filled);
      this.#filled += part.length;
      rest = rest.subarray(part.length);
      if (this.#filled === piece.length) {
        // One piece at a time is on its way, and one fills.
        await this.#staging;
        this.#options.memory.filled(this);
        this.#submit();
      }
    }
  }

  /** Stages what was gathered and waits until all is staged. */
  async drain(): Promise<void> {
    this.#submit();
    await this.#staging;
    if (this.#failure) throw this.#failure.error;
  }

  /** Frees what was not staged. No more is written. */
  async end(): Promise<void> {
    this.#options.memory.leave(this);
    await this.#staging.catch(() => undefined);
    this.#drop();
  }

  async #begin(stop: AbortSignal | undefined): Promise<Uint8Array> {
    this.#piece = await this.#options.memory.take(this, stop);
    this.#filled = 0;
    this.#begunAt = performance.now();
    return this.#piece;
  }

  #submit(): void {
    const piece = this.#piece;
    if (piece === undefined) return;
    const bytes = piece.subarray(0, this.#filled);
    this.#piece = undefined;
    this.#staging = this.#staging.then(() => this.#stage(bytes)).finally(() => this.#options.memory.give(piece));
    this.#staging.catch(() => undefined);
  }

  async #stage(bytes: Uint8Array): Promise<void> {
    if (this.#failure || bytes.length === 0) return;
    try {
      await this.#options.stage(bytes, createHash('md5').update(bytes).digest('base64'));
    } catch (error) {
      this.#failure = { error };
      return;
    }
    await this.#feed.write(bytes);
    this.#feed.flush();
  }

  #drop(): void {
    if (this.#piece === undefined) return;
    this.#options.memory.give(this.#piece);
    this.#piece = undefined;
  }
}
