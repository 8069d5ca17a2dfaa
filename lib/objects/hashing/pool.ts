import { availableParallelism } from 'node:os';
import { ALGORITHMS, type Algorithm } from './algorithms.ts';
import { SharedBlocks } from './blocks.ts';
import type { Hasher } from './hasher.ts';
import { opensslDigests } from './openssl.ts';
import { OpensslHasher } from './openssl-hasher.ts';
import { HashRing, type Lane } from './ring.ts';
import { HashStream } from './stream.ts';
import { HashWorker } from './worker.ts';

/** More threads gain little: one upload is bound by its slowest algorithm. */
const MOST_THREADS = 4;

export interface HashPoolOptions {
  /** Maximum number of threads at work. Default: one per core, at most four. */
  readonly threads?: number;
  /** Whether threads of Node hash, as they do wherever OpenSSL's functions cannot be called. */
  readonly inThreads?: boolean;
}

/** Hashers, shared by all streams that the pool opens. */
export class HashPool {
  readonly #threads: number;
  readonly #inThreads: boolean;
  #hashers: Hasher[] = [];
  #blocks: SharedBlocks | undefined;
  #nextStream = 1;

  constructor(options: HashPoolOptions = {}) {
    this.#threads = options.threads ?? Math.min(availableParallelism(), MOST_THREADS);
    this.#inThreads = options.inThreads ?? false;
  }

  /** @param algorithms fewer than all take less time */
  open(algorithms: readonly Algorithm[] = ALGORITHMS): HashStream {
    return new HashStream(algorithms, () => this.#openRing(algorithms));
  }

  #openRing(algorithms: readonly Algorithm[]): HashRing {
    const stream = this.#nextStream;
    this.#nextStream += 1;
    this.#blocks ??= new SharedBlocks();
    return new HashRing(stream, this.#lanes(algorithms, this.#blocks), this.#blocks);
  }

  /** Open streams fail. */
  async close(): Promise<void> {
    const hashers = this.#hashers;
    this.#hashers = [];
    await Promise.all(hashers.map((hasher) => hasher.terminate()));
  }

  /**
   * Threads for one more stream, and what each computes: two threads that read the same blocks nearly halve the time.
   */
  #lanes(algorithms: readonly Algorithm[], { buffer }: SharedBlocks): Lane[] {
    this.#hashers = this.#hashers.filter((hasher) => hasher.alive);
    const shares = this.#threads > 1 ? inTwo(algorithms) : [algorithms];
    const taken = new Set<Hasher>();
    return shares.map((algorithms) => {
      const hasher = this.#leastLoaded(taken, buffer);
      taken.add(hasher);
      return { hasher, algorithms };
    });
  }

  #leastLoaded(except: ReadonlySet<Hasher>, buffer: SharedArrayBuffer): Hasher {
    let best: Hasher | undefined;
    for (const hasher of this.#hashers) {
      if (!except.has(hasher) && (best === undefined || hasher.load < best.load)) {
        best = hasher;
      }
    }
    if (best !== undefined && (best.load === 0 || this.#hashers.length >= this.#threads)) {
      return best;
    }
    const start = this.#inThreads ? undefined : opensslDigests();
    const hasher = start ? new OpensslHasher(buffer, start) : new HashWorker(buffer);
    this.#hashers.push(hasher);
    return hasher;
  }
}

/** md5 takes about as long as sha1 and sha256 together. */
function inTwo(algorithms: readonly Algorithm[]): (readonly Algorithm[])[] {
  const first: Algorithm = algorithms.includes('md5') ? 'md5' : 'sha1';
  const others = algorithms.filter((algorithm) => algorithm !== first);
  return [[first], others].filter((share) => share.length > 0);
}
