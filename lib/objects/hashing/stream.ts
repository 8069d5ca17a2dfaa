import { HashingError } from '../errors.ts';
import { letGo } from '../let-go.ts';
import type { Hashes } from '../object-store.ts';
import { type Algorithm, allHashes, HashSet } from './algorithms.ts';
import type { Block, HashRing } from './ring.ts';

/** Up to this many bytes, as an icon may have, handing them to threads costs more than hashing them here. */
const SMALL = 128 * 1024;

/**
 * The hashes of one byte sequence. The caller asks for a block, fills it, uses its content (writes it to a file, for
 * example), and returns it; threads then hash it while the caller fills the next ones. The blocks bound the memory, and
 * waiting for one is the back-pressure.
 */
export class HashStream {
  readonly #algorithms: readonly Algorithm[];
  readonly #openRing: () => HashRing;
  /** Bytes not hashed yet, as long as there are few. */
  #small: Uint8Array[] = [];
  #smallSize = 0;
  /** Size of the blocks outside the ring that the caller holds. */
  #lent = 0;
  #ring: HashRing | undefined;
  #closed = false;

  /** @param openRing called for threads when there turn out to be many bytes */
  constructor(algorithms: readonly Algorithm[], openRing: () => HashRing) {
    this.#algorithms = algorithms;
    this.#openRing = openRing;
  }

  /** A free block, never empty; waits while all are being hashed. @throws HashingError */
  async block(): Promise<Block> {
    this.#assertOpen();
    const size = SMALL - this.#smallSize - this.#lent;
    if (this.#ring === undefined && size > 0) {
      this.#lent += size;
      return { bytes: Buffer.allocUnsafeSlow(size) };
    }
    return (this.#ring ?? this.#grow()).block();
  }

  /** Adds the first `length` bytes of a block and takes the block back. Blocks must be returned in order. */
  update(block: Block, length: number): void {
    // Blocks outside the ring were lent first, so they come back first.
    if (this.#lent === 0) {
      this.#ring?.update(block, length);
      return;
    }
    const { bytes } = block;
    this.#lent -= bytes.length;
    if (this.#ring !== undefined) {
      this.#ring.add(bytes.subarray(0, length));
    } else if (length > 0 && !this.#closed) {
      this.#small.push(new Uint8Array(bytes.subarray(0, length)));
      this.#smallSize += length;
    }
    letGo(bytes);
  }

  /** Hashes of all bytes so far; more may follow. @throws HashingError; TypeError if it computes only some of them */
  async digest(): Promise<Hashes> {
    return allHashes(await this.computed());
  }

  /** Those that it computes. @throws HashingError */
  async computed(): Promise<Partial<Hashes>> {
    this.#assertOpen();
    if (this.#ring !== undefined) {
      return this.#ring.digest();
    }
    const hashes = new HashSet(this.#algorithms);
    for (const bytes of this.#small) {
      hashes.update(bytes);
    }
    return hashes.digest();
  }

  /** Begins again with no bytes. No block may be out. */
  restart(): void {
    this.close();
    this.#closed = false;
    this.#smallSize = 0;
  }

  close(): void {
    this.#closed = true;
    this.#forgetSmall();
    this.#ring?.close();
    this.#ring = undefined;
  }

  #grow(): HashRing {
    const ring = this.#openRing();
    for (const bytes of this.#small) {
      ring.add(bytes);
    }
    this.#forgetSmall();
    this.#ring = ring;
    return ring;
  }

  #forgetSmall(): void {
    for (const bytes of this.#small) {
      letGo(bytes);
    }
    this.#small = [];
  }

  #assertOpen(): void {
    if (this.#closed) {
      throw new HashingError('the hash stream was closed');
    }
  }
}
