import { HashingError } from '../errors.ts';
import { letGo } from '../let-go.ts';
import type { Hashes } from '../object-store.ts';
import { ALGORITHMS, HashSet, joinHashes } from './algorithms.ts';
import type { Block, HashRing } from './ring.ts';

/** Up to this many bytes it costs more to involve threads than to hash here. */
const SMALL = 256 * 1024;

/**
 * The hashes of one sequence of bytes. The caller asks for a block, fills it, uses what is in it (writes it to a file,
 * say), and gives it back: threads then hash it while the caller fills the next ones. Blocks bound the memory, and
 * waiting for one is the back-pressure.
 */
export class HashStream {
  readonly #openRing: () => HashRing;
  /** Bytes that were hashed by nobody yet, while there are few. */
  #small: Uint8Array[] = [];
  #smallSize = 0;
  /** Size of the blocks outside the ring that the caller holds. */
  #lent = 0;
  #ring: HashRing | undefined;
  #closed = false;

  /** @param openRing threads for it, asked for when the bytes turn out to be many */
  constructor(openRing: () => HashRing) {
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

  /** Adds the first `length` bytes of a block; the block is the caller's no longer. Blocks come back in their order. */
  update(block: Block, length: number): void {
    // Those that are not the ring's were lent first, and so come back first.
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

  /** Hashes of all bytes so far; more may follow. @throws HashingError */
  async digest(): Promise<Hashes> {
    this.#assertOpen();
    if (this.#ring !== undefined) {
      return this.#ring.digest();
    }
    const hashes = new HashSet(ALGORITHMS);
    for (const bytes of this.#small) {
      hashes.update(bytes);
    }
    return joinHashes([hashes.digest()]);
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
      throw new HashingError('the hashes were closed');
    }
  }
}
