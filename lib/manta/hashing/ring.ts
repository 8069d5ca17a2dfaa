import { HashingError } from '../errors.ts';
import type { Hashes } from '../object-store.ts';
import { type Algorithm, joinHashes } from './algorithms.ts';
import type { HashReply } from './protocol.ts';
import type { HashWorker, StreamListener } from './worker.ts';

/** Measured: every message between threads costs a wake-up, and blocks above this size gain nothing more. */
const BLOCK_SIZE = 1024 * 1024;
const BLOCKS = 8;
export const RING_SIZE = BLOCKS * BLOCK_SIZE;

/** A piece of memory that the caller fills and hands back with `update`. */
export interface Block {
  readonly bytes: Uint8Array;
  /** Its place in the ring; undefined for memory that only this thread sees. */
  readonly index?: number;
}

export interface Lane {
  readonly worker: HashWorker;
  readonly algorithms: readonly Algorithm[];
}

/** The blocks of one stream that threads hash, and which of them are free. */
export class HashRing implements StreamListener {
  readonly #stream: number;
  readonly #lanes: readonly Lane[];
  /** Memory of {@link RING_SIZE} bytes; when the ring is closed, another may have it. */
  readonly buffer: SharedArrayBuffer;
  readonly #free = Array.from({ length: BLOCKS }, (_, index) => index);
  /** Threads that still read a block. */
  readonly #readers = new Uint8Array(BLOCKS);
  #wanted: PromiseWithResolvers<Block> | undefined;
  #digest: (PromiseWithResolvers<Hashes> & { parts: Partial<Hashes>[] }) | undefined;
  #failure: HashingError | undefined;

  constructor(stream: number, lanes: readonly Lane[], buffer: SharedArrayBuffer) {
    this.#stream = stream;
    this.#lanes = lanes;
    this.buffer = buffer;
    for (const { worker, algorithms } of lanes) {
      worker.start({ type: 'start', stream, buffer, blockSize: BLOCK_SIZE, algorithms }, this);
    }
  }

  async block(): Promise<Block> {
    this.#assertAlive();
    const index = this.#free.pop();
    if (index !== undefined) {
      return this.#at(index);
    }
    this.#wanted = Promise.withResolvers();
    return this.#wanted.promise;
  }

  update(index: number, length: number): void {
    if (length === 0 || this.#failure !== undefined) {
      this.#release(index);
      return;
    }
    this.#readers[index] = this.#lanes.length;
    for (const { worker } of this.#lanes) {
      worker.ask({ type: 'update', stream: this.#stream, block: index, length });
    }
  }

  /** Adds bytes from outside the ring, as a copy. */
  add(bytes: Uint8Array): void {
    for (const { worker } of this.#lanes) {
      worker.tell({ type: 'add', stream: this.#stream, bytes });
    }
  }

  async digest(): Promise<Hashes> {
    this.#assertAlive();
    if (this.#digest === undefined) {
      this.#digest = { ...Promise.withResolvers<Hashes>(), parts: [] };
      for (const { worker } of this.#lanes) {
        worker.ask({ type: 'digest', stream: this.#stream });
      }
    }
    return this.#digest.promise;
  }

  close(): void {
    for (const { worker } of this.#lanes) {
      worker.end(this.#stream);
    }
    this.onFailure(new Error('the hashes were closed'));
  }

  onReply(reply: HashReply): void {
    if (reply.type === 'hashed') {
      const readers = (this.#readers[reply.block] ?? 1) - 1;
      this.#readers[reply.block] = readers;
      if (readers === 0) {
        this.#release(reply.block);
      }
      return;
    }
    const digest = this.#digest;
    if (digest?.parts.push(reply.hashes) === this.#lanes.length) {
      this.#digest = undefined;
      digest.resolve(joinHashes(digest.parts));
    }
  }

  onFailure(cause: Error): void {
    if (this.#failure !== undefined) {
      return;
    }
    this.#failure = new HashingError('the bytes could not be hashed', { cause });
    this.#wanted?.reject(this.#failure);
    this.#digest?.reject(this.#failure);
  }

  #at(index: number): Block {
    return { bytes: new Uint8Array(this.buffer, index * BLOCK_SIZE, BLOCK_SIZE), index };
  }

  #release(index: number): void {
    const wanted = this.#wanted;
    if (wanted === undefined) {
      this.#free.push(index);
      return;
    }
    this.#wanted = undefined;
    wanted.resolve(this.#at(index));
  }

  #assertAlive(): void {
    if (this.#failure !== undefined) {
      throw this.#failure;
    }
  }
}
