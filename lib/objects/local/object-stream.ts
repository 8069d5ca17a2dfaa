import type { FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { ObjectTruncatedError } from '../errors.ts';
import type { ByteSource } from '../object-store.ts';
import { storeFailure } from './failure.ts';

/** Bytes. Measured on loopback HTTP: smaller pieces cost turns of the event loop, larger ones fall out of the cache. */
const CHUNK = 512 * 1024;
/** Pieces kept for reuse by any stream: 8 MiB. */
const MOST_SPARE = 16;
const spare: ArrayBuffer[] = [];
/** Reads up to this size get memory of their own instead of a whole piece. */
const SMALL = CHUNK / 8;

function keepSpare(buffer: ArrayBuffer): void {
  if (spare.length < MOST_SPARE) {
    spare.push(buffer);
  } else {
    // Frees the memory without waiting for the garbage collector.
    buffer.transfer(0);
  }
}

export interface ObjectStreamOptions {
  readonly handle: FileHandle;
  readonly path: string;
  readonly start: number;
  /** Position after the last byte. */
  readonly until: number;
}

/**
 * Reads part of an open file and closes it. The open file keeps its bytes, whatever happens to its name. If they end
 * before `until`, the stream fails, because its reader was promised that many.
 */
export class ObjectStream extends Readable implements ByteSource {
  readonly #handle: FileHandle;
  readonly #path: string;
  readonly #start: number;
  readonly #until: number;
  #at: number;

  constructor(options: ObjectStreamOptions) {
    super({ highWaterMark: 2 * CHUNK });
    this.#handle = options.handle;
    this.#path = options.path;
    this.#start = options.start;
    this.#until = options.until;
    this.#at = options.start;
  }

  /** Reuses pieces, because allocating memory for a piece takes longer than reading it. */
  recycle(piece: Buffer): void {
    const { buffer } = piece;
    if (buffer instanceof ArrayBuffer && buffer.byteLength === CHUNK) {
      keepSpare(buffer);
    }
  }

  override _read(): void {
    const wanted = Math.min(CHUNK, this.#until - this.#at);
    if (wanted <= 0) {
      this.push(null);
      return;
    }
    this.#readChunk(wanted).then(
      (chunk) => {
        if (this.destroyed) this.recycle(chunk);
        else this.push(chunk);
      },
      (error) => this.destroy(storeFailure(error) as Error),
    );
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    // Closing waits for a read that may be under way.
    this.#handle.close().then(
      () => callback(error),
      (closing) => callback(error ?? closing),
    );
  }

  async #readChunk(wanted: number): Promise<Buffer> {
    const kept = wanted > SMALL ? (spare.pop() ?? new ArrayBuffer(CHUNK)) : undefined;
    const buffer = kept === undefined ? Buffer.allocUnsafeSlow(wanted) : Buffer.from(kept, 0, wanted);
    const { bytesRead } = await this.#handle.read(buffer, 0, wanted, this.#at);
    if (bytesRead === 0) {
      throw new ObjectTruncatedError(this.#path, this.#until - this.#start, this.#at - this.#start);
    }
    this.#at += bytesRead;
    return bytesRead === wanted ? buffer : buffer.subarray(0, bytesRead);
  }
}
