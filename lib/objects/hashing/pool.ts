import { availableParallelism } from 'node:os';
import { ALGORITHMS, type Algorithm } from './algorithms.ts';
import { SharedBlocks } from './blocks.ts';
import { HashRing, type Lane } from './ring.ts';
import { HashStream } from './stream.ts';
import { HashWorker } from './worker.ts';

/** More threads gain little: one upload is bound by its slowest algorithm. */
const MOST_THREADS = 4;

export interface HashPoolOptions {
  /** Maximum number of threads; they start when needed. Default: one per core, at most four. */
  readonly threads?: number;
}

/** Hashing threads, shared by all streams that the pool opens. */
export class HashPool {
  readonly #threads: number;
  #workers: HashWorker[] = [];
  #blocks: SharedBlocks | undefined;
  #nextStream = 1;

  constructor(options: HashPoolOptions = {}) {
    this.#threads = options.threads ?? Math.min(availableParallelism(), MOST_THREADS);
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

  /** Ends the threads; open streams fail. */
  async close(): Promise<void> {
    const workers = this.#workers;
    this.#workers = [];
    await Promise.all(workers.map((worker) => worker.terminate()));
  }

  /**
   * Threads for one more stream, and what each computes: two threads that read the same blocks nearly halve the time.
   */
  #lanes(algorithms: readonly Algorithm[], { buffer }: SharedBlocks): Lane[] {
    this.#workers = this.#workers.filter((worker) => worker.alive);
    const shares = this.#threads > 1 ? inTwo(algorithms) : [algorithms];
    const taken = new Set<HashWorker>();
    return shares.map((algorithms) => {
      const worker = this.#leastLoaded(taken, buffer);
      taken.add(worker);
      return { worker, algorithms };
    });
  }

  #leastLoaded(except: ReadonlySet<HashWorker>, buffer: SharedArrayBuffer): HashWorker {
    let best: HashWorker | undefined;
    for (const worker of this.#workers) {
      if (!except.has(worker) && (best === undefined || worker.load < best.load)) {
        best = worker;
      }
    }
    if (best !== undefined && (best.load === 0 || this.#workers.length >= this.#threads)) {
      return best;
    }
    const worker = new HashWorker(buffer);
    this.#workers.push(worker);
    return worker;
  }
}

/** md5 takes about as long as sha1 and sha256 together. */
function inTwo(algorithms: readonly Algorithm[]): (readonly Algorithm[])[] {
  const first: Algorithm = algorithms.includes('md5') ? 'md5' : 'sha1';
  const others = algorithms.filter((algorithm) => algorithm !== first);
  return [[first], others].filter((share) => share.length > 0);
}
