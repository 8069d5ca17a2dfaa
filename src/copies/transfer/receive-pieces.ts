/**
 * Brings the missing pieces of a file over several connections at a time. Each piece is verified when it has arrived; one
 * with wrong bytes is fetched again, and nothing else with it. A connection that breaks ends alone: another one goes on
 * with its piece where it broke off, and only when the last one has broken is that a failure of the transfer. Where other
 * datacenters have the image as well, pieces come from all of them (`suppliers.ts`).
 */
import { startInterval, timeLimit } from '#lib/runtime/timers.ts';
import type { Service } from '../../service/service.ts';
import { failureOf } from '../documents/failure-of.ts';
import { CopyError } from '../documents/failures.ts';
import type { Board, Taken } from './board.ts';
import type { Connections } from './connections.ts';
import { counted } from './counted.ts';
import type { LiveAttempt } from './live-attempt.ts';
import { NoPiecesError } from './piece-hashes.ts';
import { OF_ONE_CONNECTION, type Supplier, type Suppliers } from './suppliers.ts';

/** How often a piece whose bytes were wrong is fetched again. */
const MOST_REFETCHES = 3;
/**
 * Bytes that are missing of a piece when the next one may be asked for, over another connection: they come while the answer is
 * on its way. One such connection for each so many others.
 */
const NEARLY = 512 * 1024;
const OTHERS = 5;
/** Milliseconds between two measurements of the rate. */
export const MEASURE_MS = 250;

/** Bytes of another holder were wrong: the piece is fetched again, and counts as new. */
class HolderLiedError extends Error {
  override readonly name = 'HolderLiedError';
}

interface CrewOptions<T extends Taken> {
  readonly service: Service;
  readonly live: LiveAttempt;
  readonly board: Board<T>;
  readonly suppliers: Suppliers;
  readonly connections: Connections;
}

/** @throws NoPiecesError if the rest has to be fetched as one stream; what was staged before a failure stays */
export async function bringPieces<T extends Taken>(options: CrewOptions<T>, signal: AbortSignal): Promise<void> {
  await new Crew(options).work(signal);
  await options.board.settle();
}

/** The connections of one transfer. */
class Crew<T extends Taken> {
  readonly #options: CrewOptions<T>;
  readonly #connections: Connections;
  readonly #failed = new AbortController();
  readonly #ended = Promise.withResolvers<void>();
  #running = 0;
  /** Those whose pieces are nearly here. */
  readonly #ending = new Set<Taken>();
  #isOver = false;
  /** Since the last measurement. */
  #bytes = 0;
  /** Why the last connection broke. */
  #broke: unknown;

  constructor(options: CrewOptions<T>) {
    this.#options = options;
    this.#connections = options.connections;
  }

  /** Until every piece is here. @throws what the last connection broke with, or what concerns all of them */
  async work(signal: AbortSignal): Promise<void> {
    const { board } = this.#options;
    const stop = AbortSignal.any([signal, this.#failed.signal]);
    const timer = startInterval(() => this.#measure(stop), MEASURE_MS);
    try {
      const checked = board.checkStaged(stop).catch((error: unknown) => this.#failed.abort(error));
      this.#fill(stop);
      await Promise.all([checked, this.#ended.promise]);
    } finally {
      timer.stop();
    }
    stop.throwIfAborted();
    if (!board.isComplete) throw this.#broke ?? new CopyError('SourceUnreachable', 'pieces of the file did not come');
  }

  #measure(stop: AbortSignal): void {
    this.#connections.measured(this.#bytes);
    this.#bytes = 0;
    this.#options.board.look?.();
    this.#fill(stop);
  }

  #fill(stop: AbortSignal): void {
    while (!this.#isOver && this.#counting < this.#connections.most) {
      this.#running += 1;
      void this.#bringSome(stop).finally(() => {
        this.#running -= 1;
        if (this.#running > 0) return;
        // From here on nobody waits for connections, so none may begin.
        this.#isOver = true;
        this.#ended.resolve();
      });
    }
  }

  /** Connections beside which there may be others. */
  get #counting(): number {
    return this.#running - Math.min(this.#ending.size, Math.floor(this.#connections.most / OTHERS));
  }

  /** Piece after piece over one connection. Never rejects. */
  async #bringSome(stop: AbortSignal): Promise<void> {
    const { board } = this.#options;
    let taken: T | undefined;
    try {
      while (this.#counting <= this.#connections.most) {
        taken = await board.take(stop);
        if (!taken) return;
        if (!(await this.#bringFromSomebody(taken, stop))) board.giveBack(taken);
        // What comes next may fail before another one is taken.
        taken = undefined;
        this.#report();
      }
    } catch (error) {
      if (taken) board.giveBack(taken);
      if (stop.aborted) return;
      if (!(error instanceof NoPiecesError) && OF_ONE_CONNECTION.has(failureOf(error).code)) {
        this.#broke = error;
        this.#connections.lost(this.#running - 1);
      } else this.#failed.abort(error);
    }
  }

  /** False if somebody else can be asked for it. @throws what ends the connection */
  async #bringFromSomebody(taken: T, stop: AbortSignal): Promise<boolean> {
    const { suppliers } = this.#options;
    const supplier = suppliers.take();
    const begin = performance.now();
    try {
      await this.#bring(taken, supplier, stop);
      suppliers.brought(supplier, performance.now() - begin);
      return true;
    } catch (error) {
      stop.throwIfAborted();
      if (taken.tooSlow?.aborted || error instanceof HolderLiedError) return false;
      if (suppliers.failed(supplier, error)) return false;
      throw error;
    } finally {
      suppliers.release(supplier);
    }
  }

  async #bring(taken: T, supplier: Supplier, stop: AbortSignal): Promise<void> {
    const { service, live, board, suppliers } = this.#options;
    const { part } = taken;
    for (;;) {
      await this.#fetch(taken, supplier, stop);
      if (await board.verify(taken)) return;
      if (suppliers.wrong(part)) throw new HolderLiedError(`bytes of image "${live.own.image}" were wrong`);
      const what = `bytes ${taken.start}-${taken.start + taken.length - 1} of image "${live.own.image}"`;
      if (part.refetched === MOST_REFETCHES) {
        throw new CopyError('WrongBytes', `${what} have a wrong hash again and again`);
      }
      part.refetched += 1;
      service.log.warn(
        { image: live.own.image, start: taken.start },
        'a piece came with wrong bytes; it is fetched again',
      );
    }
  }

  /** What is missing of the piece. */
  async #fetch(taken: T, supplier: Supplier, stop: AbortSignal): Promise<void> {
    const { start, length, bytes, part, tooSlow } = taken;
    if (bytes.written === length) return;
    const { service, live, suppliers } = this.#options;
    const patience = suppliers.patienceWith(supplier);
    const bounds = [...(patience === undefined ? [] : [timeLimit(patience)]), ...(tooSlow ? [tooSlow] : [])];
    const signal = bounds.length === 0 ? stop : AbortSignal.any([stop, ...bounds]);
    const { stream, via } = await supplier.open(start + bytes.written, start + length - 1, signal);
    let counts = bytes.written;
    const onProgress = (written: number): void => {
      this.#bytes += written - counts;
      counts = written;
      if (length - written <= NEARLY && !this.#ending.has(taken)) {
        this.#ending.add(taken);
        this.#fill(stop);
      }
      this.#report();
    };
    try {
      suppliers.writes(supplier, part);
      const coming = atMost(length - bytes.written, counted(service, live, via, stream));
      // The limit is that of the link to the ordered source.
      const limited = supplier.isOrdered ? live.throttle.limit(coming, signal) : coming;
      await bytes.write(limited, { signal, onProgress, disposable: true });
    } finally {
      this.#ending.delete(taken);
      stream.destroy();
    }
    if (bytes.written === length) return;
    const message = `${supplier.name} ended bytes ${start}-${start + length - 1} of image "${live.own.image}" after ${bytes.written}`;
    throw new CopyError('SourceUnreachable', message);
  }

  #report(): void {
    const { live, board } = this.#options;
    // Bytes that are fetched again were counted before.
    live.reached(Math.max(board.bytes, live.own.bytes), board.solid);
  }
}

/** Of a body that is too long, what was asked for: whether that is right, the hash of the piece tells. */
async function* atMost(most: number, bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let left = most;
  for await (const chunk of bytes) {
    if (chunk.length > left) {
      if (left > 0) yield chunk.subarray(0, left);
      return;
    }
    left -= chunk.length;
    yield chunk;
  }
}
