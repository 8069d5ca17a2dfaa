import { HashingError } from '../errors.ts';
import { letGo } from '../let-go.ts';
import type { Hashes } from '../object-store.ts';
import type { Algorithm } from './algorithms.ts';
import type { SharedBlocks, Taker } from './blocks.ts';
import type { Hasher, StreamListener } from './hasher.ts';
import { type HashReply, OWN_BLOCK } from './protocol.ts';

/** Maximum number of shared blocks for one stream; more gain nothing. */
const MOST_HELD = 8;
/**
 * Size in bytes of a stream's own block, which it gets while other streams hold all the shared ones, the small ones too. Each
 * thread gets a copy.
 */
const OWN_SIZE = 32 * 1024;

/** A piece of memory that the caller fills and returns with `update`. */
export interface Block {
  readonly bytes: Uint8Array;
  /** Its place in the shared memory; undefined for memory that only this thread sees. */
  readonly index?: number;
}

export interface Lane {
  readonly hasher: Hasher;
  readonly algorithms: readonly Algorithm[];
}

/**
 * The blocks of one stream, which threads hash. A stream makes progress even while stalled streams hold all shared
 * blocks: it then uses a small one at a time, or memory of its own.
 */
export class HashRing implements StreamListener, Taker {
  readonly #stream: number;
  readonly #lanes: readonly Lane[];
  readonly #blocks: SharedBlocks;
  /** The shared blocks that this stream holds, and how many threads are still reading each. */
  readonly #held = new Map<number, number>();
  /** Outstanding replies for bytes that are not in shared blocks. */
  #own = 0;
  /** Whether the caller has a block that is not shared. */
  #isOwnLent = false;
  #wanted: PromiseWithResolvers<Block> | undefined;
  #digest: (PromiseWithResolvers<Partial<Hashes>> & { parts: Partial<Hashes>[] }) | undefined;
  #failure: HashingError | undefined;

  constructor(stream: number, lanes: readonly Lane[], blocks: SharedBlocks) {
    this.#stream = stream;
    this.#lanes = lanes;
    this.#blocks = blocks;
    for (const { hasher, algorithms } of lanes) {
      hasher.start({ type: 'start', stream, algorithms }, this);
    }
  }

  async block(): Promise<Block> {
    this.#assertAlive();
    const block = this.#find();
    if (block !== undefined) {
      return block;
    }
    this.#wanted = Promise.withResolvers();
    this.#queue();
    return this.#wanted.promise;
  }

  update({ bytes, index }: Block, length: number): void {
    if (index === undefined) {
      this.#isOwnLent = false;
      this.add(bytes.subarray(0, length));
      letGo(bytes);
      this.supply();
    } else if (length === 0 || this.#failure !== undefined) {
      this.#release(index);
    } else {
      this.#held.set(index, this.#lanes.length);
      for (const { hasher } of this.#lanes) {
        hasher.ask({ type: 'update', stream: this.#stream, block: index, length });
      }
    }
  }

  /** Adds bytes that are not shared, as a copy. */
  add(bytes: Uint8Array): void {
    if (bytes.length === 0 || this.#failure !== undefined) {
      return;
    }
    this.#own += this.#lanes.length;
    for (const { hasher } of this.#lanes) {
      hasher.ask({ type: 'add', stream: this.#stream, bytes });
    }
  }

  /** Of all its lanes. */
  async digest(): Promise<Partial<Hashes>> {
    this.#assertAlive();
    if (this.#digest === undefined) {
      this.#digest = { ...Promise.withResolvers<Partial<Hashes>>(), parts: [] };
      for (const { hasher } of this.#lanes) {
        hasher.ask({ type: 'digest', stream: this.#stream });
      }
    }
    return this.#digest.promise;
  }

  /** The caller no longer uses any block. They are reused while threads may still read them; the hashes are dropped. */
  close(): void {
    for (const { hasher } of this.#lanes) {
      hasher.end(this.#stream);
    }
    this.onFailure(new Error('the hash stream was closed'));
    const held = [...this.#held.keys()];
    this.#held.clear();
    for (const index of held) {
      this.#blocks.give(index);
    }
  }

  onReply(reply: HashReply): void {
    if (reply.type === 'hashed') {
      this.#onHashed(reply.block);
      return;
    }
    const digest = this.#digest;
    if (digest?.parts.push(reply.hashes) === this.#lanes.length) {
      this.#digest = undefined;
      digest.resolve(Object.assign({}, ...digest.parts));
    }
  }

  onFailure(cause: Error): void {
    if (this.#failure !== undefined) {
      return;
    }
    this.#failure = new HashingError('the bytes could not be hashed', { cause });
    this.#blocks.leave(this);
    this.#wanted?.reject(this.#failure);
    this.#wanted = undefined;
    this.#digest?.reject(this.#failure);
  }

  supply(): void {
    const wanted = this.#wanted;
    if (wanted === undefined) {
      return;
    }
    const block = this.#find();
    if (block === undefined) {
      this.#queue();
      return;
    }
    this.#blocks.leave(this);
    this.#wanted = undefined;
    wanted.resolve(block);
  }

  #find(): Block | undefined {
    const index = this.#held.size < MOST_HELD ? this.#blocks.take() : undefined;
    if (index !== undefined) return this.#hold(index);
    if (this.#held.size > 0 || this.#own > 0 || this.#isOwnLent) {
      return undefined;
    }
    const small = this.#blocks.takeSmall();
    if (small !== undefined) return this.#hold(small);
    this.#isOwnLent = true;
    return { bytes: Buffer.allocUnsafeSlow(OWN_SIZE) };
  }

  #hold(index: number): Block {
    this.#held.set(index, 0);
    return { bytes: this.#blocks.at(index), index };
  }

  #queue(): void {
    if (this.#held.size < MOST_HELD) {
      this.#blocks.wait(this);
    }
  }

  #onHashed(block: number): void {
    if (block === OWN_BLOCK) {
      this.#own -= 1;
      if (this.#own === 0) {
        this.supply();
      }
      return;
    }
    const readers = (this.#held.get(block) ?? 1) - 1;
    if (readers === 0) {
      this.#release(block);
    } else {
      this.#held.set(block, readers);
    }
  }

  /** Streams that have waited longer get the block first. */
  #release(index: number): void {
    if (this.#held.delete(index)) {
      this.#blocks.give(index);
      this.supply();
    }
  }

  #assertAlive(): void {
    if (this.#failure !== undefined) {
      throw this.#failure;
    }
  }
}
