import type { FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { ObjectTruncatedError } from '../errors.ts';
import { letGo } from '../let-go.ts';
import type { ByteSource, UnreadFile } from '../object-store.ts';
import { storeFailure } from './failure.ts';

/** Bytes. Measured on loopback HTTP: smaller pieces cost turns of the event loop, larger ones fall out of the cache. */
const CHUNK = 512 * 1024;
/** The same for each of many streams: a reader that is slow holds two of them. */
const CHUNK_OF_MANY = 128 * 1024;
const MANY = 4;
const CHUNK_OF_CROWD = 32 * 1024;
const CROWD = 32;
/** Pieces kept for reuse by any stream: 8 MiB of the large ones, unless there are many, and 2 MiB of the others. */
const MOST_SPARE = 16;
const SPARE: ReadonlyMap<number, ArrayBuffer[]> = new Map([
  [CHUNK, []],
  [CHUNK_OF_MANY, []],
]);
/** Reads up to this size get memory of their own instead of a whole piece. */
const SMALL = CHUNK / 8;

/** Streams that are open. */
let streams = 0;

function chunkNow(): number {
  if (streams > CROWD) return CHUNK_OF_CROWD;
  return streams > MANY ? CHUNK_OF_MANY : CHUNK;
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
  #isAsked = false;
  /** Settled when nobody uses the descriptor. */
  #used: Promise<unknown> | undefined;

  constructor(options: ObjectStreamOptions) {
    streams += 1;
    super({ highWaterMark: streams > MANY ? chunkNow() : 2 * CHUNK });
    if (streams > MANY) for (const buffer of SPARE.get(CHUNK)?.splice(0) ?? []) buffer.transfer(0);
    this.#handle = options.handle;
    this.#path = options.path;
    this.#start = options.start;
    this.#until = options.until;
    this.#at = options.start;
  }

  /** Reuses pieces, because allocating memory for a piece takes longer than reading it. */
  recycle(piece: Buffer): void {
    const { buffer } = piece;
    const spare = buffer instanceof ArrayBuffer ? SPARE.get(buffer.byteLength) : undefined;
    const isWanted = buffer.byteLength < CHUNK || streams <= MANY;
    if (spare && spare.length < MOST_SPARE && isWanted) spare.push(buffer as ArrayBuffer);
    // Frees the memory without waiting for the garbage collector.
    else if (spare) (buffer as ArrayBuffer).transfer(0);
    else letGo(piece);
  }

  get unread(): UnreadFile | undefined {
    if (this.#isAsked || this.destroyed) return undefined;
    const start = this.#start;
    const read = async (at: number, length: number): Promise<Buffer> => {
      try {
        return await this.#readAt(start + at, Buffer.allocUnsafeSlow(length));
      } catch (error) {
        throw storeFailure(error);
      }
    };
    const whileOpen = <T>(use: (descriptor: number) => Promise<T>): Promise<T> => {
      if (this.destroyed) return Promise.reject(this.errored ?? new Error('the file is closed'));
      const used = use(this.#handle.fd);
      this.#used = used.catch(() => undefined);
      return used;
    };
    return { start, size: this.#until - start, whileOpen, read };
  }

  override _read(): void {
    this.#isAsked = true;
    const wanted = Math.min(chunkNow(), this.#until - this.#at);
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
    streams -= 1;
    this.#close().then(
      () => callback(error),
      (closing) => callback(error ?? closing),
    );
  }

  async #close(): Promise<void> {
    await this.#used;
    // This waits for a read that may be under way.
    await this.#handle.close();
  }

  async #readChunk(wanted: number): Promise<Buffer> {
    const size = wanted > CHUNK_OF_MANY ? CHUNK : CHUNK_OF_MANY;
    const kept = wanted > SMALL ? (SPARE.get(size)?.pop() ?? new ArrayBuffer(size)) : undefined;
    const buffer = kept === undefined ? Buffer.allocUnsafeSlow(wanted) : Buffer.from(kept, 0, wanted);
    const read = await this.#readAt(this.#at, buffer);
    this.#at += read.length;
    return read;
  }

  async #readAt(at: number, buffer: Buffer): Promise<Buffer> {
    const { bytesRead } = await this.#handle.read(buffer, 0, buffer.length, at);
    if (bytesRead === 0) {
      throw new ObjectTruncatedError(this.#path, this.#until - this.#start, at - this.#start);
    }
    return bytesRead === buffer.length ? buffer : buffer.subarray(0, bytesRead);
  }
}
